"""PR's word on an incident: approved once, then said on each of its tickets, and on those that still join.

Knows that a ticket gets a statement once, and that what is approved by PR waits for nobody else. Refuses to know how
an incident begins (spikes) and how anything is published (dispatch).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.access.role import Caller
from app.answers import store as answers
from app.answers.reply import Reply
from app.delivery.envelope import Saying
from app.escalation import store as escalations
from app.escalation.incidents import store as incidents
from app.escalation.incidents.incident import Incident, IncidentClosed, IncidentState
from app.escalation.statements import store as statements
from app.escalation.statements.statement import Filling, check_text, filled
from app.escalation.statements.store import Said, Statement
from app.flows import press
from app.flows.readable import record_readable
from app.flows.say import Speech, check_words, open_window, send, why_waiting
from app.flows.spikes import tell
from app.kit.errors import WebcareError
from app.kit.ids import new_id
from app.mentions.mention import Visibility
from app.runtime import Unit
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.ticket import OPEN, Step, Ticket

UNREADABLE = "the clocks of this ticket cannot be read; `webcare sla verify` tells why"


async def approve(unit: Unit, caller: Caller, incident_id: UUID, texts: Mapping[str, str]) -> Statement:
    """Have this said on every ticket of an open incident; a later one takes its place for those to come.

    `texts` by language, in the order of preference for customers of other languages. Raises `IncidentNotFound`,
    `IncidentClosed`, `UnknownMergeField`.
    """
    for language, text in texts.items():
        check_text(text, f"text.{language}")
    incident = await incidents.claim_incident(unit.tx, incident_id)
    if incident.state is IncidentState.CLOSED:
        raise IncidentClosed("This incident is over; answer its tickets one by one.", closed_by=incident.closed_by)
    approved = Statement(new_id(), incident_id, texts, caller.actor, unit.now)
    await statements.add_statement(unit.tx, approved)
    return approved


async def say_statements(unit: Unit, limit: int) -> int:
    """Say what is approved on tickets that did not get it yet; returns how many were looked at."""
    unsaid = await statements.list_unsaid(unit.tx, limit)
    standing = await tickets.claim_tickets(unit.tx, list(unsaid))
    newest = await tickets.list_latest_mentions(unit.tx, list(standing), merged=False)
    wanted = [
        await _say(unit, ticket, unsaid[ticket.id], newest[ticket.id])
        for ticket in standing.values()
        if ticket.state in OPEN
    ]
    ours = await statements.record_said(unit.tx, [one.said for one in wanted])
    given = {one.ticket.id: one.reply for one in wanted if one.ticket.id in ours and one.reply is not None}
    after = await record_readable(unit, [_step(standing[ticket_id], reply) for ticket_id, reply in given.items()])
    unread = given.keys() - after
    left_out = [replace(one.said, reply_id=None, reason=UNREADABLE) for one in wanted if one.ticket.id in unread]
    await statements.mark_unsaid(unit.tx, left_out)
    await answers.add_replies(unit.tx, [given[ticket_id] for ticket_id in after])
    await send(unit, [(ticket, given[ticket_id]) for ticket_id, ticket in after.items()], Saying.STATEMENT)
    return len(unsaid)


async def close(unit: Unit, caller: Caller, incident_id: UUID, lesson: str) -> Incident:
    """PR is done with an incident, and with its escalation; one that ended by itself gets its lesson.

    Raises `IncidentNotFound`, `IncidentClosed` when it has a lesson already.
    """
    incident = await incidents.claim_incident(unit.tx, incident_id)
    if incident.lesson is not None:
        raise IncidentClosed("This incident is closed already, with a lesson.", closed_by=incident.closed_by)
    learned = incident.learned(caller.actor, lesson, unit.now)
    await incidents.mark_followed(unit.tx, [learned])
    if incident.state is IncidentState.OPEN:
        await tell(unit, "incident.closed", learned, await incidents.list_departments(unit.tx, incident_id))
    raised = await escalations.find_open(unit.tx, incident_id)
    if raised is not None:
        await press.close(unit, caller, raised, lesson)
    return learned


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a statement comes to on one ticket; `reply` None where it cannot be said."""

    ticket: Ticket
    said: Said
    reply: Reply | None


async def _say(unit: Unit, ticket: Ticket, statement: Statement, newest: Row[Any]) -> _Wanted:
    topic = unit.rulebook.topics.get(ticket.topic or "")
    name = newest.author_display_name or newest.author_handle
    text = filled(statement.texts, Filling(ticket.language, name, ticket.number, topic.name if topic else {}))
    try:
        check_words(unit, ticket, Speech(text, Visibility(ticket.visibility)))
        await open_window(unit, ticket, ticket.visibility)
    except WebcareError as refused:
        return _Wanted(ticket, Said(statement.id, ticket.id, unit.now, None, refused.message), None)
    reply = Reply(
        id=new_id(),
        ticket_id=ticket.id,
        mention_id=newest.id,
        actor=statement.actor,
        department=None,
        text=text,
        visibility=ticket.visibility,
        queued_at=unit.now,
        reason=why_waiting(unit),
    )
    return _Wanted(ticket, Said(statement.id, ticket.id, unit.now, reply.id), reply)


def _step(ticket: Ticket, reply: Reply) -> Step:
    """Whoever works on the ticket keeps it."""
    data = {"reply_id": str(reply.id), "visibility": reply.visibility, "statement": True}
    return lifecycle.release_reply(ticket, reply.actor, data)
