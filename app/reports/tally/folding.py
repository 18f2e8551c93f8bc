"""Facts become sums: in every cut that is kept, by the hour or day, and those in days, weeks and months.

Knows where a fact is added. Refuses to know what stood there before and how it is stored.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from operator import itemgetter
from typing import NamedTuple

from app.reports.question import DIMENSIONS, Dimensions, Group, step_after, step_of
from app.reports.tally.cell import Cell, cell_of, summed
from app.reports.tally.cut import KEPT, Cut, Grain
from app.reports.tally.fact import Fact, Measure

_One = tuple[Dimensions, datetime, datetime, Cell]
_Kind = tuple[Measure, str]
_Sums = dict[tuple[datetime, Group], Cell]


class Place(NamedTuple):
    """Where a cell stands: `group` holds the values of the dimensions of `cut`."""

    cut: str
    grain: Grain
    measure: Measure
    step: datetime
    group: Group
    detail: str


def fold(changes: Iterable[tuple[Fact, int]], zone: tzinfo) -> dict[Place, Cell]:
    """What is to be added everywhere when facts come (1) and go (-1); nothing where they cancel each other out.

    Steps begin as clocks in `zone` have them. Facts of one kind are taken together: hashing what has few values once
    for each cut took most of the time.
    """
    kinds = defaultdict[_Kind, list[_One]](list)
    for fact, sign in changes:
        hour = step_of(fact.at, Grain.HOUR, zone)
        day = step_of(hour, Grain.DAY, zone)
        kinds[fact.measure, fact.detail].append((fact.of, hour, day, cell_of(fact, sign)))
    cells: dict[Place, Cell] = {}
    for cut in KEPT:
        for (measure, detail), ones in _told(cut, kinds).items():
            for grain, sums in _sums(cut, ones, zone):
                for (step, group), cell in sums.items():
                    cells[Place(cut.name, grain, measure, step, group, detail)] = cell
    return cells


def parted(
    cells: Mapping[Place, Cell], others: Mapping[Place, Cell], until: datetime, zone: tzinfo
) -> tuple[dict[Place, Cell], dict[Place, Cell]]:
    """All of both together: those whose step is over by `until`, and those whose step goes on."""
    over, going_on = dict[Place, Cell](), dict[Place, Cell]()
    for place in cells.keys() | others.keys():
        part = over if step_after(place.step, place.grain, zone) <= until else going_on
        part[place] = summed(some[place] for some in (cells, others) if place in some)
    return over, going_on


def _told(cut: Cut, kinds: Mapping[_Kind, list[_One]]) -> Mapping[_Kind, list[_One]]:
    """The kinds that this cut tells apart."""
    told = defaultdict[_Kind, list[_One]](list)
    for (measure, detail), ones in kinds.items():
        told[measure, cut.told(measure, detail)] += ones
    return told


def _sums(cut: Cut, ones: Iterable[_One], zone: tzinfo) -> Iterator[tuple[Grain, _Sums]]:
    """By grain, the finest first: the longer ones are made of it."""
    parts = defaultdict[tuple[datetime, Group], list[Cell]](list)
    hourly, group_of = cut.finest is Grain.HOUR, _grouping(cut)
    for of, hour, day, cell in ones:
        parts[hour if hourly else day, group_of(of)].append(cell)
    finest = _summed(parts)
    yield cut.finest, finest
    for grain in cut.grains[1:]:
        longer = defaultdict[tuple[datetime, Group], list[Cell]](list)
        for (step, group), cell in finest.items():
            longer[step_of(step, grain, zone), group].append(cell)
        yield grain, _summed(longer)


def _grouping(cut: Cut) -> Callable[[Dimensions], Group]:
    """What gives the group of a fact: a slice where one value or none would not be a tuple."""
    places = [DIMENSIONS.index(name) for name in cut.dimensions]
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def _summed(parts: Mapping[tuple[datetime, Group], list[Cell]]) -> _Sums:
    sums = ((place, summed(cells)) for place, cells in parts.items())
    return {place: cell for place, cell in sums if cell.n or cell != Cell()}
