from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.sla.calendar import Calendar, Opening
from app.sla.clock import Clock, Passed, State, Step, UnknownCalendar, due, next_at, passed, taken_over
from app.sla.policy import Happening, Metric
from app.tickets.custody import Holder
from tests.support.history import ALWAYS, POLICIES, T0, Story, after, policy


def opened() -> Story:
    return Story().then(0, Holder.WEBCARE, Happening.OPENED)


def with_billing() -> Story:
    return opened().then(10, Holder.DEPARTMENT, Happening.HANDED_OVER, department="billing")


def test_opening_starts_what_the_customer_waits_for() -> None:
    story = opened()

    assert [(clock.metric, clock.started_at, clock.due_at, clock.warn_at, clock.state) for clock in story.clocks] == [
        (Metric.FIRST_REPLY, T0, after(60), after(30), State.RUNNING),
        (Metric.RESOLUTION, T0, after(480), after(240), State.RUNNING),
    ]
    assert due(story.clocks) == {Metric.FIRST_REPLY: after(60), Metric.RESOLUTION: after(480)}


def test_clocks_of_the_customer_start_when_the_customer_asked() -> None:
    story = Story().then(
        5,
        Holder.DEPARTMENT,
        Happening.OPENED,
        Happening.HANDED_OVER,
        department="billing",
        asked_at=after(-10),
    )

    assert {clock.metric: clock.started_at for clock in story.clocks} == {
        Metric.FIRST_REPLY: after(-10),
        Metric.RESOLUTION: after(-10),
        Metric.ACCEPTANCE: after(5),
        Metric.OWNERSHIP: after(5),
    }
    assert story.clock(Metric.FIRST_REPLY).due_at == after(50)


def test_a_metric_without_policy_starts_no_clock() -> None:
    story = Story(policies={}).then(0, Holder.WEBCARE, Happening.OPENED)

    assert story.clocks == ()


@pytest.mark.parametrize(
    ("minutes", "state", "breached_at"),
    [(59, State.MET, None), (60, State.MET, None), (60.001, State.BREACHED, after(60))],
)
def test_a_reply_at_the_due_moment_is_in_time(minutes: float, state: State, breached_at: datetime | None) -> None:
    clock = opened().then(minutes, Holder.WEBCARE, Happening.REPLIED).clock(Metric.FIRST_REPLY)

    assert (clock.state, clock.breached_at, clock.ended_at) == (state, breached_at, after(minutes))


def test_a_breach_is_recorded_at_its_moment_whenever_it_is_noticed() -> None:
    story = opened().then(300, Holder.WEBCARE, Happening.WAITING)

    clock = story.clock(Metric.FIRST_REPLY)
    assert (clock.state, clock.warned_at, clock.breached_at, clock.ended_at) == (
        State.BREACHED,
        after(30),
        after(60),
        None,
    )


def test_a_breach_outlives_a_change_of_the_calendar() -> None:
    story = opened().then(70, Holder.WEBCARE)
    story.calendars = {"always": Calendar("always", ZoneInfo("UTC"), ((Opening.parse("20:00-22:00"),),) * 7)}

    clock = story.then(80, Holder.WEBCARE, Happening.WAITING).clock(Metric.FIRST_REPLY)

    assert (clock.due_at, clock.breached_at, clock.state) == (after(60), after(60), State.BREACHED)


def test_a_breach_that_was_told_stays_though_clocks_disagree() -> None:
    """The sweep goes by the database's clock; that of the process that replies may be behind it."""
    story = opened().then(60.02, Holder.WEBCARE)

    assert story.then(59.99, Holder.WEBCARE, Happening.REPLIED).clock(Metric.FIRST_REPLY).breached_at == after(60)


def test_a_clock_does_not_end_before_it_starts() -> None:
    """A customer's clock may run a little ahead of ours."""
    story = Story().then(0, Holder.WEBCARE, Happening.OPENED, asked_at=after(0.1))

    clock = story.then(0.05, Holder.WEBCARE, Happening.REPLIED).clock(Metric.FIRST_REPLY)

    assert (clock.state, clock.ended_at) == (State.MET, after(0.1))


def test_resolution_waits_for_the_customer_and_goes_on() -> None:
    story = opened().then(100, Holder.CUSTOMER, Happening.REPLIED, Happening.WAITING)
    waiting = story.clock(Metric.RESOLUTION)
    assert (waiting.state, waiting.due_at, waiting.warn_at) == (State.PAUSED, None, None)
    assert next_at(waiting) is None

    back = story.then(700, Holder.WEBCARE, Happening.CUSTOMER_POSTED).clock(Metric.RESOLUTION)
    assert (back.state, back.due_at, back.warn_at) == (State.RUNNING, after(1080), after(840))


def test_each_round_of_replies_has_its_own_clock() -> None:
    story = opened().then(5, Holder.WEBCARE, Happening.CUSTOMER_POSTED)
    assert story.states(Metric.NEXT_REPLY) == []

    story.then(10, Holder.CUSTOMER, Happening.REPLIED)
    story.then(20, Holder.WEBCARE, Happening.CUSTOMER_POSTED, asked_at=after(18))
    story.then(30, Holder.WEBCARE, Happening.CUSTOMER_POSTED)
    story.then(40, Holder.CUSTOMER, Happening.REPLIED)
    story.then(50, Holder.WEBCARE, Happening.CUSTOMER_POSTED)

    assert story.states(Metric.NEXT_REPLY) == [State.MET, State.RUNNING]
    assert story.clock(Metric.NEXT_REPLY, 1).started_at == after(18)
    assert story.clock(Metric.NEXT_REPLY, 2).due_at == after(170)


@pytest.mark.parametrize(
    ("happening", "acceptance", "ownership"),
    [
        (Happening.ACCEPTED, State.MET, State.RUNNING),
        (Happening.ANSWERED, State.MET, State.MET),
        (Happening.HANDED_BACK, State.MET, State.MET),
        (Happening.MOVED_ON, State.CANCELLED, State.MET),
        (Happening.RESOLVED, State.CANCELLED, State.CANCELLED),
        (Happening.CLOSED, State.CANCELLED, State.CANCELLED),
        (Happening.REPLIED, State.RUNNING, State.RUNNING),
        (Happening.CUSTOMER_POSTED, State.RUNNING, State.RUNNING),
    ],
)
def test_what_ends_the_clocks_of_a_department(happening: Happening, acceptance: State, ownership: State) -> None:
    story = with_billing().then(20, Holder.DEPARTMENT, happening, department="billing")

    assert story.states(Metric.ACCEPTANCE) == [acceptance]
    assert story.states(Metric.OWNERSHIP) == [ownership]


def test_every_hand_over_starts_anew() -> None:
    story = with_billing().then(35, Holder.DEPARTMENT, Happening.HANDED_OVER, department="network")

    assert [(clock.round, clock.department, clock.state, clock.due_at) for clock in story.clocks[2:]] == [
        (1, "billing", State.CANCELLED, after(40)),
        (1, "billing", State.MET, after(250)),
        (2, "network", State.RUNNING, after(65)),
        (2, "network", State.RUNNING, after(275)),
    ]


def test_ownership_waits_while_pr_has_the_ball() -> None:
    story = with_billing().then(70, Holder.PR).then(170, Holder.DEPARTMENT, department="billing")

    assert story.clock(Metric.OWNERSHIP).due_at == after(350)
    assert story.clock(Metric.ACCEPTANCE).breached_at == after(40)


def test_reopening_continues_the_resolution_and_keeps_the_first_one() -> None:
    story = opened().then(100, Holder.CUSTOMER, Happening.REPLIED, Happening.RESOLVED)
    assert story.clock(Metric.RESOLUTION).state is State.MET

    story.then(1100, Holder.WEBCARE, Happening.REOPENED)
    going_on = story.clock(Metric.RESOLUTION)
    assert (going_on.state, going_on.ended_at, going_on.due_at) == (State.RUNNING, None, after(1480))

    assert going_on.elapsed is None

    resolved = story.then(1500, Holder.CUSTOMER, Happening.RESOLVED).clock(Metric.RESOLUTION)
    assert (resolved.state, resolved.breached_at, resolved.elapsed) == (
        State.BREACHED,
        after(1480),
        timedelta(minutes=500),
    )
    assert (resolved.first_ended_at, resolved.ended_at) == (after(100), after(1500))


def test_reopening_ignores_a_first_reply_that_was_given() -> None:
    story = opened().then(10, Holder.CUSTOMER, Happening.REPLIED, Happening.RESOLVED)
    given_at = story.clock(Metric.FIRST_REPLY)

    assert story.then(200, Holder.WEBCARE, Happening.REOPENED).clock(Metric.FIRST_REPLY) is given_at


def test_a_second_reply_leaves_the_first_where_it_was() -> None:
    story = opened().then(10, Holder.WEBCARE, Happening.REPLIED)
    given_at = story.clock(Metric.FIRST_REPLY)

    assert story.then(70, Holder.WEBCARE, Happening.REPLIED).clock(Metric.FIRST_REPLY) is given_at


@pytest.mark.parametrize(("resolved", "state"), [(10, State.CANCELLED), (70, State.BREACHED)])
def test_a_first_reply_that_was_not_given_goes_on(resolved: int, state: State) -> None:
    story = opened().then(resolved, Holder.CUSTOMER, Happening.RESOLVED)
    assert story.states(Metric.FIRST_REPLY) == [state]
    assert story.clock(Metric.FIRST_REPLY).ended_at == after(resolved)

    story.then(80, Holder.WEBCARE, Happening.CUSTOMER_POSTED, Happening.REOPENED)
    assert story.clock(Metric.FIRST_REPLY).ended_at is None
    assert story.clock(Metric.FIRST_REPLY).breached_at == after(60)
    assert story.states(Metric.NEXT_REPLY) == []


@pytest.mark.parametrize(("replied", "state"), [(20, State.MET), (70, State.BREACHED)])
def test_a_first_reply_that_is_given_when_all_is_settled_counts_and_is_owed_no_more(replied: int, state: State) -> None:
    story = opened().then(10, Holder.CUSTOMER, Happening.RESOLVED).then(replied, Holder.CUSTOMER, Happening.REPLIED)
    assert story.states(Metric.FIRST_REPLY) == [state]
    assert story.clock(Metric.FIRST_REPLY).ended_at == after(replied)
    given_at = story.clock(Metric.FIRST_REPLY)

    story.then(80, Holder.WEBCARE, Happening.CUSTOMER_POSTED, Happening.REOPENED)
    assert story.clock(Metric.FIRST_REPLY) is given_at
    assert story.states(Metric.NEXT_REPLY) == [State.RUNNING]


def test_closing_ends_everything() -> None:
    story = with_billing().then(20, Holder.NOBODY, Happening.CLOSED)

    assert {clock.state for clock in story.clocks} == {State.CANCELLED}
    assert due(story.clocks) == {}
    assert [next_at(clock) for clock in story.clocks] == [None] * 4


def test_a_new_priority_gives_open_clocks_its_promise() -> None:
    story = opened().then(100, Holder.WEBCARE)
    story.policies = {
        Metric.FIRST_REPLY: policy(Metric.FIRST_REPLY, 600),
        Metric.RESOLUTION: policy(Metric.RESOLUTION, 160),
    }
    story.then(110, Holder.WEBCARE, rechosen=tuple(Metric))

    assert story.clock(Metric.RESOLUTION).due_at == after(160)
    assert story.clock(Metric.RESOLUTION).warned_at == after(80)
    assert story.clock(Metric.FIRST_REPLY).breached_at == after(60)
    assert story.clock(Metric.FIRST_REPLY).policy == POLICIES[Metric.FIRST_REPLY]


def test_a_promise_that_is_kept_by_the_same_act_is_not_changed_by_it() -> None:
    story = opened()
    story.policies = {Metric.FIRST_REPLY: policy(Metric.FIRST_REPLY, 5)}
    story.then(10, Holder.WEBCARE, Happening.REPLIED, rechosen=tuple(Metric))

    assert story.states(Metric.FIRST_REPLY) == [State.MET]
    assert story.clock(Metric.FIRST_REPLY).policy == POLICIES[Metric.FIRST_REPLY]


def test_a_promise_that_was_broken_unseen_is_not_mended_by_another() -> None:
    """The sweep was late: the reply was due at 60, and at 70 somebody made the ticket less urgent."""
    story = opened()
    story.policies[Metric.FIRST_REPLY] = policy(Metric.FIRST_REPLY, 600)

    clock = story.then(70, Holder.WEBCARE, rechosen=(Metric.FIRST_REPLY,)).clock(Metric.FIRST_REPLY)

    assert (clock.state, clock.breached_at, clock.policy) == (
        State.BREACHED,
        after(60),
        POLICIES[Metric.FIRST_REPLY],
    )


def test_an_edited_rule_does_not_reach_a_running_clock() -> None:
    story = opened()
    story.policies[Metric.FIRST_REPLY] = policy(Metric.FIRST_REPLY, 600)

    assert story.then(20, Holder.WEBCARE, Happening.WAITING).clock(Metric.FIRST_REPLY).due_at == after(60)


def test_who_took_over_another_policy_is_told_with_both() -> None:
    story = opened()
    before = story.clocks
    story.policies[Metric.RESOLUTION] = policy(Metric.RESOLUTION, 600)

    story.then(20, Holder.WEBCARE, rechosen=(Metric.RESOLUTION,))

    assert [(old.due_at, new.due_at) for old, new in taken_over(before, story.clocks)] == [(after(480), after(600))]
    assert taken_over(story.clocks, story.clocks) == ()


def test_a_clock_whose_calendar_is_gone_takes_the_present_promise() -> None:
    story = opened()
    story.calendars = {"new": replace(ALWAYS, name="new")}
    story.policies = {metric: policy(metric, 90, calendar="new") for metric in Metric}

    clock = story.then(20, Holder.WEBCARE, Happening.WAITING).clock(Metric.FIRST_REPLY)

    assert (clock.policy.calendar, clock.due_at) == ("new", after(90))


def test_a_warning_is_given_once_whatever_the_priority_becomes() -> None:
    story = opened().then(40, Holder.WEBCARE)
    story.policies[Metric.FIRST_REPLY] = policy(Metric.FIRST_REPLY, 600)

    clock = story.then(50, Holder.WEBCARE, rechosen=(Metric.FIRST_REPLY,)).clock(Metric.FIRST_REPLY)

    assert (clock.warned_at, clock.warn_at, next_at(clock)) == (after(30), after(300), after(600))


def test_a_sweep_waits_for_the_warning_and_then_for_the_due_moment() -> None:
    def swept(minutes: float) -> Clock:
        return opened().then(minutes, Holder.WEBCARE).clock(Metric.FIRST_REPLY)

    told = [(clock.state, clock.warned_at, clock.breached_at, next_at(clock)) for clock in map(swept, [30, 31, 60, 61])]

    assert told == [
        (State.RUNNING, None, None, after(30)),
        (State.RUNNING, after(30), None, after(60)),
        (State.RUNNING, after(30), None, after(60)),
        (State.BREACHED, after(30), after(60), None),
    ]


def test_steps_are_told_once_and_in_order() -> None:
    running = opened()
    late = opened().then(70, Holder.CUSTOMER, Happening.REPLIED)
    solved = replace(late).then(80, Holder.CUSTOMER, Happening.RESOLVED)

    first_reply = late.clock(Metric.FIRST_REPLY)
    assert passed(running.clocks, [first_reply]) == (
        Passed(first_reply, Step.WARNING, after(30)),
        Passed(first_reply, Step.BREACHED, after(60)),
    )
    assert passed(late.clocks, solved.clocks) == (Passed(solved.clock(Metric.RESOLUTION), Step.MET, after(80)),)
    assert passed(solved.clocks, solved.clocks) == ()


def test_a_calendar_that_was_taken_away_is_named() -> None:
    story = opened()
    story.calendars = {}

    with pytest.raises(UnknownCalendar, match="'always'"):
        story.then(10, Holder.WEBCARE)
