"""Urgency: the moment by which the queue stands in order, and why it is that moment.

Knows what presses (a promise to the customer, the end of the platform's reply window) and what draws it forward
(priority, risk). Refuses to know what time it is: a moment that does not move by itself orders the queue alike for
whoever looks and whenever, so it can be stored and indexed, and a page goes on where the one before it ended.
"""

from collections.abc import Container, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

# How much sooner than an ordinary ticket one is taken. Priority shortens what is promised already (sla.yaml); this is
# for a team that runs late, where the longest overdue would come first whoever wrote it.
BY_PRIORITY = {
    "urgent": timedelta(hours=2),  # before what is up to half a morning late
    "high": timedelta(minutes=30),  # before what is a coffee break late
}
BY_RISK = timedelta(hours=2)  # at 100, in proportion below: what may blow up weighs as much as what is urgent
# Where nothing presses: behind every promise, which calendars and pauses move by months, not by years.
SOME_DAY = timedelta(days=3650)
OWED = ("first_reply", "next_reply")  # the window presses only while the customer waits for a reply

WORDS = {
    "promise": "the soonest promise to the customer is due {at:%Y-%m-%d %H:%M}Z",
    "reply_window": "the channel takes replies until {at:%Y-%m-%d %H:%M}Z",
    "nothing_promised": "nothing is promised: behind all that presses, the oldest first",
    "priority": "priority {level}: {minutes:.0f} minutes sooner",
    "risk": "risk {level} of 100: {minutes:.0f} minutes sooner",
}


class Pressing(NamedTuple):
    """What of a ticket its urgency is made of, by the names that it has there; of `due` only the metrics count."""

    opened_at: datetime
    next_due_at: datetime | None
    reply_until: datetime | None
    due: Container[str]
    priority: str
    risk: int


class Reason(NamedTuple):
    """`at` is the moment of what presses; `sooner` is what a `level` of priority or risk draws it forward."""

    code: str
    at: datetime | None = None
    level: str | int | None = None
    sooner: timedelta = timedelta()

    @property
    def text(self) -> str:
        minutes = self.sooner / timedelta(minutes=1)
        return WORDS[self.code].format(at=self.at, level=self.level, minutes=minutes)


class Urgency(NamedTuple):
    """`at`: the earlier, the more urgent. What presses is the first reason, what draws it forward are the others."""

    at: datetime
    reasons: tuple[Reason, ...]


def urgency(ticket: Pressing) -> Urgency:
    """The soonest of the promise to the customer and the platform's reply window, drawn forward by priority and risk.

    A ticket on which nothing presses stands behind all others, the oldest first.
    """
    at, code = min(_pressing(ticket), default=(ticket.opened_at + SOME_DAY, "nothing_promised"))
    drawn = tuple(_drawing(ticket))
    return Urgency(at - sum((one.sooner for one in drawn), timedelta()), (Reason(code, at), *drawn))


def _pressing(ticket: Pressing) -> Iterator[tuple[datetime, str]]:
    if ticket.next_due_at is not None:
        yield ticket.next_due_at, "promise"
    if ticket.reply_until is not None and any(metric in ticket.due for metric in OWED):
        yield ticket.reply_until, "reply_window"


def _drawing(ticket: Pressing) -> Iterator[Reason]:
    if ticket.priority in BY_PRIORITY:
        yield Reason("priority", level=ticket.priority, sooner=BY_PRIORITY[ticket.priority])
    if ticket.risk:
        yield Reason("risk", level=ticket.risk, sooner=BY_RISK * ticket.risk / 100)
