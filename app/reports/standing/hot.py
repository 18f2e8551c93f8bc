"""Which topics are hot: more posts in a day than the same day of other weeks makes likely.

Knows when a day stands out. Refuses to know who posted, and what is an incident: that is judged by the hour
(escalation.incidents), and calls people; this is for a meeting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.escalation.spike import baseline, chance

UNLIKELY = 0.01  # a topic of thirty seems hot every third day without being so
LEAST = 5  # posts


@dataclass(frozen=True, slots=True)
class Hot:
    """`posts` about a topic in a day where `usual` are expected; `unlikely`: the chance of so many."""

    topic: str
    posts: int
    usual: float
    unlikely: float


def hottest(days: Mapping[str, Sequence[int]]) -> tuple[Hot, ...]:
    """The least likely first. By topic: posts of the day, then of the same day of weeks before."""
    found = []
    for topic, (posts, *before) in days.items():
        usual = baseline([before])
        if usual is not None and posts >= LEAST and (unlikely := chance(posts, usual, 1.0)) < UNLIKELY:
            found.append(Hot(topic, posts, usual.expected(1.0), unlikely))
    return tuple(sorted(found, key=lambda one: (one.unlikely, one.topic)))
