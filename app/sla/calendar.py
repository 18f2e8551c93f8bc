"""Business time: when somebody is at work, how much of that time has passed, and when it will be used up.

Knows weeks of opening hours, holidays, dates that differ, and local time: the only module that does. Everything that
goes in is an aware moment, everything that comes out is UTC. Refuses to know promises and tickets.

An opening is half-open, [opens, closes). Choices where calendars differ: time used up exactly at closing is due at
closing; a wall time that a clock change skips means the next moment that exists; one that comes twice opens at
its first and closes at its second coming, so a day of 25 hours has 25.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays as public_holidays

from app.kit.errors import Invalid

Span = tuple[datetime, datetime]

SEARCH_DAYS = 400  # covers an opening that comes once a year
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_NONE = timedelta()
_FIRST_DAY = date.min.toordinal() + 3  # room for the neighbours of a day, and for any offset from UTC
_LAST_DAY = date.max.toordinal() - 3
_DAY_MINUTES = 24 * 60
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class InvalidCalendar(Invalid):
    """Opening hours, a week or a country that mean nothing."""


class NegativeDuration(Invalid):
    """Business time only goes one way; `subtract` goes the other."""


class NeverOpen(Invalid):
    """No opening within `SEARCH_DAYS`, or none before year 10000."""


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


@dataclass(frozen=True, slots=True)
class Holidays:
    """The public holidays of a country (ISO 3166-1 alpha-2) or a part of it (ISO 3166-2), and the hours on them.

    The dates are those of the `holidays` package. Raises InvalidCalendar for a country or part that it does not know.
    """

    country: str
    subdivision: str | None = None
    hours: tuple[Opening, ...] = ()

    def __post_init__(self) -> None:
        known = public_holidays.list_supported_countries()
        if self.country not in known:
            raise InvalidCalendar(f"no holidays are known of country {self.country!r}", field="country")
        if self.subdivision is not None and self.subdivision not in known[self.country]:
            message = f"no holidays are known of {self.subdivision!r} in {self.country}"
            raise InvalidCalendar(message, field="subdivision")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Somebody's business hours.

    `week` holds the openings of seven days, Monday first; on a holiday the holiday's hours take their place, and
    `overrides` (closed is the empty tuple) go before both. An overnight opening belongs to the date on which it opens.
    Openings that overlap count once. Raises InvalidCalendar.
    """

    name: str
    zone: ZoneInfo
    week: tuple[tuple[Opening, ...], ...]
    holidays: Holidays | None = None
    overrides: Mapping[date, tuple[Opening, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if len(self.week) != 7:  # noqa: PLR2004
            raise InvalidCalendar(f"a week has seven days, not {len(self.week)}", field="week")

    def __hash__(self) -> int:
        return hash(self.name)  # few calendars, looked up very often

    def hours_on(self, day: date) -> tuple[Opening, ...]:
        """The openings that begin on this local date."""
        if day in self.overrides:
            return self.overrides[day]
        if self.holidays is not None and day in _public(self.holidays.country, self.holidays.subdivision, day.year):
            return self.holidays.hours
        return self.week[day.weekday()]


def openings(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Span]:
    """The open spans of [start, end) in UTC, in order; spans that touch are one."""
    pending: Span | None = None
    for opens, closes in _pieces(calendar, start.astimezone(UTC), end.astimezone(UTC)):
        if pending is not None and pending[1] == opens:
            pending = (pending[0], closes)
            continue
        if pending is not None:
            yield pending
        pending = (opens, closes)
    if pending is not None:
        yield pending


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Business time in [start, end); nothing when the end is not after the start."""
    pieces = _pieces(calendar, start.astimezone(UTC), end.astimezone(UTC))
    return sum((closes - opens for opens, closes in pieces), _NONE)


def add(calendar: Calendar, start: datetime, duration: timedelta) -> datetime:
    """The first moment at which `duration` of business time has passed since `start`, and somebody is or was at work.

    No duration at all from a closed moment is due at the next opening. Raises NegativeDuration, NeverOpen.
    """
    left = _positive(duration)
    for opens, closes in _ahead(calendar, start.astimezone(UTC)):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise AssertionError("the search ends by raising")


def subtract(calendar: Calendar, end: datetime, duration: timedelta) -> datetime:
    """The last moment from which `duration` of business time passes until `end`: the mirror of `add`.

    No duration at all from a closed moment is the last closing. Raises NegativeDuration, NeverOpen.
    """
    left = _positive(duration)
    for opens, closes in _back(calendar, end.astimezone(UTC)):
        if left <= closes - opens:
            return closes - left
        left -= closes - opens
    raise AssertionError("the search ends by raising")


def add_days(calendar: Calendar, start: datetime, days: int) -> datetime:
    """The same local time `days` dates with opening hours later, or the next opening when that is a closed moment.

    Raises NegativeDuration, NeverOpen.
    """
    if days < 0:
        raise NegativeDuration(f"days are counted forward, not {days}", field="days")
    local = start.astimezone(calendar.zone)
    day = local.toordinal()
    for _ in range(days):
        last = min(day + SEARCH_DAYS, _LAST_DAY)
        day += 1
        while not (day > last or calendar.hours_on(date.fromordinal(day))):
            day += 1
        if day > last:
            raise _never(calendar)
    return next_open(calendar, local + timedelta(days=day - local.toordinal()))


def is_open(calendar: Calendar, at: datetime) -> bool:
    moment = at.astimezone(UTC)
    return any(opens <= moment < closes for opens, closes in _utc_day(calendar, moment.toordinal()))


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself when somebody is at work, else the moment of the next opening. Raises NeverOpen."""
    return add(calendar, at, _NONE)


def _positive(duration: timedelta) -> timedelta:
    if duration < _NONE:
        raise NegativeDuration(f"business time cannot be {duration}", field="duration")
    return duration


def _never(calendar: Calendar) -> NeverOpen:
    return NeverOpen(f"calendar {calendar.name!r} has no opening within {SEARCH_DAYS} days", calendar=calendar.name)


def _pieces(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Span]:
    """The openings of [start, end), cut at UTC midnights."""
    for day in range(max(start.toordinal(), _FIRST_DAY), min(end.toordinal(), _LAST_DAY) + 1):
        for opens, closes in _utc_day(calendar, day):
            span = max(opens, start), min(closes, end)
            if span[0] < span[1]:
                yield span


def _ahead(calendar: Calendar, start: datetime) -> Iterator[Span]:
    """The openings from `start` on, cut at UTC midnights; raises NeverOpen where the search ends."""
    day = max(start.toordinal(), _FIRST_DAY)
    last = min(day + SEARCH_DAYS, _LAST_DAY)
    while day <= last:
        for opens, closes in _utc_day(calendar, day):
            if closes > start:
                yield max(opens, start), closes
                last = min(day + SEARCH_DAYS, _LAST_DAY)
        day += 1
    raise _never(calendar)


def _back(calendar: Calendar, end: datetime) -> Iterator[Span]:
    """The openings before `end`, latest first, cut at UTC midnights; raises NeverOpen where the search ends."""
    day = min(end.toordinal(), _LAST_DAY)
    last = max(day - SEARCH_DAYS, _FIRST_DAY)
    while day >= last:
        for opens, closes in reversed(_utc_day(calendar, day)):
            if opens < end:
                yield opens, min(closes, end)
                last = max(day - SEARCH_DAYS, _FIRST_DAY)
        day -= 1
    raise _never(calendar)


@lru_cache(maxsize=2**14)
def _utc_day(calendar: Calendar, day: int) -> tuple[Span, ...]:
    """The open spans of one UTC day, in order and apart. Cached, because converting local time is what costs.

    An opening lasts a day at most and begins on a local date, which lies within a day of the UTC date.
    """
    start = datetime.fromordinal(day).replace(tzinfo=UTC)
    end = start + _DAY
    spans: list[Span] = []
    for opens, closes in sorted(chain.from_iterable(_local_day(calendar, day + shift) for shift in (-2, -1, 0, 1))):
        opens, closes = max(opens, start), min(closes, end)  # noqa: PLW2901
        if spans and opens <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], closes)
        elif opens < closes:
            spans.append((opens, closes))
    return tuple(spans)


def _local_day(calendar: Calendar, day: int) -> Iterator[Span]:
    """The openings that begin on one local date, in UTC."""
    local = date.fromordinal(day)
    for opening in calendar.hours_on(local):
        opens = _moment(calendar.zone, local, opening.opens, fold=0)
        closes = _moment(calendar.zone, local, opening.closes, fold=1)
        yield opens, closes


def _moment(zone: ZoneInfo, day: date, minutes: int, *, fold: int) -> datetime:
    """The moment of a wall time, `minutes` after local midnight; the next that exists when a clock change skips it."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + minutes * _MINUTE
    # Within one zone, datetimes add and compare as wall times.
    while (moment := wall.replace(fold=fold).astimezone(UTC)).astimezone(zone) != wall:
        wall += _MINUTE
    return moment


@lru_cache(maxsize=1024)
def _public(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(public_holidays.country_holidays(country, subdiv=subdivision, years=year))
