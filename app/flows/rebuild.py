"""Everything is counted anew, into an edition that nobody reads, and then that one is read.

Knows the order that makes it cheap: first the facts of all tickets, then their sums, kind by kind and week by week, so
that each sum is written once, when it is whole. Refuses to know what is counted (reports.tally). Who is killed leaves
an edition that is never read; what happened meanwhile is counted behind it, as always.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from app.kit.errors import Conflict
from app.reports.question import step_after, step_of
from app.reports.tally.cell import Cell
from app.reports.tally.counting import facts_of
from app.reports.tally.cut import Grain
from app.reports.tally.fact import Measure
from app.reports.tally.folding import Place, fold, parted
from app.reports.tally.keeping import store as keeping
from app.reports.tally.keeping.store import Stretch, Tallied
from app.reports.tally.subjects.store import get_count, list_behind, list_subjects
from app.runtime import Runtime, Unit
from app.tickets.journal.store import get_head

TOGETHER = 1000  # tickets whose facts are written in one transaction
LANES = 2  # what is written by one while the other computes

T = TypeVar("T")
Told = Callable[[str, int, int], None]


class RebuiltAgain(Conflict):
    """Somebody else began to count everything anew, so what was counted here is of no use."""


async def rebuild(runtime: Runtime, told: Told, together: int = TOGETHER) -> int:
    """Count all tickets anew and let reports read that; returns how many those were. Raises `RebuiltAgain`.

    `told` hears what is being done, and how much of how much is.
    """
    made = await runtime.run(begin_edition)
    tickets = await _count_all(runtime, made.edition, told, together)
    await _sum_all(runtime, made, told)
    await runtime.run(put_in_force, made)
    async with runtime.reading() as tx:
        stretches = await keeping.list_stretches(tx)
    for done, stretch in enumerate(stretches, start=1):
        await runtime.run(forget_editions, stretch)
        told("pieces tidied up", done, len(stretches))
    return tickets


async def begin_edition(unit: Unit) -> Tallied:
    """An empty edition that nobody reads yet, with the days of the rules' time zone, and the event up to which all will
    be in it, and maybe more.
    """
    head, zone = await get_head(unit.tx), unit.rulebook.zone
    return Tallied(await keeping.add_edition(unit.tx, zone), head, zone)


async def count_anew(unit: Unit, edition: int, ticket_ids: Sequence[UUID]) -> None:
    """The facts of tickets of which none were counted in this edition."""
    subjects = await list_subjects(unit.tx, ticket_ids)
    facts = (
        (ticket_id, number, fact)
        for ticket_id, subject in subjects.items()
        for number, fact in enumerate(facts_of(subject), start=1)
    )
    await keeping.record_facts(unit.tx, edition, facts)


async def sum_up(
    unit: Unit, made: Tallied, measure: Measure, week: datetime, begun: Mapping[Place, Cell]
) -> Mapping[Place, Cell]:
    """The sums of one kind of facts that are whole after the week that starts then.

    `begun` are those of months that were going on before it; returned are those that go on after it.
    """
    end = step_after(week, Grain.WEEK, made.zone)
    facts = await keeping.list_facts_between(unit.tx, made.edition, measure, week, end)
    whole, going_on = parted(fold(((fact, 1) for fact in facts), made.zone), begun, end, made.zone)
    await keeping.record_cells(unit.tx, made.edition, whole)
    return going_on


async def put_in_force(unit: Unit, made: Tallied) -> None:
    """From the commit on everybody reads this edition. Raises `RebuiltAgain`."""
    if not await keeping.mark_in_force(unit.tx, made):
        raise RebuiltAgain("Somebody began to rebuild reports after this did; theirs will be read.")


async def forget_editions(unit: Unit, stretch: Stretch) -> None:
    """Remove what nobody reads any more from a piece of what is kept."""
    await keeping.purge_editions(unit.tx, stretch)


async def _count_all(runtime: Runtime, edition: int, told: Told, together: int) -> int:
    async with runtime.reading() as tx:
        total = await get_count(tx)
    counted = 0

    async def count(ticket_ids: Sequence[UUID]) -> None:
        nonlocal counted
        await runtime.run(count_anew, edition, ticket_ids)
        counted += len(ticket_ids)
        told("tickets", counted, total)

    await _in_lanes(_parts(runtime, together), count)
    return counted


async def _parts(runtime: Runtime, together: int) -> AsyncIterator[Sequence[UUID]]:
    """All tickets in the order of their ids."""
    last = None
    while True:
        async with runtime.reading() as tx:
            ticket_ids = await list_behind(tx, last, together)
        if not ticket_ids:
            return
        yield ticket_ids
        last = ticket_ids[-1]


async def _sum_all(runtime: Runtime, made: Tallied, told: Told) -> None:
    summed = 0

    async def add_up(measure: Measure) -> None:
        nonlocal summed
        await _sum_kind(runtime, made, measure)
        summed += 1
        told("kinds of facts", summed, len(Measure))

    await _in_lanes(_each(Measure), add_up)


async def _sum_kind(runtime: Runtime, made: Tallied, measure: Measure) -> None:
    async with runtime.reading() as tx:
        span = await keeping.find_span(tx, made.edition, measure)
    if span is None:
        return
    first_at, last_at = span
    week = step_of(first_at, Grain.WEEK, made.zone)
    going_on: Mapping[Place, Cell] = {}
    while week <= last_at or going_on:
        going_on = await runtime.run(sum_up, made, measure, week, going_on)
        week = step_after(week, Grain.WEEK, made.zone)


async def _each(kinds: Iterable[T]) -> AsyncIterator[T]:
    for kind in kinds:
        yield kind


async def _in_lanes(parts: AsyncIterator[T], act: Callable[[T], Coroutine[Any, Any, None]]) -> None:
    """Act on all parts, on a few at a time. The first failure ends the others and is raised."""
    free = asyncio.Semaphore(LANES)
    try:
        async with asyncio.TaskGroup() as group:
            async for part in parts:
                await free.acquire()
                group.create_task(act(part)).add_done_callback(lambda _: free.release())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
