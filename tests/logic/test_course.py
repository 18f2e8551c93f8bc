"""What a policy says beyond its target: how its clock runs, and which ladder it climbs."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.sla.clock import State, next_at
from app.sla.ladder import Does, Rung, next_level, rungs_at
from app.sla.policy import USUAL, Happening, Metric, Policy, Reopening
from app.tickets.custody import Holder
from tests.support.history import POLICIES, T0, Story, after


def runs(metric: Metric, **course: Any) -> dict[Metric, Policy]:
    """The usual policies, with one metric whose course is not the usual one."""
    return POLICIES | {metric: replace(POLICIES[metric], course=replace(USUAL[metric], **course))}


@pytest.mark.parametrize(
    ("reopening", "states", "ended_at"),
    [
        (Reopening.CONTINUE, [State.RUNNING], None),
        (Reopening.UNLESS_MET, [State.MET], after(20)),
        (Reopening.RESTART, [State.MET, State.RUNNING], after(20)),
        (Reopening.IGNORE, [State.MET], after(20)),
    ],
)
def test_what_becomes_of_a_met_resolution_when_its_ticket_is_reopened(
    reopening: Reopening, states: list[State], ended_at: datetime | None
) -> None:
    story = Story(policies=runs(Metric.RESOLUTION, reopening=reopening)).then(0, Holder.WEBCARE, Happening.OPENED)
    story.then(20, Holder.CUSTOMER, Happening.REPLIED, Happening.RESOLVED)
    story.then(30, Holder.WEBCARE, Happening.REOPENED)

    assert story.states(Metric.RESOLUTION) == states
    assert story.clock(Metric.RESOLUTION).ended_at == ended_at
    if reopening is Reopening.RESTART:
        assert story.clock(Metric.RESOLUTION, 2).due_at == after(510)


@pytest.mark.parametrize(("reopening", "goes_on"), [(one, one is not Reopening.IGNORE) for one in Reopening])
def test_what_becomes_of_a_first_reply_that_was_never_given(reopening: Reopening, goes_on: bool) -> None:
    story = Story(policies=runs(Metric.FIRST_REPLY, reopening=reopening)).then(0, Holder.WEBCARE, Happening.OPENED)
    story.then(20, Holder.CUSTOMER, Happening.RESOLVED)
    story.then(30, Holder.WEBCARE, Happening.REOPENED)

    assert (story.states(Metric.FIRST_REPLY)[-1] is State.RUNNING) is goes_on


def test_of_several_rounds_the_last_goes_on() -> None:
    story = Story(policies=runs(Metric.OWNERSHIP, reopening=Reopening.CONTINUE)).then(
        0, Holder.WEBCARE, Happening.OPENED
    )
    for minutes, department in ((10, "billing"), (20, "network")):
        story.then(minutes, Holder.DEPARTMENT, Happening.HANDED_OVER, department=department)
    story.then(30, Holder.CUSTOMER, Happening.RESOLVED)
    story.then(40, Holder.DEPARTMENT, Happening.REOPENED, department="network")

    assert story.states(Metric.OWNERSHIP) == [State.MET, State.RUNNING]


def test_what_starts_and_stops_a_clock_is_a_matter_of_its_policy() -> None:
    """Here a department's answer is what the customer's first reply waits for, from the hand-over on."""
    asked = {"starts": frozenset({Happening.HANDED_OVER}), "stops": frozenset({Happening.ANSWERED})}
    story = Story(policies=runs(Metric.FIRST_REPLY, **asked)).then(0, Holder.WEBCARE, Happening.OPENED)
    assert story.states(Metric.FIRST_REPLY) == []

    story.then(10, Holder.DEPARTMENT, Happening.HANDED_OVER, department="billing")
    story.then(20, Holder.DEPARTMENT, Happening.REPLIED, department="billing")
    assert story.states(Metric.FIRST_REPLY) == [State.RUNNING]

    story.then(30, Holder.WEBCARE, Happening.ANSWERED)
    assert story.states(Metric.FIRST_REPLY) == [State.MET]


def test_only_reopening_starts_a_clock_anew_and_only_one_that_there_was() -> None:
    again = {
        metric: runs(metric, reopening=Reopening.RESTART)[metric] for metric in (Metric.RESOLUTION, Metric.OWNERSHIP)
    }
    story = Story(policies=POLICIES | again).then(0, Holder.WEBCARE, Happening.OPENED)
    story.then(20, Holder.CUSTOMER, Happening.RESOLVED).then(25, Holder.CUSTOMER, Happening.REPLIED)
    assert story.states(Metric.RESOLUTION) == [State.MET]

    story.then(30, Holder.DEPARTMENT, Happening.REOPENED, department="billing")
    assert story.states(Metric.RESOLUTION) == [State.MET, State.RUNNING]
    assert story.states(Metric.OWNERSHIP) == []


def test_what_departments_promise_is_promised_by_a_department() -> None:
    asked = {"starts": frozenset({Happening.OPENED})}
    story = Story(policies=runs(Metric.ACCEPTANCE, **asked)).then(0, Holder.WEBCARE, Happening.OPENED)
    assert story.states(Metric.ACCEPTANCE) == []


def test_what_starts_a_clock_starts_no_second_one_beside_it() -> None:
    often = frozenset({Happening.OPENED, Happening.CUSTOMER_POSTED})
    story = Story(policies=runs(Metric.RESOLUTION, starts=often)).then(0, Holder.WEBCARE, Happening.OPENED)

    story.then(10, Holder.WEBCARE, Happening.CUSTOMER_POSTED)
    assert story.states(Metric.RESOLUTION) == [State.RUNNING]

    story.then(20, Holder.CUSTOMER, Happening.RESOLVED).then(30, Holder.CUSTOMER, Happening.CUSTOMER_POSTED)
    assert story.states(Metric.RESOLUTION) == [State.MET, State.PAUSED]


def climbing(*rungs: Rung) -> Story:
    policies = POLICIES | {Metric.FIRST_REPLY: replace(POLICIES[Metric.FIRST_REPLY], ladder="steep")}
    return Story(policies=policies, ladders={"steep": rungs}).then(0, Holder.WEBCARE, Happening.OPENED)


EARLY = Rung(1, timedelta(minutes=-15), Does.NOTIFY, "lead")
AT_BREACH = Rung(1, timedelta(), Does.RAISE, "urgent")
LATE = Rung(1.5, timedelta(), Does.ESCALATE, "pr")


def test_a_clock_waits_for_the_next_level_of_its_ladder() -> None:
    story = climbing(LATE, AT_BREACH, EARLY)
    clock = story.clock(Metric.FIRST_REPLY)
    assert (clock.climb_at, next_at(clock)) == (after(45), after(30))

    levels = []
    while (level := next_level(story.ladders["steep"], clock.policy.target, clock.climbed)) is not None:
        levels.append((level, clock.climb_at))
        story.clocks = (replace(clock, climbed=level),)
        clock = story.then(100, Holder.WEBCARE).clock(Metric.FIRST_REPLY)

    assert levels == [(timedelta(minutes=minutes), after(minutes)) for minutes in (45, 60, 90)]
    assert (clock.climb_at, next_at(clock)) == (None, None)


def test_nobody_climbs_for_a_clock_that_ended() -> None:
    story = climbing(LATE).then(70, Holder.CUSTOMER, Happening.REPLIED)

    assert story.clock(Metric.FIRST_REPLY).climb_at is None


def test_a_ladder_that_was_rebuilt_is_climbed_from_where_the_clock_stands() -> None:
    story = climbing(EARLY, LATE)
    story.clocks = tuple(replace(clock, climbed=timedelta(minutes=45)) for clock in story.clocks)
    story.ladders = {"steep": (EARLY, Rung(0.1, timedelta(), Does.NOTIFY, "manager"), AT_BREACH)}
    assert story.then(50, Holder.WEBCARE).clock(Metric.FIRST_REPLY).climb_at == after(60)

    story.ladders = {}
    assert story.then(50, Holder.WEBCARE).clock(Metric.FIRST_REPLY).climb_at is None


def test_what_is_reached_before_there_is_time_is_reached_at_once() -> None:
    hasty = Rung(1, timedelta(hours=-2), Does.NOTIFY, "lead")

    assert climbing(hasty).clock(Metric.FIRST_REPLY).climb_at == T0
    assert rungs_at((hasty, EARLY), timedelta(hours=1), timedelta()) == (hasty,)
