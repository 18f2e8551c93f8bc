"""Durations in buckets that grow by four percent, so that those of many hours can be added and still give percentiles.

Knows buckets, adding and reading percentiles. Refuses to know what took so long.

The idea of log-scaled buckets whose relative error is bounded is that of HdrHistogram and DDSketch (C. Masson et al.,
"DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from struct import Struct, pack, unpack

GROWTH = 1.04  # a value is at most (GROWTH - 1) / (GROWTH + 1) = 1.96 % from what its bucket says
_SCALE = 1 / math.log(GROWTH)
_PAIR = Struct(">ii")


def bucket_of(milliseconds: int) -> int:
    """0 for none at all; bucket n holds from GROWTH ** (n - 1) up to, but not including, GROWTH ** n."""
    return 0 if milliseconds < 1 else 1 + int(math.log(milliseconds) * _SCALE)


def _says(bucket: int) -> float:
    """The milliseconds that are relatively as far from the bucket's one end as from the other."""
    return 0.0 if bucket == 0 else 2 * GROWTH**bucket / (1 + GROWTH)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many durations there are in each bucket: bucket and count in turns, in the order of the buckets, four bytes
    each with the highest first. Counts below zero are what is to be taken out of another one.

    A report reads thousands of them: as bytes they come from the database without an object for each number.
    """

    packed: bytes = b""

    @property
    def n(self) -> int:
        return sum(count for _, count in _PAIR.iter_unpack(self.packed))

    def percentiles(self, shares: Sequence[float]) -> tuple[float, ...] | None:
        """Seconds below which each share (0 to 1) of the durations lies; None without any duration.

        Between two durations in proportion, as PostgreSQL's `percentile_cont` does; each within 2 %.
        """
        numbers = unpack(f">{len(self.packed) // 4}i", self.packed)
        reached = list(accumulate(numbers[1::2]))
        if not reached or reached[-1] < 1:
            return None
        buckets = numbers[::2]
        return tuple(_between(buckets, reached, share * (reached[-1] - 1)) / 1000 for share in shares)


@lru_cache(maxsize=4096)
def histogram_of(bucket: int, count: int) -> Histogram:
    """So many durations in one bucket."""
    return Histogram(_PAIR.pack(bucket, count))


def added(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one."""
    total: dict[int, int] = {}
    for histogram in histograms:
        for bucket, count in _PAIR.iter_unpack(histogram.packed):
            total[bucket] = total.get(bucket, 0) + count
    numbers = list(chain.from_iterable(pair for pair in sorted(total.items()) if pair[1]))
    return Histogram(pack(f">{len(numbers)}i", *numbers))


def _between(buckets: Sequence[int], reached: Sequence[int], rank: float) -> float:
    """What stands at a rank counted from 0, in proportion between the two whole ranks around it."""
    whole = int(rank)
    place = bisect_right(reached, whole)
    lower = _says(buckets[place])
    if whole == rank or whole + 1 < reached[place]:
        return lower
    return lower + (rank - whole) * (_says(buckets[place + 1]) - lower)
