"""Which sums are kept, and which of them answer a question.

Knows the groupings (cuts) and the steps of time (grains) of what is kept. Refuses to know rows and figures.

Sums by all dimensions at once would be as many as tickets. So they are kept for each set of dimensions in `KEPT`,
each by the hour or day and up; a question about fewer dimensions reads the smallest set that has them all.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from app.reports.question import AGENT, TEAM, Interval, step_after, step_of
from app.reports.tally.fact import Measure


class Grain(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Cut:
    """Sums by some dimensions. `finest` is the shortest step in which they are kept; longer ones are too."""

    dimensions: tuple[str, ...]
    finest: Grain = Grain.DAY

    @property
    def name(self) -> str:
        return "+".join(self.dimensions)

    @property
    def askable(self) -> tuple[str, ...]:
        """By what it answers: teams are told from agents."""
        return (*self.dimensions, TEAM) if AGENT in self.dimensions else self.dimensions

    @property
    def grains(self) -> tuple[Grain, ...]:
        return tuple(Grain)[tuple(Grain).index(self.finest) :]

    def told(self, measure: Measure, detail: str) -> str:
        """The detail that is kept. What a ticket was first taken for says something only beside the topic it has."""
        return "" if measure is Measure.UNDERSTOOD and "topic" not in self.dimensions else detail


# The fewest dimensions first: the first that has all that is asked for is the smallest.
KEPT = (
    Cut((), Grain.HOUR),
    Cut(("department",), Grain.HOUR),
    Cut(("topic",)),  # a topic has several departments: two years by the week would be read from thrice as many rows
    Cut(("account",)),
    Cut(("language",)),
    Cut(("topic", "department")),
    Cut(("channel", "department")),
    Cut(("priority", "department")),
    Cut(("agent", "department")),
    Cut(("stage", "arm", "department")),
    Cut(("topic", "channel", "stage", "arm")),
)
# Of which steps an interval may be made, longest first; a week is no part of a month.
_MADE_OF = {
    Interval.NONE: (Grain.MONTH, Grain.DAY, Grain.HOUR),
    Interval.MONTH: (Grain.MONTH, Grain.DAY, Grain.HOUR),
    Interval.WEEK: (Grain.WEEK, Grain.DAY, Grain.HOUR),
    Interval.DAY: (Grain.DAY, Grain.HOUR),
    Interval.HOUR: (Grain.HOUR,),
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """The half-open [start, end), in whole steps of `grain`; None: no kept step fits, facts are counted one by one."""

    grain: Grain | None
    start: datetime
    end: datetime


def find_cut(dimensions: Collection[str]) -> Cut | None:
    """The smallest kept one that has all of these dimensions."""
    return next((cut for cut in KEPT if set(dimensions) <= set(cut.dimensions)), None)


def stretches(start: datetime, end: datetime, interval: Interval, cut: Cut | None, zone: tzinfo) -> tuple[Stretch, ...]:
    """The period in as few kept steps as may be, each within one step of the interval; `cut` None keeps none.

    `zone` is where the kept steps begin.
    """
    grains = [grain for grain in _MADE_OF[interval] if cut is not None and grain in cut.grains]
    return tuple(_split(start, end, grains, zone))


def _split(start: datetime, end: datetime, grains: Sequence[Grain], zone: tzinfo) -> Iterator[Stretch]:
    if start >= end:
        return
    if not grains:
        yield Stretch(None, start, end)
        return
    longest, *shorter = grains
    floor = step_of(start, longest, zone)
    first = start if floor == start else step_after(floor, longest, zone)
    last = step_of(end, longest, zone)
    if first >= last:
        yield from _split(start, end, shorter, zone)
        return
    yield from _split(start, first, shorter, zone)
    yield Stretch(longest, first, last)
    yield from _split(last, end, shorter, zone)
