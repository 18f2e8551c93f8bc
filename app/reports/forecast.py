"""How many tickets will be open later today, from what the same hours of past weeks brought and took away.

Knows the formula. Refuses to know where the counts stand, and which hours of past weeks are the same.

For each hour h ahead, with B the tickets that are open now and a week w of the past:

    net(w, h)   = opened - resolved, from the same minute of the week up to the end of hour h
    expected(h) = B + mean of net(w, h) over the weeks
    interval(h) = expected(h) +/- t s sqrt(1 + 1/W)

That is the interval within which one more week falls with 95 % (G. J. Hahn and W. Q. Meeker, *Statistical Intervals*,
1991, 4.7), with t of Student's distribution with W - 1 degrees of freedom. Whole stretches are compared, not hours one
by one, because busy hours come together. s^2 is the variance of net(w, h), but no less than the mean of
opened + resolved: what comes one by one and by chance scatters as much (Poisson), also where the few weeks agree. No
figure is below zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from math import sqrt
from statistics import fmean, variance

HOUR = timedelta(hours=1)
LEAST_WEEKS = 3
# Student's t, two-sided 95 %, by degrees of freedom from 2 on.
_T_95 = (4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201)
MOST_WEEKS = len(_T_95) + 2


@dataclass(frozen=True, slots=True)
class Flow:
    """What one hour brought and took away."""

    opened: int = 0
    resolved: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """How many tickets will be open at `at`, with the ends of a 95 % interval."""

    at: datetime
    expected: float
    low: float
    high: float


def hours_ahead(hour: datetime, until: datetime) -> int:
    """How many hours there are up to then, the one that began at `hour` and runs included."""
    return max(0, -((hour - until) // HOUR))


def forecast(now: datetime, hour: datetime, open_now: int, weeks: Sequence[Sequence[Flow]]) -> tuple[Ahead, ...]:
    """The backlog at the end of each hour ahead, first of the running one, which began at `hour`.

    `weeks` holds the same hours of so many weeks of the past, each as long; of the running hour the part counts that is
    left. Nothing is said from fewer than `LEAST_WEEKS`.
    """
    if not LEAST_WEEKS <= len(weeks) <= MOST_WEEKS:
        return ()
    left = 1 - (now - hour) / HOUR
    nets = [_summed([one.opened - one.resolved for one in week], left) for week in weeks]
    moves = [_summed([one.opened + one.resolved for one in week], left) for week in weeks]
    widen = _T_95[len(weeks) - LEAST_WEEKS] * sqrt(1 + 1 / len(weeks))
    ahead = []
    for place, (net, moved) in enumerate(zip(zip(*nets, strict=True), zip(*moves, strict=True), strict=True), start=1):
        expected = open_now + fmean(net)
        margin = widen * sqrt(max(variance(net), fmean(moved)))
        ends = (max(0.0, figure) for figure in (expected, expected - margin, expected + margin))
        ahead.append(Ahead(hour + place * HOUR, *ends))
    return tuple(ahead)


def _summed(hours: Sequence[int], left: float) -> list[float]:
    """From now on up to the end of each hour."""
    return list(accumulate([hours[0] * left, *hours[1:]])) if hours else []
