"""The queue: its order while it moves, its filters, its counts, and who gets the next ticket."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.kit.db import Database
from app.tickets.custody import Custody, Holder
from app.tickets.queue.store import Counts, claim_next, list_counts, list_queue
from app.tickets.queue.wanted import OURS, Wanted
from app.tickets.store import claim_ticket, record_steps
from app.tickets.ticket import Event, State, Step, Ticket
from tests.support.clock import MORNING
from tests.support.standing import add_ticket

ANNA, BRAM = "agent:anna", "agent:bram"
LATER = MORNING + timedelta(hours=1)


async def stand(database: Database, **facts: Any) -> Ticket:
    return await database.transact(lambda tx: add_ticket(tx, MORNING, **facts))


async def become(database: Database, ticket_id: UUID, **facts: Any) -> Ticket:
    """The ticket after something happened to it."""

    async def unit(tx: Any) -> Ticket:
        before = await claim_ticket(tx, ticket_id)
        after = replace(before, version=before.version + 1, sequence=before.sequence + 1, **facts)
        await record_steps(tx, [Step(before, after, (Event("ticket.updated", ANNA),))], MORNING)
        return after

    return await database.transact(unit)


async def fitting(database: Database, wanted: Wanted) -> list[UUID]:
    async with database.reading() as tx:
        return [line.row["id"] for line in await list_queue(tx, wanted, MORNING, limit=100)]


async def take(database: Database, actor: str, wanted: Wanted | None = None) -> Ticket | None:
    """The next ticket, worked on since MORNING with a lease of an hour."""

    async def unit(tx: Any) -> Ticket | None:
        before = await claim_next(tx, wanted or Wanted(holder=OURS), actor, MORNING)
        if before is None:
            return None
        after = replace(
            before,
            state=State.WORKING,
            assignee=actor,
            lease_until=LATER,
            version=before.version + 1,
            sequence=before.sequence + 1,
        )
        await record_steps(tx, [Step(before, after, (Event("ticket.reassigned", actor),))], MORNING)
        return after

    return await database.transact(unit)


async def test_pages_go_on_where_they_ended_while_tickets_move(database: Database) -> None:
    """What stands still is met once and in order, whatever happens to the others between and during the pages."""
    tickets = [await stand(database, next_due_at=MORNING + timedelta(minutes=minute % 17)) for minute in range(60)]
    movers = {one.id for one in tickets[::2]}
    chance = random.Random(7)
    reading = True

    async def move() -> int:
        moves = 0
        while reading:
            due = MORNING + timedelta(minutes=chance.randrange(-60, 60))
            await become(database, chance.choice(sorted(movers)), next_due_at=due)
            moves += 1
        return moves

    async def read() -> list[UUID]:
        seen: list[UUID] = []
        after = None
        while True:
            async with database.reading() as tx:
                page = await list_queue(tx, Wanted(), MORNING, limit=4, after=after)
            if not page:
                return seen
            seen += [line.row["id"] for line in page]
            after = (page[-1].row["urgent_at"], page[-1].row["id"])
            await asyncio.sleep(0.01)

    moving = [asyncio.create_task(move()) for _ in range(3)]
    seen = await read()
    reading = False

    assert sum(await asyncio.gather(*moving)) > 15
    still = sorted((one for one in tickets if one.id not in movers), key=lambda one: (one.next_due_at, one.id))
    assert [one for one in seen if one not in movers] == [one.id for one in still]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Wanted(), {"plain", "theirs", "late", "taken", "lost"}),
        (Wanted(department=("billing",), channel=("x",)), {"plain", "late", "taken"}),
        (Wanted(department=("billing", None)), {"plain", "late", "taken", "lost"}),
        (Wanted(topic=(None,)), {"lost"}),
        (Wanted(assignee=(ANNA,)), {"taken"}),
        (Wanted(assignee=(None,)), {"plain", "theirs", "late", "lost"}),
        (Wanted(account=("@poldermobiel_help",)), {"theirs"}),
        (Wanted(language=("en", None)), {"theirs", "lost"}),
        (Wanted(holder=(Holder.DEPARTMENT,)), {"theirs"}),
        (Wanted(state=(State.WORKING,)), {"taken"}),
        (Wanted(state=(State.RESOLVED, State.WORKING)), {"taken", "done"}),
        (Wanted(state=(State.RESOLVED, State.CLOSED)), {"done"}),
        (Wanted(priority=("urgent", "low")), {"late"}),
        (Wanted(tag=("vip",)), {"taken", "late"}),
        (Wanted(tag=("vip", "storing")), {"taken", "late", "plain"}),
        (Wanted(overdue=True), {"late"}),
        (Wanted(overdue=False), {"plain", "theirs", "taken", "lost"}),
        (Wanted(due_before=LATER), {"late", "taken"}),
        (Wanted(snoozed=True), {"asleep"}),
        (Wanted(within="supply_chain"), {"theirs"}),
        (Wanted(within="supply_chain", department=("billing",)), set()),
    ],
)
async def test_every_filter_that_is_given_holds(database: Database, wanted: Wanted, fits: set[str]) -> None:
    soon = MORNING + timedelta(minutes=30)
    ids = {
        "plain": (await stand(database, tags=("storing",))).id,
        "asleep": (await stand(database, snoozed_until=LATER)).id,
        "done": (await stand(database, state=State.RESOLVED, tags=("vip",))).id,
        "late": (
            await stand(database, priority="urgent", tags=("vip", "new"), next_due_at=MORNING - timedelta(seconds=1))
        ).id,
        "taken": (
            await stand(database, state=State.WORKING, assignee=ANNA, tags=("vip", "storing"), next_due_at=soon)
        ).id,
        "theirs": (
            await stand(
                database,
                department="supply_chain",
                channel="forum",
                account="@poldermobiel_help",
                language="en",
                custody=(Custody(Holder.DEPARTMENT, "supply_chain", MORNING),),
            )
        ).id,
        "lost": (
            await stand(
                database,
                state=State.TRIAGE,
                topic=None,
                department=None,
                language=None,
                custody=(Custody(Holder.TRIAGE, None, MORNING),),
            )
        ).id,
    }

    assert {name for name, ticket_id in ids.items() if ticket_id in await fitting(database, wanted)} == fits


async def test_tickets_are_counted_by_each_value(database: Database) -> None:
    await stand(database, tags=("vip", "storing"), next_due_at=MORNING - timedelta(hours=1))
    await stand(database, tags=("vip",), channel="forum", assignee=ANNA, state=State.WORKING)
    await stand(database, topic=None, department=None, state=State.TRIAGE)
    await stand(database, state=State.CLOSED)
    await stand(database, snoozed_until=LATER)

    async with database.reading() as tx:
        everything = await list_counts(tx, Wanted(), MORNING)
        some = await list_counts(tx, Wanted(channel=("x",)), MORNING)
        nothing = await list_counts(tx, Wanted(channel=("rss",)), MORNING)

    assert everything.total == 3
    assert everything.by == {
        "department": {"billing": 2, None: 1},
        "topic": {"invoice_question": 2, None: 1},
        "channel": {"x": 2, "forum": 1},
        "account": {"@poldermobiel": 3},
        "language": {"nl": 3},
        "state": {"routed": 1, "working": 1, "triage": 1},
        "priority": {"normal": 3},
        "assignee": {ANNA: 1, None: 2},
        "holder": {"webcare": 3},
        "tag": {"vip": 2, "storing": 1},
        "overdue": {"true": 1, "false": 2},
    }
    assert (some.total, some.by["department"]) == (2, {"billing": 1, None: 1})
    assert nothing == Counts(0, {dimension: {} for dimension in everything.by})


async def test_the_most_urgent_is_next_and_what_is_locked_is_passed_over(database: Database) -> None:
    for minutes in (30, 10, 20):
        await stand(database, next_due_at=MORNING + timedelta(minutes=minutes))

    async def hold(tx: Any) -> tuple[Ticket | None, Ticket | None]:
        first = await claim_next(tx, Wanted(holder=OURS), ANNA, MORNING)
        return first, await take(database, BRAM)

    held, taken = await database.transact(hold)

    assert held is not None
    assert taken is not None
    assert [one.next_due_at for one in (held, taken)] == [
        MORNING + timedelta(minutes=10),
        MORNING + timedelta(minutes=20),
    ]


async def test_a_queue_that_many_drain_gives_each_ticket_once(database: Database) -> None:
    ids = {(await stand(database)).id for _ in range(60)}

    async def drain(actor: str) -> list[UUID]:
        taken = []
        while (ticket := await take(database, actor)) is not None:
            taken.append(ticket.id)
        return taken

    drained = await asyncio.gather(*(drain(f"agent:a{number}") for number in range(20)))

    taken = [ticket_id for mine in drained for ticket_id in mine]
    assert len(taken) == len(ids)
    assert set(taken) == ids


async def returning(database: Database, **facts: Any) -> tuple[Ticket, Ticket]:
    """A customer whom Anna helped comes back on another thread; (what Anna has at hand, the new ticket)."""
    past = await stand(database, state=State.CLOSED, helped_by=ANNA)
    at_hand = await stand(database, state=State.WORKING, assignee=ANNA, lease_until=LATER)
    return at_hand, await stand(database, author_id=past.author_id, **{"next_due_at": LATER, **facts})


async def test_a_returning_customer_is_kept_for_who_helped_before(database: Database) -> None:
    _, ticket = await returning(database)

    assert await take(database, BRAM) is None
    taken = await take(database, ANNA)
    assert taken is not None
    assert taken.id == ticket.id


async def test_nobody_waits_for_who_is_not_at_work(database: Database) -> None:
    at_hand, ticket = await returning(database)
    await become(database, at_hand.id, lease_until=MORNING)

    taken = await take(database, BRAM)

    assert taken is not None
    assert taken.id == ticket.id


async def test_what_presses_goes_to_whoever_comes_first(database: Database) -> None:
    _, ticket = await returning(database, next_due_at=MORNING - timedelta(seconds=1))

    taken = await take(database, BRAM)

    assert taken is not None
    assert taken.id == ticket.id


async def test_who_helped_last_is_who_helps_again(database: Database) -> None:
    _, ticket = await returning(database)
    await stand(database, author_id=ticket.author_id, state=State.CLOSED, helped_by=BRAM)
    await stand(database, state=State.WORKING, assignee=BRAM, lease_until=LATER)

    assert await take(database, ANNA) is None
    assert await take(database, BRAM) is not None
