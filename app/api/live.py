"""What happens, as it happens, for everybody who listens to this process.

Knows one reader of the journal for any number of listeners, and the last things that it told. Refuses to know who
listens to what (stream). However slow a listener is, it costs no memory and holds nobody up: it finds what it missed
in the database. Nothing runs while nobody listens.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from app.access.role import Caller
from app.access.store import list_living
from app.delivery.event_type import INTERNAL, UNTOLD
from app.kit import logs
from app.kit.db import Database
from app.kit.wire import dump
from app.tickets.journal.position import BEGINNING, Position
from app.tickets.journal.store import Entry, get_head, list_entries
from app.tickets.presence.store import CHANNEL

PRESENCE = "presence"  # the type of what passes by
EVERY = 0.2  # seconds between looks at the journal
JITTER = 0.3  # share of that by which processes are kept from looking in step
AGAIN = 1.0  # seconds until the next look when the database did not answer
BELIEVED = 2.0  # seconds in which a revoked token ends its streams
PAGE = 500  # events read at a time
AT_ONCE = 2  # listeners that may read in the database what they missed; the others wait their turn
KEPT = 4096  # things told that are kept for listeners that are behind


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened, as bytes for the wire. `position` None: it passes by, and nobody can go on from it.

    `departments` are those that it concerns; of them it is told as `outward`, which is empty when none may hear of it.
    """

    position: Position | None
    type: str
    ticket_id: UUID
    departments: frozenset[str]
    whole: bytes
    outward: bytes

    def to(self, department: str | None) -> bytes:
        """What somebody of this department may hear, somebody who sees every ticket for None."""
        if department is None:
            return self.whole
        return self.outward if department in self.departments else b""


@dataclass(eq=False, slots=True)
class Seat:
    """One listener's place: how much of what was told it has taken, and whether it must go."""

    caller: Caller
    taken: int = 0
    is_over: bool = False


class Live:
    """Tells whoever has a seat."""

    def __init__(self, database: Database, kept: int = KEPT) -> None:
        self._database = database
        self._kept: list[Told | None] = [None] * kept  # round and round
        self._told = 0  # so far
        self._head = BEGINNING  # the last event that was told, or that stood when the work began
        self._news = asyncio.Event()  # another one after each news
        self._seats: set[Seat] = set()
        self._has_begun = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._has_ended = False
        self.missing = asyncio.Semaphore(AT_ONCE)

    @contextlib.contextmanager
    def seat(self, caller: Caller) -> Iterator[Seat]:
        """A place among the listeners, for as long as the block lasts."""
        seat = Seat(caller, is_over=self._has_ended)
        self._seats.add(seat)
        if self._work is None and not self._has_ended:
            self._has_begun.clear()
            self._work = asyncio.create_task(self._gather())
        try:
            yield seat
        finally:
            self._seats.remove(seat)
            if not self._seats:
                self._stop()

    async def join(self, seat: Seat) -> Position:
        """Wait until the journal is followed. What the seat takes comes after the position that is given."""
        await self._has_begun.wait()
        return self.skip(seat)

    def skip(self, seat: Seat) -> Position:
        """Leave all that was told so far; what the seat takes next comes after the position that is given."""
        seat.taken = self._told
        return self._head

    def is_behind(self, seat: Seat) -> bool:
        """Whether the next thing for this seat is not kept any more."""
        return self._told - seat.taken > len(self._kept)

    def take(self, seat: Seat, limit: int) -> list[Told]:
        """The next things for a seat that is not behind."""
        upto = min(self._told, seat.taken + limit)
        size = len(self._kept)
        taken = [told for place in range(seat.taken, upto) if (told := self._kept[place % size]) is not None]
        seat.taken = upto
        return taken

    async def wait(self, seat: Seat) -> None:
        """Until there is something to take, or the seat is over."""
        while seat.taken == self._told and not seat.is_over:
            await self._news.wait()

    def end(self) -> None:
        """All seats are over, now and from now on: the process ends."""
        self._has_ended = True
        self._dismiss(self._seats)
        self._has_begun.set()
        self._stop()

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def _dismiss(self, seats: Iterable[Seat]) -> None:
        for seat in seats:
            seat.is_over = True
        self._wake()

    def _tell(self, all_told: Iterable[Told]) -> None:
        for told in all_told:
            self._kept[self._told % len(self._kept)] = told
            self._told += 1
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _gather(self) -> None:
        async with asyncio.TaskGroup() as work:
            work.create_task(self._follow())
            work.create_task(self._hear())

    async def _hear(self) -> None:
        """Presence, which is only ever heard; what is said while the connection is lost is missed."""
        while True:
            try:
                async with contextlib.aclosing(self._database.listen(CHANNEL)) as heard:
                    async for presence in heard:
                        self._tell([told_of_presence(presence)])
            except Exception as error:  # noqa: BLE001 - deaf for a moment, whatever happened, and never for good
                logs.failure("live.deaf", error)
            await asyncio.sleep(AGAIN)

    async def _follow(self) -> None:
        looked_at_tokens = time.monotonic()
        while True:
            wait = EVERY * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - only spreads
            try:
                if await self._look() == PAGE:
                    wait = 0.0
                if time.monotonic() - looked_at_tokens >= BELIEVED:
                    await self._look_at_tokens()
                    looked_at_tokens = time.monotonic()
            except Exception as error:  # noqa: BLE001 - listeners wait for the next look, whatever this one met
                logs.failure("live.failed", error)
                wait = AGAIN
            await asyncio.sleep(wait)

    async def _look(self) -> int:
        async with self._database.reading() as tx:
            if not self._has_begun.is_set():
                self._head = await get_head(tx)
                self._has_begun.set()
            entries = await list_entries(tx, self._head, limit=PAGE)
        if entries:
            self._head = entries[-1].position
            self._tell(map(told_of, entries))
        return len(entries)

    async def _look_at_tokens(self) -> None:
        seats = tuple(self._seats)  # those who come while the database is asked were let in just now
        async with self._database.reading() as tx:
            living = await list_living(tx, {seat.caller.token_id for seat in seats})
        self._dismiss(seat for seat in seats if seat.caller.token_id not in living)


def told_of(entry: Entry) -> Told:
    """An event as it is told. Departments never hear what colleagues wrote to each other."""
    facts = {
        "type": entry.type,
        "ticket_id": entry.ticket_id,
        "number": entry.number,
        "sequence": entry.sequence,
        "at": entry.at,
        "actor": entry.actor,
        "departments": sorted(entry.departments),
    }
    whole = written(entry.type, {**facts, "data": entry.data}, entry.position)
    outward = b"" if entry.type in INTERNAL else whole
    if outward and UNTOLD & entry.data.keys():
        rest = {name: fact for name, fact in entry.data.items() if name not in UNTOLD}
        outward = written(entry.type, {**facts, "data": rest}, entry.position)
    return Told(entry.position, entry.type, entry.ticket_id, entry.departments, whole, outward)


def told_of_presence(presence: str) -> Told:
    """As `Presence` is written; departments see who is at their own tickets."""
    facts = orjson.loads(presence)
    said = written(PRESENCE, facts)
    return Told(None, PRESENCE, UUID(facts["ticket_id"]), frozenset(facts["departments"]), said, said)


def written(name: str, data: Any, position: Position | None = None) -> bytes:
    """A server-sent event; with a position as its `id` a client goes on from there."""
    return b"%sevent: %s\ndata: %s\n\n" % (marked(position) if position else b"", name.encode(), dump(data))


def marked(position: Position) -> bytes:
    """The line that lets a client go on from here when it comes back."""
    return f"id: {position}\n".encode()
