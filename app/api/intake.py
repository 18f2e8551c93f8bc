"""Single posts that arrive together are written together.

Knows who waits and how many writers are at work. Refuses to know what is received. Nobody waits when nothing is
under way: the first post is written at once, and what arrives meanwhile makes the next list.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import ceil

from app.flows.settle import Received
from app.kit.errors import Unavailable, WebcareError
from app.mentions.mention import Mention

Receive = Callable[[Sequence[Mention]], Awaitable[list[Received | WebcareError]]]


class TooManyWaiting(Unavailable):
    """More posts wait than will be written soon; the caller does better to keep them for a moment."""


class Intake:
    """One per process. `most` posts share a transaction; `writers` lists are under way at a time.

    Two writers keep this process busy while PostgreSQL commits. Who waits is shared among those that are free, so that
    callers who move in step do not leave one of them idle. More writers only make the lists shorter.
    """

    def __init__(self, receive: Receive, *, most: int = 200, writers: int = 2, waiting: int = 5000) -> None:
        self._receive = receive
        self._most = most
        self._writers = writers
        self._longest = waiting
        self._waiting: deque[tuple[Mention, asyncio.Future[Received]]] = deque()
        self._at_work: set[asyncio.Task[None]] = set()
        self._writing = 0

    async def submit(self, mention: Mention) -> Received:
        """What became of the post, after the commit. Raises `TooManyWaiting` and whatever refused this post."""
        if len(self._waiting) >= self._longest:
            raise TooManyWaiting("Too many posts wait to be written; send this one again shortly.")
        answer: asyncio.Future[Received] = asyncio.get_running_loop().create_future()
        self._waiting.append((mention, answer))
        if len(self._at_work) < self._writers:
            self._at_work.add(asyncio.create_task(self._work()))
        return await answer

    async def _work(self) -> None:
        """Until nobody waits. A writer takes its own leave: a post right after its last look gets a new one."""
        try:
            while self._waiting:
                share = ceil(len(self._waiting) / (self._writers - self._writing))
                await self._write([self._waiting.popleft() for _ in range(min(self._most, share))])
        finally:
            if me := asyncio.current_task():
                self._at_work.discard(me)

    async def _write(self, taken: Sequence[tuple[Mention, asyncio.Future[Received]]]) -> None:
        answers: Sequence[Received | Exception]
        self._writing += 1
        try:
            answers = await self._receive([mention for mention, _ in taken])
        except Exception as error:  # noqa: BLE001 - whoever waits must be told, whatever it was
            answers = [error] * len(taken)
        finally:
            self._writing -= 1
        for (_, waits), answer in zip(taken, answers, strict=True):
            if waits.done():  # the caller hung up; its post is kept all the same
                continue
            if isinstance(answer, Exception):
                waits.set_exception(answer)
            else:
                waits.set_result(answer)
