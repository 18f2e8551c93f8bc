"""What a manager asks of a report: a period, its steps, and what to group by.

Knows which questions make sense and which lines an answer has. Refuses to know any figure. Steps are in UTC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.kit.errors import Invalid

MAX_LINES = 10_000
DIMENSIONS = ("topic", "channel", "account", "department", "stage", "arm", "priority", "agent", "language")

Group = tuple[str | None, ...]


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


@dataclass(frozen=True, slots=True)
class Question:
    """The half-open period [start, end) in steps of `interval`, by dimensions in the order asked.

    `department` None asks about all, else only about that one. Raises `EmptyPeriod`, `UnknownDimension`.
    """

    start: datetime
    end: datetime
    interval: Interval = Interval.NONE
    group_by: tuple[str, ...] = ()
    department: str | None = None

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise EmptyPeriod("`from` must lie before `to`.", field="from")
        for name in self.group_by:
            if name not in DIMENSIONS:
                raise UnknownDimension(
                    f"There is no dimension '{name}'; use {', '.join(DIMENSIONS)}.",
                    field="group_by",
                    allowed=DIMENSIONS,
                )
        if len(set(self.group_by)) < len(self.group_by):
            raise UnknownDimension("Name each dimension once.", field="group_by", allowed=DIMENSIONS)

    def steps(self) -> Iterator[datetime | None]:
        """The start of each step that touches the period; a single None when there are no steps."""
        if self.interval is Interval.NONE:
            yield None
            return
        step = self.step_of(self.start)
        while step is not None and step < self.end:
            yield step
            step = _next(step, self.interval)

    def step_of(self, at: datetime) -> datetime | None:
        """The start of the step that a moment falls in. Weeks begin on Monday."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        starts = {
            Interval.NONE: None,
            Interval.HOUR: hour,
            Interval.DAY: day,
            Interval.WEEK: day - timedelta(days=day.weekday()),
            Interval.MONTH: day.replace(day=1),
        }
        return starts[self.interval]

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


def _next(step: datetime, interval: Interval) -> datetime:
    if interval is Interval.MONTH:
        return (step + timedelta(days=31)).replace(day=1)
    return step + {Interval.HOUR: timedelta(hours=1), Interval.DAY: timedelta(days=1)}.get(interval, timedelta(weeks=1))
