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
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

GROWTH = 1.04  # a value is at most (GROWTH - 1) / (GROWTH + 1) = 1.96 % from what its bucket says
_SCALE = 1 / math.log(GROWTH)
_PAIR = Struct(">ii")


def bucket_of(milliseconds: int) -> int:
    """0 for none at all; bucket n holds from GROWTH ** (n - 1) up to, but not including, GROWTH ** n."""
    return 0 if milliseconds < 1 else 1 + int(math.log(milliseconds) * _SCALE)


BUCKETS = bucket_of(2**63) + 1  # of all that the database can hold
# The milliseconds that are relatively as far from each bucket's one end as from the other.
_SAYS: Floats = np.where(np.arange(BUCKETS) == 0, 0.0, 2 * np.power(GROWTH, np.arange(BUCKETS)) / (1 + GROWTH))


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many durations there are in each bucket: bucket and count in turns, in the order of the buckets, four bytes
    each with the highest first. Counts below zero are what is to be taken out of another one.

    A report reads thousands of them: as bytes they come from the database without an object for each number.
    """

    packed: bytes = b""

    def percentiles(self, shares: Sequence[float]) -> tuple[float, ...] | None:
        """The seconds below which each share (0 to 1) of the durations lies; None without any duration."""
        found = tuple(value for [value] in percentiles_of(unpacked([self.packed]), shares) if value is not None)
        return found or None


NONE = Histogram()


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


class Histograms(NamedTuple):
    """Many of them, as columns: number i is what stands in `pairs`, bucket and count, from `start[i]` to `end[i]`."""

    pairs: npt.NDArray[np.int32]
    start: Ints
    end: Ints

    def taken(self, which: Ints | Flags) -> "Histograms":
        """Those at these places, in their order."""
        return Histograms(self.pairs, self.start[which], self.end[which])

    def each(self) -> list[Histogram]:
        """One by one."""
        every, size = self.pairs.astype(">i4").tobytes(), _PAIR.size
        spans = zip((size * self.start).tolist(), (size * self.end).tolist(), strict=True)
        return [Histogram(every[start:end]) if start < end else NONE for start, end in spans]


def unpacked(packed: Iterable[bytes], sizes: Ints | None = None) -> Histograms:
    """Each piece is a histogram; or, where `sizes` tells the bytes of each, several end to end."""
    pieces = list(packed)
    end = np.cumsum([len(one) for one in pieces] if sizes is None else sizes, dtype=np.int64) // _PAIR.size
    pairs = np.frombuffer(b"".join(pieces), ">i4").astype(np.int32).reshape(-1, 2)
    return Histograms(pairs, np.concatenate(([0], end[:-1])) if len(end) else end, end)


def lined_up(several: Sequence[Histograms]) -> Histograms:
    """The histograms of all, in their order."""
    pairs, start, end = zip(*several, strict=True)
    before = np.repeat(np.cumsum([0, *map(len, pairs[:-1])]), [len(one) for one in start])
    return Histograms(np.concatenate(pairs), np.concatenate(start) + before, np.concatenate(end) + before)


def grouped(keys: Ints) -> tuple[Ints, Ints]:
    """An order in which equal keys stand together, and where in it each different one begins. No key is below zero.

    `numpy.unique` tells the same, and loads a part of numpy that makes the first answer of a process wait.
    """
    order = np.argsort(keys, kind="stable")
    return order, np.flatnonzero(np.diff(keys[order], prepend=-1))


def joined(several: Histograms, begins: Ints) -> Histograms:
    """Those from each place of `begins` up to the next one as one. What stands alone is not looked at."""
    if len(begins) == len(several.start) or not len(several.pairs):
        return several.taken(begins)
    sizes = np.diff(begins, append=len(several.start))
    start, end = several.start[begins], several.end[begins]
    into = np.repeat(np.arange(len(begins)), sizes)
    parts = np.flatnonzero(sizes[into] > 1)
    lengths = (several.end - several.start)[parts]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    pairs = several.pairs[np.repeat(several.start[parts], lengths) + within]
    keys = np.repeat(into[parts], lengths) * BUCKETS + pairs[:, 0]
    order, firsts = grouped(keys)
    times = np.add.reduceat(pairs[order, 1], firsts, dtype=np.int64)
    keys, times = keys[order[firsts]][times != 0], times[times != 0]
    more = np.flatnonzero(sizes > 1)
    ends = len(several.pairs) + np.searchsorted(keys, np.stack((more, more + 1)) * BUCKETS)
    start[more], end[more] = ends
    made = np.stack((keys % BUCKETS, times), axis=1).astype(np.int32)
    return Histograms(np.concatenate((several.pairs, made)), start, end)


def percentiles_of(
    several: Histograms, shares: Sequence[float] | Sequence[Sequence[float]]
) -> list[list[float | None]]:
    """For each share (0 to 1) of all, or of each its own: the seconds of each below which it lies; None without any.

    Between two durations in proportion, as PostgreSQL's `percentile_cont` does; each within 2 %. All are read at once:
    an answer has thousands.
    """
    counts = np.maximum(several.pairs[:, 1], 0)
    reached = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    before, after = reached[several.start], reached[several.end]
    some = np.flatnonzero(after > before)
    some = some[np.argsort(before[some])]  # as they lie in memory: looked up so, they take a fifth of the time
    asked = np.atleast_2d(np.asarray(shares, dtype=np.float64)).T
    ranks = np.broadcast_to(asked, (len(asked), len(before)))[:, some] * (after - before - 1)[some]
    whole = ranks.astype(np.int64)
    lower, upper = (
        _SAYS[several.pairs[np.searchsorted(reached, before[some] + rank, side="right") - 1, 0]]
        for rank in (whole, np.ceil(ranks).astype(np.int64))
    )
    found = np.full((len(asked), len(before)), None)
    found[:, some] = (lower + (ranks - whole) * (upper - lower)) / 1000
    return found.tolist()


def counts_of(several: Histograms) -> Ints:
    """How many durations there are in each."""
    reached = np.concatenate(([0], np.cumsum(several.pairs[:, 1], dtype=np.int64)))
    return reached[several.end] - reached[several.start]
