"""Durations in buckets that grow by four percent, so that those of many hours can be added and still give percentiles.

Knows buckets, adding and reading percentiles. Refuses to know what took so long.

The idea of log-scaled buckets whose relative error is bounded is that of HdrHistogram and DDSketch (C. Masson et al.,
"DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from struct import Struct, pack

import numpy as np
import numpy.typing as npt

GROWTH = 1.04  # a value is at most (GROWTH - 1) / (GROWTH + 1) = 1.96 % from what its bucket says
_SCALE = 1 / math.log(GROWTH)
_PAIR = Struct(">ii")


def bucket_of(milliseconds: int) -> int:
    """0 for none at all; bucket n holds from GROWTH ** (n - 1) up to, but not including, GROWTH ** n."""
    return 0 if milliseconds < 1 else 1 + int(math.log(milliseconds) * _SCALE)


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
        """The same as `percentiles_of` gives for this one."""
        return percentiles_of([self], shares)[0]


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


def percentiles_of(histograms: Sequence[Histogram], shares: Sequence[float]) -> list[tuple[float, ...] | None]:
    """Of each: the seconds below which each share (0 to 1) of its durations lies; None without any duration.

    Between two durations in proportion, as PostgreSQL's `percentile_cont` does; each within 2 %. All are read at once:
    an answer has thousands, and to take them one by one was most of what a report of two years cost.
    """
    pairs = np.frombuffer(b"".join(one.packed for one in histograms), ">i4").reshape(-1, 2)
    reached = np.concatenate(([0], np.cumsum(np.maximum(pairs[:, 1], 0), dtype=np.int64)))
    ends = np.cumsum([len(one.packed) // _PAIR.size for one in histograms], dtype=np.int64)
    after = reached[ends]
    before = np.concatenate(([0], after[:-1]))
    some = after > before
    ranks = np.outer(shares, (after - before - 1)[some])
    whole = ranks.astype(np.int64)
    lower, upper = (
        _says(pairs[np.searchsorted(reached, before[some] + rank, side="right") - 1, 0])
        for rank in (whole, np.ceil(ranks).astype(np.int64))
    )
    found = iter(zip(*((lower + (ranks - whole) * (upper - lower)) / 1000).tolist(), strict=True))
    return [next(found) if any_ else None for any_ in some.tolist()]


def _says(bucket: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """The milliseconds that are relatively as far from each bucket's one end as from the other."""
    return np.where(bucket == 0, 0.0, 2 * np.power(GROWTH, bucket, dtype=np.float64) / (1 + GROWTH))
