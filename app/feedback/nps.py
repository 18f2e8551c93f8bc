"""The Net Promoter Score of a group of customers, with its uncertainty.

Knows the arithmetic. Refuses to know whose scores they are and where they stand.
"""

from collections.abc import Mapping
from enum import StrEnum
from math import sqrt
from typing import NamedTuple

MIN_N = 10
_Z_95 = 1.959964  # two-sided 95 % of the normal distribution


class Band(StrEnum):
    """What a customer is by the score."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


BANDS: Mapping[Band, range] = {
    Band.PROMOTER: range(9, 11),
    Band.PASSIVE: range(7, 9),
    Band.DETRACTOR: range(7),
}


class Nps(NamedTuple):
    """Counts of answers, and figures from -100 to 100. The figures are None below ten answers: noise is no figure.

    `nps` is the plain score, 100 (promoters - detractors) / n. `low` and `high` bound the 95 % interval, which is
    centred on the adjusted score and so lies a little nearer to zero than `nps`. `response_rate` is n / invited,
    None when nobody was invited.
    """

    n: int
    promoters: int
    passives: int
    detractors: int
    invited: int
    nps: float | None
    low: float | None
    high: float | None
    response_rate: float | None


def band_of(given: int) -> Band:
    """What who gave this score, 0 to 10, is."""
    return next(band for band, scores in BANDS.items() if given in scores)


def is_detractor(given: int) -> bool:
    return band_of(given) is Band.DETRACTOR


def score(promoters: int, passives: int, detractors: int, invited: int) -> Nps:
    """The figure of a group."""
    n = promoters + passives + detractors
    enough = n >= MIN_N
    low, high = interval(n, promoters, detractors) if enough else (None, None)
    return Nps(
        n=n,
        promoters=promoters,
        passives=passives,
        detractors=detractors,
        invited=invited,
        nps=100 * (promoters - detractors) / n if enough else None,
        low=low,
        high=high,
        response_rate=n / invited if invited else None,
    )


def interval(n: int, promoters: int, detractors: int) -> tuple[float, float]:
    """The 95 % adjusted-Wald interval of an NPS, cut off at -100 and 100.

    Three imagined answers are added, 3/4 promoter, 3/2 passive, 3/4 detractor, before the Wald interval of a
    difference of two shares of one sample is taken: the plain interval is far too narrow for few answers and has no
    width at all when everybody agrees. Source: B. Rocks, "Interval Estimation for the Net Promoter Score", The
    American Statistician 70 (2016), 365-372.
    """
    size = n + 3
    up, down = (promoters + 0.75) / size, (detractors + 0.75) / size
    centre = up - down
    margin = _Z_95 * sqrt((up + down - centre**2) / size)
    return max(-100.0, 100 * (centre - margin)), min(100.0, 100 * (centre + margin))
