"""What stands now: promises at risk, tickets that are late, escalated, or in somebody's hands."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.escalation.tables import escalation
from app.kit.db import Database, Reading, Transaction
from app.kit.ids import new_id
from app.reports.standing.store import (
    Aged,
    Ball,
    list_aged,
    list_at_risk,
    list_balls,
    list_escalated,
    list_late,
)
from app.sla.clock import Clock, State
from app.sla.policy import Metric, Policy
from app.sla.store import record_clocks
from app.tickets.custody import Custody, Holder
from app.tickets.ticket import State as Standing
from app.tickets.ticket import Ticket
from tests.support.clock import MORNING as NOW
from tests.support.standing import add_ticket

HOUR = timedelta(hours=1)
POLICY = Policy("usual", Metric.FIRST_REPLY, "office", 8 * HOUR, 0.75, frozenset(), "digest")


async def promise(tx: Transaction, ticket: Ticket, due_in: timedelta, **facts: Any) -> None:
    due_at = NOW + due_in
    warn_at = due_at - 2 * HOUR
    usual: dict[str, Any] = {"metric": Metric.FIRST_REPLY, "department": None, "state": State.RUNNING}
    usual |= {"due_at": due_at, "warn_at": warn_at, "warned_at": warn_at if warn_at <= NOW else None}
    usual |= {"breached_at": due_at, "state": State.BREACHED} if due_in < timedelta() else {}
    made = Clock(id=new_id(), ticket_id=ticket.id, round=1, policy=POLICY, started_at=NOW - HOUR, **usual | facts)
    await record_clocks(tx, [made])


async def held(
    tx: Transaction, holder: Holder, department: str | None = None, since: datetime = NOW - HOUR, **facts: Any
) -> Ticket:
    custody = (Custody(holder, department if holder is Holder.DEPARTMENT else None, since),)
    return await add_ticket(tx, since, custody=custody, department=department, **facts)


def now(tx: Reading, **asked: Any) -> Any:
    usual: dict[str, Any] = {"department": None, "now": NOW, "until": NOW + 4 * HOUR, "limit": 10}
    return list_at_risk(tx, **usual | asked)


async def test_at_risk_is_what_is_due_soon_or_past_its_warning_and_not_yet_broken(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        tickets = [await add_ticket(tx, NOW - HOUR) for _ in range(7)]
        await promise(tx, tickets[0], 3 * HOUR)
        await promise(tx, tickets[1], HOUR)
        await promise(tx, tickets[2], 5 * HOUR)
        await promise(tx, tickets[3], 30 * HOUR, warn_at=NOW - HOUR, warned_at=NOW - HOUR)
        await promise(tx, tickets[4], -HOUR)
        await promise(tx, tickets[5], HOUR, state=State.PAUSED, due_at=None, warn_at=None, warned_at=None)
        await promise(tx, tickets[6], -HOUR / 60, state=State.RUNNING, breached_at=None)  # no sweep saw it yet

    await database.transact(arrange)
    async with database.reading() as tx:
        found = await now(tx)
        paged = [*await now(tx, limit=1)]
        paged += await now(tx, after=(paged[0].due_at, paged[0].id))
    assert [one.due_at - NOW for one in found] == [HOUR, 3 * HOUR, 30 * HOUR]
    assert tuple(paged) == found


async def test_a_promise_at_risk_is_of_the_department_that_made_it_else_of_the_owner(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        ticket = await add_ticket(tx, NOW - HOUR, department="billing")
        await promise(tx, ticket, HOUR)
        await promise(tx, ticket, 2 * HOUR, metric=Metric.ACCEPTANCE, department="network")

    await database.transact(arrange)
    async with database.reading() as tx:
        assert [one.metric for one in await now(tx, department="billing")] == ["first_reply"]
        assert [one.metric for one in await now(tx, department="network")] == ["acceptance"]
        assert [one.department for one in await now(tx)] == ["billing", "network"]


async def test_late_is_what_is_open_past_its_soonest_promise_the_latest_first(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        for late_by, department in ((1, "billing"), (2, "network"), (0, "billing")):
            due = {"resolution": NOW + HOUR, "first_reply": NOW - late_by * HOUR, "acceptance": NOW - HOUR / 2}
            await add_ticket(tx, NOW - HOUR, due=due, next_due_at=NOW - late_by * HOUR, department=department)
        await add_ticket(tx, NOW - HOUR, next_due_at=NOW - 3 * HOUR, state=Standing.RESOLVED)

    await database.transact(arrange)
    async with database.reading() as tx:
        late = await list_late(tx, None, NOW, limit=10)
        own = await list_late(tx, "network", NOW, limit=10)
        rest = await list_late(tx, None, NOW, limit=10, after=(late[0].due_at, late[0].ticket_id))
    assert [(one.department, NOW - one.due_at) for one in late] == [("network", 2 * HOUR), ("billing", HOUR)]
    assert list(late[0].broken.items()) == [("first_reply", NOW - 2 * HOUR), ("acceptance", NOW - HOUR / 2)]
    assert (own, rest) == (late[:1], late[1:])


async def test_escalated_is_what_pr_is_not_done_with(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        for risk, state, asked in ((20, "raised", 1), (70, "acknowledged", 1), (90, "closed", 1), (20, "raised", 2)):
            ticket = await add_ticket(tx, NOW - HOUR, risk=risk, escalated=state != "closed")
            facts = {"id": new_id(), "ticket_id": ticket.id, "incident_id": None, "state": state}
            await tx.insert(escalation, [facts | {"raised_at": NOW - asked * HOUR, "due_at": NOW + HOUR}])
            await tx.flush()

    await database.transact(arrange)
    async with database.reading() as tx:
        assert [(one.risk, one.state, NOW - one.since) for one in await list_escalated(tx, None, 10)] == [
            (70, "acknowledged", HOUR),
            (20, "raised", 2 * HOUR),
            (20, "raised", HOUR),
        ]
        assert await list_escalated(tx, "network", 10) == ()


async def test_each_holder_is_told_what_there_is_to_do(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        await held(tx, Holder.WEBCARE, "billing", next_due_at=NOW - HOUR)
        await held(tx, Holder.WEBCARE, "network", NOW - 3 * HOUR, next_due_at=NOW)
        await held(tx, Holder.WEBCARE, "network", next_due_at=NOW + 4 * HOUR)
        await held(tx, Holder.DEPARTMENT, "network")
        await held(tx, Holder.DEPARTMENT, "network")
        await held(tx, Holder.DEPARTMENT, "network", state=Standing.WORKING, next_due_at=NOW + 9 * HOUR)
        await held(tx, Holder.NOBODY, "network", state=Standing.CLOSED)

    await database.transact(arrange)
    async with database.reading() as tx:
        balls = await list_balls(tx, None, NOW, NOW + 4 * HOUR)
    assert balls == (
        Ball("webcare", None, 3, 1, 1, 0, NOW - 3 * HOUR),
        Ball("department", "network", 3, 0, 0, 2, NOW - HOUR),
    )


async def test_who_has_most_that_is_late_comes_first_then_what_is_due_then_who_has_most(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        for holder, department, due_in in (
            *((Holder.TRIAGE, None, None), (Holder.DEPARTMENT, "network", None), (Holder.DEPARTMENT, "billing", None)),
            *((Holder.CUSTOMER, None, None), (Holder.CUSTOMER, None, None), (Holder.DEPARTMENT, "orders", HOUR)),
            *((Holder.DEPARTMENT, "sales", HOUR), (Holder.DEPARTMENT, "sales", HOUR), (Holder.WEBCARE, None, -HOUR)),
            *((Holder.PR, None, -HOUR), (Holder.PR, None, -HOUR)),
        ):
            await held(tx, holder, department, next_due_at=None if due_in is None else NOW + due_in)

    await database.transact(arrange)
    async with database.reading() as tx:
        balls = await list_balls(tx, None, NOW, NOW + 4 * HOUR)
    assert [one.department or one.holder for one in balls] == [
        *("pr", "webcare", "sales", "orders", "customer"),
        *("billing", "network", "triage"),
    ]


@pytest.mark.parametrize(
    ("hours", "age"),
    [(-1, "under_4h"), (3.9, "under_4h"), (4, "under_1d"), (71, "under_3d"), (72, "under_7d"), (999, "older")],
)
async def test_open_tickets_stand_in_bands_of_age(database: Database, hours: float, age: str) -> None:
    async def arrange(tx: Transaction) -> None:
        await add_ticket(tx, NOW - hours * HOUR, next_due_at=NOW - HOUR)
        await add_ticket(tx, NOW - hours * HOUR, next_due_at=NOW)

    await database.transact(arrange)
    async with database.reading() as tx:
        assert await list_aged(tx, None, NOW) == (Aged("webcare", "billing", age, 2, 1),)


async def test_ages_come_by_holder_and_owner_the_youngest_first(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        for holder, owner, hours in (
            *((Holder.WEBCARE, "network", 1), (Holder.WEBCARE, "billing", 99), (Holder.WEBCARE, "billing", 5)),
            (Holder.DEPARTMENT, "network", 5),
        ):
            await held(tx, holder, owner, NOW - hours * HOUR)

    await database.transact(arrange)
    async with database.reading() as tx:
        assert [(one.holder, one.department, one.age) for one in await list_aged(tx, None, NOW)] == [
            ("department", "network", "under_1d"),
            ("webcare", "billing", "under_1d"),
            ("webcare", "billing", "under_7d"),
            ("webcare", "network", "under_4h"),
        ]
