"""Ladders: what is done as a promise comes near its due moment, and after it.

Knows rungs, each reached when so much of the time of a clock is used up, and which come next. Refuses to know when that
is (reading) and how anything is done (flows).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

_NOTHING = timedelta()


class Does(StrEnum):
    """What a rung does; each verb has its object."""

    NOTIFY = "notify"  # department, lead or manager
    RAISE = "raise"  # the priority, to at least this one
    TAKE_BACK = "take_back"  # from a department, to webcare
    ESCALATE = "escalate"  # to pr


@dataclass(frozen=True, slots=True)
class Rung:
    """Reached when `share` of the target and `offset` more is used up; 1 and nothing more is the due moment."""

    share: float
    offset: timedelta
    does: Does
    to: str

    @property
    def name(self) -> str:
        """What it is told apart by: it happens once for a clock, wherever it stands on the ladder by then."""
        return f"{self.does} {self.to} at {self.share:g}{self.offset.total_seconds():+g}s"

    def within(self, target: timedelta) -> timedelta:
        """The business time after which it is reached; at once when there never was so much time."""
        return max(target * self.share + self.offset, _NOTHING)


Ladder = Sequence[Rung]
Ladders = Mapping[str, Ladder]


def next_level(ladder: Ladder, target: timedelta, climbed: timedelta | None) -> timedelta | None:
    """The business time after which the next rungs above `climbed` are reached; None at the top.

    `climbed` is a level that was reached before, None when none was. What has been reached is kept as time and not as
    a number of rungs, so that a ladder may be rebuilt while clocks stand on it.
    """
    levels = (rung.within(target) for rung in ladder)
    return min((level for level in levels if climbed is None or level > climbed), default=None)


def rungs_at(ladder: Ladder, target: timedelta, level: timedelta) -> tuple[Rung, ...]:
    """The rungs that are reached at this level, in the order of the ladder."""
    return tuple(rung for rung in ladder if rung.within(target) == level)
