"""How well promises were kept: the share that was met, and how long they took.

Knows what the figures of a group are called and when there are none. Refuses to know which promises are asked about.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.reports.tally.cell import Cell
from app.reports.tally.histogram import percentiles_of

PERCENTILES = (0.5, 0.9, 0.99)
_UNKNOWN = (None, None, None)


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


def attain(groups: Sequence[Cell]) -> list[Attainment]:
    """The figures of each group, also of an empty one; percentiles within 2 %."""
    business = percentiles_of([promises.spread for promises in groups], PERCENTILES)
    calendar = percentiles_of([promises.lasted for promises in groups], PERCENTILES)
    return [
        _figures(promises.n, promises.good, (*(used or _UNKNOWN), *(lasted or _UNKNOWN)))
        for promises, used, lasted in zip(groups, business, calendar, strict=True)
    ]


def _figures(n: int, met: int, percentiles: Sequence[float | None]) -> Attainment:
    return Attainment(n, met, n - met, met / n if n else None, *percentiles)
