"""The backlog of tonight, on weeks that were made up."""

from datetime import UTC, datetime, timedelta
from math import fsum, gamma, pi, sqrt
from random import Random

import pytest

from app.reports.forecast import LEAST_WEEKS, MOST_WEEKS, Flow, forecast, hours_ahead

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_steady_past_goes_on() -> None:
    ahead = forecast(NOON, NOON, 40, [[Flow(10, 6)] * 3] * 8)
    assert [(one.at, one.expected) for one in ahead] == [
        (NOON + HOUR, 44),
        (NOON + 2 * HOUR, 48),
        (NOON + 3 * HOUR, 52),
    ]


def test_of_the_running_hour_the_part_counts_that_is_left() -> None:
    [ahead] = forecast(NOON + timedelta(minutes=45), NOON, 40, [[Flow(8, 0)]] * 8)
    assert (ahead.at, ahead.expected) == (NOON + HOUR, 42)


def test_weeks_that_agree_still_scatter_as_what_comes_by_chance() -> None:
    """Of 16 that come and go in each of four weeks: 4 either way, times Student's t for three, and one week more."""
    [ahead] = forecast(NOON, NOON, 100, [[Flow(8, 8)]] * 4)
    assert ahead.high - ahead.expected == pytest.approx(3.182 * 4 * 1.25**0.5)
    assert ahead.expected - ahead.low == pytest.approx(ahead.high - ahead.expected)


def test_weeks_that_differ_widen_the_interval() -> None:
    calm, wild = [[Flow(50, 50)]] * 4, [[Flow(0, 50)], [Flow(100, 50)], [Flow(0, 50)], [Flow(100, 50)]]
    [steady], [unsure] = forecast(NOON, NOON, 500, calm), forecast(NOON, NOON, 500, wild)
    assert steady.expected == unsure.expected == 500
    assert unsure.high - unsure.low > 3 * (steady.high - steady.low)


def test_no_backlog_is_below_zero() -> None:
    [ahead] = forecast(NOON, NOON, 3, [[Flow(0, 20)]] * 5)
    assert (ahead.expected, ahead.low) == (0, 0)


def within(t: float, free: int) -> float:
    """The chance of Student's t with so many degrees of freedom between -t and t: Simpson's rule over its density."""
    scale = gamma((free + 1) / 2) / (sqrt(free * pi) * gamma(free / 2))
    steps = 1000
    heights: list[float] = [scale * (1 + (t * n / steps) ** 2 / free) ** (-(free + 1) / 2) for n in range(steps + 1)]
    return 2 * t / steps / 3 * (heights[0] + 4 * fsum(heights[1:-1:2]) + 2 * fsum(heights[2:-1:2]) + heights[-1])


@pytest.mark.parametrize("weeks", range(LEAST_WEEKS, MOST_WEEKS + 1))
def test_of_any_number_of_weeks_the_interval_is_of_95_percent(weeks: int) -> None:
    [ahead] = forecast(NOON, NOON, 100, [[Flow(8, 8)]] * weeks)
    t = (ahead.high - ahead.expected) / (4 * sqrt(1 + 1 / weeks))
    assert within(t, weeks - 1) == pytest.approx(0.95, abs=3e-5)


@pytest.mark.parametrize("weeks", [0, LEAST_WEEKS - 1, MOST_WEEKS + 1])
def test_too_short_a_past_says_nothing(weeks: int) -> None:
    assert forecast(NOON, NOON, 5, [[Flow()]] * weeks) == ()


def test_a_day_that_is_over_has_no_hours_ahead() -> None:
    assert forecast(NOON, NOON, 5, [[]] * LEAST_WEEKS) == ()


@pytest.mark.parametrize(("weeks", "most"), [(LEAST_WEEKS, 1.0), (8, 0.985)])
def test_what_really_comes_lies_within_the_interval_as_often_as_it_says(weeks: int, most: float) -> None:
    """Nine hours of days that are busy or calm as a whole, of which hours one by one would be too sure."""
    random = Random(11)

    def day() -> list[Flow]:
        busy = random.gauss(0, 4)
        return [Flow(max(0, round(random.gauss(40 + busy, 6))), max(0, round(random.gauss(38, 6)))) for _ in range(9)]

    held, days = 0, 400
    for _ in range(days):
        tonight = forecast(NOON, NOON, 1000, [day() for _ in range(weeks)])[-1]
        real = 1000 + sum(one.opened - one.resolved for one in day())
        held += tonight.low <= real <= tonight.high
    assert 0.925 <= held / days <= most


@pytest.mark.parametrize(("minutes", "hours"), [(-60, 0), (0, 0), (1, 1), (60, 1), (61, 2), (24 * 60, 24)])
def test_the_hours_ahead_begin_with_the_running_one(minutes: int, hours: int) -> None:
    assert hours_ahead(NOON, NOON + timedelta(minutes=minutes)) == hours
    assert hours_ahead(NOON + HOUR / 2, NOON + HOUR) == 1
