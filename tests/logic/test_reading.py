from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.sla.business_time import NeverOpen
from app.sla.calendar import Calendar, Opening
from app.sla.policy import Metric, Policy
from app.sla.reading import Reading, read
from app.tickets.custody import Custody, Holder, Interval

UTC_ZONE = ZoneInfo("UTC")
OFFICE = Calendar("office", UTC_ZONE, ((Opening.parse("09:00-17:00"),),) * 7)
POLICY = Policy(
    name="solved in eight hours",
    metric=Metric.RESOLUTION,
    calendar="office",
    target=timedelta(hours=8),
    warn=0.5,
    pauses=frozenset({Holder.CUSTOMER}),
    digest="d1",
)


def at(text: str) -> datetime:
    """`2 10:30` is half past ten on the second day of March 2026."""
    day, time = text.split()
    return datetime.fromisoformat(f"2026-03-{day.zfill(2)}T{time}").replace(tzinfo=UTC)


def custody(*entries: tuple[Holder, str]) -> tuple[Custody, ...]:
    return tuple(Custody(holder, None, at(since)) for holder, since in entries)


def reading(entries: tuple[Custody, ...], now: str, *, started: str = "2 10:00", stopped: str | None = None) -> Reading:
    stopped_at = None if stopped is None else at(stopped)
    return read(POLICY, OFFICE, entries, started_at=at(started), stopped_at=stopped_at, now=at(now))


WEBCARE, CUSTOMER, PR = Holder.WEBCARE, Holder.CUSTOMER, Holder.PR
ALONE = custody((WEBCARE, "2 10:00"))
ANSWERED_BY_CUSTOMER = custody((WEBCARE, "2 10:00"), (CUSTOMER, "2 12:00"), (WEBCARE, "3 12:00"))


def test_a_running_clock_foresees_its_moments() -> None:
    told = reading(ALONE, "2 12:00")

    assert told.elapsed == timedelta(hours=2)
    assert told == Reading(
        calendar=OFFICE,
        due_at=at("3 10:00"),
        warn_at=at("2 14:00"),
        climb_at=None,
        running=True,
        intervals=(Interval(WEBCARE, None, at("2 10:00"), at("2 12:00")),),
    )


def test_a_paused_clock_foresees_nothing() -> None:
    waiting = reading(ANSWERED_BY_CUSTOMER[:2], "2 15:00")

    assert (waiting.elapsed, waiting.due_at, waiting.warn_at, waiting.running) == (
        timedelta(hours=2),
        None,
        None,
        False,
    )


def test_a_pause_moves_the_moments() -> None:
    back = reading(ANSWERED_BY_CUSTOMER, "3 13:00")

    assert (back.elapsed, back.due_at, back.warn_at) == (timedelta(hours=3), at("4 10:00"), at("3 14:00"))
    assert [part.holder for part in back.intervals] == [WEBCARE, WEBCARE]


def test_a_moment_that_has_passed_stays_through_a_pause() -> None:
    late = custody((WEBCARE, "2 10:00"), (CUSTOMER, "3 10:01"))

    assert reading(late, "5 09:00").due_at == at("3 10:00")
    assert reading((*late, *custody((WEBCARE, "4 09:00"))), "5 09:00").due_at == at("3 10:00")


def test_a_pause_at_the_very_moment_is_in_time() -> None:
    just = custody((WEBCARE, "2 10:00"), (CUSTOMER, "3 10:00"))

    assert reading(just, "5 09:00").due_at is None
    assert reading((*just, *custody((WEBCARE, "4 20:00"))), "4 21:00").due_at == at("5 09:00")


def test_a_hand_over_between_two_who_count_is_no_pause() -> None:
    """Eight hours are used up at closing; PR takes the ball then, and the moment does not move to the morning."""
    moved = custody((WEBCARE, "2 09:00"), (PR, "2 17:00"))

    assert reading(moved, "2 20:00", started="2 09:00").due_at == at("2 17:00")


def test_time_before_custody_is_the_first_holders() -> None:
    received_late = custody((WEBCARE, "2 12:00"))

    assert reading(received_late, "2 12:00").elapsed == timedelta(hours=2)
    assert reading(received_late, "2 12:00").due_at == at("3 10:00")


def test_time_before_the_start_does_not_count() -> None:
    assert reading(ALONE, "2 16:00", started="2 15:00").elapsed == timedelta(hours=1)


def test_nothing_counts_after_the_stop_or_when_nobody_holds() -> None:
    closed = custody((WEBCARE, "2 10:00"), (Holder.NOBODY, "2 11:00"))

    assert reading(ALONE, "9 10:00", stopped="2 11:00").elapsed == timedelta(hours=1)
    assert reading(ALONE, "9 10:00", stopped="2 11:00").running is False
    assert reading(closed, "9 10:00").elapsed == timedelta(hours=1)
    assert reading(closed, "9 10:00").running is False


def test_what_is_stopped_keeps_its_due_moment() -> None:
    assert reading(ALONE, "9 10:00", stopped="2 11:00").due_at == at("3 10:00")
    assert reading(ANSWERED_BY_CUSTOMER, "9 10:00", stopped="2 14:00").due_at is None


def test_a_calendar_that_never_opens_is_refused() -> None:
    never = Calendar("never", UTC_ZONE, ((),) * 7)
    with pytest.raises(NeverOpen):
        read(POLICY, never, ALONE, started_at=at("2 10:00"), stopped_at=None, now=at("2 10:00"))
