"""Facts become sums: in every cut that is kept, by the hour or day, and those in days, weeks and months.

Knows where a fact is added. Refuses to know what stood there before and how it is stored.

Facts are laid out as columns of numbers, and what belongs together is found by sorting: a loop over facts, cuts and
steps took a multiple of the time. What was added up once can be added up again, by longer steps.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise, repeat
from operator import itemgetter
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from app.reports.question import DIMENSIONS, Dimensions, Group, step_after, step_of
from app.reports.tally.cell import NONE, Cell, summed
from app.reports.tally.cut import KEPT, Cut, Grain
from app.reports.tally.fact import TIMED, Fact, Measure
from app.reports.tally.histogram import Histogram, bucket_of

V = TypeVar("V", bound=Hashable)
Ints = npt.NDArray[np.int64]

_BUCKETS = 1 << 12  # more than 64 bits of milliseconds make
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


class _Spread(NamedTuple):
    """Durations, `times[i]` of them in bucket `bucket[i]` of part `part[i]`."""

    part: Ints
    bucket: Ints
    times: Ints


class _Parts(NamedTuple):
    """What is to be added up. `fact[i]` is the place of a fact that stands for all that are in part i already."""

    fact: Ints
    n: Ints
    good: Ints
    total: Ints
    spread: _Spread
    lasted: _Spread


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
    columns, parts = _columns([fact for fact, _ in changed], zone), _parts(changed)
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


def _parts(changes: Sequence[tuple[Fact, int]]) -> _Parts:
    """Each fact a part."""
    n = _ints(sign for _, sign in changes)
    good = n * _ints(fact.good for fact, _ in changes)
    total = n * _ints(fact.value or 0 for fact, _ in changes)
    timed = [(place, fact) for place, (fact, _) in enumerate(changes) if fact.measure in TIMED]
    spread = _spread(n, [(place, fact.value) for place, fact in timed if fact.value is not None])
    lasted = _spread(n, [(place, fact.lasted) for place, fact in timed if fact.lasted is not None])
    return _Parts(np.arange(len(n)), n, good, total, spread, lasted)


def _spread(n: Ints, durations: Sequence[tuple[int, int]]) -> _Spread:
    """Each duration with the place of its fact."""
    part = _ints(place for place, _ in durations)
    return _Spread(part, _ints(bucket_of(milliseconds) for _, milliseconds in durations), n[part])


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _cells(cut: Cut, columns: _Columns, parts: _Parts) -> Iterator[Sum]:
    """The finest grain first: each longer one is made of it, as a week is no part of a month."""
    told, kinds = _numbered([(measure, cut.told(measure, detail)) for measure, detail in columns.kinds])
    who = told[columns.kind]
    for name in cut.dimensions:
        numbers, different = columns.of[DIMENSIONS.index(name)]
        who = who * different + numbers
    cut_name, group_of = cut.name, _grouping(cut)
    for grain in cut.grains:
        when, steps = columns.steps[grain]
        sums = _added(who[parts.fact] * len(steps) + when[parts.fact], parts)
        for place, cell in zip(sums.fact.tolist(), _as_cells(sums), strict=True):
            measure, detail = kinds[told[columns.kind[place]]]
            group = group_of(columns.facts[place].of)
            yield Place(cut_name, grain, measure, steps[when[place]], group, detail), cell
        if grain is cut.finest:
            parts = sums


def _added(keys: Ints, parts: _Parts) -> _Parts:
    """Those of one key as one, in the order of the keys; without what comes to nothing."""
    if not len(keys):
        return parts
    order, starts, into = _sorted(keys)
    n, good, total = (np.add.reduceat(column[order], starts) for column in (parts.n, parts.good, parts.total))
    spread, lasted = (_joined(one, into) for one in (parts.spread, parts.lasted))
    stays = (n != 0) | (good != 0) | (total != 0)
    stays[spread.part] = stays[lasted.part] = True
    number = np.cumsum(stays) - 1
    spread, lasted = (one._replace(part=number[one.part]) for one in (spread, lasted))
    return _Parts(parts.fact[order[starts]][stays], n[stays], good[stays], total[stays], spread, lasted)


def _joined(spread: _Spread, into: Ints) -> _Spread:
    """With the part that each part became."""
    if not len(spread.part):
        return spread
    keys = into[spread.part] * _BUCKETS + spread.bucket
    order, starts, _ = _sorted(keys)
    times, key = np.add.reduceat(spread.times[order], starts), keys[order[starts]]
    return _Spread(*(column[times != 0] for column in (key // _BUCKETS, key % _BUCKETS, times)))


def _sorted(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """The order of keys, where in it each different key starts, and for every key which of the different ones it is."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    into = np.empty_like(order)
    into[order] = np.cumsum(begins) - 1
    return order, np.flatnonzero(begins), into


def _as_cells(parts: _Parts) -> Iterator[Cell]:
    spread, lasted = (_as_histograms(one, len(parts.n)) for one in (parts.spread, parts.lasted))
    return map(Cell, parts.n.tolist(), parts.good.tolist(), parts.total.tolist(), spread, lasted)


def _as_histograms(spread: _Spread, parts: int) -> Iterator[Histogram]:
    """One for each part: a piece of them all, written as histograms are."""
    if not len(spread.part):
        yield from repeat(NONE, parts)
        return
    packed = np.stack((spread.bucket, spread.times), axis=1).astype(">i4").tobytes()
    ends = (8 * np.searchsorted(spread.part, np.arange(parts + 1))).tolist()
    for start, end in pairwise(ends):
        yield Histogram(packed[start:end]) if start < end else NONE


def _numbered(values: Sequence[V]) -> tuple[Ints, list[V]]:
    """The place of each value among the different ones, and those."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return _ints(map(places.__getitem__, values)), list(places)


def _grouping(cut: Cut) -> Callable[[Dimensions], Group]:
    """What gives the group of a fact: a slice where one value or none would not be a tuple."""
    places = [DIMENSIONS.index(name) for name in cut.dimensions]
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))
