"""Business time: how much of it has passed, and when it will be used up.

Knows the openings of a calendar as one long line: for each year, where each opening begins and ends and how much open
time lies before it, so that any question is a search for a place on that line. A year is computed when it is first
asked for. Everything that goes in is an aware moment, everything that comes out is UTC. Refuses to know why somebody is
at work then (calendar), promises and tickets.

Choices where calendars differ: time used up exactly at closing is due at closing; a search ends with an error after a
whole calendar year (in UTC) without an opening.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, chain

from app.kit.errors import Invalid
from app.sla.calendar import Calendar, Span

_NONE = timedelta()
_FIRST_YEAR, _LAST_YEAR = 2, 9998  # room for the neighbours of a day, and for any offset from UTC
_FAR = 366  # days: no search by dates goes on longer without an opening


class NegativeDuration(Invalid):
    """Business time only goes one way; `subtract` goes the other."""


class NeverOpen(Invalid):
    """No opening in a whole year, or none before year 9999."""


@dataclass(frozen=True, slots=True)
class _Year:
    """The openings of one UTC year, in order and apart. `worked` is the open time before each, and at last in all."""

    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]
    worked: tuple[timedelta, ...]

    @property
    def total(self) -> timedelta:
        return self.worked[-1]

    def worked_by(self, moment: datetime) -> timedelta:
        begun = bisect_right(self.opens, moment) - 1
        return _NONE if begun < 0 else self.worked[begun] + min(moment, self.closes[begun]) - self.opens[begun]


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Business time in [start, end); nothing when the end is not after the start."""
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    if last <= first:
        return _NONE
    within = _year(calendar, last.year).worked_by(last) - _year(calendar, first.year).worked_by(first)
    return sum((_year(calendar, year).total for year in range(first.year, last.year)), within)


def add(calendar: Calendar, start: datetime, duration: timedelta) -> datetime:
    """The first moment at which `duration` of business time has passed since `start`, and somebody is or was at work.

    No duration at all from a closed moment is due at the next opening. Raises NegativeDuration, NeverOpen.
    """
    moment = start.astimezone(UTC)
    if not _positive(duration):
        return next_open(calendar, moment)
    number, year = moment.year, _year(calendar, moment.year)
    goal = year.worked_by(moment) + duration
    while goal > year.total:
        goal -= year.total
        number += 1
        year = _open_year(calendar, number)
    place = bisect_left(year.worked, goal) - 1
    return year.opens[place] + (goal - year.worked[place])


def subtract(calendar: Calendar, end: datetime, duration: timedelta) -> datetime:
    """The last moment from which `duration` of business time passes until `end`: the mirror of `add`.

    No duration at all from a closed moment is the last closing. Raises NegativeDuration, NeverOpen.
    """
    moment = end.astimezone(UTC)
    if not _positive(duration):
        return _last_open(calendar, moment)
    number, year = moment.year, _year(calendar, moment.year)
    goal = year.worked_by(moment) - duration
    while goal < _NONE:
        number -= 1
        year = _open_year(calendar, number)
        goal += year.total
    place = bisect_right(year.worked, goal) - 1
    return year.opens[place] + (goal - year.worked[place])


def add_days(calendar: Calendar, start: datetime, days: int) -> datetime:
    """The same local time `days` dates with opening hours later, or the next opening when that is a closed moment.

    Raises NegativeDuration, NeverOpen.
    """
    if days < 0:
        raise NegativeDuration(f"days are counted forward, not {days}", field="days")
    local = start.astimezone(calendar.zone)
    day = local.toordinal()
    for _ in range(days):
        last = day + _FAR
        day += 1
        while not calendar.on(date.fromordinal(day)).hours:
            if day > last:
                raise _never(calendar)
            day += 1
    return next_open(calendar, local + timedelta(days=day - local.toordinal()))


def is_open(calendar: Calendar, at: datetime) -> bool:
    moment = at.astimezone(UTC)
    year = _year(calendar, moment.year)
    begun = bisect_right(year.opens, moment) - 1
    return begun >= 0 and moment < year.closes[begun]


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself when somebody is at work, else the moment of the next opening. Raises NeverOpen."""
    moment = at.astimezone(UTC)
    year = _year(calendar, moment.year)
    place = bisect_right(year.closes, moment)
    if place == len(year.closes):
        return _open_year(calendar, moment.year + 1).opens[0]
    return max(moment, year.opens[place])


def openings(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Span]:
    """The open spans of [start, end) in UTC, in order; spans that touch are one."""
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    years = (_year(calendar, number) for number in range(first.year, last.year + 1))
    spans = chain.from_iterable(zip(year.opens, year.closes, strict=True) for year in years)
    cut = ((max(opens, first), min(closes, last)) for opens, closes in spans)
    return _joined((opens, closes) for opens, closes in cut if opens < closes)


def _positive(duration: timedelta) -> timedelta:
    if duration < _NONE:
        raise NegativeDuration(f"business time cannot be {duration}", field="duration")
    return duration


def _last_open(calendar: Calendar, moment: datetime) -> datetime:
    """`moment` itself at work or at closing, else the last closing before it."""
    year = _year(calendar, moment.year)
    begun = bisect_left(year.opens, moment) - 1
    return min(moment, year.closes[begun]) if begun >= 0 else _open_year(calendar, moment.year - 1).closes[-1]


def _never(calendar: Calendar) -> NeverOpen:
    return NeverOpen(f"calendar {calendar.name!r} has a whole year without an opening", calendar=calendar.name)


def _open_year(calendar: Calendar, number: int) -> _Year:
    year = _year(calendar, number)
    if not year.opens:
        raise _never(calendar)
    return year


@lru_cache(maxsize=1024)
def _year(calendar: Calendar, number: int) -> _Year:
    """Cached, because converting local time is what costs: some milliseconds, once for each year that is used."""
    spans = tuple(_openings_of(calendar, number)) if _FIRST_YEAR <= number <= _LAST_YEAR else ()
    lengths = (closes - opens for opens, closes in spans)
    return _Year(
        tuple(opens for opens, _ in spans),
        tuple(closes for _, closes in spans),
        tuple(accumulate(lengths, initial=_NONE)),
    )


def _openings_of(calendar: Calendar, number: int) -> Iterator[Span]:
    """An opening lasts a day at most and begins on a local date, which lies within a day of the UTC date."""
    start, end = datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC)
    dates = map(date.fromordinal, range(start.toordinal() - 2, end.toordinal() + 1))
    spans = sorted(chain.from_iterable(calendar.spans_on(day) for day in dates))
    cut = ((max(opens, start), min(closes, end)) for opens, closes in spans)
    return _joined((opens, closes) for opens, closes in cut if opens < closes)


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    """Spans that touch or overlap as one; they come in the order of their openings."""
    pending: Span | None = None
    for opens, closes in spans:
        if pending is not None and opens <= pending[1]:
            pending = pending[0], max(pending[1], closes)
            continue
        if pending is not None:
            yield pending
        pending = opens, closes
    if pending is not None:
        yield pending
