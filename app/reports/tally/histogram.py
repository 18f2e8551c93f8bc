"""Durations in buckets that grow by four percent, so that those of many hours can be added and still give percentiles.

Knows buckets, adding and reading percentiles. Refuses to know what took so long.

The idea of log-scaled buckets whose relative error is bounded is that of HdrHistogram and DDSketch (C. Masson et al.,
"DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType

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
    """How many durations there are in each bucket. Counts below zero are what is to be taken out of another one."""

    counts: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def n(self) -> int:
        return sum(self.counts.values())

    def percentiles(self, shares: Sequence[float]) -> tuple[float, ...] | None:
        """Seconds below which each share (0 to 1) of the durations lies; None without any duration.

        Between two durations in proportion, as PostgreSQL's `percentile_cont` does; each within 2 %.
        """
        if self.n < 1:
            return None
        buckets = sorted(self.counts)
        reached = list(accumulate(self.counts[bucket] for bucket in buckets))
        return tuple(_between(buckets, reached, share * (reached[-1] - 1)) / 1000 for share in shares)

    def as_row(self) -> list[int]:
        """Bucket and count in turns, for a column of integers."""
        return [number for pair in sorted(self.counts.items()) for number in pair]


def from_row(row: Sequence[int]) -> Histogram:
    return Histogram(dict(zip(row[::2], row[1::2], strict=True)))


def added(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one."""
    total: dict[int, int] = {}
    for histogram in histograms:
        for bucket, count in histogram.counts.items():
            total[bucket] = total.get(bucket, 0) + count
    return Histogram({bucket: count for bucket, count in total.items() if count})


def _between(buckets: Sequence[int], reached: Sequence[int], rank: float) -> float:
    """What stands at a rank counted from 0, in proportion between the two whole ranks around it."""
    lower = _at(buckets, reached, math.floor(rank))
    return lower + (rank % 1) * (_at(buckets, reached, math.ceil(rank)) - lower)


def _at(buckets: Sequence[int], reached: Sequence[int], rank: int) -> float:
    return next(_says(bucket) for bucket, up_to in zip(buckets, reached, strict=True) if rank < up_to)
