import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.kit.ids import new_id
from app.sla.clock import Clock, State
from app.sla.policy import Happening, Metric, Policy, PolicyUnreadable
from app.sla.store import Due, claim_due, list_clocks, mark_put_off, record_clocks
from app.sla.tables import clock as clock_table
from app.tickets.custody import Holder
from app.tickets.tables import ticket as ticket_table
from tests.support.patience import PATIENCE
from tests.support.standing import add_ticket

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLICY = Policy(
    "all", Metric.FIRST_REPLY, "webcare", timedelta(hours=1), 0.75, frozenset({Holder.CUSTOMER, Holder.PR}), "d1"
)


def running(ticket_id: UUID, *, warn_at: datetime, number: int = 1) -> Clock:
    return Clock(
        id=new_id(),
        ticket_id=ticket_id,
        metric=Metric.FIRST_REPLY,
        round=number,
        department=None,
        policy=POLICY,
        state=State.RUNNING,
        started_at=warn_at - timedelta(minutes=45),
        due_at=warn_at + timedelta(minutes=15),
        warn_at=warn_at,
    )


async def stood(database: Database, *clocks: tuple[Clock, ...]) -> None:
    """Write clocks of one ticket each."""

    async def unit(tx: Transaction) -> None:
        for of_ticket in clocks:
            await add_ticket(tx, T0, of_ticket[0].ticket_id)
            await record_clocks(tx, of_ticket)

    await database.transact(unit)


async def stands(database: Database, *ticket_ids: UUID) -> dict[UUID, tuple[Clock, ...]]:
    async with database.reading() as tx:
        return await list_clocks(tx, ticket_ids)


async def timer(database: Database, clock: Clock) -> datetime | None:
    async with database.reading() as tx:
        found: datetime | None = await tx.scalar(select(clock_table.c.next_at).where(clock_table.c.id == clock.id))
        return found


async def claim(database: Database, limit: int = 100, *, recorded: Sequence[Clock] = ()) -> Due | None:
    """What a sweep does with the timers, apart from what it records."""

    async def swept(tx: Transaction) -> Due | None:
        due = await claim_due(tx, limit)
        if due is not None:
            await record_clocks(tx, recorded)
            await mark_put_off(tx, due)
        return due

    return await database.transact(swept)


async def test_a_clock_comes_back_as_it_was_written(database: Database) -> None:
    ticket_id = new_id()
    open_one = running(ticket_id, warn_at=T0)
    ended = replace(
        running(ticket_id, warn_at=T0, number=2),
        department="billing",
        state=State.BREACHED,
        ended_at=T0 + timedelta(hours=2, microseconds=7),
        ended_by=Happening.REPLIED,
        first_ended_at=T0 + timedelta(hours=2, microseconds=7),
        warned_at=T0,
        breached_at=T0 + timedelta(minutes=15),
        elapsed=timedelta(days=3, seconds=1, microseconds=7),
    )

    await stood(database, (open_one, ended))

    assert await stands(database, ticket_id, new_id()) == {ticket_id: (open_one, ended)}
    assert await stands(database) == {}


async def test_recording_again_replaces_what_stood_and_adds_what_is_new(database: Database) -> None:
    ticket_id = new_id()
    first = running(ticket_id, warn_at=T0)
    await stood(database, (first,))
    assert await timer(database, first) == T0

    [known] = (await stands(database, ticket_id))[ticket_id]
    warned = replace(known, warned_at=T0)
    second = running(ticket_id, warn_at=T0, number=2)
    await database.transact(lambda tx: record_clocks(tx, [warned, second]))

    assert await stands(database, ticket_id) == {ticket_id: (warned, second)}
    assert await timer(database, warned) == first.due_at


async def test_the_timer_goes_when_nothing_is_to_come(database: Database) -> None:
    paused = replace(running(new_id(), warn_at=T0), state=State.PAUSED, due_at=None, warn_at=None)
    await stood(database, (paused,))

    assert await timer(database, paused) is None
    assert await claim(database) is None


async def test_a_policy_of_another_version_is_refused(database: Database) -> None:
    one = running(new_id(), warn_at=T0)
    await stood(database, (one,))
    strange = update(clock_table).values(policy={"name": "of tomorrow"})
    await database.transact(lambda tx: tx.execute(strange))

    with pytest.raises(PolicyUnreadable):
        await stands(database, one.ticket_id)


async def test_what_is_due_is_claimed_the_longest_waiting_first(database: Database) -> None:
    now = utc_now()
    late, later, to_come = (running(new_id(), warn_at=now + timedelta(minutes=minutes)) for minutes in (-10, -20, 10))
    await stood(database, (late,), (later,), (to_come,))

    first = await claim(database, limit=1)
    rest = await claim(database)

    assert first is not None
    assert rest is not None
    assert (list(first.clocks), first.ticket_ids) == ([later.id], (later.ticket_id,))
    assert (list(rest.clocks), rest.ticket_ids) == ([late.id], (late.ticket_id,))
    assert timedelta() <= rest.now - now < timedelta(minutes=1)


async def test_two_due_clocks_of_a_ticket_are_one_ticket(database: Database) -> None:
    ticket_id = new_id()
    await stood(database, (running(ticket_id, warn_at=T0), running(ticket_id, warn_at=T0, number=2)))

    due = await claim(database)

    assert due is not None
    assert (len(due.clocks), due.ticket_ids) == (2, (ticket_id,))


async def test_a_claimed_clock_that_is_not_recorded_is_looked_at_later(database: Database) -> None:
    """One that cannot be read must not come back at once and hold up the others."""
    one, other = (running(new_id(), warn_at=T0) for _ in range(2))
    await stood(database, (one,), (other,))

    due = await claim(database, recorded=[replace(other, warned_at=T0)])

    assert due is not None
    assert await timer(database, one) == due.now + timedelta(minutes=5)
    assert await timer(database, other) == other.due_at
    assert await claim(database, recorded=[replace(other, warned_at=T0, breached_at=other.due_at)]) is not None
    assert await claim(database) is None


async def test_sweeps_at_the_same_time_share_the_work(database: Database) -> None:
    clocks = [running(new_id(), warn_at=T0 + timedelta(seconds=second)) for second in range(40)]
    await stood(database, *((clock,) for clock in clocks))

    async def sweep() -> list[UUID]:
        claimed: list[UUID] = []
        while (due := await claim(database, limit=3)) is not None:
            claimed.extend(due.ticket_ids)
        return claimed

    swept = [ticket_id for one in await asyncio.gather(*(sweep() for _ in range(4))) for ticket_id in one]

    assert sorted(swept) == sorted(clock.ticket_id for clock in clocks)


@pytest.mark.parametrize("table", [ticket_table, clock_table], ids=["ticket", "clock"])
async def test_what_somebody_works_on_is_passed_over(database: Database, table: object) -> None:
    """Neither waits for the other, so they cannot deadlock; the clock is found at the next look."""
    busy, free = (running(new_id(), warn_at=T0) for _ in range(2))
    await stood(database, (busy,), (free,))
    key = ticket_table.c.id if table is ticket_table else clock_table.c.ticket_id

    async def work(tx: Transaction) -> Due | None:
        await tx.execute(select(key).where(key == busy.ticket_id).with_for_update())
        return await asyncio.wait_for(claim(database), timeout=PATIENCE)

    due = await database.transact(work)

    assert due is not None
    assert due.ticket_ids == (free.ticket_id,)
    after = await claim(database)
    assert after is not None
    assert after.ticket_ids == (busy.ticket_id,)
