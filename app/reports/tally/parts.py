"""What an answer is put together from: rows of kept sums and single facts.

Knows to which step and group each of them belongs. Refuses to know how they are found.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count, repeat
from typing import Any

import numpy as np

from app.reports.question import DIMENSIONS, Group, Question
from app.reports.tally.cut import Cut
from app.reports.tally.fact import Fact, Measure
from app.reports.tally.histogram import Ints, unpacked
from app.reports.tally.measured import Measured, Series, Sums, beside, summed_by, sums_of

BY = "by_"  # and a dimension: the column of a row that tells the values of it
_NUMBERS = ">i8"  # as PostgreSQL writes them


class Parts:
    """Parts of sums, laid beside each other until all are there. Two of them may be of the same series and step."""

    def __init__(self, asked: Question) -> None:
        """Raises `TooManyLines` when the question has too many steps."""
        self._asked = asked
        self._steps = [step for step, _ in asked.lines([()])]
        # A moment is in the step at the place that tells how many of these have begun.
        self._later = [step for step in self._steps[1:] if step is not None]
        self._series = defaultdict[tuple[Group, str, str], int](count().__next__)
        self._number, self._step = list[int](), list[int]()  # of each part: of which series and which step it is
        self._sums = list[Sums]()

    def add_kept(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows of one `measure` and one `step_at`, with columns of what was counted then.

        `detail`, and `by_` with each dimension that is asked for, are lists of texts; `n`, `good`, `total`,
        `spread_sizes` and `lasted_sizes` the bytes of numbers, eight each with the highest first; `spread` and `lasted`
        histograms end to end, so many bytes each as their sizes say.
        """
        names = [f"{BY}{name}" for name in self._asked.group_by]
        for row in rows:
            details = row["detail"]
            groups = zip(*(row[name] for name in names), strict=True) if names else [()] * len(details)
            self._number += map(self._series.__getitem__, zip(groups, repeat(row["measure"]), details))
            self._step += [bisect(self._later, row["step_at"])] * len(details)
        self._sums.append(_read(rows))

    def add_facts(self, changes: Iterable[tuple[Fact, int]], cut: Cut | None) -> None:
        """Each fact that is asked about, told as in the sums of a cut that it is put to; with a sign of -1 it goes."""
        dimensions = [DIMENSIONS.index(name) for name in self._asked.group_by]
        conditions, asked = self._asked.conditions, list[tuple[Fact, int]]()
        for fact, sign in changes:
            about = all(getattr(fact.of, name) == value for name, value in conditions.items())
            if about and self._asked.start <= fact.at < self._asked.end:
                group = tuple(fact.of[place] for place in dimensions)
                detail = cut.told(fact.measure, fact.detail) if cut else fact.detail
                self._number.append(self._series[group, fact.measure, detail])
                self._step.append(bisect(self._later, fact.at))
                asked.append((fact, sign))
        self._sums.append(sums_of(asked))

    def measured(self, as_of: datetime, told: Callable[[Group], Group | None]) -> Measured:
        """Those of a series and a step as one; what comes to nothing is left out, and groups of which None is told."""
        named = {raw: told(raw[0]) for raw in self._series}
        series = [None if group is None else Series(group, Measure(raw[1]), raw[2]) for raw, group in named.items()]
        different = list(dict.fromkeys(one for one in series if one is not None))
        numbers = {one: number for number, one in enumerate(different)}
        number = np.array([-1 if one is None else numbers[one] for one in series], np.int64)[self._number]
        keys = number * len(self._steps) + np.array(self._step, np.int64)
        kept = np.flatnonzero(number >= 0)
        keys = keys[kept]
        firsts, sums = summed_by(keys, beside(self._sums).taken(kept))
        return Measured(as_of, self._steps, different, keys[firsts], sums)


def _read(rows: Sequence[Mapping[str, Any]]) -> Sums:
    def numbers(name: str) -> Ints:
        return np.frombuffer(b"".join(row[name] for row in rows), _NUMBERS).astype(np.int64)

    spread, lasted = (unpacked((row[name] for row in rows), numbers(f"{name}_sizes")) for name in ("spread", "lasted"))
    return Sums(numbers("n"), numbers("good"), numbers("total"), spread, lasted)
