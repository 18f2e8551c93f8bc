"""Clocks that were kept step by step equal clocks that are read from scratch, whatever happened."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.audit import afresh, differences, is_past, unsound
from app.sla.clock import Clock, State
from app.sla.ladder import Does, Rung, next_level
from app.sla.policy import Happening, Metric, Policy
from app.tickets.custody import Custody, Holder, seconds_by_holder
from tests.logic.test_clock_history import ACTIONS, CALENDARS, policies
from tests.support.history import ALWAYS, Story, after

LADDERS = {"steep": tuple(Rung(share, timedelta(), Does.NOTIFY, "lead") for share in (0.5, 1, 1.5))}
TICKETS_LIFE = st.lists(st.tuples(st.integers(0, 60), st.sampled_from([*ACTIONS, "reroute", "climb"])), max_size=12)


def climbed(clock: Clock) -> Clock:
    level = next_level(LADDERS["steep"], clock.policy.target, clock.climbed)
    return clock if level is None or clock.policy.ladder is None else replace(clock, climbed=level)


def unlike(story: Story, minutes: float) -> dict[str, dict[str, tuple[Any, Any]]]:
    """What differs, by clock."""
    found = {
        f"{kept.metric} {kept.round}": differences(
            kept, afresh(kept, story.custody, after(minutes), calendars=story.calendars, ladders=story.ladders)
        )
        for kept in story.clocks
    }
    return {name: what for name, what in found.items() if what}


@given(st.lists(policies, min_size=2, max_size=8), st.lists(policies, max_size=4), TICKETS_LIFE)
@settings(max_examples=80)
def test_any_history_reads_as_it_was_kept(
    rules: list[Policy], others: list[Policy], history: list[tuple[int, str]]
) -> None:
    """The sweep comes when it comes, and promises change on the way."""
    laddered = {rule.metric: replace(rule, ladder="steep") for rule in rules}
    story = Story(policies=laddered, calendars=CALENDARS, ladders=LADDERS)
    story.then(0, Holder.TRIAGE, Happening.OPENED)
    minutes = 0
    for steps, action in history:
        minutes += 10 * steps
        last = story.custody[-1]
        if action == "reroute":
            story.policies = laddered | {rule.metric: rule for rule in others}
            story.then(minutes, last.holder, department=last.department, rechosen=tuple(Metric))
        elif action == "climb":
            story.clocks = tuple(map(climbed, story.clocks))
            story.then(minutes, last.holder, department=last.department)
        else:
            holder, department, happenings = ACTIONS[action] or (last.holder, last.department, ())
            story.then(minutes, holder, *happenings, department=department)

    assert unlike(story, minutes) == {}
    assert unlike(story, minutes + 7 * 24 * 60) == {}  # a sweep that is a week late is no difference
    life = after(minutes) - story.custody[0].since
    if all(entry.holder is not Holder.NOBODY for entry in story.custody):
        assert sum(seconds_by_holder(story.custody, after(minutes)).values()) == life.total_seconds()


@pytest.mark.parametrize(
    "spoilt",
    [
        {"due_at": after(61)},
        {"warn_at": None},
        {"state": State.PAUSED},
        {"breached_at": after(10), "due_at": after(10), "state": State.BREACHED},
        {"climb_at": after(30)},
    ],
)
def test_what_was_kept_wrongly_is_found(spoilt: dict[str, Any]) -> None:
    story = Story().then(0, Holder.WEBCARE, Happening.OPENED)
    story.clocks = tuple(replace(one, **spoilt) if one.metric is Metric.FIRST_REPLY else one for one in story.clocks)

    assert unlike(story, 20)["first_reply 1"].keys() == spoilt.keys()


def test_an_edited_calendar_shows_in_clocks_that_ended() -> None:
    story = Story().then(0, Holder.WEBCARE, Happening.OPENED).then(30, Holder.CUSTOMER, Happening.REPLIED)
    story.calendars = {"always": replace(ALWAYS, overrides={after(0).date(): ()})}

    assert unlike(story, 40)["first_reply 1"].keys() == {"due_at", "warn_at", "elapsed"}
    assert [is_past(clock) for clock in story.clocks] == [True, False]


def test_a_broken_promise_that_still_runs_may_have_been_counted() -> None:
    story = Story().then(0, Holder.WEBCARE, Happening.OPENED).then(61, Holder.WEBCARE)
    [broken] = [clock for clock in story.clocks if clock.metric is Metric.FIRST_REPLY]

    assert (broken.ended_at, is_past(broken)) == (None, True)


def test_reading_tells_no_warning_that_nobody_was_told() -> None:
    story = Story().then(0, Holder.WEBCARE, Happening.OPENED).then(30, Holder.CUSTOMER, Happening.REPLIED)
    [kept] = [clock for clock in story.clocks if clock.metric is Metric.FIRST_REPLY]
    stricter = replace(kept, policy=replace(kept.policy, target=timedelta(minutes=10)))

    read = afresh(stricter, story.custody, after(40), calendars=story.calendars, ladders=story.ladders)

    assert (read.breached_at, read.warned_at) == (after(10), None)


def test_a_breach_that_was_told_while_clocks_disagreed_is_none_to_mend() -> None:
    story = Story().then(0, Holder.WEBCARE, Happening.OPENED).then(60.02, Holder.WEBCARE)
    story.then(59.99, Holder.WEBCARE, Happening.REPLIED)

    assert unlike(story, 61) == {}


FIRST = Custody(Holder.TRIAGE, None, after(0))


@pytest.mark.parametrize(
    ("custody", "closed", "wrong"),
    [
        ((FIRST,), False, None),
        ((FIRST, Custody(Holder.NOBODY, None, after(5))), True, None),
        ((FIRST, Custody(Holder.WEBCARE, None, FIRST.since)), False, None),  # it was never in triage
        ((), False, "nobody ever had the ball"),
        ((FIRST, Custody(Holder.PR, None, after(-5))), False, "a holder comes before the one before"),
        ((FIRST, Custody(Holder.NOBODY, None, after(5))), False, "nobody has the ball of a living ticket"),
        ((FIRST,), True, "somebody has the ball of a closed ticket"),
    ],
)
def test_holders_follow_each_other_until_the_end(custody: tuple[Custody, ...], closed: bool, wrong: str | None) -> None:
    assert unsound(custody, closed=closed) == wrong
