"""A department gets back to a customer who is not content, and is told when it did not in time.

Knows what is written. Refuses to know who is not content and when it is due (hear).
"""

from dataclasses import replace
from uuid import UUID

from app.access.role import Caller
from app.feedback.follow_ups import store
from app.feedback.follow_ups.store import FollowUp, Outcome
from app.flows.hear import FOLLOW_UP_TAG
from app.flows.readable import record_readable
from app.flows.record import record_one
from app.flows.work import check_version
from app.runtime import Unit
from app.tickets.store import claim_ticket, claim_tickets
from app.tickets.ticket import Event, Step


async def follow_up(
    unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, outcome: Outcome, note: str | None
) -> FollowUp:
    """Somebody got back to the customer, or tried to.

    Whose ticket it is by now plays no part, but who names a version has to see it. Raises `TicketNotFound`,
    `FollowUpNotFound`, `ChangedMeanwhile`.
    """
    ticket = await claim_ticket(unit.tx, ticket_id, department=None if expected is None else caller.department)
    await check_version(unit, ticket, expected)
    opened = await store.claim_follow_up(unit.tx, ticket_id, caller.department)
    done = replace(opened, done_at=unit.now, done_by=caller.actor, outcome=outcome, note=note)
    await store.mark_done(unit.tx, done)
    facts = {
        "invitation_id": str(done.invitation_id),
        "outcome": outcome,
        "in_time": unit.now <= done.due_at,
        "note": note,
    }
    event = Event("feedback.followed_up", caller.actor, facts, departments=(done.department,))
    tags = tuple(tag for tag in ticket.tags if tag != FOLLOW_UP_TAG)
    await record_one(unit, Step(ticket, replace(ticket, tags=tags), (event,)))
    return done


async def tell_overdue(unit: Unit, limit: int) -> int:
    """Tell departments of follow-ups whose due moment passed, each once; returns how many."""
    overdue = await store.claim_overdue(unit.tx, limit)
    tickets = await claim_tickets(unit.tx, [one.ticket_id for one in overdue])
    events: dict[UUID, list[Event]] = {ticket_id: [] for ticket_id in tickets}
    for one in overdue:
        facts = {"invitation_id": str(one.invitation_id), "opened_at": one.opened_at, "due_at": one.due_at}
        events[one.ticket_id].append(Event("feedback.overdue", "system", facts, only_for=one.department))
    steps = [Step(ticket, ticket, tuple(events[ticket.id])) for ticket in tickets.values()]
    told = await record_readable(unit, steps)
    await store.mark_untold(unit.tx, [one.invitation_id for one in overdue if one.ticket_id not in told])
    return len(told)
