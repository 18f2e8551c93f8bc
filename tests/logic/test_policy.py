import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.sla.policy import (
    USUAL,
    Case,
    Course,
    Happening,
    InvalidTarget,
    Metric,
    Policy,
    PolicyUnreadable,
    Reopening,
    Scope,
    SlaRule,
    as_record,
    choose_all,
    from_record,
)
from app.tickets.custody import Holder

HOUR = timedelta(hours=1)


def rule(name: str, when: Scope, *, metric: Metric = Metric.FIRST_REPLY, **targets: timedelta) -> SlaRule:
    return SlaRule(name, metric, "office", targets, 0.75, frozenset({Holder.CUSTOMER}), when)


RULES = (
    rule("forum", Scope(channels=frozenset({"forum"})), high=2 * HOUR, normal=8 * HOUR),
    rule("billing on x", Scope(channels=frozenset({"x"}), departments=frozenset({"billing"})), normal=3 * HOUR),
    rule(
        "vip", Scope(tags=frozenset({"vip", "press"}), priorities=frozenset({"urgent"})), urgent=HOUR / 4, normal=HOUR
    ),
    rule("outages", Scope(topics=frozenset({"network_outage"})), normal=HOUR),
    rule("all", Scope(), urgent=HOUR, high=2 * HOUR, normal=4 * HOUR, low=8 * HOUR),
    rule("solved", Scope(), metric=Metric.RESOLUTION, normal=24 * HOUR),
)


@pytest.mark.parametrize(
    ("case", "name", "target"),
    [
        (Case("invoice", "forum", "billing", "normal"), "forum", 8 * HOUR),
        (Case("invoice", "forum", "billing", "urgent"), "all", HOUR),
        (Case("invoice", "x", "billing", "normal"), "billing on x", 3 * HOUR),
        (Case("invoice", "x", "sales", "normal"), "all", 4 * HOUR),
        (Case("network_outage", "x", "network", "normal"), "outages", HOUR),
        (Case(None, "x", None, "low"), "all", 8 * HOUR),
        (Case(None, "x", None, "urgent", ("new", "vip")), "vip", HOUR / 4),
        (Case(None, "x", None, "urgent", ("new",)), "all", HOUR),
        (Case(None, "x", None, "normal", ("vip",)), "all", 4 * HOUR),
    ],
)
def test_the_first_rule_that_covers_the_case_wins(case: Case, name: str, target: timedelta) -> None:
    assert choose_all(RULES, case, digest="d1")[Metric.FIRST_REPLY] == Policy(
        name, Metric.FIRST_REPLY, "office", target, 0.75, frozenset({Holder.CUSTOMER}), "d1"
    )


def test_a_metric_without_a_rule_promises_nothing() -> None:
    case = Case("invoice", "x", "billing", "normal")

    assert {metric: policy.name for metric, policy in choose_all(RULES, case, digest="d1").items()} == {
        Metric.FIRST_REPLY: "billing on x",
        Metric.RESOLUTION: "solved",
    }


@pytest.mark.parametrize(("target", "warn"), [(0, 0.5), (-60, 0.5), (60, 0.0), (60, 1.1)])
def test_a_promise_of_nothing_is_refused(target: float, warn: float) -> None:
    with pytest.raises(InvalidTarget):
        SlaRule("x", Metric.RESOLUTION, "office", {"low": timedelta(seconds=target)}, warn, frozenset(), Scope())
    with pytest.raises(InvalidTarget):
        Policy("x", Metric.RESOLUTION, "office", timedelta(seconds=target), warn, frozenset(), "d1")


@pytest.mark.parametrize(("left", "share"), [(15, 0.75), (60 * 0.9, 0.1)])
def test_a_warning_may_be_a_time_before_the_due_moment(left: float, share: float) -> None:
    before = SlaRule("x", Metric.RESOLUTION, "office", {"low": HOUR}, timedelta(minutes=left), frozenset(), Scope())

    assert before.policy("low", "d1").warn == pytest.approx(share)


def test_a_warning_does_not_come_before_its_clock_starts() -> None:
    with pytest.raises(InvalidTarget):
        SlaRule("x", Metric.RESOLUTION, "office", {"low": HOUR}, 2 * HOUR, frozenset(), Scope())


FROZEN = Policy(
    "all", Metric.OWNERSHIP, "office", timedelta(minutes=90), 0.75, frozenset({Holder.PR, Holder.CUSTOMER}), "d1"
)


OWN_COURSE = Course(
    frozenset({Happening.OPENED, Happening.REOPENED}),
    frozenset({Happening.ANSWERED}),
    frozenset(),
    Reopening.RESTART,
)


@pytest.mark.parametrize("policy", [FROZEN, replace(FROZEN, ladder="steep"), replace(FROZEN, course=OWN_COURSE)])
def test_a_policy_survives_being_frozen(policy: Policy) -> None:
    assert from_record(json.loads(json.dumps(as_record(policy)))) == policy


def test_a_policy_frozen_before_there_were_courses_runs_as_usual() -> None:
    assert from_record(as_record(FROZEN)).runs == USUAL[Metric.OWNERSHIP]


@pytest.mark.parametrize("change", [{"metric": "mood"}, {"pauses": ["moon"]}, {"pauses": None}, {"target": "1h"}])
def test_a_policy_of_another_version_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(PolicyUnreadable):
        from_record(as_record(FROZEN) | change)
    with pytest.raises(PolicyUnreadable):
        from_record({key: value for key, value in as_record(FROZEN).items() if key not in change})


def test_a_course_of_another_version_is_named() -> None:
    with pytest.raises(PolicyUnreadable):
        from_record(as_record(FROZEN) | {"course": {"starts": ["moonrise"]}})
