"""Counts of the queue as many agents look at them: a few seconds old at most while somebody looks.

Knows for how long counts are believed and that one question is asked at a time. Refuses to know what is counted. A
hundred thousand open tickets take a tenth of a second to count, and no page waits for that twice: who asks again gets
what is known, and it is counted anew behind their back.
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
STALE = 60.0  # seconds; nobody looked for so long that they are counted before they are shown
KEPT = 500  # questions


@dataclass(frozen=True, slots=True)
class Counted:
    """`at`: when the oldest of these counts was true. Each dimension counts what fits all the other questions."""

    at: datetime
    counts: Counts


class Counting:
    """The counts that this process knows. `count` asks the database, and gives the moment at which it did."""

    def __init__(self, count: Callable[[Wanted], Awaitable[Counted]]) -> None:
        self._count = count
        self._known: OrderedDict[Wanted, tuple[float, Counted]] = OrderedDict()
        self._asking: dict[Wanted, asyncio.Task[Counted]] = {}
        self._one_at_a_time = asyncio.Semaphore(1)  # pages come first, and need the connections

    async def of(self, wanted: Wanted) -> Counted:
        """How many fit, and how many would with another value in one dimension, for each value that there is."""
        asked = [name for name in DIMENSIONS if wanted.asks(name)]
        all_of_it, *others = await asyncio.gather(
            self._recent(wanted), *(self._recent(wanted.regardless_of(name)) for name in asked)
        )
        by = dict(all_of_it.counts.by) | {
            name: other.counts.by[name] for name, other in zip(asked, others, strict=True)
        }
        return Counted(min(one.at for one in (all_of_it, *others)), Counts(all_of_it.counts.total, by))

    async def _recent(self, wanted: Wanted) -> Counted:
        counted_at, known = self._known.get(wanted, (0.0, None))
        age = time.monotonic() - counted_at
        if known is None or age >= STALE:
            return await asyncio.shield(self._anew(wanted))
        if age >= FRESH:
            self._anew(wanted)
        return known

    def _anew(self, wanted: Wanted) -> asyncio.Task[Counted]:
        """Who asks while it is being counted shares the answer."""
        if wanted not in self._asking:
            asking = asyncio.create_task(self._ask(wanted))
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())  # told to those who wait
            self._asking[wanted] = asking
        return self._asking[wanted]

    async def _ask(self, wanted: Wanted) -> Counted:
        try:
            async with self._one_at_a_time:
                counted = await self._count(wanted)
        finally:
            del self._asking[wanted]
        self._known[wanted] = (time.monotonic(), counted)
        self._known.move_to_end(wanted)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return counted
