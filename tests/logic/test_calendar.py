from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.business_time import (
    NegativeDuration,
    NeverOpen,
    add,
    add_days,
    elapsed,
    is_open,
    next_open,
    openings,
    subtract,
)
from app.sla.calendar import Calendar, Change, Holidays, InvalidCalendar, Opening, last_hour

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
        ("09:15-17:30", Opening(555, 1050)),
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
SHIFTS = daily(Opening.parse("22:00-06:00"), Opening.parse("04:00-05:00"))


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
        pytest.param(ALWAYS, "2026-12-31T23:00", "2027-01-01T00:30", 1.5, id="a new year here, an old one in UTC"),
        pytest.param(SHIFTS, "2026-03-04T12:00", "2026-03-05T12:00", 8, id="a shift within another adds nothing"),
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
        pytest.param(OFFICE, "2026-12-31T16:00", 1, "2026-12-31T17:00", id="due at the last closing of a year"),
        pytest.param(OFFICE, "2026-12-31T17:00", 0, "2027-01-01T09:00", id="nothing, after the last closing"),
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

    assert shop.on(date.fromisoformat(day)).hours == hours
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
    assert not is_open(OFFICE, local("2026-01-01T08:59"))


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


def first_and_last_sunday(year: int) -> list[tuple[date, int]]:
    """The nights on which Europe changes its clocks, by the rule and not by a table: the last Sundays of March and
    October, and how many hours those days have.
    """

    def last(month: int) -> date:
        return max(day for day in (date(year, month, number) for number in range(25, 32)) if day.weekday() == 6)

    return [(last(3), 23), (last(10), 25)]


@pytest.mark.parametrize(
    ("day", "hours"), [night for year in range(2024, 2031) for night in first_and_last_sunday(year)], ids=str
)
def test_every_night_on_which_clocks_change(day: date, hours: int) -> None:
    midnight, shift = local(day.isoformat()), hours - 24
    gone = local(f"{day}T03:00")

    assert elapsed(ALWAYS, midnight, midnight + timedelta(days=1)) == hours * HOUR
    assert add(ALWAYS, midnight, 4 * HOUR) == local(f"{day}T0{4 - shift}:00")
    assert elapsed(OFFICE, midnight - timedelta(days=2), midnight + timedelta(days=2)) == 15 * HOUR
    assert elapsed(NIGHTS, midnight - 6 * HOUR, midnight + 12 * HOUR) == (4 if shift < 0 else 5.5) * HOUR
    assert elapsed(EARLY, midnight, gone + 9 * HOUR) == (3 if shift < 0 else 4.5) * HOUR
    assert is_open(ALWAYS, gone)


@pytest.mark.parametrize("year", [2024, 2025, 2028])
def test_a_leap_year_has_a_day_more(year: int) -> None:
    days = 366 if year % 4 == 0 else 365
    utc = daily(EVER, zone=ZoneInfo("UTC"))

    assert elapsed(utc, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)) == days * 24 * HOUR
    assert add(utc, datetime(year, 2, 28, tzinfo=UTC), 48 * HOUR) == datetime(
        year, 3, 1 if days == 366 else 2, tzinfo=UTC
    )


def test_a_night_over_new_year_is_one() -> None:
    nights = daily(NIGHT)

    assert add(nights, local("2026-12-31T22:00"), 4 * HOUR) == local("2027-01-01T02:00")
    assert subtract(nights, local("2027-01-01T02:00"), 4 * HOUR) == local("2026-12-31T22:00")
    assert list(openings(nights, local("2026-12-31T12:00"), local("2027-01-01T12:00"))) == [
        (local("2026-12-31T22:00"), local("2027-01-01T02:30"))
    ]


LONGER = Change(date(2027, 1, 4), ((Opening.parse("08:00-20:00"),),) * 7, Holidays("NL"))
CHANGING = calendar(DAY, changes=(LONGER, Change(date(2028, 1, 3), ((DAY,),) * 7)))


@pytest.mark.parametrize(
    ("day", "hours", "because"),
    [
        ("2027-01-01", (DAY,), "the week"),  # no holidays yet
        ("2027-01-03", (), "the week"),
        ("2027-01-04", (Opening.parse("08:00-20:00"),), "the week since 2027-01-04"),
        ("2027-12-25", (), "holiday: Christmas Day"),
        ("2028-01-03", (DAY,), "the week since 2028-01-03"),
        ("2028-12-25", (DAY,), "the week since 2028-01-03"),
    ],
)
def test_a_week_changes_from_a_date_on(day: str, hours: tuple[Opening, ...], because: str) -> None:
    on = CHANGING.on(date.fromisoformat(day))

    assert (on.hours, on.because) == (hours, because)


def test_time_runs_over_a_change_of_the_week() -> None:
    """The last hour of the old Friday, and then the new Monday's early morning."""
    assert add(CHANGING, local("2027-01-01T16:00"), 2 * HOUR) == local("2027-01-04T09:00")


def test_half_days_come_every_year_and_give_way_to_a_date() -> None:
    morning = (Opening.parse("09:00-12:30"),)
    shop = daily(
        DAY, holidays=Holidays("NL"), yearly={(12, 24): morning, (12, 25): morning}, overrides={date(2027, 12, 24): ()}
    )

    assert [shop.on(date(year, 12, 24)).hours for year in (2026, 2027, 2028)] == [morning, (), morning]
    assert shop.on(date(2026, 12, 25)).hours == morning
    assert add(shop, local("2026-12-24T12:00"), HOUR) == local("2026-12-25T09:30")


@pytest.mark.parametrize(
    ("holidays", "closed"), [(Holidays("DE"), False), (Holidays("DE", "BY"), True), (Holidays("DE", "BE"), False)]
)
def test_parts_of_a_country_have_holidays_of_their_own(holidays: Holidays, closed: bool) -> None:
    epiphany = date(2026, 1, 6)

    assert (daily(DAY, holidays=holidays).on(epiphany).hours == ()) is closed


@pytest.mark.parametrize("text", ["09:00-17:30", "22:00-02:30", "00:00-24:00", "08:00-08:00", "00:00-00:30"])
def test_an_opening_reads_as_it_was_written(text: str) -> None:
    assert str(Opening.parse(text)) == text


@pytest.mark.parametrize(
    ("now", "hour", "expected"),
    [
        ("2026-11-18T02:00", 3, "2026-11-18T02:00"),  # 03:00 on the wall in winter
        ("2026-11-18T01:59", 3, "2026-11-17T02:00"),
        ("2026-07-01T23:30", 3, "2026-07-01T01:00"),  # 01:30 of the next day on the wall
        ("2026-11-18T23:10", 0, "2026-11-18T23:00"),
        ("2026-03-29T12:00", 2, "2026-03-29T01:00"),  # skipped: 03:00 follows 01:59
        ("2026-10-25T12:00", 2, "2026-10-25T00:00"),  # comes twice: the first counts
    ],
)
def test_an_hour_of_the_night_was_last_struck_then(now: str, hour: int, expected: str) -> None:
    moments = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, expected))
    assert last_hour(AMSTERDAM, hour, next(moments)) == next(moments)
