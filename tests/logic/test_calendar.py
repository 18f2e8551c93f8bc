from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.calendar import (
    Calendar,
    Holidays,
    InvalidCalendar,
    NegativeDuration,
    NeverOpen,
    Opening,
    add,
    add_days,
    elapsed,
    is_open,
    next_open,
    openings,
    subtract,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY = Opening.parse("09:00-17:00")
LUNCH = (Opening.parse("09:00-12:30"), Opening.parse("13:00-17:00"))
NIGHT = Opening.parse("22:00-02:30")
EVER = Opening.parse("00:00-24:00")
HOUR = timedelta(hours=1)


def calendar(
    *weekdays: Opening, weekend: tuple[Opening, ...] = (), zone: ZoneInfo = AMSTERDAM, **rest: Any
) -> Calendar:
    return Calendar("test", zone, (weekdays,) * 5 + (weekend,) * 2, **rest)


def daily(*hours: Opening, zone: ZoneInfo = AMSTERDAM, **rest: Any) -> Calendar:
    return calendar(*hours, weekend=hours, zone=zone, **rest)


def local(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM, fold=fold)


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("09:00-17:30", Opening(540, 1050)),
        ("00:00-24:00", Opening(0, 1440)),
        ("22:00-02:30", Opening(1320, 1590)),
        ("08:00-08:00", Opening(480, 1920)),
    ],
)
def test_opening_hours_are_written_as_on_a_door(text: str, opening: Opening) -> None:
    assert Opening.parse(text) == opening


@pytest.mark.parametrize(
    "text", ["25:00-17:00", "09:00-18:60", "09:00-24:30", "24:00-24:00", "9-17", "09:00 - 17:00", "", "09:00"]
)
def test_hours_that_no_door_has_are_refused(text: str) -> None:
    with pytest.raises(InvalidCalendar):
        Opening.parse(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Opening(-1, 60),
        lambda: Opening(600, 600),
        lambda: Opening(0, 1441),
        lambda: Calendar("six days", AMSTERDAM, ((DAY,),) * 6),
        lambda: Holidays("XX"),
        lambda: Holidays("NL", "BY"),
    ],
)
def test_a_calendar_that_means_nothing_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidCalendar):
        make()


OFFICE = calendar(*LUNCH)
NIGHTS = daily(NIGHT)
EARLY = daily(Opening.parse("02:30-06:00"))
ALWAYS = daily(EVER)


@pytest.mark.parametrize(
    ("hours", "start", "end", "expected"),
    [
        pytest.param(OFFICE, "2026-03-04T12:00", "2026-03-04T13:15", 0.75, id="lunch does not count"),
        pytest.param(OFFICE, "2026-03-06T16:00", "2026-03-09T10:00", 2, id="nor does a weekend"),
        pytest.param(OFFICE, "2026-03-07T10:00", "2026-03-08T10:00", 0, id="a weekend alone is nothing"),
        pytest.param(OFFICE, "2026-03-04T11:00", "2026-03-04T10:00", 0, id="an end before the start"),
        pytest.param(OFFICE, "2028-02-28T00:00", "2028-03-01T00:00", 15, id="leap day"),
        pytest.param(NIGHTS, "2026-03-04T23:00", "2026-03-05T12:00", 3.5, id="overnight"),
        pytest.param(NIGHTS, "2026-03-28T12:00", "2026-03-29T12:00", 4, id="the skipped half hour is not worked"),
        pytest.param(NIGHTS, "2026-10-24T12:00", "2026-10-25T12:00", 5.5, id="the second 02:30 ends the shift"),
        pytest.param(EARLY, "2026-10-25T00:00", "2026-10-25T12:00", 4.5, id="the first 02:30 begins it"),
        pytest.param(ALWAYS, "2026-03-29T00:00", "2026-03-30T00:00", 23, id="23 hours"),
        pytest.param(ALWAYS, "2026-10-25T00:00", "2026-10-26T00:00", 25, id="25 hours"),
    ],
)
def test_elapsed_hours(hours: Calendar, start: str, end: str, expected: float) -> None:
    assert elapsed(hours, local(start), local(end)) == expected * HOUR


@pytest.mark.parametrize(
    ("hours", "start", "spent", "expected"),
    [
        pytest.param(OFFICE, "2026-03-04T12:00", 1, "2026-03-04T13:30", id="over lunch"),
        pytest.param(OFFICE, "2026-03-04T12:00", 0.5, "2026-03-04T12:30", id="due at closing"),
        pytest.param(OFFICE, "2026-03-06T16:30", 1, "2026-03-09T09:30", id="over the weekend"),
        pytest.param(OFFICE, "2026-03-06T17:00", 0, "2026-03-09T09:00", id="nothing, from a closed moment"),
        pytest.param(OFFICE, "2026-03-06T16:00", 0, "2026-03-06T16:00", id="nothing, from an open moment"),
        pytest.param(OFFICE, "2026-03-06T16:00", 30, "2026-03-12T16:00", id="four days of 7.5 hours"),
        pytest.param(NIGHTS, "2026-03-04T12:00", 4.5, "2026-03-05T02:30", id="a whole night"),
        pytest.param(NIGHTS, "2026-03-28T22:00", 4, "2026-03-29T03:00", id="closes where 02:30 is skipped"),
        pytest.param(ALWAYS, "2026-03-29T01:30", 1, "2026-03-29T03:30", id="an hour over the gap"),
    ],
)
def test_due_moment(hours: Calendar, start: str, spent: float, expected: str) -> None:
    moment = add(hours, local(start), spent * HOUR)

    assert moment == local(expected)
    assert moment.tzinfo is UTC


def test_an_opening_that_the_clock_skips_begins_when_time_goes_on() -> None:
    assert next_open(EARLY, local("2026-03-29T00:00")) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_date_that_a_country_skips_has_no_hours() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went from 29 to 31 December 2011
    moved = daily(DAY, zone=apia)

    assert next_open(moved, datetime(2011, 12, 29, 18, tzinfo=apia)) == datetime(2011, 12, 31, 9, tzinfo=apia)


def test_spans_that_touch_are_one() -> None:
    nights = daily(NIGHT, Opening.parse("02:30-04:00"), Opening.parse("03:00-05:00"))

    assert list(openings(nights, local("2026-03-04T12:00"), local("2026-03-05T23:00"))) == [
        (local("2026-03-04T22:00"), local("2026-03-05T05:00")),
        (local("2026-03-05T22:00"), local("2026-03-05T23:00")),
    ]
    assert list(openings(ALWAYS, local("2026-03-04T12:00"), local("2026-05-04T12:00"))) == [
        (local("2026-03-04T12:00"), local("2026-05-04T12:00"))
    ]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        ("2026-04-03", ()),  # Good Friday
        ("2026-04-06", (Opening.parse("10:00-14:00"),)),  # Easter Monday, by override
        ("2026-04-27", ()),  # King's Day
        ("2025-04-26", ()),  # King's Day goes to Saturday when the 27th is a Sunday
        ("2026-05-05", (DAY,)),  # Liberation Day is a day like others
        ("2026-05-14", ()),  # Ascension
        ("2026-12-24", (Opening.parse("09:00-12:00"),)),  # by override
        ("2026-12-26", ()),
        ("2026-12-28", (DAY,)),
    ],
)
def test_dutch_holidays_and_dates_that_differ(day: str, hours: tuple[Opening, ...]) -> None:
    shop = daily(
        DAY,
        holidays=Holidays("NL"),
        overrides={
            date(2026, 4, 6): (Opening.parse("10:00-14:00"),),
            date(2026, 12, 24): (Opening.parse("09:00-12:00"),),
        },
    )
    midnight = local(day)

    assert shop.hours_on(date.fromisoformat(day)) == hours
    assert elapsed(shop, midnight, midnight + timedelta(days=1)) == sum(
        (timedelta(minutes=opening.closes - opening.opens) for opening in hours), timedelta()
    )


def test_a_holiday_may_have_hours_of_its_own() -> None:
    short = Opening.parse("10:00-16:00")
    webcare = daily(Opening.parse("08:00-22:00"), holidays=Holidays("NL", hours=(short,)))

    assert next_open(webcare, local("2026-12-25T00:00")) == local("2026-12-25T10:00")
    assert add(webcare, local("2026-12-25T15:00"), 2 * HOUR) == local("2026-12-26T11:00")


def test_a_moment_of_closing_is_closed() -> None:
    assert is_open(OFFICE, local("2026-03-04T09:00"))
    assert is_open(OFFICE, local("2026-03-04T12:29"))
    assert not is_open(OFFICE, local("2026-03-04T12:30"))
    assert not is_open(OFFICE, local("2026-03-07T10:00"))


def test_days_keep_the_time_on_the_wall() -> None:
    assert add_days(calendar(DAY), local("2026-03-27T10:00"), 1) == local("2026-03-30T10:00")
    assert add_days(calendar(DAY), local("2026-03-27T18:00"), 1) == local("2026-03-31T09:00")


CLOSED = daily()
ONCE = daily(overrides={date(2026, 3, 4): (DAY,)})


@pytest.mark.parametrize(
    "search",
    [
        lambda: next_open(CLOSED, local("2026-03-04T10:00")),
        lambda: add(CLOSED, local("2026-03-04T10:00"), HOUR),
        lambda: subtract(CLOSED, local("2026-03-04T10:00"), HOUR),
        lambda: add_days(CLOSED, local("2026-03-04T10:00"), 1),
        lambda: add(ONCE, local("2026-03-04T10:00"), 8 * HOUR),
        lambda: add_days(ONCE, local("2026-03-04T10:00"), 1),
        lambda: add(ALWAYS, datetime.max.replace(tzinfo=UTC), HOUR),
        lambda: subtract(ALWAYS, datetime.min.replace(tzinfo=UTC), HOUR),
    ],
)
def test_a_search_ends_where_nobody_ever_works(search: Callable[[], object]) -> None:
    with pytest.raises(NeverOpen):
        search()


@pytest.mark.parametrize("search", [add, subtract])
def test_time_does_not_go_backwards(
    search: Callable[[Calendar, datetime, timedelta], datetime],
) -> None:
    with pytest.raises(NegativeDuration):
        search(ALWAYS, local("2026-03-04T10:00"), timedelta(seconds=-1))
    with pytest.raises(NegativeDuration):
        add_days(ALWAYS, local("2026-03-04T10:00"), -1)


@given(
    st.sampled_from([OFFICE, NIGHTS, ALWAYS, daily(DAY, holidays=Holidays("NL"))]),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
    st.timedeltas(timedelta(seconds=1), timedelta(days=3)),
)
@settings(max_examples=60)
def test_what_is_added_has_elapsed_and_can_be_taken_back(hours: Calendar, naive: datetime, duration: timedelta) -> None:
    start = naive.replace(tzinfo=UTC)

    due = add(hours, start, duration)

    assert elapsed(hours, start, due) == duration
    assert subtract(hours, due, duration) == next_open(hours, start)
