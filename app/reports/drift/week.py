"""Seven days of one topic, in counts.

Knows what of a topic is counted and how days become weeks. Refuses to know where facts are kept and what is unusual
(alarm). Weeks end with the last whole day, so that every day they can be looked at anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from typing import NamedTuple

WEEK = timedelta(weeks=1)
WEEKS = 9  # the one that is looked at, and eight before it


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one topic. Posts count when they came in; scores when the ticket was resolved."""

    posts: int = 0  # that turned out to be about it
    unsure: int = 0  # of these: that came into triage first
    taken: int = 0  # that were taken for it at first
    corrected: int = 0  # of these: that turned out to be about something else
    handed_over: int = 0  # to a department
    handed_back: int = 0
    scored: int = 0
    detractors: int = 0
    sure: float = 0.0  # the confidences of `decided` decisions, added up
    decided: int = 0
    heard: int = 0  # of the decided: where words were weighed
    sour: int = 0  # of these: below zero

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


class Daily(NamedTuple):
    """Counts of a topic on one day."""

    topic: str
    day: date
    counts: Counts


def weeks_of(days: Iterable[Daily], until: date) -> Mapping[str, tuple[Counts, ...]]:
    """Each topic's weeks up to the day before `until`, oldest first; as many as there was anything in, of any topic, at
    most `WEEKS`.

    Weeks before the first day of all are left out: nothing was counted then, which is not the same as nothing there.
    """
    known = [one for one in days if until - WEEKS * WEEK <= one.day < until]
    if not known:
        return {}
    number = -((min(one.day for one in known) - until) // WEEK)
    weeks: dict[str, list[Counts]] = defaultdict(lambda: [Counts()] * number)
    for topic, day, counts in known:
        place = number - 1 - (until - day - timedelta(days=1)) // WEEK
        weeks[topic][place] += counts
    return {topic: tuple(counted) for topic, counted in sorted(weeks.items())}
