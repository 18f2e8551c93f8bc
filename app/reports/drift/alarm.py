"""A topic that suddenly grows or sours.

Knows when a week is unusual beside the eight before it, and when it is calm again. Refuses to know where counts come
from (week) and who is told.

- `grows`: more posts than the weeks before make likely, by the negative binomial tail of escalation.spike (Noufaily et
  al., 2013), which widens where the weeks scatter more than Poisson's.
- The others are shares. The week and those before it make a two-by-two table, and the chance is the upper tail of its
  hypergeometric distribution: Fisher's exact test (R. A. Fisher, *Statistical methods for research workers*, 1934,
  21.02; Agresti, *Categorical data analysis*, 3.5), which holds for any counts and errs on the side of silence.

An alarm needs a chance below `RARE`, and to be worth a person's while: `LEAST` cases, and `TIMES` the usual. It rests
when the chance is above `CALM`, or the weeks before have become like it.

False alarms: of a share that stays the same at most one look in 1/`RARE` alarms, of a number hardly more; simulated,
30 topics of 5 to 200 posts a week that never changed raised 0 and 4 alarms in two years of daily looks. A topic at 60
posts a week that doubles, and a share of 5 % of 100 that becomes 25 %, are found in nine of ten cases that week.
tests/logic/test_drift.py keeps these.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.escalation.spike import baseline, chance
from app.reports.drift.week import Counts

RARE = 1e-4
CALM = 0.05
LEAST = 5
TIMES = 1.5
PAST = 4  # weeks before that there must be at least


class Drift(StrEnum):
    GROWS = "grows"
    UNSURE = "unsure"  # more of its posts come into triage first
    CORRECTED = "corrected"  # more of what is taken for it turns out to be something else
    HANDED_BACK = "handed_back"  # departments give more of it back
    SOUR = "sour"  # customers write of it in worse words
    DETRACTORS = "detractors"  # customers score it lower


# The share that each kind is about: so many (first) of so many (second).
SHARES: Mapping[Drift, tuple[str, str]] = {
    Drift.UNSURE: ("unsure", "posts"),
    Drift.CORRECTED: ("corrected", "taken"),
    Drift.HANDED_BACK: ("handed_back", "handed_over"),
    Drift.SOUR: ("sour", "heard"),
    Drift.DETRACTORS: ("detractors", "scored"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """How one week of a topic compares: `n` where `usual` were to be expected, `of` so many (None: of any number)."""

    topic: str
    kind: Drift
    n: int
    of: int | None
    usual: float
    chance: float

    @property
    def alarms(self) -> bool:
        return self.chance < RARE and self.n >= LEAST and self.n >= TIMES * self.usual

    @property
    def calm(self) -> bool:
        return self.chance > CALM or self.n < LEAST or self.n < self.usual


def findings(weeks: Mapping[str, Sequence[Counts]]) -> Iterator[Finding]:
    """Of each topic each kind that can be judged. `weeks` by topic, oldest first; the last is looked at."""
    for topic, (*before, week) in weeks.items():
        if len(before) < PAST:
            continue
        usual = baseline([[one.posts for one in before]])
        if usual is not None:
            yield Finding(topic, Drift.GROWS, week.posts, None, usual.expected(1), chance(week.posts, usual, 1))
        past = sum(before, Counts())
        for kind, (part, whole) in SHARES.items():
            n, then = getattr(week, part), getattr(past, part)
            # What is given back this week may have been handed over the week before.
            of, of_then = max(getattr(week, whole), n), max(getattr(past, whole), then)
            if of and of_then:
                yield Finding(topic, kind, n, of, of * then / of_then, _fisher(n, of, then, of_then))


def _fisher(n: int, of: int, then: int, of_then: int) -> float:
    """P(X >= n) where X of `of` fall to this week when `n + then` fall anywhere among `of + of_then` alike."""
    hits, everything = n + then, of + of_then
    highest = min(hits, of)
    terms = (
        _ways(of, k) + _ways(of_then, hits - k) - _ways(everything, hits)
        for k in range(max(n, hits - of_then), highest + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))


def _ways(n: int, k: int) -> float:
    """The logarithm of n over k."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
