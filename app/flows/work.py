"""An agent works on a ticket: takes it, writes notes, moves it, settles it.

Knows which acts exist and what each needs gathered. Refuses to know what is said to customers (answer) and which
moves are legal (tickets/lifecycle). Every act takes the ticket's row lock first; `expected` is the version that the
caller saw, None when it does not care.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.access.role import Caller, Role, actor_of
from app.access.store import list_agents
from app.flows import label, survey
from app.flows.record import record_one
from app.kit.errors import Invalid
from app.routing import by_hand
from app.routing import store as routing
from app.routing.decision import as_record
from app.routing.ownership import WEBCARE, Owned
from app.routing.store import Decided
from app.runtime import Unit
from app.sla.business_time import add, is_open
from app.tickets import lifecycle, press
from app.tickets import store as tickets
from app.tickets.consulting import check_owner
from app.tickets.hand_over import delivered, is_awaited
from app.tickets.legal import check_legal
from app.tickets.placement import Placement
from app.tickets.queue import store as queue
from app.tickets.queue.wanted import Wanted
from app.tickets.resolution import check_choice
from app.tickets.store import ChangedMeanwhile
from app.tickets.tagging import Tagging
from app.tickets.ticket import Step, Ticket

TOLD_AT_MOST = 50  # of what changed since a version: more than a person reads


class TopicOrDepartment(Invalid):
    """A reroute names neither, or both."""


class UnknownAgent(Invalid):
    """Nobody of this name holds an agent's token."""


async def claim_next(unit: Unit, caller: Caller, wanted: Wanted) -> Ticket | None:
    """The most urgent ticket that fits and that nobody has, with a lease; None when there is none."""
    ticket = await queue.claim_next(unit.tx, wanted, caller.actor, unit.now)
    return None if ticket is None else await keep(unit, caller, lifecycle.claim(ticket, caller.actor, unit.now))


async def claim(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    return await keep(unit, caller, lifecycle.claim(ticket, caller.actor, unit.now))


async def release(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    return await record_one(unit, lifecycle.release(ticket, caller.actor, unit.now))


async def assign(
    unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, to: str | None, reason: str | None
) -> Ticket:
    """Give a ticket to the agent of this name, or to nobody. Raises `UnknownAgent`."""
    ticket = await take(unit, caller, ticket_id, expected)
    agents = [] if to is None else [name for name, _ in await list_agents(unit.tx)]
    if to is not None and to not in agents:
        message = f"There is no agent '{to}'; there are: {', '.join(agents) or 'none yet'}."
        raise UnknownAgent(message, field="to", allowed=agents)
    name = None if to is None else actor_of(Role.AGENT, to)
    return await record_one(unit, lifecycle.assign(ticket, caller.actor, name, reason, unit.now))


async def renew(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    return await keep(unit, caller, lifecycle.renew(ticket, caller.actor, unit.now))


async def note(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    text: str,
    attachments: Sequence[Mapping[str, Any]] = (),
) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    return await keep(unit, caller, lifecycle.note(ticket, caller.actor, text, attachments))


async def update(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    *,
    priority: str | None = None,
    tags: Tagging | None = None,
) -> Ticket:
    """Another priority chooses the SLA policies anew; what changes nothing writes nothing. Raises `TooManyTags`."""
    ticket = await take(unit, caller, ticket_id, expected)
    wanted = tags.of(ticket.tags) if tags else None
    step = lifecycle.update(ticket, caller.actor, priority=priority, tags=wanted)
    return await keep(unit, caller, step) if step.events else ticket


async def reroute(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    *,
    topic: str | None,
    department: str | None,
    reason: str,
) -> Ticket:
    """Place a ticket by hand; a topic that is named teaches the model.

    Raises `TopicOrDepartment`, `UnknownTopic`, `UnknownDepartment`.
    """
    ticket = await take(unit, caller, ticket_id, expected)
    owned = _placed_by_hand(unit, ticket, topic, department)
    decision = by_hand.decided(
        owned,
        topic or ticket.topic,
        actor=caller.actor,
        reason=reason,
        priority=ticket.priority,
        tags=ticket.tags,
        digest=unit.rulebook.digest,
    )
    placement = Placement(decision.topic, decision.confidence, owned.department, owned.stage, owned.arm, decision.rule)
    moved = await record_one(unit, lifecycle.reroute(ticket, caller.actor, placement, reason, unit.now))
    made = Decided(ticket.id, None, caller.actor, unit.now, as_record(decision))
    await routing.record_decisions(unit.tx, [made])
    if topic is not None:
        await label.correct(unit, ticket, topic, caller.actor)
    return moved


async def wait(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    until: datetime | None,
) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    return await record_one(unit, lifecycle.wait(ticket, caller.actor, until, unit.now))


async def snooze(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, until: datetime) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    return await record_one(unit, lifecycle.snooze(ticket, caller.actor, until, unit.now))


async def resolve(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    code: str,
    note_text: str | None,
) -> Ticket:
    """Settled; whether the customer is asked for a score is decided here and now. Raises `UnknownResolution`."""
    check_choice(unit.rulebook.resolutions, code)
    ticket = await take(unit, caller, ticket_id, expected)
    resolved = await record_one(unit, lifecycle.resolve(ticket, caller.actor, code, note_text, unit.now))
    await survey.invite(unit, [resolved])
    return resolved


async def reopen(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, reason: str) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    reopened = await record_one(unit, lifecycle.reopen(ticket, caller.actor, reason, unit.now))
    await survey.withdraw(unit, [ticket_id])
    return reopened


async def escalate(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, reason: str) -> Ticket:
    """Ask PR to look, in these words; the same words a second time add nothing."""
    ticket = await take(unit, caller, ticket_id, expected)
    check_legal(ticket, "escalate")
    told = unit.rulebook.escalation.risk.told
    step = press.escalate(ticket, caller.actor, [press.by_hand(reason)], told=told)
    return await record_one(unit, step) if step.events else ticket


async def keep(unit: Unit, caller: Caller, step: Step) -> Ticket:
    """Record an act of the caller; what is theirs afterwards stays theirs for another lease."""
    return await record_one(unit, lifecycle.kept(step, caller.actor, _lease_end(unit)))


async def take(
    unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, *, for_a_part: bool = False
) -> Ticket:
    """The ticket, locked. Raises `TicketNotFound`, also for what is not the caller's, and `ChangedMeanwhile`;
    `OnlyConsulted` unless it is taken for a part alone.

    A department that acts on what was handed to it has it, whatever its receiver is about to answer.
    """
    ticket = await tickets.claim_ticket(unit.tx, ticket_id, department=caller.department)
    if not for_a_part:
        check_owner(ticket, caller.department)
    await check_version(unit, ticket, expected)
    return await record_one(unit, delivered(ticket)) if is_awaited(ticket, caller.department) else ticket


async def check_version(unit: Unit, ticket: Ticket, expected: int | None) -> None:
    """Whether a locked ticket still is what the caller saw. Raises `ChangedMeanwhile` with what changed since."""
    if expected is not None and ticket.version != expected:
        since = await tickets.list_events_since(unit.tx, ticket.id, expected, limit=TOLD_AT_MOST)
        raise ChangedMeanwhile(
            f"You saw version {expected}, it is at {ticket.version} now; see what changed, then decide.",
            version=ticket.version,
            changes=[one.told for one in since],
        )


def _lease_end(unit: Unit) -> datetime:
    """Ten minutes of webcare's own hours, so that no ticket is put back at night that is at hand in the morning.

    Who works outside these hours does not work alone: then it is ten minutes by the clock.
    """
    team = unit.rulebook.departments.get(WEBCARE)
    if team is None:
        return unit.now + lifecycle.LEASE
    hours = unit.rulebook.calendars[team.calendar]
    return add(hours, unit.now, lifecycle.LEASE) if is_open(hours, unit.now) else unit.now + lifecycle.LEASE


def _placed_by_hand(unit: Unit, ticket: Ticket, topic: str | None, department: str | None) -> Owned:
    rules = unit.rulebook
    if topic is not None and department is None:
        return by_hand.place_by_topic(rules.routing, topic, ticket.channel, ticket.id, named=rules.topics)
    if department is not None and topic is None:
        return by_hand.place_by_department(
            rules.routing, department, ticket.topic, ticket.channel, ticket.id, webcare=WEBCARE
        )
    raise TopicOrDepartment("Name a topic or a department, one of the two.", field="topic")
