"""Cells: the sums of the facts that have one kind, one period and one group in common.

Knows what is added up, and that what is taken out again leaves no trace. Refuses to know which cells are kept (cut).
"""

from collections.abc import Iterable
from typing import NamedTuple

from app.reports.tally.fact import TIMED, Fact
from app.reports.tally.histogram import NONE, Histogram, added, bucket_of, histogram_of


class Cell(NamedTuple):
    """`n` facts, of which `good` were good; `total` of their values, and how values and wall time are spread.

    Only durations are spread. Facts that are to be taken out count below zero.
    """

    n: int = 0
    good: int = 0
    total: int = 0
    spread: Histogram = NONE
    lasted: Histogram = NONE


def cell_of(fact: Fact, sign: int = 1) -> Cell:
    """The one fact; with `sign` -1 what takes it out again."""
    timed = fact.measure in TIMED
    return Cell(
        sign,
        sign * fact.good,
        sign * (fact.value or 0),
        histogram_of(bucket_of(fact.value), sign) if timed and fact.value is not None else NONE,
        histogram_of(bucket_of(fact.lasted), sign) if timed and fact.lasted is not None else NONE,
    )


def summed(cells: Iterable[Cell]) -> Cell:
    """All of them as one; equal to `Cell()` when they cancel each other out."""
    parts = list(cells)
    if len(parts) == 1:
        return parts[0]
    n = good = total = 0
    spread, lasted = [], []
    for part in parts:
        n, good, total = n + part.n, good + part.good, total + part.total
        if part.spread.packed:
            spread.append(part.spread)
        if part.lasted.packed:
            lasted.append(part.lasted)
    return Cell(n, good, total, added(spread) if spread else NONE, added(lasted) if lasted else NONE)
