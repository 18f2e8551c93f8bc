"""PR's part in the life of a ticket: asked to look, taking over, holding what is said in public, letting go.

Knows the marks beside the state, and that what PR holds is PR's custody, which stops no promise to the customer.
Refuses to know why PR is asked (escalation) and which text is held (answers). Every function takes a ticket and
returns a `Step`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.tickets.custody import Holder, hand_over, worker_before
from app.tickets.lifecycle import found_again
from app.tickets.ticket import Event, State, Step, Ticket


@dataclass(frozen=True, slots=True)
class Reason:
    """Why PR is asked to look. A ticket escalates once for each `code`; `figures`, JSON-ready, are what led to it."""

    code: str
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)


def by_hand(words: str) -> Reason:
    """A person's reason: other words are another reason."""
    return Reason(f"by_hand:{hashlib.blake2b(words.encode(), digest_size=6).hexdigest()}", words)


def escalate(ticket: Ticket, actor: str, reasons: Sequence[Reason], *, told: tuple[str, ...] = ()) -> Step:
    """Ask PR to look, for the reasons for which it was not asked before; without one, and after closing, nothing.

    `told` are departments that hear of it besides those of the ticket.
    """
    new = {reason.code: reason for reason in reasons if reason.code not in ticket.escalated_for}
    if not new or ticket.state is State.CLOSED:
        return Step(ticket, ticket, ())
    given = [{"code": one.code, "text": one.text, "figures": dict(one.figures)} for one in new.values()]
    after = replace(ticket, escalated=True, escalated_for=(*ticket.escalated_for, *new))
    return Step(ticket, after, (Event("escalation.raised", actor, {"reasons": given}, departments=told),))


def acknowledge(ticket: Ticket, actor: str, *, take_over: bool, now: datetime) -> Step:
    """PR looks at it; when it takes over, the ticket is its own and it has the ball."""
    event = Event("escalation.acknowledged", actor, {"take_over": take_over}, departments=_losing(ticket))
    if not take_over or ticket.state is State.CLOSED:
        return Step(ticket, ticket, (event,))
    taken = replace(ticket, assignee=actor, lease_until=None, snoozed_until=None)
    return Step(ticket, replace(taken, custody=hand_over(ticket.custody, Holder.PR, None, now)), (event,))


def embargo(ticket: Ticket, actor: str, data: Mapping[str, Any], now: datetime) -> Step:
    """Public replies wait for PR, who has the ball from now on wherever one of us had it; private work goes on."""
    event = Event("escalation.embargoed", actor, data, departments=_losing(ticket))
    held = replace(ticket, embargoed=True)
    if ticket.holder in {Holder.TRIAGE, Holder.WEBCARE, Holder.DEPARTMENT}:
        held = replace(held, custody=hand_over(ticket.custody, Holder.PR, ticket.with_department, now))
    return Step(ticket, held, (event,))


def release(ticket: Ticket, actor: str, data: Mapping[str, Any], now: datetime) -> Step:
    """Public replies may go out again, and the ball is with whoever works on it."""
    free = _given_back(replace(ticket, embargoed=False), now)
    return Step(ticket, free, (Event("escalation.released", actor, data, departments=_losing(free)),))


def close(ticket: Ticket, actor: str, data: Mapping[str, Any], now: datetime) -> Step:
    """PR is done with it. What is still under an embargo stays so."""
    done = _given_back(replace(ticket, escalated=False), now)
    if ticket.assignee == actor:
        done = replace(done, assignee=None)
    return Step(ticket, done, (Event("escalation.closed", actor, data, departments=_losing(done)),))


def _given_back(ticket: Ticket, now: datetime) -> Ticket:
    if ticket.holder is not Holder.PR or ticket.embargoed:
        return ticket
    worker = worker_before(ticket.custody)
    return found_again(replace(ticket, custody=hand_over(ticket.custody, worker.holder, worker.department, now)))


def _losing(ticket: Ticket) -> tuple[str, ...]:
    """Who has the ball, or gets it back, hears of it."""
    return (ticket.with_department,) if ticket.with_department else ()
