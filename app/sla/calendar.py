"""When somebody is at work: weeks of opening hours, holidays, dates that differ, and local time.

The only module that knows local time; it tells the openings that begin on a local date as spans of UTC. Refuses to know
how much of that time has passed (business_time), promises and tickets.

An opening is half-open, [opens, closes). Choices where calendars differ: a wall time that a clock change skips
means the next moment that exists; one that comes twice opens at its first and closes at its second coming, so a day
of 25 hours has 25.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays as public_holidays

from app.kit.errors import Invalid

Span = tuple[datetime, datetime]
MonthDay = tuple[int, int]

_MINUTE = timedelta(minutes=1)
_DAY_MINUTES = 24 * 60
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class InvalidCalendar(Invalid):
    """Opening hours, a week or a country that mean nothing."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Minutes since local midnight, 0 <= opens < 1440 and opens < closes <= opens + 1440; overnight closes > 1440.

    Raises InvalidCalendar.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not (0 <= self.opens < _DAY_MINUTES and self.opens < self.closes <= self.opens + _DAY_MINUTES):
            raise InvalidCalendar(f"no such opening: minute {self.opens} to {self.closes}", field="hours")

    @classmethod
    def parse(cls, text: str) -> "Opening":
        """`09:00-17:00`; `22:00-02:00` ends on the next day; `00:00-24:00` is a whole day. Raises InvalidCalendar."""
        match = _HOURS.fullmatch(text)
        if match is None:
            raise InvalidCalendar(f"write opening hours as 09:00-17:00, not {text!r}", field="hours")
        hour, minute, to_hour, to_minute = (int(part) for part in match.groups())
        opens, closes = hour * 60 + minute, to_hour * 60 + to_minute
        if closes > _DAY_MINUTES:
            raise InvalidCalendar(f"a day ends at 24:00, so {text!r} is no opening", field="hours")
        return cls(opens, closes if closes > opens else closes + _DAY_MINUTES)

    def __str__(self) -> str:
        """As it is written on a door."""
        hours, minutes = divmod(self.closes, 60)
        closes = f"{hours if self.closes <= _DAY_MINUTES else hours - 24:02}:{minutes:02}"
        return f"{self.opens // 60:02}:{self.opens % 60:02}-{closes}"


Hours = tuple[Opening, ...]
Week = tuple[Hours, ...]


@dataclass(frozen=True, slots=True)
class Holidays:
    """The public holidays of a country (ISO 3166-1 alpha-2) or a part of it (ISO 3166-2), and the hours on them.

    The dates are those of the `holidays` package. Raises InvalidCalendar for a country or part that it does not know.
    """

    country: str
    subdivision: str | None = None
    hours: Hours = ()

    def __post_init__(self) -> None:
        known = public_holidays.list_supported_countries()
        if self.country not in known:
            raise InvalidCalendar(f"no holidays are known of country {self.country!r}", field="country")
        if self.subdivision is not None and self.subdivision not in known[self.country]:
            message = f"no holidays are known of {self.subdivision!r} in {self.country}"
            raise InvalidCalendar(message, field="subdivision")

    def on(self, day: date) -> str | None:
        """The name of the holiday that a date is, if it is one."""
        return _public(self.country, self.subdivision, day.year).get(day)


def check_week(week: Week) -> None:
    if len(week) != 7:  # noqa: PLR2004
        raise InvalidCalendar(f"a week has seven days, not {len(week)}", field="week")


@dataclass(frozen=True, slots=True)
class Change:
    """Another week, and other holidays, from the local date `since` on. Raises InvalidCalendar."""

    since: date
    week: Week
    holidays: Holidays | None = None

    def __post_init__(self) -> None:
        check_week(self.week)


@dataclass(frozen=True, slots=True)
class Day:
    """The openings that begin on one local date, and what says so."""

    hours: Hours
    because: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Somebody's business hours.

    `week` holds the openings of seven days, Monday first, until the first of `changes` (oldest first) takes its place;
    on a holiday the holiday's hours do, before both go the dates of every year in `yearly` (month, day), and before all
    the dates in `overrides`; closed is the empty tuple. An overnight opening belongs to the date on which it opens.
    Openings that overlap count once. Raises InvalidCalendar.
    """

    name: str
    zone: ZoneInfo
    week: Week
    holidays: Holidays | None = None
    overrides: Mapping[date, Hours] = field(default_factory=lambda: MappingProxyType({}))
    yearly: Mapping[MonthDay, Hours] = field(default_factory=lambda: MappingProxyType({}))
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        check_week(self.week)

    def __hash__(self) -> int:
        return hash(self.name)  # few calendars, looked up very often

    def on(self, day: date) -> Day:
        """The openings that begin on this local date, and why those."""
        if day in self.overrides:
            return Day(self.overrides[day], "this date has its own hours")
        if (day.month, day.day) in self.yearly:
            return Day(self.yearly[day.month, day.day], "this date has its own hours every year")
        changed = next((change for change in reversed(self.changes) if change.since <= day), None)
        ruling = changed or self
        if ruling.holidays is not None and (name := ruling.holidays.on(day)):
            return Day(ruling.holidays.hours, f"holiday: {name}")
        return Day(ruling.week[day.weekday()], f"the week since {changed.since}" if changed else "the week")

    def spans_on(self, day: date) -> Iterator[Span]:
        """The same openings in UTC."""
        for opening in self.on(day).hours:
            opens = _moment(self.zone, day, opening.opens, fold=0)
            closes = _moment(self.zone, day, opening.closes, fold=1)
            yield opens, closes


def last_hour(zone: tzinfo, hour: int, now: datetime) -> datetime:
    """The newest moment, `now` at the latest, at which clocks on the walls of `zone` went to this full hour."""
    today = now.astimezone(zone).date()
    begun = _moment(zone, today, hour * 60, fold=0)
    return begun if begun <= now else _moment(zone, today - timedelta(days=1), hour * 60, fold=0)


def _moment(zone: tzinfo, day: date, minutes: int, *, fold: int) -> datetime:
    """The moment of a wall time, `minutes` after local midnight; the next that exists when a clock change skips it."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + minutes * _MINUTE
    # Within one zone, datetimes add and compare as wall times.
    while (moment := wall.replace(fold=fold).astimezone(UTC)).astimezone(zone) != wall:
        wall += _MINUTE
    return moment


@lru_cache(maxsize=1024)
def _public(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    return dict(public_holidays.country_holidays(country, subdiv=subdivision, years=year, language="en_US"))
