"""Facts become sums: in every cut that is kept, by the hour or day, and those in days, weeks and months.

Knows where a fact is added. Refuses to know what stood there before and how it is stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from app.reports.question import DIMENSIONS, Group, step_of
from app.reports.tally.cell import Cell, cell_of, summed
from app.reports.tally.cut import KEPT, Grain
from app.reports.tally.fact import Fact, Measure


class Place(NamedTuple):
    """Where a cell stands: `group` holds the values of the dimensions of `cut`."""

    cut: str
    grain: Grain
    measure: Measure
    step: datetime
    group: Group
    detail: str


def fold(changes: Iterable[tuple[Fact, int]]) -> dict[Place, Cell]:
    """What is to be added everywhere when facts come (1) and go (-1); nothing where they cancel each other out."""
    ones = [(fact, cell_of(fact, sign)) for fact, sign in changes]
    cells: dict[Place, Cell] = {}
    for cut in KEPT:
        where = [DIMENSIONS.index(name) for name in cut.dimensions]
        parts = defaultdict[Place, list[Cell]](list)
        for fact, cell in ones:
            group = tuple(fact.of[place] for place in where)
            step = step_of(fact.at, cut.finest)
            parts[Place(cut.name, cut.finest, fact.measure, step, group, fact.detail)].append(cell)
        finest = _summed(parts)
        cells |= finest
        for grain in cut.grains[1:]:
            longer = defaultdict[Place, list[Cell]](list)
            for place, cell in finest.items():
                longer[place._replace(grain=grain, step=step_of(place.step, grain))].append(cell)
            cells |= _summed(longer)
    return cells


def _summed(parts: Mapping[Place, list[Cell]]) -> dict[Place, Cell]:
    sums = ((place, summed(cells)) for place, cells in parts.items())
    return {place: cell for place, cell in sums if cell != Cell()}
