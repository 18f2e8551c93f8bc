"""Whether one number is the same wherever it is shown.

Knows what is compared and when it agrees. Refuses to know where the numbers come from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.reports.tally.cell import Cell
from app.reports.tally.fact import Measure


@dataclass(frozen=True, slots=True)
class Count:
    """`n` facts, of which `good` were good, and the `total` of their values."""

    n: int
    good: int
    total: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.n + other.n, self.good + other.good, self.total + other.total)

    def __sub__(self, other: "Count") -> "Count":
        return Count(self.n - other.n, self.good - other.good, self.total - other.total)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The same facts five times: as one number, as the steps of charts, in the lines of each grouping, as the list of
    what is behind it, and counted by other statements in the tables that the work is done in.
    """

    measure: Measure
    headline: Count
    charts: Mapping[str, Count]
    groupings: Mapping[str, Count]
    drill_down: Count
    anew: Count

    @property
    def agrees(self) -> bool:
        return {*self.charts.values(), *self.groupings.values(), self.drill_down, self.anew} == {self.headline}


def count_of(cell: Cell) -> Count:
    return Count(cell.n, cell.good, cell.total)
