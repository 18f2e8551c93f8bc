"""Durations in buckets that grow by four percent, so that those of many hours can be added and still give percentiles.

Knows buckets, adding and reading percentiles. Refuses to know what took so long.

The idea of log-scaled buckets whose relative error is bounded is that of HdrHistogram and DDSketch (C. Masson et al.,
"DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

GROWTH = 1.04  # a value is at most (GROWTH - 1) / (GROWTH + 1) = 1.96 % from what its bucket says
_SCALE = 1 / math.log(GROWTH)


def bucket_of(milliseconds: int) -> int:
    """0 for none at all; bucket n holds from GROWTH ** (n - 1) up to, but not including, GROWTH ** n."""
    return 0 if milliseconds < 1 else 1 + int(math.log(milliseconds) * _SCALE)


def _says(bucket: int) -> float:
    """The milliseconds that are relatively as far from the bucket's one end as from the other."""
    return 0.0 if bucket == 0 else 2 * GROWTH**bucket / (1 + GROWTH)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many durations there are in each bucket: bucket and count in turns, in the order of the buckets, as a column
    of integers holds them. Counts below zero are what is to be taken out of another one.
    """

    row: tuple[int, ...] = ()

    @property
    def n(self) -> int:
        return sum(self.row[1::2])

    def percentiles(self, shares: Sequence[float]) -> tuple[float, ...] | None:
        """Seconds below which each share (0 to 1) of the durations lies; None without any duration.

        Between two durations in proportion, as PostgreSQL's `percentile_cont` does; each within 2 %.
        """
        reached = list(accumulate(self.row[1::2]))
        if not reached or reached[-1] < 1:
            return None
        buckets = self.row[::2]
        return tuple(_between(buckets, reached, share * (reached[-1] - 1)) / 1000 for share in shares)


def added(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one."""
    total: dict[int, int] = {}
    for histogram in histograms:
        for bucket, count in zip(histogram.row[::2], histogram.row[1::2], strict=True):
            total[bucket] = total.get(bucket, 0) + count
    return Histogram(tuple(number for pair in sorted(total.items()) if pair[1] for number in pair))


def _between(buckets: Sequence[int], reached: Sequence[int], rank: float) -> float:
    """What stands at a rank counted from 0, in proportion between the two whole ranks around it."""
    lower = _at(buckets, reached, math.floor(rank))
    return lower + (rank % 1) * (_at(buckets, reached, math.ceil(rank)) - lower)


def _at(buckets: Sequence[int], reached: Sequence[int], rank: int) -> float:
    return _says(buckets[bisect_right(reached, rank)])
