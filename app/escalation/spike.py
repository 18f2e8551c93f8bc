"""Spikes: more posts about something than its own past makes likely.

Knows how a count of this hour is judged against the same hours of the weeks before. Refuses to know what is counted and
what follows from a spike (incidents.incident).

The formula, after Farrington et al., *A statistical algorithm for the early detection of outbreaks of infectious
disease* (J. R. Statist. Soc. A 159, 1996, 547-563) with the negative binomial tail of Noufaily et al., *An improved
algorithm for outbreak detection in multiple surveillance systems* (Statistics in Medicine 32, 2013, 1206-1222):

1. The past is the same hour of the week and its two neighbours in each of the weeks before: m counts. One that lies far
   above those of its own hour was a spike itself and is cut down to their median + 3 max(1.4826 MAD, sqrt(median), 1).
2. With S their sum, a Poisson count of a share f of an hour is negative binomial given the past, with mean
   mu = f (S + 1/2) / m and size S + 1/2 (Jeffreys' prior): few or no counts make a wide distribution, not a threshold
   of zero. Counts that scatter more than Poisson's do, with phi = max(1, variance / mean), widen it to the variance
   phi (mu + mu^2 / (S + 1/2)). The variance is that around the mean of each hour: that a morning fills up scatters
   nothing.
3. The chance of a count is its tail P(X >= n). It is small when the count is a spike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

_PRIOR = 0.5  # Jeffreys, for a Poisson rate
_SCALE = 1.4826  # of the median absolute deviation, to be a standard deviation where counts are normal
_FAR = 3.0
_NEGLIGIBLE = 1e-12  # of the tail so far


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual in one hour: `total` posts in so many `hours` of the past, and how they scatter (1 as Poisson)."""

    total: float
    hours: int
    dispersion: float

    def expected(self, share: float) -> float:
        """The mean of a `share` of an hour, 0 to 1."""
        return share * (self.total + _PRIOR) / self.hours


def baseline(hours: Sequence[Sequence[int]]) -> Baseline | None:
    """What is usual, from the counts of comparable hours, those of the same hour together; None when there are none."""
    kept = [_cut(counts) for counts in hours if counts]
    number = sum(map(len, kept))
    if not number:
        return None
    total = sum(map(sum, kept))
    around = sum((count - mean) ** 2 for counts in kept for mean in [fmean(counts)] for count in counts)
    free = number - len(kept)
    dispersion = around / free * number / total if free and total else 1.0
    return Baseline(total, number, max(1.0, dispersion))


def _cut(counts: Sequence[int]) -> list[float]:
    """Without what stands out by far."""
    middle = median(counts)
    scatter = _SCALE * median(abs(count - middle) for count in counts)
    highest = middle + _FAR * max(scatter, math.sqrt(middle), 1.0)
    return [min(count, highest) for count in counts]


def chance(count: int, usual: Baseline, share: float) -> float:
    """The chance of at least `count` posts in a `share` of an hour, 0 to 1."""
    mean = usual.expected(share)
    spread = usual.dispersion * (mean + mean**2 / (usual.total + _PRIOR))
    size = mean**2 / (spread - mean)
    return _tail(count, size, size / (size + mean))


def _tail(count: int, size: float, stay: float) -> float:
    """P(X >= count) of a negative binomial of this size that stops with probability `stay`; terms from `count` up.

    Below the mean the terms rise first, so there the few below `count` are summed instead.
    """
    mean = size * (1 - stay) / stay
    if count <= mean:
        return max(0.0, 1.0 - sum(_term(below, size, stay) for below in range(count)))
    term = _term(count, size, stay)
    total, at = 0.0, count
    while term > _NEGLIGIBLE * total or not total:
        total += term
        if not term:
            break
        term *= (size + at) / (at + 1) * (1 - stay)
        at += 1
    return min(total, 1.0)


def _term(count: int, size: float, stay: float) -> float:
    """P(X = count), by logarithms: the factorials alone would overflow."""
    ways = math.lgamma(size + count) - math.lgamma(size) - math.lgamma(count + 1)
    return math.exp(ways + size * math.log(stay) + count * math.log1p(-stay))
