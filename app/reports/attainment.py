"""How well promises were kept: the share that was met, and how long they took.

Knows what the figures of a group are called and when there are none. Refuses to know which promises are asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

PERCENTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Attainment:
    """The promises of a group whose outcome is certain.

    `met_share` is met / n, from 0 to 1. `p50`, `p90` and `p99` are seconds of business time, over the promises that
    have ended: one that is overdue and still runs counts as breached, but nobody knows yet how long it takes. What
    was not measured is None.
    """

    n: int
    met: int
    breached: int
    met_share: float | None
    p50: float | None
    p90: float | None
    p99: float | None


def attain(met: int, breached: int, percentiles: Sequence[float] | None) -> Attainment:
    """The figures of a group, also of an empty one. `percentiles` in seconds, as `PERCENTILES` lists them, if any."""
    n = met + breached
    p50, p90, p99 = percentiles or (None, None, None)
    return Attainment(n, met, breached, met / n if n else None, p50, p90, p99)
