"""Cases from the test suites of eight other projects. They stay beside the project, so this skips without them."""

import json
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.kit.errors import Invalid
from app.sla.business_time import add, add_days, elapsed, is_open, next_open, subtract
from app.sla.calendar import Calendar, Opening
from app.sla.policy import check_target

REPOSITORY = Path(__file__).parents[2]
SHARED = Path(os.environ.get("WEBCARE_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
FILE = SHARED / "business_hours_cases.json"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CASES: list[dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else []
needs_cases = pytest.mark.skipif(not CASES, reason="business_hours_cases.json is missing: set WEBCARE_SHARED_DATA")


def hours(spans: list[list[str]]) -> tuple[Opening, ...]:
    return tuple(Opening.parse("-".join(span)) for span in spans)


def without(openings: tuple[Opening, ...], breaks: tuple[Opening, ...]) -> tuple[Opening, ...]:
    for pause in breaks:
        parts = [
            (begin, end)
            for opening in openings
            for begin, end in (
                (opening.opens, min(opening.closes, pause.opens)),
                (max(opening.opens, pause.closes), opening.closes),
            )
        ]
        openings = tuple(Opening(begin, end) for begin, end in parts if begin < end)
    return openings


def calendar_of(case: dict[str, Any]) -> Calendar:
    week = tuple(hours(case["hours"].get(day, [])) for day in DAYS)
    overrides = {date.fromisoformat(day): hours(spans) for day, spans in case["date_hours"].items()}
    for text, spans in case["breaks"].items():
        day = date.fromisoformat(text)
        overrides[day] = without(overrides.get(day, week[day.weekday()]), hours(spans))
    overrides |= {date.fromisoformat(day): () for day in case["holidays"]}
    return Calendar(case["id"], ZoneInfo(case["tz"]), week, overrides=overrides)


def answer(case: dict[str, Any]) -> Any:
    """What our calendar makes of a case, in the form in which the case expects it."""
    calendar = calendar_of(case)
    start = datetime.fromisoformat(case.get("start") or case["at"])
    duration = timedelta(seconds=case.get("seconds", 0))
    operations: dict[str, Callable[[], Any]] = {
        "deadline": lambda: add(calendar, start, duration),
        "deadline_back": lambda: subtract(calendar, start, duration),
        "duration": lambda: elapsed(calendar, start, datetime.fromisoformat(case["end"])).total_seconds(),
        "next_open": lambda: next_open(calendar, start),
        "is_open": lambda: is_open(calendar, start),
        "workdays": lambda: add_days(calendar, start, case["days"]),
        "error": lambda: promised(calendar, start, duration),
    }
    return operations[case["op"]]()


def promised(calendar: Calendar, start: datetime, target: timedelta) -> datetime:
    """A promise is checked before it is computed, and one of no time at all is refused there."""
    check_target(target, warn=1)
    return add(calendar, start, target)


def expected(case: dict[str, Any]) -> Any:
    """The suite's own answer, or the second-by-second one where projects differ (see app/sla/calendar.py)."""
    value = case["brute_force"]
    if case["verdict"] == "match":
        value = case.get("expected") or case.get("expected_seconds", case.get("expected_bool"))
    return datetime.fromisoformat(value) if isinstance(value, str) else value


@needs_cases
@pytest.mark.parametrize("case", [case for case in CASES if case["op"] != "error"], ids=lambda case: case["id"])
def test_a_case_of_another_project(case: dict[str, Any]) -> None:
    assert answer(case) == expected(case)


@needs_cases
@pytest.mark.parametrize("case", [case for case in CASES if case["op"] == "error"], ids=lambda case: case["id"])
def test_what_cannot_be_computed_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        answer(case)


@needs_cases
def test_all_cases_are_here() -> None:
    assert len(CASES) == 136
