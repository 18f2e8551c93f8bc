"""Which ticket comes first, and the reasons that its line shows."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.tickets.urgency import Pressing, urgency
from tests.support.clock import MORNING


def after(hours: float) -> datetime:
    return MORNING + timedelta(hours=hours)


def ticket(promise: datetime | None = None, metric: str = "first_reply", **facts: Any) -> Pressing:
    due = {metric} if promise else set()
    ordinary = Pressing(MORNING, next_due_at=promise, reply_until=None, due=due, priority="normal", risk=0)
    return ordinary._replace(**facts)


@pytest.mark.parametrize(
    ("one", "at", "codes"),
    [
        (ticket(after(1)), after(1), ["promise"]),
        (ticket(after(3), reply_until=after(2)), after(2), ["reply_window"]),
        (ticket(after(1), reply_until=after(2)), after(1), ["promise"]),
        (ticket(after(30), "resolution", reply_until=after(2)), after(30), ["promise"]),
        (ticket(after(1), priority="urgent"), after(-1), ["promise", "priority"]),
        (ticket(after(1), priority="high"), after(0.5), ["promise", "priority"]),
        (ticket(after(1), priority="low"), after(1), ["promise"]),
        (ticket(after(1), risk=100), after(-1), ["promise", "risk"]),
        (ticket(after(1), risk=25), after(0.5), ["promise", "risk"]),
        (ticket(after(3), risk=50, priority="high"), after(1.5), ["promise", "priority", "risk"]),
        (ticket(), after(3650 * 24), ["nothing_promised"]),
    ],
    ids=[
        "a promise",
        "a window that ends before the promise",
        "a window that ends after it",
        "a window in which nothing is owed",
        "urgent",
        "high",
        "low is no reason",
        "all of the risk",
        "a quarter of it",
        "priority and risk together",
        "nothing",
    ],
)
def test_what_presses_is_drawn_forward(one: Pressing, at: datetime, codes: list[str]) -> None:
    found = urgency(one)

    assert found.at == at
    assert [reason.code for reason in found.reasons] == codes


def test_the_queue_in_words() -> None:
    found = urgency(ticket(after(1), priority="high", risk=40, reply_until=after(24)))

    assert [reason.text for reason in found.reasons] == [
        "the soonest promise to the customer is due 2026-11-18 11:00Z",
        "priority high: 30 minutes sooner",
        "risk 40 of 100: 48 minutes sooner",
    ]


def test_where_nothing_presses_the_oldest_is_first_behind_all_others() -> None:
    older, younger = ticket(opened_at=after(-5)), ticket(opened_at=after(0))
    slow = ticket(after(24 * 60), "resolution")

    assert sorted([younger, older, slow], key=lambda one: urgency(one).at) == [slow, older, younger]


def test_a_moment_does_not_move_while_nothing_happens() -> None:
    """Whatever is drawn forward keeps its distance to what is not: no order depends on when one looks."""
    urgent, ordinary = ticket(after(2), priority="urgent"), ticket(after(0.5))

    assert urgency(ordinary).at - urgency(urgent).at == timedelta(minutes=30)
