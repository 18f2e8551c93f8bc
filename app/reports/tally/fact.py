"""Facts: the countable things that happened to a ticket.

Knows the kinds of facts, what each carries, and in what two countings differ. Refuses to know how a ticket comes to
have them (counting) and what figures are made of them (dictionary).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.reports.question import Dimensions


class Measure(StrEnum):
    """A kind of fact. `at`, `detail`, `good`, `value` and `lasted` of a fact say what stands beside its kind here.

    Durations are whole milliseconds. A promise is `good` when it was kept; its `value` is business time, `lasted` the
    time on the wall, both only once it has ended.
    """

    OPENED = "opened"
    MENTIONED = "mentioned"  # a post of the customer was put on the ticket
    FIRST_REPLY = "first_reply"  # a promise whose outcome is certain; the next four as well
    NEXT_REPLY = "next_reply"
    RESOLUTION = "resolution"
    ACCEPTANCE = "acceptance"
    OWNERSHIP = "ownership"
    HELD = "held"  # a stretch of the ticket's unresolved life, at its end; detail: the holder; value: how long
    PLACED = "placed"  # at the opening; detail: what placed it, an ownership, a route, or nothing: triage
    UNDERSTOOD = "understood"  # at the opening; detail: the topic that it was taken for, '' for none
    HANDED_OVER = "handed_over"  # to a department, whose time begins
    HANDED_BACK = "handed_back"  # by a department; detail: the code of the reason
    FELL_BACK = "fell_back"  # a department did not take it in time; detail: why
    REPLIED = "replied"  # detail: department or webcare, whoever spoke; good: a department itself
    # Webcare said what a department had answered; detail: reused, if on another ticket; good: unchanged; value:
    # permille of its words that were changed.
    PUBLISHED = "published"
    RESOLVED = "resolved"  # detail: the code; value: how often the ball had gone to somebody else among us
    REOPENED = "reopened"
    BACKLOG = "backlog"  # value: 1 when it begins to wait for us, -1 when it does no longer
    ASKED = "asked"  # for a score, at the resolution; good: the customer answered
    UNASKED = "unasked"  # at the resolution; detail: why not
    SCORED = "scored"  # at the resolution; detail: promoter, passive or detractor; value: the score


PROMISES = (Measure.FIRST_REPLY, Measure.NEXT_REPLY, Measure.RESOLUTION, Measure.ACCEPTANCE, Measure.OWNERSHIP)
TIMED = frozenset({*PROMISES, Measure.HELD})  # their values are durations, of which percentiles are asked


class Fact(NamedTuple):
    """One countable thing. `of` says whom and what it counts for."""

    measure: Measure
    at: datetime
    of: Dimensions
    detail: str = ""
    good: bool = False
    value: int | None = None
    lasted: int | None = None


def differing(before: Mapping[int, Fact], now: Sequence[Fact]) -> tuple[list[int], list[Fact]]:
    """Of a ticket that is counted again: the numbers of facts that are none any more, and the facts that are new."""
    if not before:
        return [], list(now)
    missing, gone = Counter(now), list[int]()
    for number, fact in before.items():
        if missing[fact] > 0:
            missing[fact] -= 1
        else:
            gone.append(number)
    return gone, list(missing.elements())
