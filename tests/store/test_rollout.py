"""What lets a department answer for more, or takes it back: how it did with what it was given, counted from rows."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from app.feedback.answering import Answer
from app.feedback.invitation import State as Invited
from app.feedback.store import Invitation, add_invitations, record_response
from app.kit.db import Database, Transaction
from app.kit.ids import first_id_at, new_id
from app.reports.rollout.store import list_figures, list_opened
from app.routing.readiness import Figures
from app.sla.clock import Clock, State
from app.sla.policy import Happening, Metric, Policy
from app.sla.store import record_clocks
from app.tickets.store import record_steps
from app.tickets.ticket import Event, Step, Ticket
from tests.support.clock import MORNING
from tests.support.standing import add_ticket

HOUR = timedelta(hours=1)
SINCE = MORNING - timedelta(days=7)
POLICY = Policy("usual", Metric.ACCEPTANCE, "office", HOUR, 0.75, frozenset(), "digest")
PLACES = count(1)


async def given(
    tx: Transaction,
    topic: str | None,
    department: str,
    accepted: State,
    ended_by: Happening | None = None,
    *,
    at: datetime = SINCE,
    ticket: Ticket | None = None,
    owned: bool = True,
) -> Ticket:
    """A department gets a ticket, a new one or one that was another's before, for this topic; `owned` within a time."""
    if ticket is None:
        ticket = await add_ticket(tx, at, UUID(int=first_id_at(SINCE).int + next(PLACES)), topic="renamed_later")
    routed = replace(ticket, sequence=ticket.sequence + 1, version=ticket.version + 1)
    await record_steps(tx, [Step(ticket, routed, (Event("ticket.routed", "system", {"topic": topic}),))], at)
    for metric in (Metric.ACCEPTANCE, Metric.OWNERSHIP) if owned else (Metric.ACCEPTANCE,):
        clock = Clock(
            id=new_id(),
            ticket_id=ticket.id,
            metric=metric,
            round=routed.sequence - 1,
            department=department,
            policy=POLICY,
            state=accepted,
            started_at=at,
        )
        if metric is Metric.OWNERSHIP and ended_by is not None:
            clock = replace(clock, ended_at=at + HOUR, ended_by=ended_by)
        await record_clocks(tx, [clock])
    return routed


async def scored(tx: Transaction, score: int, resolved_at: datetime = SINCE, topic: str | None = "late") -> None:
    ticket = await add_ticket(tx, resolved_at, UUID(int=first_id_at(SINCE).int + next(PLACES)), topic=topic)
    about = Invitation(
        id=new_id(),
        ticket_id=ticket.id,
        resolved_at=resolved_at,
        author_id=ticket.author_id,
        state=Invited.ANSWERED,
        reason=None,
        language="nl",
        channel="forum",
        account=None,
        topic=topic,
        department="billing",
        stage="live",
        arm=None,
        priority="normal",
        agent=None,
        due_at=None,
    )
    await add_invitations(tx, [about])
    await record_response(tx, about.id, Answer(score, None), resolved_at + HOUR)


async def test_each_hand_over_counts_for_its_department_and_for_what_it_was_given_for(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        await given(tx, "late", "billing", State.MET, Happening.ANSWERED)
        await given(tx, "late", "billing", State.BREACHED, Happening.HANDED_BACK)
        await given(tx, "late", "billing", State.RUNNING)
        await given(tx, "late", "billing", State.CANCELLED, Happening.RESOLVED)
        await given(tx, "late", "billing", State.MET, owned=False)
        moved = await given(tx, "late", "billing", State.MET, Happening.HANDED_BACK)
        await given(tx, "app", "network", State.MET, Happening.ANSWERED, at=SINCE + 2 * HOUR, ticket=moved)
        await given(tx, "late", "billing", State.MET, Happening.ANSWERED, at=SINCE - HOUR / 3600)
        await given(tx, None, "billing", State.MET, Happening.ANSWERED)

    await database.transact(arrange)
    async with database.reading() as tx:
        assert await list_figures(tx, SINCE) == {
            ("late", "x", "billing"): Figures(handed_over=6, judged=4, accepted=3, ended=4, answered=1, handed_back=2),
            ("app", "x", "network"): Figures(handed_over=1, judged=1, accepted=1, ended=1, answered=1),
        }


async def test_scores_count_from_the_resolution_on(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        for score in (10, 9, 8, 7, 6, 0):
            await scored(tx, score)
        await scored(tx, 10, SINCE - HOUR / 3600)
        await scored(tx, 10, topic=None)

    await database.transact(arrange)
    async with database.reading() as tx:
        assert await list_figures(tx, SINCE) == {
            ("late", "forum", "billing"): Figures(scores=6, promoters=2, detractors=2)
        }


async def test_tickets_count_where_they_stand_unless_they_are_part_of_another(database: Database) -> None:
    async def arrange(tx: Transaction) -> None:
        first = first_id_at(SINCE).int
        kept = [await add_ticket(tx, SINCE, UUID(int=first + place)) for place in range(2)]
        await add_ticket(tx, SINCE, UUID(int=first - 1))
        await add_ticket(tx, SINCE, UUID(int=first + 2), topic=None, department=None)
        await add_ticket(tx, SINCE, UUID(int=first + 3), merged_into_id=kept[0].id)

    await database.transact(arrange)
    async with database.reading() as tx:
        assert await list_opened(tx, SINCE) == {("invoice_question", "x"): 2}
