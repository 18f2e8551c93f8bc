"""What was counted for a question, as columns of numbers, and the same laid out by the lines of an answer.

Knows how parts of a sum become one, and which sums belong to a line. Refuses to know where sums stand and what figures
are made of them.

An answer has thousands of lines with dozens of sums: an object for each was most of what a report cost.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from app.reports.question import Group, Question
from app.reports.tally.cell import Cell
from app.reports.tally.fact import TIMED, Fact, Measure
from app.reports.tally.histogram import Flags, Histograms, Ints, bucket_of, grouped, joined, lined_up

Step = datetime | None


class Series(NamedTuple):
    """What a sum is of, beside its step."""

    group: Group
    measure: Measure
    detail: str


class Line(NamedTuple):
    """Of which line of an answer a cell is a part: step and group as the question makes them."""

    step: Step
    group: Group
    measure: Measure
    detail: str


class Sums(NamedTuple):
    """Many cells, as columns."""

    n: Ints
    good: Ints
    total: Ints
    spread: Histograms
    lasted: Histograms

    def taken(self, which: Ints | Flags) -> "Sums":
        """Those at these places, in their order."""
        n, good, total = (column[which] for column in self[:3])
        return Sums(n, good, total, self.spread.taken(which), self.lasted.taken(which))

    def cells(self) -> Iterator[Cell]:
        """One by one, where objects are wanted."""
        counts = (column.tolist() for column in self[:3])
        return map(Cell, *counts, *(one.each() for one in self[3:]))


def sums_of(changes: Sequence[tuple[Fact, int]]) -> Sums:
    """Each fact one: it comes (1) or goes (-1)."""
    n = _ints(sign for _, sign in changes)
    good = n * _ints(fact.good for fact, _ in changes)
    total = n * _ints(fact.value or 0 for fact, _ in changes)
    timed = [fact if fact.measure in TIMED else None for fact, _ in changes]
    spread = _histograms(n, [fact and fact.value for fact in timed])
    lasted = _histograms(n, [fact and fact.lasted for fact in timed])
    return Sums(n, good, total, spread, lasted)


def beside(several: Sequence[Sums]) -> Sums:
    """The cells of all, in their order."""
    *counts, spread, lasted = zip(*several, strict=True)
    n, good, total = map(np.concatenate, counts)
    return Sums(n, good, total, lined_up(spread), lined_up(lasted))


def summed_by(keys: Ints, parts: Sums) -> tuple[Ints, Sums]:
    """The parts of each key as one, in the order of the keys, without what comes to nothing; and the place of the first
    of each. No key is below zero.
    """
    order, begins = grouped(keys)
    parts = parts.taken(order)
    n, good, total = (np.add.reduceat(column, begins) for column in parts[:3])
    spread, lasted = (joined(one, begins) for one in parts[3:])
    some = (n != 0) | (good != 0) | (total != 0) | (spread.end > spread.start) | (lasted.end > lasted.start)
    return order[begins[some]], Sums(n, good, total, spread, lasted).taken(some)


def shares(part: Ints, n: Ints) -> list[float | None]:
    """Part / n of each; None of nothing."""
    return [one / of if of else None for one, of in zip(part.tolist(), n.tolist(), strict=True)]


About = Callable[[Series], Group | None]
_group_of: About = attrgetter("group")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was counted by `as_of`: `sums`, the i-th of series `at[i] // len(steps)` in step `at[i] % len(steps)`.

    Where nothing was counted there is no sum.
    """

    as_of: datetime
    steps: Sequence[Step]
    series: Sequence[Series]
    at: Ints
    sums: Sums

    @property
    def cells(self) -> Mapping[Line, Cell]:
        """The sums one by one, where there are few."""
        places = (divmod(at, len(self.steps)) for at in self.at.tolist())
        lines = (Line(self.steps[step], *self.series[number]) for number, step in places)
        return dict(zip(lines, self.sums.cells(), strict=True))

    @property
    def found(self) -> set[Series]:
        """Those of which anything was counted."""
        return {self.series[number] for number in set((self.at // len(self.steps)).tolist())}

    def laid(
        self, question: Question, groups: Collection[Group] | None = None, about: About = _group_of, each: int = 1
    ) -> "Sheet":
        """By the steps of the question, which is what was asked, and these groups: without any those found, where it
        asks for groups. `about` tells which group a series is of. Raises `TooManyLines`.
        """
        if groups is None:
            told = map(about, self.found) if question.group_by else [()]
            groups = {group for group in told if group is not None}
        lines = question.lines(groups, each)
        places: dict[Group | None, int] = {group: place for place, (_, group) in enumerate(lines[: len(set(groups))])}
        return Sheet(self, lines, [places.get(group, -1) for group in map(about, self.series)], len(places))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of an answer, each step with all `groups` of them, and what was counted for each.

    `places` tells which of the groups a series is of, below zero for none.
    """

    measured: Measured
    lines: Sequence[tuple[Step, Group]]
    places: Sequence[int]
    groups: int

    def sums(self, measure: Measure | None = None, detail: str | None = None) -> Sums:
        """A sum for each line, which may be nothing; without a measure, or a detail, that of all."""
        steps = len(self.measured.steps)
        wanted = [
            place if measure in (None, one.measure) and detail in (None, one.detail) else -1
            for place, one in zip(self.places, self.measured.series, strict=True)
        ]
        place = np.array(wanted, np.int64)[self.measured.at // steps]
        kept = np.flatnonzero(place >= 0)
        keys = (self.measured.at % steps)[kept] * self.groups + place[kept]
        firsts, sums = summed_by(keys, self.measured.sums.taken(kept))
        return _spread_out(keys[firsts], sums, len(self.lines))


def _spread_out(keys: Ints, sums: Sums, length: int) -> Sums:
    """Each at the place that its key tells, and nothing at all others."""

    def out(column: Ints) -> Ints:
        whole = np.zeros(length, np.int64)
        whole[keys] = column
        return whole

    spread, lasted = (Histograms(one.pairs, out(one.start), out(one.end)) for one in sums[3:])
    return Sums(out(sums.n), out(sums.good), out(sums.total), spread, lasted)


def _histograms(n: Ints, durations: Sequence[int | None]) -> Histograms:
    """Of each duration one; None makes an empty one."""
    there = np.array([duration is not None for duration in durations], np.bool_)
    buckets = _ints(bucket_of(duration) for duration in durations if duration is not None)
    end = np.cumsum(there, dtype=np.int64)
    return Histograms(np.stack((buckets, n[there]), axis=1).astype(np.int32), end - there, end)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)
