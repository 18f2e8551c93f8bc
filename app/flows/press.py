"""PR works through what it was asked to look at: acknowledges it, holds what is said in public, closes with a lesson.

Knows that a ticket is locked before its escalation. Refuses to know why PR was asked (escalate), how far an embargo
reaches (hold) and which marks and custody an act leaves on a ticket (tickets.press).
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from app.access.role import Caller
from app.escalation import store as escalations
from app.escalation.embargoes import store as embargoes
from app.escalation.embargoes.embargo import Embargo, NothingToHold, NothingToRelease, Scope, check_length
from app.escalation.incidents import store as incidents
from app.escalation.incidents.incident import Incident
from app.escalation.store import Escalation, EscalationMovedOn, EscalationState
from app.flows.hold import free, mark_reached
from app.flows.record import record_one
from app.kit.ids import new_id
from app.runtime import Unit
from app.tickets import press
from app.tickets import store as tickets
from app.tickets.legal import check_future
from app.tickets.ticket import Step, Ticket

AT_ONCE = 200  # tickets that follow an embargo within the call; the others follow within seconds


async def acknowledge(unit: Unit, caller: Caller, escalation_id: UUID, *, take_over: bool) -> Escalation:
    """PR says that it looks; taking over, it gets the ball too. Raises `EscalationNotFound`, `EscalationMovedOn`."""
    ticket = await _ticket(unit, escalation_id)
    await escalations.mark_acknowledged(unit.tx, escalation_id, caller.actor, unit.now)
    return await _done(
        unit, escalation_id, ticket, lambda one: press.acknowledge(one, caller.actor, take_over=take_over, now=unit.now)
    )


async def embargo(
    unit: Unit, caller: Caller, escalation_id: UUID, scope: Scope, until: datetime, fallback_text: str | None
) -> Escalation:
    """Public replies wait for PR's release, or for `until`; one that stands for the same scope is changed.

    Raises `EscalationNotFound`, `EscalationMovedOn` when it is closed, `NothingToHold` when its subject has no such
    scope, `NotInFuture` and `EmbargoTooLong`.
    """
    check_future("until", until, unit.now)
    check_length(until, unit.now)
    ticket = await _ticket(unit, escalation_id)
    escalation = await escalations.claim_escalation(unit.tx, escalation_id)
    if escalation.state is EscalationState.CLOSED:
        raise EscalationMovedOn(
            "This escalation is closed already; nothing is held for it.", state=str(EscalationState.CLOSED)
        )
    ticket_id, topic, incident_id = await _reach(unit, scope, escalation, ticket)
    wanted = Embargo(
        id=new_id(),
        escalation_id=escalation_id,
        ticket_id=ticket_id,
        topic=topic,
        incident_id=incident_id,
        until=until,
        fallback_text=fallback_text,
        actor=caller.actor,
        set_at=unit.now,
    )
    await embargoes.add_embargo(unit.tx, wanted)
    await mark_reached(unit, AT_ONCE)
    return await escalations.get_escalation(unit.tx, escalation_id)


async def release(unit: Unit, caller: Caller, escalation_id: UUID, rejection: str | None = None) -> Escalation:
    """PR holds nothing for this escalation any more; replies that waited for that alone are on their way.

    With a `rejection` they are rejected for that reason instead.

    Raises `EscalationNotFound`, `NothingToRelease`.
    """
    await _ticket(unit, escalation_id)
    if not await embargoes.mark_released(unit.tx, escalation_id, caller.actor, unit.now, rejection):
        raise NothingToRelease("No embargo is in force for this escalation.")
    await free(unit, AT_ONCE)
    return await escalations.get_escalation(unit.tx, escalation_id)


async def close(unit: Unit, caller: Caller, escalation_id: UUID, lesson: str) -> Escalation:
    """PR is done with it, and holds nothing for it any more. Raises `EscalationNotFound`, `EscalationMovedOn`."""
    await _ticket(unit, escalation_id)
    if await embargoes.mark_released(unit.tx, escalation_id, caller.actor, unit.now):
        await free(unit, AT_ONCE)
    ticket = await _ticket(unit, escalation_id)
    await escalations.mark_closed(unit.tx, escalation_id, caller.actor, lesson, unit.now)
    data = {"lesson": lesson}
    return await _done(unit, escalation_id, ticket, lambda one: press.close(one, caller.actor, data, unit.now))


async def _reach(
    unit: Unit, scope: Scope, escalation: Escalation, ticket: Ticket | None
) -> tuple[UUID | None, str | None, UUID | None]:
    """The ticket, topic or incident that an embargo of this scope is about. Raises `NothingToHold`."""
    if escalation.incident_id is not None:
        incident: Incident | None = await incidents.get_incident(unit.tx, escalation.incident_id)
    else:
        incident = await incidents.find_of_ticket(unit.tx, escalation.subject_id)
    topic = ticket.topic if ticket is not None else incident.topic if incident is not None else None
    if scope is Scope.TICKET and ticket is not None:
        return ticket.id, None, None
    if scope is Scope.TOPIC and topic is not None:
        return None, topic, None
    if scope is Scope.INCIDENT and incident is not None:
        return None, None, incident.id
    raise NothingToHold(f"This escalation has no {scope} to hold.", field="scope")


async def _ticket(unit: Unit, escalation_id: UUID) -> Ticket | None:
    """The escalated ticket, locked; None for an incident's escalation."""
    escalation = await escalations.get_escalation(unit.tx, escalation_id)
    return await tickets.claim_ticket(unit.tx, escalation.ticket_id) if escalation.ticket_id else None


async def _done(unit: Unit, escalation_id: UUID, ticket: Ticket | None, act: Callable[[Ticket], Step]) -> Escalation:
    if ticket is not None:
        await record_one(unit, act(ticket))
    return await escalations.get_escalation(unit.tx, escalation_id)
