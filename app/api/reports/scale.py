"""Where an axis is named: whole counts, and lengths of time that clocks and calendars have.

Knows which steps people count in. Refuses to know how an axis is drawn, and leaves shares and scores, which have ends
of their own, to the drawing.
"""

from collections.abc import Iterable, Iterator
from itertools import count
from math import ceil, floor

from app.reports.dictionary import Unit

MOST = 8  # steps along an axis
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_CLOCK = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
)


def ticks(values: Iterable[float], unit: Unit) -> tuple[float, ...]:
    """From at most the least of the values, or nothing, to at least the greatest; none for a unit of another kind."""
    steps = {Unit.COUNT: _counted, Unit.SECONDS: _lasting}.get(unit)
    if steps is None:
        return ()
    reached = [0.0, *values]
    least, most = min(reached), max(reached)
    step = next(step for step in steps() if (most - least) / step <= MOST)
    return tuple(float(step * place) for place in range(floor(least / step), max(1, ceil(most / step)) + 1))


def _counted() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 ..."""
    return (part * 10**power for power in count() for part in (1, 2, 5))


def _lasting() -> Iterator[int]:
    """Seconds: what a clock shows, then days as they are counted."""
    yield from _CLOCK
    yield from (days * _DAY for days in _counted())
