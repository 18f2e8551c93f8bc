"""Where topics go wrong: the topic that tickets were given at first, against the one that they have now.

Knows how counts of pairs become shares. Refuses to know who corrected a topic, and when. None is no topic: triage.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

Pair = tuple[str | None, str | None]  # the topic at first, the topic now


@dataclass(frozen=True, slots=True)
class Confused:
    """`n` tickets went from one topic to another, or stayed. `share` is of those that had `first` at first, 0 to 1."""

    first: str | None
    now: str | None
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class Understood:
    """Of the tickets whose topic was found: `n`, and how many have it still. `share` is right / n, None of nothing."""

    n: int
    right: int
    share: float | None


def confuse(pairs: Mapping[Pair, int]) -> tuple[Confused, ...]:
    """The cells that are not empty: for each topic at first, by name, those that it became, the most frequent first."""
    rows: Counter[str | None] = Counter()
    for (first, _), n in pairs.items():
        rows[first] += n
    cells = (Confused(first, now, n, n / rows[first]) for (first, now), n in pairs.items() if n)
    return tuple(sorted(cells, key=lambda one: (one.first is None, one.first or "", -one.n, one.now or "")))


def understand(pairs: Mapping[Pair, int]) -> Understood:
    """How often a topic that was found is the right one. What went to triage at first was not wrong: nobody guessed."""
    found = [(first == now, n) for (first, now), n in pairs.items() if first is not None]
    n, right = sum(n for _, n in found), sum(n for same, n in found if same)
    return Understood(n, right, right / n if n else None)
