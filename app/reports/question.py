"""What a manager asks of a report: a period, its steps, and what to group by.

Knows which questions make sense and which lines an answer has. Refuses to know any figure. Steps are in UTC.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from app.kit.errors import Invalid

MAX_LINES = 10_000

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


_LENGTHS: Mapping[str, timedelta] = {
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class Question:
    """The half-open period [start, end) in steps of `interval`, by dimensions in the order asked.

    `department` None asks about all, else only about that one; `only` asks about one value of other dimensions.
    Raises `EmptyPeriod`, `UnknownDimension`.
    """

    start: datetime
    end: datetime
    interval: Interval = Interval.NONE
    group_by: tuple[str, ...] = ()
    department: str | None = None
    only: Mapping[str, str] = field(default_factory=dict)

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

    def steps(self) -> Iterator[datetime | None]:
        """The start of each step that touches the period; a single None when there are no steps."""
        if self.interval is Interval.NONE:
            yield None
            return
        step = self.step_of(self.start)
        while step is not None and step < self.end:
            yield step
            step = step_after(step, self.interval)

    def step_of(self, at: datetime) -> datetime | None:
        """The start of the step that a moment falls in; None without steps."""
        return None if self.interval is Interval.NONE else step_of(at, self.interval)

    def lines(self, groups: Iterable[Group]) -> list[tuple[datetime | None, Group]]:
        """The lines of an answer: every step for every group, in that order, what has no value last.

        Raises `TooManyLines`.
        """
        ordered = sorted(set(groups), key=lambda group: [(value is None, value or "") for value in group])
        lines: list[tuple[datetime | None, Group]] = []
        for step in self.steps() if ordered else ():
            lines += [(step, group) for group in ordered]
            if len(lines) > MAX_LINES:
                raise TooManyLines(
                    f"This makes more than {MAX_LINES} lines; ask for a shorter period, longer steps or fewer groups.",
                    field="interval",
                    limit=MAX_LINES,
                )
        return lines


@lru_cache(maxsize=65536)
def step_of(at: datetime, interval: str) -> datetime:
    """The start of the hour, day, week or month that a moment falls in. Weeks begin on Monday."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    if interval == Interval.HOUR:
        return hour
    day = hour.replace(hour=0)
    if interval == Interval.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == Interval.MONTH else day


def step_after(step: datetime, interval: str) -> datetime:
    """The start of the next one."""
    if interval == Interval.MONTH:
        return (step + timedelta(days=31)).replace(day=1)
    return step + _LENGTHS[interval]
