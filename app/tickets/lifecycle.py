"""The life of a ticket: what each act makes of it.

Knows states, custody and leases. Refuses to know clocks, rules, which act is legal when (legal) and who may act at all.
Every function takes a ticket and a moment and returns a `Step`; an act that the state does not allow raises
`IllegalMove` with the legal ones.

    triage -> routed -> working <-> waiting_customer -> resolved -> closed
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.kit.wire import iso
from app.tickets.bounce import counted, tagged
from app.tickets.custody import Custody, Holder, hand_over, worker_before
from app.tickets.hand_over import FellBack
from app.tickets.legal import (
    ClaimedByAnother,
    HeldElsewhere,
    check_free,
    check_future,
    check_legal,
    department_at_work,
)
from app.tickets.placement import Placement
from app.tickets.ticket import Event, State, Step, Ticket

LEASE = timedelta(minutes=10)
SHIFT = timedelta(hours=8)  # how long what a lead assigned stands with whoever got it, without a word from them
REOPEN_WINDOW = timedelta(days=7)


def first_place(placement: Placement, waiting_since: datetime, now: datetime) -> dict[str, Any]:
    """Where a ticket begins, by its fields. Until it was placed, from the customer's post on, it was in triage."""
    return placement.on((Custody(Holder.TRIAGE, None, waiting_since),), now)


def opened(ticket: Ticket, placement: Placement, post: Event) -> Step:
    """A new ticket, made with `first_place`."""
    waiting_since = ticket.custody[0].since
    data = {"number": ticket.number, "topic": placement.topic}
    events = [post, Event("ticket.opened", "system", data, waiting_since)]
    if placement.department is not None:
        events.append(Event("ticket.routed", "system", placement.facts))
    return Step(None, ticket, tuple(events))


def customer_posted(ticket: Ticket, post: Event, counts_from: datetime, now: datetime) -> Step:
    """The customer posted again: a ticket that waited or was resolved goes back to who had it."""
    events = [post, Event("ticket.customer_replied", "customer", post.data, counts_from)]
    if ticket.state is State.RESOLVED:
        events.append(Event("ticket.reopened", "customer", {"reason": "the customer posted again"}))
    if ticket.state in {State.RESOLVED, State.WAITING_CUSTOMER}:
        return Step(ticket, brought_back(ticket, now), tuple(events))
    return Step(ticket, replace(ticket, snoozed_until=None), tuple(events))


def claim(ticket: Ticket, actor: str, now: datetime, lease: timedelta = LEASE) -> Step:
    """An agent takes the ticket. Claiming one that a department has takes the ball back to webcare, and says so."""
    check_legal(ticket, "claim")
    check_free(ticket, actor, now)
    taken = replace(
        ticket,
        state=State.WORKING,
        assignee=actor,
        lease_until=now + lease,
        snoozed_until=None,
        wait_until=None,
        custody=pass_ball(ticket, Holder.WEBCARE, None, now),
    )
    data = {"assignee": actor, "from": ticket.with_department or str(ticket.holder)}
    told = (ticket.with_department,) if ticket.with_department else ()
    return Step(ticket, taken, (Event("ticket.reassigned", actor, data, departments=told),))


def renew(ticket: Ticket, actor: str, now: datetime, lease: timedelta = LEASE) -> Step:
    check_legal(ticket, "lease")
    if ticket.assignee != actor:
        raise ClaimedByAnother(f"{ticket.assignee or 'Nobody'} has this ticket; claim it first.", by=ticket.assignee)
    return Step(ticket, replace(ticket, lease_until=now + lease), ())


def kept(step: Step, actor: str, until: datetime) -> Step:
    """Whoever works on what is theirs keeps it for longer, at least until then; no act makes it shorter."""
    ticket, before = step.ticket, step.before
    if ticket.assignee != actor or ticket.lease_until is None:
        return step
    had = before.lease_until if before and before.assignee == actor else None
    return replace(step, ticket=replace(ticket, lease_until=max(until, ticket.lease_until, had or until)))


def expire(ticket: Ticket) -> Step:
    """Whoever had it did nothing with it for as long as the lease lasted: it is anybody's again."""
    data = {"assignee": None, "from": ticket.assignee, "reason": "the lease expired"}
    return Step(ticket, _unclaimed(ticket), (Event("ticket.reassigned", "system", data),))


def release(ticket: Ticket, actor: str, now: datetime) -> Step:
    """Nobody works on it any more. What a department accepted is its own: that is claimed or rerouted."""
    check_legal(ticket, "release")
    check_free(ticket, actor, now)
    if ticket.with_department is not None:
        message = f"The ball is with {ticket.with_department}; claim or reroute the ticket to take it away."
        raise HeldElsewhere(message, holder=str(ticket.holder))
    data = {"assignee": None, "from": ticket.assignee}
    return Step(ticket, _unclaimed(ticket), (Event("ticket.reassigned", actor, data),))


def assign(ticket: Ticket, actor: str, to: str | None, reason: str | None, now: datetime) -> Step:
    """A lead gives the ticket to an agent, or to nobody: as if they took it or let it go, whoever has it now."""
    check_legal(ticket, "assign")
    loose = replace(ticket, lease_until=None)
    step = release(loose, actor, now) if to is None else claim(loose, to, now, SHIFT)
    [event] = step.events
    return Step(ticket, step.ticket, (replace(event, actor=actor, data={**event.data, "reason": reason}),))


def note(ticket: Ticket, actor: str, text: str, attachments: Sequence[Mapping[str, Any]] = ()) -> Step:
    """`attachments` are references, `{url, type, description?}`."""
    data = {"text": text, **({"attachments": list(attachments)} if attachments else {})}
    return Step(ticket, ticket, (Event("ticket.noted", actor, data),))


def update(ticket: Ticket, actor: str, *, priority: str | None, tags: tuple[str, ...] | None) -> Step:
    """Another priority or other tags; what stays as it was makes no event."""
    check_legal(ticket, "update")
    changed: dict[str, Any] = {}
    if priority is not None and priority != ticket.priority:
        changed["priority"] = {"from": ticket.priority, "to": priority}
    if tags is not None and tags != ticket.tags:
        changed["tags"] = {"from": list(ticket.tags), "to": list(tags)}
    if not changed:
        return Step(ticket, ticket, ())
    after = replace(ticket, priority=priority or ticket.priority, tags=ticket.tags if tags is None else tags)
    return Step(ticket, after, (Event("ticket.updated", actor, changed),))


def reply(ticket: Ticket, actor: str, data: dict[str, Any], now: datetime) -> Step:
    """Somebody answers the customer. An unclaimed ticket becomes theirs; a resolved one stays resolved."""
    return _answered(_speak(ticket, actor, Event("ticket.replied", actor, data), now))


def hold_reply(ticket: Ticket, actor: str, data: dict[str, Any], now: datetime) -> Step:
    """Somebody wrote an answer that waits for somebody else: the ticket is theirs all the same, the customer waits."""
    return _speak(ticket, actor, Event("ticket.reply_held", actor, data), now)


def release_reply(ticket: Ticket, actor: str, data: dict[str, Any]) -> Step:
    """An answer that was held goes to the customer after all; whoever works on the ticket keeps it."""
    check_legal(ticket, "reply")
    return _answered(Step(ticket, ticket, (Event("ticket.replied", actor, data),)))


def decide_reply(ticket: Ticket, actor: str, decided: str, data: dict[str, Any]) -> Step:
    """What else a person decides about an answer, `decided` in one word: approved, rejected, held,
    retried or settled.
    """
    return Step(ticket, ticket, (Event(f"ticket.reply_{decided}", actor, data),))


def reroute(ticket: Ticket, actor: str, placement: Placement, reason: str, now: datetime) -> Step:
    """Another topic or owner. A department that owned it, or had the ball, is told that it is not its own any more."""
    check_legal(ticket, "reroute")
    check_free(ticket, actor, now)
    place = placement.on(ticket.custody, now)
    moved = replace(
        ticket,
        **place | {"custody": _held_by_pr(ticket, place["custody"], now)},
        assignee=None,
        lease_until=None,
        asked_by=None,
        snoozed_until=None,
        wait_until=None,
    )
    left = {ticket.listening_owner, ticket.with_department} - {placement.department}
    told = tuple(filter(None, left))
    data = {**placement.facts, "reason": reason, "from": {"topic": ticket.topic, "department": ticket.department}}
    events = (
        Event("ticket.reassigned", actor, data, departments=told),
        Event("ticket.routed", actor, {**placement.facts, "reason": reason}),
    )
    return Step(ticket, moved, events)


def wait(ticket: Ticket, actor: str, until: datetime | None, now: datetime) -> Step:
    """The customer has the ball, at the latest until `until`, when the ticket comes back."""
    check_legal(ticket, "wait")
    check_free(ticket, actor, now)
    check_future("until", until, now)
    waiting = replace(
        ticket,
        state=State.WAITING_CUSTOMER,
        wait_until=until,
        lease_until=None,
        custody=hand_over(ticket.custody, Holder.CUSTOMER, None, now),
    )
    return Step(ticket, waiting, (Event("ticket.waiting", actor, {"for": "customer", "until": iso(until)}),))


def snooze(ticket: Ticket, actor: str, until: datetime, now: datetime) -> Step:
    """Out of sight until then, and then in the queue, kept for who had it. No clock stops: the customer waits on."""
    check_legal(ticket, "snooze")
    check_free(ticket, actor, now)
    check_future("until", until, now)
    away = replace(ticket, snoozed_until=until)
    if ticket.state is State.WORKING and ticket.with_department is None:
        away = _unclaimed(replace(away, helped_by=ticket.assignee or ticket.helped_by))
    return Step(ticket, away, (Event("ticket.snoozed", actor, {"until": iso(until)}),))


def wake(ticket: Ticket, now: datetime) -> Step:
    """The first of its moments has come: of a snooze, back in sight; of a wait, back to who had it."""
    snoozed, waits = ticket.snoozed_until, ticket.wait_until
    if waits is None or (snoozed is not None and snoozed < waits):
        over = Event("ticket.resumed", "system", {"reason": "the snooze is over"})
        return Step(ticket, replace(ticket, snoozed_until=None), (over,))
    event = Event("ticket.resumed", "system", {"reason": "the customer did not post in time"})
    return Step(ticket, brought_back(ticket, now), (event,))


def resolve(ticket: Ticket, actor: str, code: str, note_text: str | None, now: datetime) -> Step:
    check_legal(ticket, "resolve")
    check_free(ticket, actor, now)
    settled = replace(
        ticket,
        state=State.RESOLVED,
        resolution=code,
        resolved_at=now,
        close_at=now + REOPEN_WINDOW,
        lease_until=None,
        asked_by=None,
        snoozed_until=None,
        wait_until=None,
        custody=hand_over(ticket.custody, Holder.CUSTOMER, None, now),
    )
    told = (ticket.with_department,) if ticket.with_department else ()
    data = {"code": code, "note": note_text}
    return Step(ticket, settled, (Event("ticket.resolved", actor, data, departments=told),))


def reopen(ticket: Ticket, actor: str, reason: str, now: datetime) -> Step:
    check_legal(ticket, "reopen")
    return Step(ticket, brought_back(ticket, now), (Event("ticket.reopened", actor, {"reason": reason}),))


def close(ticket: Ticket, now: datetime) -> Step:
    """The reopen window is over."""
    closed = replace(
        ticket,
        state=State.CLOSED,
        closed_at=now,
        close_at=None,
        custody=hand_over(ticket.custody, Holder.NOBODY, None, now),
    )
    return Step(ticket, closed, (Event("ticket.closed", "system"),))


def accept(ticket: Ticket, actor: str) -> Step:
    """The department that has the ball takes the work."""
    department_at_work(ticket, "accept")
    return Step(ticket, replace(ticket, state=State.WORKING, assignee=actor), (Event("ticket.accepted", actor),))


def answered(ticket: Ticket, actor: str, data: dict[str, Any], now: datetime) -> Step:
    """The department supplied an answer that webcare will publish: webcare has the ball, and sees it at once."""
    told = (department_at_work(ticket, "answer"),)
    back = replace(
        ticket,
        state=State.ROUTED,
        assignee=None,
        lease_until=None,
        snoozed_until=None,
        custody=pass_ball(ticket, Holder.WEBCARE, None, now),
    )
    return Step(ticket, back, (Event("ticket.answered", actor, data, departments=told),))


def hand_back(
    ticket: Ticket, actor: str, data: dict[str, Any], now: datetime, tried: Sequence[Mapping[str, Any]] = ()
) -> Step:
    """Not this department's: a person in triage looks, with the suggestion at hand; `tried` are earlier hand-backs."""
    told = (department_at_work(ticket, "handback"),)
    back = replace(
        ticket,
        state=State.TRIAGE,
        department=None,
        stage=None,
        arm=None,
        assignee=None,
        lease_until=None,
        snoozed_until=None,
        tags=tagged(ticket.tags, len(tried) + 1),
        custody=pass_ball(ticket, Holder.TRIAGE, None, now),
    )
    return Step(ticket, back, (Event("ticket.handed_back", actor, counted(data, tried), departments=told),))


def fall_back(ticket: Ticket, reason: FellBack, now: datetime) -> Step:
    """The department did not get it, or did not take it: webcare has it. The department goes on owning it by name."""
    data = {"reason": reason, "department": ticket.with_department}
    told = (ticket.with_department,) if ticket.with_department else ()
    back = replace(
        ticket,
        state=State.ROUTED,
        assignee=None,
        lease_until=None,
        snoozed_until=None,
        custody=pass_ball(ticket, Holder.WEBCARE, None, now),
    )
    return Step(ticket, back, (Event("ticket.fell_back", "system", data, departments=told),))


def _speak(ticket: Ticket, actor: str, event: Event, now: datetime) -> Step:
    check_legal(ticket, "reply")
    check_free(ticket, actor, now)
    if ticket.with_department is not None:
        return Step(ticket, replace(ticket, state=State.WORKING), (event,))
    if ticket.state is State.RESOLVED:
        return Step(ticket, replace(ticket, helped_by=actor), (event,))
    theirs = replace(
        ticket,
        state=State.WORKING,
        assignee=actor,
        helped_by=actor,
        lease_until=now + LEASE,
        snoozed_until=None,
        wait_until=None,
        custody=pass_ball(ticket, Holder.WEBCARE, None, now),
    )
    return Step(ticket, theirs, (event,))


def _answered(step: Step) -> Step:
    """The customer is told something: no post of theirs waits for a word any more."""
    return replace(step, ticket=replace(step.ticket, signals=step.ticket.signals.answered()))


def pass_ball(ticket: Ticket, holder: Holder, department: str | None, now: datetime) -> tuple[Custody, ...]:
    """The custody when one of us is to have the ball: PR keeps it as long as it holds public replies."""
    return _held_by_pr(ticket, hand_over(ticket.custody, holder, department, now), now)


def _held_by_pr(ticket: Ticket, custody: tuple[Custody, ...], now: datetime) -> tuple[Custody, ...]:
    """Under an embargo PR keeps the ball; a department for which it does works on."""
    return hand_over(custody, Holder.PR, custody[-1].department, now) if ticket.embargoed else custody


def brought_back(ticket: Ticket, now: datetime) -> Ticket:
    """A ticket that waited or was settled, with who had it before.

    A department goes on working; an agent finds it in the queue, kept for them.
    """
    worker = worker_before(ticket.custody)
    back = replace(
        ticket,
        custody=pass_ball(ticket, worker.holder, worker.department, now),
        wait_until=None,
        snoozed_until=None,
        resolved_at=None,
        resolution=None,
        close_at=None,
    )
    if ticket.assignee is not None and worker.holder is Holder.DEPARTMENT:
        return replace(back, state=State.WORKING)
    return _unclaimed(replace(back, helped_by=ticket.assignee or ticket.helped_by))


def found_again(ticket: Ticket) -> Ticket:
    """A ticket that comes back from elsewhere: an agent has only what they hold a lease on, or nobody would find it."""
    lies = ticket.state is State.WORKING and ticket.lease_until is None
    if not lies or ticket.holder not in {Holder.TRIAGE, Holder.WEBCARE}:
        return ticket
    return _unclaimed(replace(ticket, helped_by=ticket.assignee or ticket.helped_by))


def _unclaimed(ticket: Ticket) -> Ticket:
    state = State.TRIAGE if ticket.department is None else State.ROUTED
    return replace(ticket, state=state, assignee=None, lease_until=None)
