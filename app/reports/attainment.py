"""How well promises were kept: the share that was met, and how long they took.

Knows what the figures of a group are called and when there are none. Refuses to know which promises are asked about.
"""

from typing import NamedTuple

from app.reports.tally.histogram import percentiles_of
from app.reports.tally.measured import Sums, shares

PERCENTILES = (0.5, 0.9, 0.99)


class Attainment(NamedTuple):
    """The promises of a group whose outcome is certain.

    `met_share` is met / n, from 0 to 1. `p50`, `p90` and `p99` are seconds of business time, over the promises that
    have ended: one that is overdue and still runs counts as breached, but nobody knows yet how long it takes; the
    `_calendar` ones are of the same promises on the wall. What was not measured is None.
    """

    n: int
    met: int
    breached: int
    met_share: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    p50_calendar: float | None
    p90_calendar: float | None
    p99_calendar: float | None


def attain(promises: Sums) -> list[Attainment]:
    """The figures of each, also of none; percentiles within 2 %."""
    counts = (promises.n.tolist(), promises.good.tolist(), (promises.n - promises.good).tolist())
    durations = (one for spread in promises[3:] for one in percentiles_of(spread, PERCENTILES))
    return list(map(Attainment, *counts, shares(promises.good, promises.n), *durations))
