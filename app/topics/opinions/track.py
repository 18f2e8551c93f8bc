"""How far opinions can be trusted: from how often those before them turned out right.

Knows the bound below which the true precision hardly lies. Refuses to know what right means (store) and who gave them.

The bound is the exact one of Clopper and Pearson, *The use of confidence or fiducial limits illustrated in the case of
the binomial* (Biometrika 26, 1934, 404-413), one-sided at 95 %: the precision at which so many or more right ones would
be seen once in twenty times. It holds for any n; at 59 of 59 it passes 0.95.
"""

import math
from dataclasses import dataclass

RISK = 0.05  # of trusting more than is deserved
LEAST = 30  # below, nothing is said; a topic's first weeks are for people to judge
_HALVINGS = 40  # of the interval in which the bound is looked for: to 1e-12


@dataclass(frozen=True, slots=True)
class Track:
    """Of `n` opinions whose tickets are settled, `right` had the topic with which these ended."""

    n: int
    right: int

    @property
    def precision(self) -> float | None:
        """At least this, with 95 % confidence; None while there are too few."""
        return _bound(self.right, self.n) if self.n >= LEAST else None


def _bound(right: int, n: int) -> float:
    if right == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_least(right, n, middle) < RISK:
            low = middle
        else:
            high = middle
    return low


def _at_least(right: int, n: int, p: float) -> float:
    """P(X >= right) for a binomial X."""
    log_p, log_q = math.log(p), math.log1p(-p)
    ways = (
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q
        for k in range(right, n + 1)
    )
    return math.fsum(map(math.exp, ways))
