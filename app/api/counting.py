"""Counts of the queue as many agents look at them: seconds old while somebody looks, and no page waits for them.

Knows for how long counts are believed and how much of the database's time they may take. Refuses to know what is
counted. A hundred thousand open tickets take a tenth of a second and more to count, so who asks again gets what is
known while it is counted anew, and who asks something new waits only as long as a page may take.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from app.tickets.queue.store import Counts
from app.tickets.queue.wanted import DIMENSIONS, Wanted

FRESH = 5.0  # seconds; older counts are shown once more, while they are counted anew
STALE = 60.0  # seconds; older ones are not shown
PATIENCE = 0.04  # seconds for which a page waits for counts that are not known
REST = 4  # times as long as it took to count again, nothing is counted again: a fifth of one core is enough for counts
KEPT = 500  # questions
WAITING = 50  # new questions; while so many wait for their turn, none is added


@dataclass(frozen=True, slots=True)
class Counted:
    """`at`: when the oldest of these counts was true."""

    at: datetime
    counts: Counts


class Counting:
    """The counts that this process knows. `count` asks the database; `clock` tells ages, in seconds."""

    def __init__(
        self, count: Callable[[Wanted], Awaitable[Counted]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._clock = clock
        self._known: OrderedDict[Wanted, tuple[float, Counted]] = OrderedDict()
        self._asking: dict[Wanted, asyncio.Task[Counted]] = {}
        # One question at a time in each: pages come first, and need the connections.
        self._first, self._again = asyncio.Semaphore(1), asyncio.Semaphore(1)

    async def of(self, wanted: Wanted) -> Counted | None:
        """How many fit, and for each dimension how many would with each of its values, the other questions being asked.

        None: it takes too long to wait for, and is known soon.
        """
        asked = [name for name in DIMENSIONS if wanted.asks(name)]
        questions = [wanted, *map(wanted.regardless_of, asked)]
        try:
            async with asyncio.timeout(PATIENCE):
                whole, *others = await asyncio.gather(*map(self._recent, questions))
        except TimeoutError:
            return None
        by = dict(whole.counts.by) | {name: other.counts.by[name] for name, other in zip(asked, others, strict=True)}
        return Counted(min(one.at for one in (whole, *others)), Counts(whole.counts.total, by))

    async def _recent(self, wanted: Wanted) -> Counted:
        """Raises TimeoutError for what is not known while too many new questions wait for their turn."""
        counted_at, known = self._known.get(wanted, (0.0, None))
        age = self._clock() - counted_at
        if known is not None and age < STALE:
            if age >= FRESH:
                self._anew(wanted)
            return known
        self._known.pop(wanted, None)
        if wanted not in self._asking and len(self._asking.keys() - self._known.keys()) >= WAITING:
            raise TimeoutError
        return await asyncio.shield(self._anew(wanted))

    def _anew(self, wanted: Wanted) -> asyncio.Task[Counted]:
        """Who asks while it is being counted shares the answer."""
        if wanted not in self._asking:
            asking = asyncio.create_task(self._ask(wanted))
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())  # told to whoever waits
            self._asking[wanted] = asking
        return self._asking[wanted]

    async def _ask(self, wanted: Wanted) -> Counted:
        again = wanted in self._known
        try:
            async with self._again if again else self._first:
                began = self._clock()
                counted = await self._count(wanted)
                self._keep(wanted, counted)
                if again:
                    await asyncio.sleep(REST * (self._clock() - began))
        finally:
            del self._asking[wanted]
        return counted

    def _keep(self, wanted: Wanted, counted: Counted) -> None:
        self._known[wanted] = (self._clock(), counted)
        self._known.move_to_end(wanted)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
