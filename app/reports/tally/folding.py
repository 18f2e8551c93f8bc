"""Facts become sums: in every cut that is kept, by the hour or day, and those in days, weeks and months.

Knows where a fact is added. Refuses to know what stood there before and how it is stored.

Facts are laid out as columns of numbers, and what belongs together is found by sorting: a loop over facts, cuts and
steps took a multiple of the time. What was added up once can be added up again, by longer steps.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from operator import itemgetter
from typing import NamedTuple, TypeVar

import numpy as np

from app.reports.question import DIMENSIONS, Dimensions, Group, step_after, step_of
from app.reports.tally.cell import Cell, summed
from app.reports.tally.cut import KEPT, Cut, Grain
from app.reports.tally.fact import Fact, Measure
from app.reports.tally.histogram import Ints
from app.reports.tally.measured import Sums, summed_by, sums_of

V = TypeVar("V", bound=Hashable)

# Seconds. Clocks differ from UTC by whole quarters everywhere: steps are looked up for the few of a week.
_QUARTER = 900


class Place(NamedTuple):
    """Where a cell stands: `group` holds the values of the dimensions of `cut`."""

    cut: str
    grain: Grain
    measure: Measure
    step: datetime
    group: Group
    detail: str


Sum = tuple[Place, Cell]


class _Columns(NamedTuple):
    """Facts by what tells them apart: each number stands for one value."""

    facts: Sequence[Fact]
    steps: Mapping[Grain, tuple[Ints, Sequence[datetime]]]
    kind: Ints
    kinds: Sequence[tuple[Measure, str]]
    of: Sequence[tuple[Ints, int]]  # for each dimension: the numbers, and how many there are


def fold(changes: Iterable[tuple[Fact, int]], zone: tzinfo) -> Iterator[Sum]:
    """What is to be added everywhere, each place once, when facts come (1) and go (-1); nothing where they cancel each
    other out. Steps begin as clocks in `zone` have them.
    """
    changed = list(changes)
    if not changed:
        return
    columns, parts = _columns([fact for fact, _ in changed], zone), sums_of(changed)
    for cut in KEPT:
        yield from _cells(cut, columns, parts)


def parted(
    sums: Iterable[Sum], begun: Mapping[Place, Cell], until: datetime, zone: tzinfo
) -> tuple[list[Sum], dict[Place, Cell]]:
    """Those with what was begun before: whose step is over by `until`, and whose step goes on."""
    over, going_on = list[Sum](), dict(begun)
    for place, cell in sums:
        if place in going_on:
            going_on[place] = summed((going_on[place], cell))
        elif step_after(place.step, place.grain, zone) <= until:
            over.append((place, cell))
        else:
            going_on[place] = cell
    ended = [place for place in going_on if step_after(place.step, place.grain, zone) <= until]
    over += [(place, going_on.pop(place)) for place in ended]
    return over, going_on


def _columns(facts: Sequence[Fact], zone: tzinfo) -> _Columns:
    moments = np.fromiter((fact.at.timestamp() for fact in facts), np.float64)
    starts, quarter = np.unique(moments // _QUARTER, return_inverse=True)
    quarters = [datetime.fromtimestamp(start * _QUARTER, UTC) for start in starts.tolist()]
    steps = {grain: _numbered([step_of(one, grain, zone) for one in quarters]) for grain in Grain}
    kind, kinds = _numbered([(fact.measure, fact.detail) for fact in facts])
    about, abouts = _numbered([fact.of for fact in facts])  # few, while each has many dimensions
    of = [_numbered(values) for values in zip(*abouts, strict=True)]
    return _Columns(
        facts,
        {grain: (step[quarter], starts) for grain, (step, starts) in steps.items()},
        kind,
        kinds,
        [(numbers[about], len(values)) for numbers, values in of],
    )


def _cells(cut: Cut, columns: _Columns, parts: Sums) -> Iterator[Sum]:
    """The finest grain first: each longer one is made of it, as a week is no part of a month."""
    told, kinds = _numbered([(measure, cut.told(measure, detail)) for measure, detail in columns.kinds])
    who = told[columns.kind]
    for name in cut.dimensions:
        numbers, different = columns.of[DIMENSIONS.index(name)]
        who = who * different + numbers
    cut_name, group_of = cut.name, _grouping(cut)
    facts = np.arange(len(who))  # one for each part, which stands for all that are in it already
    for grain in cut.grains:
        when, steps = columns.steps[grain]
        firsts, sums = summed_by(who[facts] * len(steps) + when[facts], parts)
        ones = facts[firsts]
        for place, cell in zip(ones.tolist(), sums.cells(), strict=True):
            measure, detail = kinds[told[columns.kind[place]]]
            group = group_of(columns.facts[place].of)
            yield Place(cut_name, grain, measure, steps[when[place]], group, detail), cell
        if grain is cut.finest:
            facts, parts = ones, sums


def _numbered(values: Sequence[V]) -> tuple[Ints, list[V]]:
    """The place of each value among the different ones, and those."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return np.fromiter(map(places.__getitem__, values), np.int64), list(places)


def _grouping(cut: Cut) -> Callable[[Dimensions], Group]:
    """What gives the group of a fact: a slice where one value or none would not be a tuple."""
    places = [DIMENSIONS.index(name) for name in cut.dimensions]
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))
