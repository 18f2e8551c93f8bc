"""The figures of promises, and the lines of an answer."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.kit.errors import Invalid
from app.reports.attainment import attain
from app.reports.question import EmptyPeriod, Interval, Question, TooManyLines, UnknownDimension
from app.reports.tally.cell import Cell
from app.reports.tally.histogram import bucket_of, histogram_of

START = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)


def test_three_of_four_met() -> None:
    figures = attain(Cell(4, 3, 0, histogram_of(bucket_of(60_000), 4), histogram_of(bucket_of(90_000), 4)))
    assert (figures.n, figures.met, figures.breached, figures.met_share) == (4, 3, 1, 0.75)
    assert (figures.p50, figures.p99_calendar) == pytest.approx((60, 90), rel=0.02)


def test_nothing_is_zeros_and_nulls() -> None:
    assert astuple(attain(Cell())) == (0, 0, 0, *[None] * 7)


def test_what_is_overdue_and_still_runs_is_breached_without_a_duration() -> None:
    assert astuple(attain(Cell(2))) == (2, 0, 2, 0.0, *[None] * 6)


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
    assert refused.value.facts == {"limit": 10_000}


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
