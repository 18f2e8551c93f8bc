"""The shape of calendars.yaml and sla.yaml: when people work, and what is promised in that time.

Knows these two files, one at a time. Refuses to know how files fit together (checks) and how an error finds its line
(entry).
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from app.routing.decision import Priority
from app.rulebook.entry import Duration, Entry, attempt, duration, wrong
from app.rulebook.files import CalendarName, ChannelName, DepartmentName, Slug, Some, TopicName
from app.sla.calendar import Calendar, Change, Holidays, MonthDay, Opening
from app.sla.ladder import Does, Rung
from app.sla.policy import USUAL, Course, Happening, Metric, Reopening, Scope, SlaRule
from app.tickets.custody import Holder

T = TypeVar("T")

_BESIDE_DUE = re.compile(r"(.+) (before|after)")


def _hours(text: Any) -> Opening:
    return attempt(lambda: Opening.parse(str(text)), "correct the hours")


def _is_open_sometimes(week: T) -> T:
    """Nothing would ever be due in a week without hours."""
    if isinstance(week, dict) and not any(week.values()):
        raise wrong("a week in which nobody ever works", "give one day at least its hours")
    return week


def _yearly_date(text: Any) -> MonthDay:
    """`12-24`; 29 February comes in leap years only."""
    try:
        day = date.fromisoformat(f"2024-{text}")
    except ValueError:
        raise wrong(f"'{text}' is no date of every year", "write month and day, as in 12-24") from None
    return day.month, day.day


def _warn(text: Any) -> float | timedelta:
    """A share of the target (0.75), or the time that is left of it (15 minutes)."""
    try:
        return float(text)
    except ValueError:
        return duration(text)


def _level(text: Any) -> tuple[float, timedelta]:
    """Where a rung stands: a share of the target (0.9), `breach`, `15 minutes before` or `2 hours after` it."""
    if text == "breach":
        return 1.0, timedelta()
    if (beside := _BESIDE_DUE.fullmatch(str(text))) is not None:
        distance = duration(beside[1])
        return 1.0, -distance if beside[2] == "before" else distance
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= HIGHEST:
        way_out = "write a share of the target such as 0.9, breach, 15 minutes before or 2 hours after"
        raise wrong(f"'{text}' is no place on a ladder", way_out)
    return share, timedelta()


HIGHEST = 100  # times the target; who has done nothing by then is not woken by a rung
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
Hours = Annotated[Opening, BeforeValidator(_hours)]
WeekEntry = Annotated[dict[Day, tuple[Hours, ...]], AfterValidator(_is_open_sometimes)]
YearlyDate = Annotated[MonthDay, BeforeValidator(_yearly_date)]
Warn = Annotated[float | timedelta, BeforeValidator(_warn)]
Level = Annotated[tuple[float, timedelta], BeforeValidator(_level)]


class HolidaysEntry(Entry):
    country: str
    subdivision: str | None = None
    hours: tuple[Hours, ...] = ()

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        attempt(self.build, "use the code of ISO 3166, such as NL")
        return self

    def build(self) -> Holidays:
        return Holidays(self.country, self.subdivision, self.hours)


class ChangeEntry(Entry):
    week: WeekEntry | None = None
    holidays: HolidaysEntry | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.week is None and self.holidays is None:
            raise wrong("a change that changes nothing", "give another week or other holidays")
        return self


class CalendarEntry(Entry):
    zone: ZoneInfo
    week: WeekEntry
    holidays: HolidaysEntry | None = None
    yearly: dict[YearlyDate, tuple[Hours, ...]] = Field(default_factory=dict)
    overrides: dict[date, tuple[Hours, ...]] = Field(default_factory=dict)
    changes: dict[date, ChangeEntry] = Field(default_factory=dict)

    def build(self, name: str) -> Calendar:
        changes: list[Change] = []
        week, holidays = self.week, self.holidays
        for since, change in sorted(self.changes.items()):
            week, holidays = change.week or week, change.holidays or holidays
            changes.append(Change(since, _week(week), holidays.build() if holidays else None))
        return Calendar(
            name,
            self.zone,
            _week(self.week),
            self.holidays.build() if self.holidays else None,
            self.overrides,
            self.yearly,
            tuple(changes),
        )


def _week(days: dict[Day, tuple[Opening, ...]]) -> tuple[tuple[Opening, ...], ...]:
    return tuple(days.get(day, ()) for day in DAYS)


class Calendars(Entry):
    calendars: dict[Slug, CalendarEntry]

    def build(self) -> dict[str, Calendar]:
        return {name: entry.build(name) for name, entry in self.calendars.items()}


class ScopeEntry(Entry):
    topics: Some[frozenset[TopicName]] | None = None
    channels: Some[frozenset[ChannelName]] | None = None
    departments: Some[frozenset[DepartmentName]] | None = None
    priorities: Some[frozenset[Priority]] | None = None
    tags: Some[frozenset[Slug]] | None = None


class SlaEntry(Entry):
    metric: Metric
    when: ScopeEntry = ScopeEntry()
    calendar: CalendarName
    targets: Some[dict[Priority, Duration]]
    warn: Warn = 0.75
    pauses: frozenset[Holder] = frozenset()
    ladder: Slug | None = None
    starts: Some[frozenset[Happening]] | None = None
    stops: Some[frozenset[Happening]] | None = None
    cancels: frozenset[Happening] | None = None
    reopening: Reopening | None = None

    @model_validator(mode="after")
    def _promises_something(self) -> Self:
        attempt(lambda: self.build("unnamed"), "correct the targets or the warning")
        return self

    def build(self, name: str) -> SlaRule:
        scope = Scope(**dict(self.when))
        targets = {priority.value: target for priority, target in self.targets.items()}
        return SlaRule(
            name, self.metric, self.calendar, targets, self.warn, self.pauses, scope, self.ladder, self._course()
        )

    def _course(self) -> Course | None:
        """None where all is as usual for the metric."""
        usual = USUAL[self.metric]
        course = Course(
            self.starts or usual.starts,
            self.stops or usual.stops,
            usual.cancels if self.cancels is None else self.cancels,
            self.reopening or usual.reopening,
        )
        return None if course == usual else course


class RungEntry(Entry):
    at: Level
    notify: Literal["department", "lead", "manager"] | None = None
    raise_: Literal["high", "urgent"] | None = Field(default=None, alias="raise")
    take_back: Literal["webcare"] | None = None
    escalate: Literal["pr"] | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if len(list(self._deeds())) != 1:
            raise wrong("a rung does one thing", "give it one of: notify, raise, take_back, escalate")
        return self

    def _deeds(self) -> Iterator[tuple[Does, str]]:
        for does in Does:
            to = getattr(self, "raise_" if does is Does.RAISE else does)
            if to is not None:
                yield does, to

    def build(self) -> Rung:
        share, offset = self.at
        [(does, to)] = self._deeds()
        return Rung(share, offset, does, to)


class Sla(Entry):
    sla: dict[Slug, SlaEntry]
    ladders: dict[Slug, Some[list[RungEntry]]] = Field(default_factory=dict)
    windows: dict[Priority, CalendarName] = Field(default_factory=dict)

    def build(self) -> tuple[SlaRule, ...]:
        return tuple(entry.build(name) for name, entry in self.sla.items())

    def build_windows(self) -> dict[str, str]:
        return {priority.value: calendar for priority, calendar in self.windows.items()}

    def build_ladders(self) -> dict[str, tuple[Rung, ...]]:
        return {name: tuple(rung.build() for rung in rungs) for name, rungs in self.ladders.items()}
