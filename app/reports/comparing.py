"""Two groups side by side: how far they are apart, and whether that is more than chance.

Knows intervals of shares and medians, and of the difference of two figures that each have one. Refuses to know which
groups are compared and why.

Every interval is of 95 %. That of a share is Wilson's score interval (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927). That
of a median lies between two order statistics, whose ranks are those of a binomial share of a half (W. J. Conover,
*Practical Nonparametric Statistics*, 3rd ed., 1999, 3.2). A difference takes its interval from those of its two
figures, by the square root of the sum of the squared margins on the facing sides (R. G. Newcombe, Statistics in
Medicine 17, 1998, 873-890, method 10; G. Y. Zou and A. Donner, ibid. 27, 2008, 1693-1702, for any two figures).
"""

from dataclasses import dataclass
from math import hypot, sqrt

Z_95 = 1.959964  # two-sided 95 % of the normal distribution
LEAST = 6  # values below which no two order statistics hold the median with 95 %: 2 / 2^6 < 0.05 < 2 / 2^5


@dataclass(frozen=True, slots=True)
class Bounded:
    """A figure and the ends of its interval, in the unit of the figure."""

    value: float
    low: float
    high: float


def share(count: int, n: int) -> Bounded | None:
    """The share of `count` in `n`, 0 to 1; None of nothing."""
    if n == 0:
        return None
    found, z2 = count / n, Z_95**2
    centre = (found + z2 / (2 * n)) / (1 + z2 / n)
    margin = Z_95 / (1 + z2 / n) * sqrt(found * (1 - found) / n + z2 / (4 * n * n))
    return Bounded(found, min(found, max(0.0, centre - margin)), max(found, min(1.0, centre + margin)))


def median_shares(n: int) -> tuple[float, float, float]:
    """The shares (0 to 1) of `n` values below which their median and the ends of its interval lie.

    Below `LEAST` values the ends do not hold it with 95 %.
    """
    margin = Z_95 / (2 * sqrt(max(1, n)))
    return 0.5, max(0.0, 0.5 - margin), min(1.0, 0.5 + margin)


def difference(one: Bounded | None, other: Bounded | None) -> Bounded | None:
    """How much higher `one` is than `other`; None when either is not known."""
    if one is None or other is None:
        return None
    apart = one.value - other.value
    return Bounded(
        apart,
        apart - hypot(one.value - one.low, other.high - other.value),
        apart + hypot(one.high - one.value, other.value - other.low),
    )


def is_certain(apart: Bounded | None) -> bool | None:
    """Whether a difference is more than noise: zero lies outside its interval. None when it is not known."""
    return None if apart is None else not apart.low <= 0 <= apart.high
