"""Counts are shared, a few seconds old at most while somebody looks, and keep no page waiting."""

import asyncio

from app.api.counting import FRESH, KEPT, STALE, WAITING, Counted, Counting
from app.tickets.queue.store import Counts
from app.tickets.queue.wanted import DIMENSIONS, Wanted
from tests.support.clock import MORNING

ALL, ON_X = Wanted(), Wanted(channel=("x",))


class Desk:
    """Counting with a database that answers when it is let go; the total is the number of its answer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.asked: list[Wanted] = []
        self.open = asyncio.Event()
        self.open.set()
        self.counting = Counting(self._count, lambda: self.seconds)

    async def _count(self, wanted: Wanted) -> Counted:
        self.asked.append(wanted)
        number = len(self.asked)
        await self.open.wait()
        return Counted(MORNING, Counts(number, {name: {None: number} for name in DIMENSIONS}))

    async def total(self, wanted: Wanted = ALL) -> int | None:
        found = await self.counting.of(wanted)
        return found.counts.total if found else None


async def background() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_at_once_shares_one_answer_and_fresh_ones_are_kept() -> None:
    desk = Desk()

    assert await asyncio.gather(*(desk.total() for _ in range(10))) == [1] * 10
    desk.seconds = FRESH - 0.1
    assert await desk.total() == 1
    assert desk.asked == [ALL]


async def test_what_is_a_little_old_is_shown_while_it_is_counted_anew() -> None:
    desk = Desk()
    await desk.total()
    desk.seconds = FRESH

    assert await desk.total() == 1
    await background()
    assert await desk.total() == 2
    assert len(desk.asked) == 2


async def test_what_nobody_asked_for_a_minute_is_counted_first() -> None:
    desk = Desk()
    await desk.total()
    desk.seconds = STALE

    assert await desk.total() == 2


async def test_no_page_waits_for_a_long_count_and_the_next_one_has_it() -> None:
    desk = Desk()
    desk.open.clear()

    assert await desk.total() is None
    assert await desk.total() is None
    desk.open.set()
    await background()
    assert await desk.total() == 1
    assert desk.asked == [ALL]


async def test_no_more_questions_wait_than_can_be_answered() -> None:
    desk = Desk()
    desk.open.clear()

    asked = [desk.total(Wanted(within=f"department_{number}")) for number in range(WAITING)]
    assert await asyncio.gather(*asked) == [None] * WAITING
    assert await desk.total() is None
    desk.open.set()
    for _ in range(WAITING):
        await background()
    assert len(desk.asked) == WAITING
    assert ALL not in desk.asked
    assert await desk.total() is not None


async def test_a_dimension_is_counted_as_if_nothing_were_asked_about_it() -> None:
    desk = Desk()

    found = await desk.counting.of(ON_X)

    assert found is not None
    assert desk.asked == [ON_X, ALL]
    assert (found.counts.total, found.counts.by["topic"], found.counts.by["channel"]) == (1, {None: 1}, {None: 2})


async def test_only_so_many_questions_are_remembered() -> None:
    desk = Desk()
    for number in range(KEPT + 1):
        await desk.total(Wanted(within=f"department_{number}"))

    await desk.total(Wanted(within=f"department_{KEPT}"))
    assert len(desk.asked) == KEPT + 1
    await desk.total(Wanted(within="department_0"))
    assert len(desk.asked) == KEPT + 2


async def test_a_count_that_fails_is_told_to_who_waits_and_tried_again() -> None:
    tried = 0

    async def fail(_: Wanted) -> Counted:
        nonlocal tried
        tried += 1
        raise ConnectionError

    counting = Counting(fail)
    failed = await asyncio.gather(*(counting.of(ALL) for _ in range(2)), return_exceptions=True)

    assert [type(one) for one in failed] == [ConnectionError] * 2
    assert tried == 1
    assert isinstance((await asyncio.gather(counting.of(ALL), return_exceptions=True))[0], ConnectionError)
    assert tried == 2
