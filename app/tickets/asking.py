"""A department cannot answer yet: it asks webcare, which has the ball until it knows more.

Knows who asked and who gets the ball back. Refuses to know how a customer is asked (a reply, after which the ticket
waits). Both functions take a ticket and a moment and return a `Step`.
"""

from dataclasses import replace
from datetime import datetime

from app.kit.errors import Conflict
from app.tickets.custody import Holder
from app.tickets.legal import check_free, check_legal, department_at_work
from app.tickets.lifecycle import pass_ball
from app.tickets.ticket import Event, State, Step, Ticket


class NothingAsked(Conflict):
    """No department waits for anything on this ticket."""


def ask(ticket: Ticket, actor: str, question: str, *, of: str, now: datetime) -> Step:
    """Webcare gets the ball with the question, which is of `webcare` itself or one for the `customer`."""
    department = department_at_work(ticket, "ask")
    asked = replace(
        ticket,
        state=State.ROUTED,
        asked_by=department,
        assignee=None,
        lease_until=None,
        snoozed_until=None,
        custody=pass_ball(ticket, Holder.WEBCARE, None, now),
    )
    return Step(
        ticket, asked, (Event("ticket.asked", actor, {"of": of, "question": question}, departments=(department,)),)
    )


def inform(ticket: Ticket, actor: str, text: str, now: datetime) -> Step:
    """The department that asked has the ball again, and what it wanted to know. Raises `NothingAsked`."""
    check_legal(ticket, "inform")
    check_free(ticket, actor, now)
    if ticket.asked_by is None:
        raise NothingAsked("No department waits for an answer on this ticket.")
    back = replace(
        ticket,
        state=State.WORKING,
        asked_by=None,
        assignee=None,
        lease_until=None,
        snoozed_until=None,
        wait_until=None,
        custody=pass_ball(ticket, Holder.DEPARTMENT, ticket.asked_by, now),
    )
    return Step(ticket, back, (Event("ticket.informed", actor, {"text": text}, departments=(ticket.asked_by,)),))
