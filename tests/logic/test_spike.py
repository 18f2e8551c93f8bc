"""When a count is a spike, and what becomes of an incident as it is looked at."""

import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from app.escalation.incidents.incident import (
    Count,
    Incident,
    IncidentState,
    Scope,
    Severity,
    SpikeRules,
    Subject,
    followed,
    opened,
)
from app.escalation.spike import Baseline, baseline, chance
from tests.support.clock import MORNING

RULES = SpikeRules(
    weeks=8,
    chance=1e-6,
    calm=0.05,
    quiet=timedelta(hours=2),
    cool_down=timedelta(hours=6),
    severities=(Severity("raised", 8, 3), Severity("serious", 40, 6), Severity("crisis", 150, 12)),
)
OUTAGE = Subject(Scope.TOPIC, "outage")
SIX = Baseline(144, 24, 1.0)  # an hour


def usual(*hours: list[int]) -> Baseline:
    found = baseline(hours)
    assert found is not None
    return found


@pytest.mark.parametrize(("count", "expected"), [(0, 1.0), (1, 0.999), (6, 0.5), (20, 1e-5), (60, 1e-30)])
def test_a_chance_falls_with_the_count(count: int, expected: float) -> None:
    """Of a Poisson count with mean 6 the chances are 1, 0.998, 0.554, 5.6e-6, 1e-37: the past is not known for sure."""
    found = chance(count, SIX, 1.0)
    assert found > 0
    assert found == pytest.approx(expected, rel=0.2) or math.log10(found) == pytest.approx(math.log10(expected), abs=2)


@pytest.mark.parametrize("past", [SIX, Baseline(0, 24, 1.0), Baseline(2, 3, 1.0), Baseline(60, 24, 4.0)])
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_a_tail_is_the_sum_of_its_chances(past: Baseline, share: float) -> None:
    """P(X >= n) - P(X >= n + 1) are the chances of each count; they sum to one, and their mean is the expected one."""
    tails = [chance(count, past, share) for count in range(400)]
    single = [before - after for before, after in pairwise(tails)]
    assert all(one >= -1e-12 for one in single)
    assert sum(single) == pytest.approx(1.0, abs=1e-6)
    assert sum(count * one for count, one in enumerate(single)) == pytest.approx(past.expected(share), rel=1e-3)


def test_nothing_in_the_past_is_not_a_threshold_of_zero() -> None:
    silent = usual([0] * 24)
    assert chance(1, silent, 1.0) > 1e-2
    assert chance(3, silent, 1.0) > 1e-6


def test_little_past_makes_unsure() -> None:
    assert chance(12, usual([2, 2, 2]), 1.0) > 10 * chance(12, usual([2] * 24), 1.0)


def test_past_spikes_do_not_hide_the_next_one() -> None:
    calm, once = usual([6, 5, 7, 4, 6, 8] * 4), usual([6, 5, 7, 4, 6, 8] * 3 + [6, 5, 300, 4, 6, 8])
    assert once.expected(1.0) < 1.3 * calm.expected(1.0)
    assert chance(60, once, 1.0) < 1e-9


@pytest.mark.parametrize(
    ("past", "highest"),
    [
        ([0] * 7, 3.0),
        ([6] * 7, 6 + 3 * math.sqrt(6)),
        ([10, 30, 50, 70, 90], 60 + 3 * 1.4826 * 30),  # 60 is the median with what stands out, and 30 the deviation
    ],
)
def test_what_stands_out_is_cut_down_by_how_far_the_others_lie_apart(past: list[int], highest: float) -> None:
    assert usual([*past, 1000]).total == pytest.approx(sum(past) + highest)


@pytest.mark.parametrize(
    ("hours", "dispersion"),
    [([[0, 12] * 12], 864 / 23 / 6), ([[5], [7]], 1.0), ([[0, 0, 0]], 1.0), ([[6, 6, 6]], 1.0)],
)
def test_scatter_is_the_variance_within_an_hour_over_the_mean(hours: list[list[int]], dispersion: float) -> None:
    assert usual(*hours).dispersion == pytest.approx(dispersion)


def test_few_posts_of_what_has_thousands_are_nothing_unusual() -> None:
    assert chance(10, Baseline(240_000, 24, 1.0), 1.0) == pytest.approx(1.0)


def test_counts_that_scatter_need_more() -> None:
    assert chance(30, usual([0, 12] * 12), 1.0) > 100 * chance(30, usual([6] * 24), 1.0)


def test_a_morning_that_fills_up_scatters_nothing() -> None:
    morning = usual([2] * 8, [12] * 8, [22] * 8)
    assert morning == Baseline(288, 24, 1.0)


@pytest.mark.parametrize("hours", [[], [[], [], []]])
def test_without_a_past_nothing_is_usual(hours: list[list[int]]) -> None:
    assert baseline(hours) is None


def counted(posts: int, share: float = 1.0, past: Baseline = SIX) -> Count:
    return Count(OUTAGE, posts, past, share)


def incident(posts: int = 40) -> Incident:
    found = opened(counted(posts), RULES, MORNING, UUID(int=1))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("count", "severity"),
    [
        (counted(17), None),  # not three times the usual
        (counted(19), None),  # that, but it happens
        (counted(24), "raised"),
        (counted(39), "raised"),
        (counted(40), "serious"),
        (counted(149), "serious"),
        (counted(150), "crisis"),
        (counted(15, share=0.1), "raised"),  # in six minutes
        (counted(7, past=Baseline(0, 24, 1.0)), None),  # few are never an incident, however unusual
        (counted(8, past=Baseline(0, 24, 1.0)), "raised"),
        (counted(100, past=Baseline(1200, 24, 1.0)), None),  # twice the usual is none either, however unlikely
    ],
)
def test_a_count_opens_an_incident_by_its_chance_and_its_size(count: Count, severity: str | None) -> None:
    found = opened(count, RULES, MORNING, UUID(int=1))
    assert (found and found.severity) == severity


def test_an_incident_tells_its_figures() -> None:
    found = incident(40)
    assert found.figures == {
        "scope": "topic",
        "name": "outage",
        "severity": "serious",
        "observed": 40,
        "expected": 6.02,
        "chance": found.chance,
    }


def test_a_subject_rests_after_its_last_incident() -> None:
    again = replace(counted(60), closed_at=MORNING - timedelta(hours=5))
    assert opened(again, RULES, MORNING, UUID(int=1)) is None
    assert opened(again, RULES, MORNING + timedelta(hours=1), UUID(int=1)) is not None


def test_an_incident_grows_and_never_shrinks() -> None:
    worse = followed(incident(40), counted(200), RULES, MORNING)
    assert (worse.severity, worse.observed) == ("crisis", 200)
    less = followed(worse, counted(30), RULES, MORNING)
    assert (less.severity, less.observed, less.state) == ("crisis", 200, IncidentState.OPEN)


@pytest.mark.parametrize(
    ("standing", "posts", "an_hour", "severity"),
    [
        ("serious", 60, 15, "serious"),  # it would only be raised
        ("serious", 45, 20, "serious"),  # and now not even that
        ("serious", 50, 6, "serious"),
        ("named so once", 60, 15, "raised"),  # its own name is no longer in the rules
        ("named so once", 45, 20, "named so once"),
    ],
)
def test_an_incident_at_its_height_keeps_its_severity_and_tells_its_new_figures(
    standing: str, posts: int, an_hour: int, severity: str
) -> None:
    past = Baseline(24 * an_hour, 24, 1.0)
    higher = followed(replace(incident(40), severity=standing), counted(posts, past=past), RULES, MORNING)
    assert (higher.severity, higher.observed, higher.expected) == (severity, posts, past.expected(1.0))
    assert higher.chance == chance(posts, past, 1.0)


def test_an_incident_ends_after_a_while_of_calm_and_not_before() -> None:
    one, at = incident(), MORNING
    calm = followed(one, counted(6), RULES, at)
    assert (calm.state, calm.quiet_since) == (IncidentState.OPEN, at)

    disturbed = followed(calm, counted(20), RULES, at + timedelta(hours=1))
    assert disturbed.quiet_since is None

    calm = followed(disturbed, counted(6), RULES, at + timedelta(hours=2))
    assert followed(calm, counted(6), RULES, at + timedelta(hours=3)).state is IncidentState.OPEN
    over = followed(calm, counted(6), RULES, at + timedelta(hours=4))
    assert (over.state, over.closed_at, over.closed_by) == (IncidentState.CLOSED, at + timedelta(hours=4), "system")
