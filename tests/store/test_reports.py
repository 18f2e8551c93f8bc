"""Reports over rows: on which axis they are counted, how they are grouped, and who sees them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.feedback.answering import Answer
from app.feedback.invitation import Reason, State
from app.feedback.nps import Nps, score
from app.feedback.store import Invitation, add_invitations, record_response
from app.kit.db import Database, Transaction
from app.kit.ids import new_id
from app.reports.attainment import Attainment
from app.reports.question import Group, Interval, Question
from app.reports.store import list_attainment, list_nps
from app.reports.tally.store import get_ledger
from app.sla.clock import Clock
from app.sla.clock import State as Clocked
from app.sla.policy import Metric, Policy
from app.sla.store import record_clocks
from app.tickets.tables import ticket
from app.tickets.ticket import Ticket
from tests.support.standing import add_ticket

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = Question(START, START + 7 * DAY)
POLICY = Policy("usual", Metric.FIRST_REPLY, "office", HOUR, 0.75, frozenset(), "digest")


def invitation_of(asked: Ticket, resolved_at: datetime, state: State, **facts: Any) -> Invitation:
    about = Invitation(
        id=new_id(),
        ticket_id=asked.id,
        resolved_at=resolved_at,
        author_id=asked.author_id,
        state=state,
        reason=None,
        language="nl",
        channel="x",
        account=None,
        topic="invoice_question",
        department="billing",
        stage="pilot",
        arm="first_hand",
        priority="normal",
        agent=None,
        due_at=None,
    )
    return replace(about, **facts)


async def ask(tx: Transaction, state: State, given: int | None = None, at: datetime = START, **facts: Any) -> None:
    """A resolution that was asked about and, with `given`, answered."""
    invitation = invitation_of(await add_ticket(tx, START), at, state, **facts)
    await add_invitations(tx, [invitation])
    if given is not None:
        await record_response(tx, invitation.id, Answer(given, None), at + 40 * DAY)


async def promise(tx: Transaction, state: Clocked, elapsed: float | None = None, **facts: Any) -> None:
    """A promise on a ticket of its own; `elapsed` in seconds, and then it ended on the second day."""
    made_for = await add_ticket(tx, START)
    clock = Clock(
        id=new_id(),
        ticket_id=made_for.id,
        metric=Metric.FIRST_REPLY,
        round=1,
        department=None,
        policy=POLICY,
        state=state,
        started_at=START,
        ended_at=None if elapsed is None else START + DAY,
        elapsed=None if elapsed is None else timedelta(seconds=elapsed),
    )
    await record_clocks(tx, [replace(clock, **facts)])


async def nps_of(database: Database, question: Question) -> dict[tuple[datetime | None, Group], Nps]:
    async with database.reading(reports=True) as tx:
        return {
            (step, group): figures for step, group, figures in (await list_nps(await get_ledger(tx), question)).lines
        }


async def attainment_of(database: Database, question: Question) -> dict[tuple[datetime | None, Group], Attainment]:
    async with database.reading(reports=True) as tx:
        counted = await list_attainment(await get_ledger(tx), question)
    return {(step, group): figures for step, group, figures in counted.lines}


async def test_scores_are_counted_by_class_and_rated_by_who_was_reached(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        for given in (10, 9, 9, 9, 10, 10, 9, 8, 7, 6, 0):
            await ask(tx, State.ANSWERED, given)
        for state in (State.SENT, State.SENT, State.WAITING, State.QUEUED, State.WITHDRAWN, State.FAILED):
            await ask(tx, state)
        await ask(tx, State.SKIPPED, reason=Reason.COOL_DOWN)

    await database.transact(arrange)
    assert await nps_of(database, WEEK) == {(None, ()): score(promoters=7, passives=2, detractors=2, invited=13)}


async def test_answers_count_when_their_ticket_was_resolved_and_the_end_is_not_included(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        await ask(tx, State.ANSWERED, 9, at=WEEK.start - timedelta(microseconds=1))
        await ask(tx, State.ANSWERED, 9, at=WEEK.start)
        await ask(tx, State.ANSWERED, 9, at=WEEK.end - timedelta(microseconds=1))
        await ask(tx, State.ANSWERED, 9, at=WEEK.end)

    await database.transact(arrange)
    daily = await nps_of(database, replace(WEEK, interval=Interval.DAY))
    assert [figures.n for figures in daily.values()] == [1, 0, 0, 0, 0, 0, 1]


async def test_arms_are_compared_and_what_has_no_value_is_a_group_of_its_own(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        await ask(tx, State.ANSWERED, 9)
        await ask(tx, State.ANSWERED, 2, arm="control")
        await ask(tx, State.SENT, stage="central", arm=None)

    await database.transact(arrange)
    assert await nps_of(database, replace(WEEK, group_by=("stage", "arm"))) == {
        (None, ("central", None)): score(0, 0, 0, invited=1),
        (None, ("pilot", "control")): score(0, 0, 1, invited=1),
        (None, ("pilot", "first_hand")): score(1, 0, 0, invited=1),
    }


async def test_promises_have_shares_and_percentiles_by_metric(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        for seconds in (10, 20, 30):
            await promise(tx, Clocked.MET, seconds)
        await promise(tx, Clocked.BREACHED, 40, breached_at=START + HOUR)
        await promise(tx, Clocked.BREACHED, breached_at=START + HOUR)
        await promise(tx, Clocked.RUNNING)
        await promise(tx, Clocked.CANCELLED, 7)
        await promise(tx, Clocked.MET, 5, metric=Metric.RESOLUTION)

    await database.transact(arrange)
    figures = await attainment_of(database, WEEK)
    replies = figures[None, ("first_reply",)]
    assert (replies.n, replies.met, replies.breached, replies.met_share) == (5, 3, 2, 0.6)
    assert [replies.p50, replies.p90, replies.p99] == pytest.approx([25.0, 37.0, 39.7], rel=0.02)
    assert figures[None, ("resolution",)].p50 == pytest.approx(5.0, rel=0.02)
    assert figures[None, ("resolution",)].p50_calendar == pytest.approx(DAY.total_seconds(), rel=0.02)
    assert figures[None, ("ownership",)] == (0, 0, 0, *[None] * 7)
    assert len(figures) == len(Metric)


async def test_a_broken_promise_counts_at_its_due_moment_and_a_kept_one_at_its_end(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        await promise(tx, Clocked.BREACHED, 9000, breached_at=START + HOUR, ended_at=START + 2 * DAY)
        await promise(tx, Clocked.MET, 60, ended_at=START + 2 * DAY)

    await database.transact(arrange)
    daily = await attainment_of(database, replace(WEEK, interval=Interval.DAY))
    counted = {step: (line.met, line.breached) for (step, (metric,)), line in daily.items() if metric == "first_reply"}
    assert {step: counts for step, counts in counted.items() if counts != (0, 0)} == {
        START: (0, 1),
        START + 2 * DAY: (1, 0),
    }


async def test_a_department_is_judged_by_its_own_promises_and_sees_no_others(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        await promise(tx, Clocked.MET, 60)
        await promise(tx, Clocked.MET, 60, metric=Metric.ACCEPTANCE, department="network")
        await tx.execute(update(ticket).values(department="sales"))

    await database.transact(arrange)
    by_department = replace(WEEK, group_by=("department",))
    everybody = await attainment_of(database, by_department)
    assert set(everybody) == {(None, ("network", "acceptance")), (None, ("sales", "first_reply"))}
    network = await attainment_of(database, replace(by_department, department="network"))
    assert set(network) == {(None, ("network", "acceptance"))}


@pytest.mark.parametrize("interval", [Interval.HOUR, Interval.WEEK, Interval.MONTH])
async def test_the_database_cuts_steps_where_the_question_does(database: Database, interval: Interval) -> None:
    async def arrange(tx: Transaction) -> None:
        for days in (0, 6.99, 7, 20.5, 29.9, 31):
            await ask(tx, State.ANSWERED, 9, at=START + timedelta(days=days))

    await database.transact(arrange)
    figures = await nps_of(database, Question(START, START + 40 * DAY, interval))
    assert sum(line.n for line in figures.values()) == 6
