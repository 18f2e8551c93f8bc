"""Promises to the customer when two tickets become one, and one becomes two again."""

from datetime import datetime

import pytest

from app.sla.clock import State, waiting_since
from app.sla.policy import Happening, Metric
from app.tickets.custody import Custody, Holder
from tests.support.history import Story, after


def absorbed(story: Story, minutes: float, *, life: float, waiting: float | None) -> Story:
    """The story's ticket gets another one, whose life began at `life` and whose customer waits since `waiting`."""
    story.custody = (Custody(Holder.TRIAGE, None, after(life)), *story.custody)
    return story.then(minutes, Holder.WEBCARE, Happening.ABSORBED, asked_at=at(waiting))


def at(minutes: float | None) -> datetime | None:
    return None if minutes is None else after(minutes)


def opened() -> Story:
    return Story().then(0, Holder.WEBCARE, Happening.OPENED)


@pytest.mark.parametrize(
    ("waiting", "first_reply"),
    [(-30, -30), (20, 0), (None, 0)],
    ids=["the other asked first", "the other asked later", "the other has its reply"],
)
def test_who_asked_first_is_not_made_to_wait_anew(waiting: float | None, first_reply: float) -> None:
    story = absorbed(opened(), 25, life=-40, waiting=waiting)

    assert story.clock(Metric.FIRST_REPLY).started_at == after(first_reply)
    assert story.clock(Metric.RESOLUTION).started_at == after(-40)
    assert [clock.metric for clock in story.clocks] == [Metric.FIRST_REPLY, Metric.RESOLUTION]


@pytest.mark.parametrize(("waiting", "rounds"), [(-30, 1), (None, 0)])
def test_a_ticket_that_was_answered_owes_a_reply_when_it_gets_a_question(waiting: float | None, rounds: int) -> None:
    answered = opened().then(5, Holder.WEBCARE, Happening.REPLIED)

    story = absorbed(answered, 25, life=-40, waiting=waiting)

    assert [clock.started_at for clock in story.clocks if clock.metric is Metric.NEXT_REPLY] == [after(-30)] * rounds
    assert waiting_since(story.clocks) == at(waiting)
    assert story.states(Metric.FIRST_REPLY) == [State.MET]


def test_what_a_department_promised_counts_from_its_own_hand_over() -> None:
    story = opened().then(10, Holder.DEPARTMENT, Happening.HANDED_OVER, department="billing")
    story.custody = (Custody(Holder.TRIAGE, None, after(-40)), *story.custody)

    story.then(20, Holder.DEPARTMENT, Happening.ABSORBED, department="billing", asked_at=after(-30))

    assert story.clock(Metric.ACCEPTANCE).started_at == story.clock(Metric.OWNERSHIP).started_at == after(10)


def test_a_promise_that_moved_is_kept_or_broken_there_alone() -> None:
    story = opened().then(10, Holder.DEPARTMENT, Happening.HANDED_OVER, department="billing")

    story.then(70, Holder.NOBODY, Happening.MERGED)

    assert story.states(Metric.FIRST_REPLY) == [State.CANCELLED]
    assert story.states(Metric.ACCEPTANCE) == [State.BREACHED]
    assert story.clock(Metric.FIRST_REPLY).first_ended_at is None
    assert story.clock(Metric.ACCEPTANCE).first_ended_at is None


def test_a_promise_that_comes_back_goes_on_and_what_had_ended_before_does_not() -> None:
    story = opened().then(5, Holder.WEBCARE, Happening.REPLIED).then(20, Holder.NOBODY, Happening.MERGED)

    story.then(40, Holder.WEBCARE, Happening.UNMERGED)

    resolution = story.clock(Metric.RESOLUTION)
    assert (resolution.state, resolution.ended_at, resolution.ended_by) == (State.RUNNING, None, None)
    assert story.states(Metric.FIRST_REPLY) == [State.MET]


def test_a_ticket_that_is_parted_is_not_late_for_the_other() -> None:
    story = absorbed(opened(), 25, life=-40, waiting=-30).then(40, Holder.WEBCARE)
    assert story.states(Metric.FIRST_REPLY) == [State.BREACHED]

    story.custody = story.custody[1:]
    story.then(50, Holder.WEBCARE, Happening.PARTED, asked_at=after(5))

    first_reply = story.clock(Metric.FIRST_REPLY)
    assert (first_reply.started_at, first_reply.due_at, first_reply.state) == (after(5), after(65), State.RUNNING)
    assert (first_reply.breached_at, first_reply.warned_at) == (None, after(35))
    assert story.clock(Metric.RESOLUTION).started_at == after(0)


def test_of_a_customer_who_waits_for_nothing_there_is_nothing_to_part() -> None:
    answered = opened().then(5, Holder.WEBCARE, Happening.REPLIED)
    story = absorbed(answered, 25, life=-40, waiting=10)

    story.then(50, Holder.WEBCARE, Happening.PARTED)

    owed = story.clock(Metric.NEXT_REPLY)
    assert (owed.state, owed.ended_at, owed.ended_by) == (State.CANCELLED, after(50), Happening.PARTED)
