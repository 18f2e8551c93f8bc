"""PR is asked to look: what a ticket's escalation leaves in PR's queue, and asking by hand.

Knows that a step which says `escalation.raised` opens an escalation, or adds reasons to the one that is open. Refuses
to know when a ticket escalates by itself (escalation.risk, sla) and what PR then does (press).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.escalation import store as escalations
from app.escalation.store import Escalation, EscalationState, Given
from app.kit.ids import new_id
from app.runtime import Unit
from app.sla.business_time import add
from app.tickets.ticket import Step


async def note_raised(unit: Unit, steps: Sequence[Step]) -> None:
    """Put into PR's queue what steps, which are written and hold their tickets' locks, ask PR to look at."""
    asked = {step.ticket.id: raised for step in steps if (raised := _reasons(step))}
    if not asked:
        return
    before = [step.ticket.id for step in steps if step.before and step.before.escalated and step.ticket.id in asked]
    standing = await escalations.list_open(unit.tx, before)
    opened = [opened_for(unit, ticket_id=ticket_id) for ticket_id in asked if ticket_id not in standing]
    of = standing | {one.subject_id: one.id for one in opened}
    given = [
        Given(ticket_id, reason["code"], of[ticket_id], actor, reason["text"], reason["figures"], unit.now)
        for ticket_id, raised in asked.items()
        for actor, reason in raised
    ]
    await escalations.add_escalations(unit.tx, opened, given)


def opened_for(unit: Unit, *, ticket_id: UUID | None = None, incident_id: UUID | None = None) -> Escalation:
    """A new escalation of a ticket or of an incident; PR's own clock starts now."""
    return Escalation(new_id(), ticket_id, incident_id, EscalationState.RAISED, unit.now, _due_at(unit))


def _due_at(unit: Unit) -> datetime:
    promised = unit.rulebook.escalation.acknowledge
    return add(unit.rulebook.calendars[promised.calendar], unit.now, promised.within)


def _reasons(step: Step) -> list[tuple[str, Mapping[str, Any]]]:
    """Who gave which reasons in this step."""
    raised = (event for event in step.events if event.type == "escalation.raised")
    return [(event.actor, reason) for event in raised for reason in event.data["reasons"]]
