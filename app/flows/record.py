"""What every flow ends with: steps are written, clocks read custody again, departments are told.

Knows which event means what to a clock and who hears of it. Refuses to know why anything was done. Nothing else
writes tickets, custody, events, clocks or webhooks, so none of them can disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.delivery import envelope
from app.delivery import store as delivery
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, Payload
from app.delivery.envelope import CustomerWords, Message, TicketFacts
from app.delivery.event_type import INTERNAL, UNTOLD
from app.escalation.risk import weighed
from app.flows.escalate import note_raised
from app.kit import logs
from app.kit.ids import new_id
from app.rulebook import Rulebook
from app.runtime import Unit
from app.sla import store as sla
from app.sla.business_time import add
from app.sla.clock import Clock, advance, due, passed, taken_over
from app.sla.policy import Case, Happening, Metric, Policy
from app.tickets import store as tickets
from app.tickets.hand_over import HANDED_OVER, HandOver, followed
from app.tickets.store import Numbered
from app.tickets.ticket import Event, Step, Ticket

# What an event means to clocks. `ticket.routed` hands over only where a department gets the ball, and then not before
# its receiver has it; a department whose answer is held has answered, although the customer waits.
_HAPPENINGS = {
    "ticket.opened": Happening.OPENED,
    "ticket.routed": Happening.HANDED_OVER,
    "ticket.delivered": Happening.HANDED_OVER,
    "ticket.fell_back": Happening.MOVED_ON,
    "ticket.reassigned": Happening.MOVED_ON,
    "ticket.accepted": Happening.ACCEPTED,
    "ticket.asked": Happening.ACCEPTED,  # who asks is at work
    "ticket.answered": Happening.ANSWERED,
    "ticket.handed_back": Happening.HANDED_BACK,
    "ticket.replied": Happening.REPLIED,
    "ticket.reply_held": Happening.ANSWERED,
    "ticket.customer_replied": Happening.CUSTOMER_POSTED,
    "ticket.waiting": Happening.WAITING,
    "ticket.resolved": Happening.RESOLVED,
    "ticket.reopened": Happening.REOPENED,
    "ticket.closed": Happening.CLOSED,
}
# The same of two tickets: of the one that went into another, and of the other.
_OF_TWO = {
    "ticket.merged": (Happening.MERGED, Happening.ABSORBED),
    "ticket.unmerged": (Happening.UNMERGED, Happening.PARTED),
}
_CASE = ("topic", "department", "priority", "tags")  # what a promise is chosen by, besides the channel
_PROMISES = (Metric.FIRST_REPLY, Metric.NEXT_REPLY, Metric.RESOLUTION)  # made to the customer


@dataclass(frozen=True, slots=True)
class _Timed:
    """A step whose ticket carries its due moments, with the clocks that changed; as it was when nothing changed."""

    step: Step
    clocks: tuple[Clock, ...]


async def record(
    unit: Unit, steps: Sequence[Step], *, climbed: Mapping[UUID, timedelta] | None = None
) -> dict[UUID, Ticket]:
    """Write what flows made of tickets, at most one step per ticket; returns the tickets as they stand now.

    A step without events reads the clocks again and records what they came past, which is all that a sweep does.
    `climbed` tells by clock at which level of its ladder all is done with this. Raises `ChangedMeanwhile`.
    """
    if not steps:
        return {}
    steps = [weighed(step, unit.rulebook.escalation.risk) for step in steps]
    known = await sla.list_clocks(unit.tx, [step.ticket.id for step in steps if step.before is not None])
    listening = await _listening(unit, steps, known)
    steps = _followed(unit, steps, listening)
    timed = [_timed(unit, step, known.get(step.ticket.id, ()), climbed or {}) for step in steps]
    after = {one.step.ticket.id: one.step.ticket for one in timed}
    changed = [one for one in timed if one.step.ticket is not one.step.before]
    happened = await tickets.record_steps(unit.tx, [one.step for one in changed], unit.now)
    await note_raised(unit, [one.step for one in changed])
    await sla.record_clocks(unit.tx, [clock for one in changed for clock in one.clocks])
    await _tell(unit, listening, after, happened)
    for one in changed:
        _log(one.step)
    return after


async def record_one(unit: Unit, step: Step) -> Ticket:
    """The same for one ticket."""
    return (await record(unit, [step]))[step.ticket.id]


def _timed(unit: Unit, step: Step, known: tuple[Clock, ...], climbed: Mapping[UUID, timedelta]) -> _Timed:
    ticket, rules = step.ticket, unit.rulebook
    policies = _policies(rules, ticket)
    before = policies if step.before is None or step.before is ticket else _policies(rules, step.before)
    clocks = advance(
        [replace(clock, climbed=climbed[clock.id]) if clock.id in climbed else clock for clock in known],
        ticket.custody,
        [happening for event in step.events for happening in _meaning(event, ticket)],
        unit.now,
        ticket_id=ticket.id,
        policies=policies,
        calendars=rules.calendars,
        new_id=new_id,
        started_at=_customers_moment(step),
        rechosen=[metric for metric in policies if policies[metric] != before.get(metric)],
        ladders=rules.ladders,
    )
    told = tuple(
        Event(
            f"sla.{one.step}",
            "system",
            {"metric": one.clock.metric, "round": one.clock.round, "at": one.at, "department": one.clock.department},
            only_for=one.clock.department,
        )
        for one in passed(known, clocks)
    )
    told += tuple(_taken_over(step, old, new) for old, new in taken_over(known, clocks))
    changed = tuple(clock for clock in clocks if clock not in known)
    events = step.events + told
    if not events and not changed and ticket is step.before:
        return _Timed(step, ())
    moments = {str(metric): moment for metric, moment in due(clocks).items()}
    promised = [moments[metric] for metric in _PROMISES if metric in moments]
    after = replace(
        ticket,
        due=moments,
        next_due_at=min(promised, default=None),
        sequence=ticket.sequence + len(events),
        version=ticket.version + (1 if events else 0),
    )
    return _Timed(Step(step.before, after, events, step.mentions, step.without), changed)


def _policies(rules: Rulebook, ticket: Ticket) -> Mapping[Metric, Policy]:
    return rules.promise(Case(ticket.topic, ticket.channel, ticket.department, ticket.priority, ticket.tags))


def _taken_over(step: Step, old: Clock, new: Clock) -> Event:
    """Another promise holds: which, from when on due, and what about the ticket is not as it was."""
    before = step.before or step.ticket
    because = {
        name: {"from": getattr(before, name), "to": getattr(step.ticket, name)}
        for name in _CASE
        if getattr(before, name) != getattr(step.ticket, name)
    }
    terms = {
        side: {"policy": one.policy.name, "target_seconds": one.policy.target.total_seconds(), "due_at": one.due_at}
        for side, one in (("from", old), ("to", new))
    }
    data = {"metric": new.metric, "round": new.round, "department": new.department, "because": because, **terms}
    return Event("sla.changed", "system", data, only_for=new.department)


def _meaning(event: Event, ticket: Ticket) -> tuple[Happening, ...]:
    if event.type in _OF_TWO:
        gone, stayed = _OF_TWO[event.type]
        return (gone,) if "into" in event.data else (stayed,) if event.data.get("as_before", True) else ()
    happening = _HAPPENINGS.get(event.type)
    if happening is None or (happening is Happening.HANDED_OVER and ticket.hand_over != HandOver.ARRIVED):
        return ()
    if event.type == "ticket.reply_held" and not event.data.get("department"):
        return ()
    if happening is Happening.REPLIED and event.data.get("department"):
        return (Happening.REPLIED, Happening.ANSWERED)
    return (happening,)


def _customers_moment(step: Step) -> datetime | None:
    return min((event.counts_from for event in step.events if event.counts_from is not None), default=None)


def _log(step: Step) -> None:
    """One line per step; the last of its events says where it led."""
    if step.events:
        ticket, last = step.ticket, step.events[-1]
        logs.transition(
            last.type,
            ticket=ticket.number,
            state=ticket.state,
            department=ticket.department,
            actor=last.actor,
            events=len(step.events),
        )


async def _listening(unit: Unit, steps: Sequence[Step], known: Mapping[UUID, Sequence[Clock]]) -> Sequence[Endpoint]:
    """The endpoints of departments that may hear of any of this; asked before anything is written."""
    heard = {department for step in steps for event in step.events for department in _audience(step.ticket, event)}
    heard |= {clock.department for clocks in known.values() for clock in clocks if clock.department is not None}
    if not heard:
        return ()
    return await endpoints.list_active_endpoints(unit.tx, heard)


def _followed(unit: Unit, steps: Sequence[Step], listening: Sequence[Endpoint]) -> list[Step]:
    """Each step with what stands on its ticket about a hand-over."""
    rules = unit.rulebook
    reached = {one.department for one in listening if one.wants(HANDED_OVER)}

    def business_time(department: str, duration: timedelta) -> datetime:
        return add(rules.calendars[rules.departments[department].calendar], unit.now, duration)

    return [followed(step, reached, rules.routing.fall_back, unit.now, business_time) for step in steps]


async def _tell(
    unit: Unit, listening: Sequence[Endpoint], after: dict[UUID, Ticket], happened: Sequence[Numbered]
) -> None:
    """Write a webhook for every endpoint that wants to hear of an event of its department's tickets."""
    if not listening:
        return
    told = [(one, audience) for one in happened if (audience := _audience(after[one.ticket_id], one.event))]
    words = await _words(unit, listening, [one.ticket_id for one, _ in told])
    messages = [
        message
        for one, audience in told
        for message in _messages(unit, one, after[one.ticket_id], audience, listening, words)
    ]
    await delivery.add_messages(unit.tx, messages)


def _audience(ticket: Ticket, event: Event) -> frozenset[str]:
    """Who owns it (unless webcare answers alone), who has the ball, and who just had it; or one department alone."""
    if event.type in INTERNAL:
        return frozenset()
    if event.only_for is not None:
        return frozenset({event.only_for})
    return frozenset({*event.departments, *filter(None, (ticket.listening_owner, ticket.with_department))})


def _messages(
    unit: Unit,
    one: Numbered,
    ticket: Ticket,
    audience: frozenset[str],
    listening: Sequence[Endpoint],
    words: dict[UUID, CustomerWords],
) -> list[Message]:
    happening = envelope.Happening(
        type=one.event.type,
        at=one.at,
        departments=audience,
        ticket=TicketFacts(
            ticket_id=ticket.id,
            number=ticket.number,
            state=ticket.state,
            channel=ticket.channel,
            topic=ticket.topic,
            department=ticket.department,
            stage=ticket.stage,
            priority=ticket.priority,
            due=ticket.due,
            url=f"{unit.knobs.public_url}/api/v1/tickets/{ticket.id}",
        ),
        sequence=one.sequence,
        details={name: fact for name, fact in one.event.data.items() if name not in UNTOLD},
        words=words.get(ticket.id),
    )
    return envelope.webhooks(happening, listening, new_id)


async def _words(unit: Unit, listening: Sequence[Endpoint], ticket_ids: Sequence[UUID]) -> dict[UUID, CustomerWords]:
    """The customer's words, looked up only when an endpoint asked for them."""
    if not any(endpoint.payload is Payload.FULL for endpoint in listening):
        return {}
    newest = await tickets.list_latest_mentions(unit.tx, ticket_ids)
    return {
        ticket_id: CustomerWords(
            text=row.text,
            author={
                "handle": row.author_handle,
                "display_name": row.author_display_name,
                "followers": row.author_followers,
                "verified": row.author_verified,
            },
            mention={
                "mention_id": row.id,
                "external_id": row.external_id,
                "kind": row.kind,
                "url": row.url,
                "posted_at": row.posted_at,
                "title": row.title,
            },
        )
        for ticket_id, row in newest.items()
    }
