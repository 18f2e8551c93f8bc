"""The figures of promises, and the lines of an answer."""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.kit.errors import Invalid
from app.reports.attainment import attain
from app.reports.question import EmptyPeriod, Interval, Question, TooManyLines, UnknownDimension, step_after, step_of
from app.reports.tally.cell import Cell
from app.reports.tally.histogram import bucket_of, histogram_of
from tests.support.facts import sums_of

START = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)
HOUR, SECOND, TICK = timedelta(hours=1), timedelta(seconds=1), timedelta(microseconds=1)
STEPS = [interval for interval in Interval if interval is not Interval.NONE]


def test_three_of_four_met() -> None:
    [figures] = attain(sums_of(Cell(4, 3, 0, histogram_of(bucket_of(60_000), 4), histogram_of(bucket_of(90_000), 4))))
    assert (figures.n, figures.met, figures.breached, figures.met_share) == (4, 3, 1, 0.75)
    assert (figures.p50, figures.p99_calendar) == pytest.approx((60, 90), rel=0.02)


def test_nothing_is_zeros_and_nulls() -> None:
    assert attain(sums_of(Cell()))[0] == (0, 0, 0, *[None] * 7)


def test_what_is_overdue_and_still_runs_is_breached_without_a_duration() -> None:
    assert attain(sums_of(Cell(2)))[0] == (2, 0, 2, 0.0, *[None] * 6)


@pytest.mark.parametrize(
    ("interval", "length", "steps"),
    [
        (Interval.NONE, DAY, [None]),
        (Interval.HOUR, timedelta(hours=1), ["2026-03-04T10:00", "2026-03-04T11:00"]),
        (Interval.DAY, DAY, ["2026-03-04T00:00", "2026-03-05T00:00"]),
        (Interval.DAY, timedelta(hours=13, minutes=30), ["2026-03-04T00:00"]),
        (Interval.WEEK, 5 * DAY, ["2026-03-02T00:00", "2026-03-09T00:00"]),
        (Interval.MONTH, 28 * DAY, ["2026-03-01T00:00", "2026-04-01T00:00"]),
        (Interval.MONTH, 310 * DAY, [f"2026-{month:02}-01T00:00" for month in range(3, 13)] + ["2027-01-01T00:00"]),
    ],
)
def test_steps_cover_the_period_and_no_more(interval: Interval, length: timedelta, steps: list[str | None]) -> None:
    question = Question(START, START + length, interval)
    assert list(question.steps()) == [step and datetime.fromisoformat(f"{step}+00:00") for step in steps]


@pytest.mark.parametrize(
    ("interval", "first", "steps"),
    [
        (Interval.HOUR, "2026-10-25T00:30", ["25T02:00+02:00", "25T02:00+01:00", "25T03:00+01:00"]),
        (Interval.HOUR, "2026-03-29T00:30", ["29T01:00+01:00", "29T03:00+02:00", "29T04:00+02:00"]),
        (Interval.DAY, "2026-10-24T21:59", ["24T00:00+02:00", "25T00:00+02:00", "26T00:00+01:00"]),
        (Interval.WEEK, "2026-03-22T22:59", ["16T00:00+01:00", "23T00:00+01:00", "30T00:00+02:00"]),
    ],
)
def test_steps_begin_as_clocks_have_them(interval: Interval, first: str, steps: list[str]) -> None:
    start, month = datetime.fromisoformat(f"{first}+00:00"), first[:8]
    expected = [datetime.fromisoformat(f"{month}{step}") for step in steps]
    question = Question(start, expected[-1] + timedelta(minutes=1), interval, zone=ZoneInfo("Europe/Amsterdam"))
    assert list(question.steps()) == expected


def test_an_hour_begins_with_its_first_second() -> None:
    at = datetime(2026, 3, 2, 12, 34, 56, 789, tzinfo=UTC)
    assert step_of(at, Interval.HOUR, ZoneInfo("Asia/Kolkata")) == datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00"),  # the day begins at one o'clock
        ("America/Havana", "2026-11-01T04:30", "2026-11-01T04:00"),  # midnight comes twice
        ("Asia/Kolkata", "2026-11-01T18:45", "2026-11-01T18:30"),
    ],
)
def test_a_day_begins_with_the_first_moment_that_it_has(zone: str, at: str, day: str) -> None:
    found = step_of(datetime.fromisoformat(f"{at}+00:00"), Interval.DAY, ZoneInfo(zone))
    assert found == datetime.fromisoformat(f"{day}+00:00")
    assert step_of(found - timedelta(microseconds=1), Interval.DAY, ZoneInfo(zone)) < found


def changes(zone: tzinfo, year: int) -> Iterator[datetime]:
    """The moments of a year at which clocks there are changed."""

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(zone).utcoffset()

    seconds = range(5 * 86_400)
    for days in range(0, 366, 5):
        start = datetime(year, 1, 1, tzinfo=UTC) + days * DAY
        if offset(start) != offset(start + 5 * DAY):
            yield start + SECOND * bisect(seconds, False, key=lambda n: offset(start + SECOND * n) != offset(start))


@given(st.sampled_from(sorted(available_timezones())), st.integers(2000, 2099), st.sampled_from(STEPS))
@example("Australia/Lord_Howe", 2026, Interval.HOUR)  # by half an hour
@example("America/Caracas", 2016, Interval.HOUR)  # at the half of an hour, by half an hour
@example("Pacific/Chatham", 2026, Interval.HOUR)  # when clocks show a quarter to three
@example("Asia/Kathmandu", 2026, Interval.HOUR)
@example("America/St_Johns", 2010, Interval.HOUR)  # a minute after midnight, back to the day before
@example("America/St_Johns", 2010, Interval.DAY)
@example("Pacific/Apia", 2011, Interval.DAY)  # one day was left out
def test_steps_follow_each_other_wherever_clocks_are_changed(name: str, year: int, interval: Interval) -> None:
    zone = ZoneInfo(name)
    for change in (datetime(year, 1, 1, tzinfo=UTC), *changes(zone, year)):
        first = step_of(change - 4 * HOUR, interval, zone)
        steps = list(accumulate(range(9), lambda step, _: step_after(step, interval, zone), initial=first))
        assert steps == sorted(set(steps))
        assert [step_of(step, interval, zone) for step in steps] == steps
        assert [step_of(step - TICK, interval, zone) for step in steps[1:]] == steps[:-1]
        for at in (change + quarters * HOUR / 4 + ticks * TICK for quarters in range(-12, 13) for ticks in (-1, 0)):
            assert step_of(at, interval, zone) == max((step for step in steps if step <= at), default=None)


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-03-02T00:00+01:00", "2026-03-09T00:00+01:00", "2026-02-23T00:00+01:00"),
        ("2026-10-19T00:00+02:00", "2026-10-26T00:00+01:00", "2026-10-12T00:00+02:00"),  # a week of 169 hours
        ("2026-10-26T00:00+01:00", "2026-11-02T00:00+01:00", "2026-10-19T00:00+02:00"),
        ("2026-03-30T00:00+02:00", "2026-03-31T00:00+02:00", "2026-03-29T00:00+01:00"),
        ("2028-03-01T00:00+01:00", "2028-03-02T00:00+01:00", "2028-02-29T00:00+01:00"),
        ("2026-10-25T09:00+01:00", "2026-10-25T12:30+01:00", "2026-10-25T05:30+01:00"),
        ("2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T01:30+02:00"),  # one hour by two clocks
    ],
)
def test_the_period_before_has_as_many_days(first: str, last: str, before: str) -> None:
    start, end = (datetime.fromisoformat(at) for at in (first, last))
    question = Question(start, end, Interval.DAY, ("topic",), zone=ZoneInfo("Europe/Amsterdam"))
    assert question.before() == replace(question, start=datetime.fromisoformat(before), end=start)


def test_every_step_stands_there_for_every_group_and_what_has_no_value_is_last() -> None:
    question = Question(START, START + DAY, Interval.DAY, ("topic",))
    first, second = question.steps()
    assert question.lines([("invoice",), (None,), ("delivery",), ("invoice",)]) == [
        (first, ("delivery",)),
        (first, ("invoice",)),
        (first, (None,)),
        (second, ("delivery",)),
        (second, ("invoice",)),
        (second, (None,)),
    ]


def test_ten_thousand_lines_are_the_most() -> None:
    hours = Question(START, START + timedelta(hours=9999), Interval.HOUR)
    assert len(hours.lines([()])) == 10_000
    with pytest.raises(TooManyLines) as refused:
        hours.lines([("x",), ("forum",)])
    assert (refused.value.field, refused.value.facts) == ("interval", {"limit": 10_000})
    with pytest.raises(TooManyLines) as refused:
        Question(START, START + DAY, group_by=("account",)).lines([(f"@{number}",) for number in range(10_001)])
    assert refused.value.field == "group_by"


@pytest.mark.parametrize(
    ("facts", "error", "field"),
    [
        ({"end": START}, EmptyPeriod, "from"),
        ({"end": START - DAY}, EmptyPeriod, "from"),
        ({"group_by": ("topic", "mood")}, UnknownDimension, "group_by"),
        ({"group_by": ("topic", "topic")}, UnknownDimension, "group_by"),
    ],
)
def test_a_question_without_sense_names_the_field(facts: dict[str, Any], error: type[Invalid], field: str) -> None:
    with pytest.raises(error) as refused:
        Question(**{"start": START, "end": START + DAY} | facts)
    assert refused.value.field == field
