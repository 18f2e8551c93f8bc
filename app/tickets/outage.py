"""What an outage of its channel is to a ticket: nobody can act, so nobody of us has the ball.

Knows that the ball goes back to who had it. Refuses to know which channel is down and when. Every function takes a
ticket and returns a `Step`.
"""

from dataclasses import replace
from datetime import datetime

from app.tickets.custody import Holder, hand_over, worker_before
from app.tickets.lifecycle import pass_ball
from app.tickets.ticket import Event, Step, Ticket


def cut_off(ticket: Ticket, now: datetime) -> Step:
    """The outage has the ball; a department that had it keeps its name on it, and may work on."""
    custody = hand_over(ticket.custody, Holder.OUTAGE, ticket.with_department, now)
    return Step(
        ticket, replace(ticket, custody=custody), (Event("channel.down", "system", {"channel": ticket.channel}),)
    )


def reconnect(ticket: Ticket, now: datetime) -> Step:
    """Who had the ball has it again; under an embargo PR has it for them."""
    worker = worker_before(ticket.custody)
    custody = pass_ball(ticket, worker.holder, worker.department, now)
    return Step(ticket, replace(ticket, custody=custody), (Event("channel.up", "system", {"channel": ticket.channel}),))
