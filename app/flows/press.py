"""PR works through what it was asked to look at: acknowledges it, and closes it with a lesson.

Knows that a ticket is locked before its escalation. Refuses to know why PR was asked (escalate) and which marks and
custody an act leaves on a ticket (tickets.press).
"""

from collections.abc import Callable
from uuid import UUID

from app.access.role import Caller
from app.escalation import store as escalations
from app.escalation.store import Escalation
from app.flows.record import record_one
from app.runtime import Unit
from app.tickets import press
from app.tickets import store as tickets
from app.tickets.ticket import Step, Ticket


async def acknowledge(unit: Unit, caller: Caller, escalation_id: UUID, *, take_over: bool) -> Escalation:
    """PR says that it looks; taking over, it gets the ball too. Raises `EscalationNotFound`, `EscalationMovedOn`."""
    ticket = await _ticket(unit, escalation_id)
    await escalations.mark_acknowledged(unit.tx, escalation_id, caller.actor, unit.now)
    return await _done(
        unit, escalation_id, ticket, lambda one: press.acknowledge(one, caller.actor, take_over=take_over, now=unit.now)
    )


async def close(unit: Unit, caller: Caller, escalation_id: UUID, lesson: str) -> Escalation:
    """PR is done with it. Raises `EscalationNotFound`, `EscalationMovedOn`."""
    ticket = await _ticket(unit, escalation_id)
    await escalations.mark_closed(unit.tx, escalation_id, caller.actor, lesson, unit.now)
    data = {"lesson": lesson}
    return await _done(unit, escalation_id, ticket, lambda one: press.close(one, caller.actor, data, unit.now))


async def _ticket(unit: Unit, escalation_id: UUID) -> Ticket | None:
    """The escalated ticket, locked; None for an incident's escalation."""
    escalation = await escalations.get_escalation(unit.tx, escalation_id)
    return await tickets.claim_ticket(unit.tx, escalation.ticket_id) if escalation.ticket_id else None


async def _done(unit: Unit, escalation_id: UUID, ticket: Ticket | None, act: Callable[[Ticket], Step]) -> Escalation:
    if ticket is not None:
        await record_one(unit, act(ticket))
    return await escalations.get_escalation(unit.tx, escalation_id)
