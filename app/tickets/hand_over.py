"""Hand-overs to a department: whether it has what was handed to it, and until when webcare waits for it.

    sent -> arrived -> (accepted, answered or handed back)        sent | arrived -> fallen back to webcare

Knows who waits for what. Refuses to know how a hand-over travels and how business time is counted: it is told.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.tickets.ticket import Event, State, Step, Ticket

HANDED_OVER, DELIVERED = "ticket.routed", "ticket.delivered"


class HandOver(StrEnum):
    """`sent`: on its way to the department's receiver. `arrived`: there, or the department looks by itself."""

    SENT = "sent"
    ARRIVED = "arrived"


class FellBack(StrEnum):
    """Why webcare has a ticket again that a department had."""

    NOT_DELIVERED = "not_delivered"
    NOT_ACCEPTED = "not_accepted"
    NOT_ANSWERED = "not_answered"


@dataclass(frozen=True, slots=True)
class FallBack:
    """How long webcare waits: on the wall until a hand-over arrived, then in the department's business time."""

    undelivered: timedelta
    unaccepted: timedelta


def followed(
    step: Step,
    listening: Collection[str],
    rules: FallBack,
    now: datetime,
    business_time: Callable[[str, timedelta], datetime],
) -> Step:
    """The step, with what stands on its ticket about a hand-over.

    `listening` are the departments with a receiver for it; the others have it at once. `business_time(department,
    duration)` is the moment at which so much of the department's time has passed from now on.
    """
    ticket, department = step.ticket, step.ticket.with_department
    types = {event.type for event in step.events}
    if department is None or ticket.state is not State.ROUTED:
        known, until = None, None
    elif HANDED_OVER in types and department in listening:
        known, until = HandOver.SENT, now + rules.undelivered
    elif types & {HANDED_OVER, DELIVERED}:
        known, until = HandOver.ARRIVED, business_time(department, rules.unaccepted)
    else:
        return step
    if (known, until) == (ticket.hand_over, ticket.fall_back_at):
        return step
    return replace(step, ticket=replace(ticket, hand_over=known, fall_back_at=until))


def delivered(ticket: Ticket) -> Step:
    """The department has it: from now on its own clocks run."""
    return Step(ticket, ticket, (Event(DELIVERED, "system", {"department": ticket.with_department}),))


def is_awaited(ticket: Ticket, department: str | None) -> bool:
    """Whether this department has the ball and is not known to have heard of it."""
    return ticket.hand_over == HandOver.SENT and department is not None and ticket.with_department == department
