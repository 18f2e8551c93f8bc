"""What a manager asks of a report: a period, its steps, and what to group by.

Knows which questions make sense, which lines an answer has, and that hours, days, weeks and months begin where people
live: in a time zone. Refuses to know any figure. The start of a step is an instant, in UTC as all are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.kit.errors import Invalid

MAX_LINES = 10_000
UNIVERSAL = ZoneInfo("UTC")

_DAY = timedelta(days=1)

Group = tuple[str | None, ...]


class Dimensions(NamedTuple):
    """By what facts are grouped: whom or what they are about, each None where there is none."""

    topic: str | None
    channel: str | None
    account: str | None
    department: str | None
    stage: str | None
    arm: str | None
    priority: str | None
    agent: str | None
    language: str | None


DIMENSIONS = Dimensions._fields
# A team is no dimension of facts but of agents: it is told from the agent when somebody asks.
TEAM, AGENT = "team", "agent"
ASKABLE = (*DIMENSIONS, TEAM)


class EmptyPeriod(Invalid):
    pass


class UnknownDimension(Invalid):
    pass


class TooManyLines(Invalid):
    pass


class Interval(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    NONE = "none"


# Somewhere within the next step: days have 23 to 25 hours, months 28 to 31 days. Only an hour may still go on then.
_INTO_THE_NEXT: Mapping[str, timedelta] = {
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1, hours=12),
    Interval.WEEK: timedelta(days=7, hours=12),
    Interval.MONTH: timedelta(days=31, hours=12),
}


@dataclass(frozen=True, slots=True)
class Question:
    """The half-open period [start, end) in steps of `interval`, by dimensions in the order asked.

    `department` None asks about all, else only about that one; `only` asks about one value of other dimensions. Steps
    begin as clocks in `zone` have them.
    Raises `EmptyPeriod`, `UnknownDimension`.
    """

    start: datetime
    end: datetime
    interval: Interval = Interval.NONE
    group_by: tuple[str, ...] = ()
    department: str | None = None
    only: Mapping[str, str] = field(default_factory=dict)
    zone: ZoneInfo = UNIVERSAL

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise EmptyPeriod("`from` must lie before `to`.", field="from")
        for name in (*self.group_by, *self.only):
            if name not in ASKABLE:
                raise UnknownDimension(
                    f"There is no dimension '{name}'; use {', '.join(ASKABLE)}.",
                    field="group_by",
                    allowed=ASKABLE,
                )
        if len(set(self.group_by)) < len(self.group_by):
            raise UnknownDimension("Name each dimension once.", field="group_by", allowed=ASKABLE)

    @property
    def conditions(self) -> dict[str, str]:
        """The one value of each dimension that is asked about alone; a department never asks about another."""
        return {**self.only, **({"department": self.department} if self.department is not None else {})}

    @property
    def asks_teams(self) -> bool:
        return TEAM in (*self.group_by, *self.only)

    def by_agent(self) -> "Question":
        """With agents wherever this one asks about teams; itself when it does not."""
        if not self.asks_teams:
            return self
        names = [AGENT if name == TEAM else name for name in (*self.group_by, TEAM)]
        only = {name: value for name, value in self.only.items() if name != TEAM}
        return replace(self, group_by=tuple(dict.fromkeys(names)), only=only)

    def before(self) -> "Question":
        """The same about the period that ends where this one begins: of as many days where both of its ends are one
        time of day, so that a week in which clocks are changed follows a whole week; else of the same length.
        """
        first, last = (at.astimezone(self.zone) for at in (self.start, self.end))
        days = last.date() - first.date() if first.time() == last.time() else timedelta()
        start = first - days if days else self.start - (self.end - self.start)
        return replace(self, start=start.astimezone(UTC), end=self.start)

    def steps(self) -> Iterator[datetime | None]:
        """The start of each step that touches the period; a single None when there are no steps."""
        if self.interval is Interval.NONE:
            yield None
            return
        step = step_of(self.start, self.interval, self.zone)
        while step < self.end:
            yield step
            step = step_after(step, self.interval, self.zone)

    def lines(self, groups: Iterable[Group], each: int = 1) -> list[tuple[datetime | None, Group]]:
        """Every step for every group, in that order, what has no value last. An answer has `each` lines of each.

        Raises `TooManyLines`.
        """
        ordered = sorted(set(groups), key=lambda group: [(value is None, value or "") for value in group])
        lines: list[tuple[datetime | None, Group]] = []
        for step in self.steps() if ordered else ():
            lines += [(step, group) for group in ordered]
            if each * len(lines) > MAX_LINES:
                raise TooManyLines(
                    f"This makes more than {MAX_LINES} lines; ask for a shorter period, longer steps or fewer groups.",
                    field="group_by" if self.interval is Interval.NONE else "interval",
                    limit=MAX_LINES,
                )
        return lines


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day there, in UTC; where clocks are put forward at midnight, the first that there is."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


@lru_cache(maxsize=65536)
def step_of(at: datetime, interval: str, zone: tzinfo) -> datetime:
    """The start of the hour, day, week or month that a moment falls in, there: the last one that has begun by then,
    also where clocks are put back past it. Weeks begin on Monday.
    """
    local = at.astimezone(zone)
    if interval == Interval.HOUR:
        return _last_full_hour(local, zone)
    day = local.date()
    if midnight(day + _DAY, zone) <= at:
        day += _DAY
    if interval == Interval.WEEK:
        day -= timedelta(days=day.weekday())
    return midnight(day.replace(day=1) if interval == Interval.MONTH else day, zone)


def step_after(step: datetime, interval: str, zone: tzinfo) -> datetime:
    """The start of the next one."""
    into = step + _INTO_THE_NEXT[interval]
    while (after := step_of(into, interval, zone)) == step:
        into += _INTO_THE_NEXT[interval]
    return after


def _last_full_hour(local: datetime, zone: tzinfo) -> datetime:
    """The last moment at which clocks showed one. So the hour that comes twice a year is two, and where clocks are
    changed by half an hour, an hour takes half of one or one and a half.
    """
    while past := timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond):
        local = (local.astimezone(UTC) - past).astimezone(zone)
    return local.astimezone(UTC)
