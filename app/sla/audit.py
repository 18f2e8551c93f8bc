"""Whether what stands is what custody says: clocks read from scratch, beside clocks as they were kept.

Knows which facts of a clock are given, and that all others follow from them and from custody. Refuses to know what
becomes of a difference.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from app.sla.calendar import Calendar
from app.sla.clock import Clock, measured, next_at
from app.sla.ladder import Ladders
from app.tickets.custody import Custody, Holder

_FOLLOWS = ("state", "due_at", "warn_at", "breached_at", "climb_at", "elapsed")


def afresh(
    clock: Clock,
    custody: tuple[Custody, ...],
    now: datetime,
    *,
    calendars: Mapping[str, Calendar],
    ladders: Ladders,
) -> Clock:
    """The clock from nothing but its start, its end, its policy, what was told and climbed, and custody.

    An open clock is read as of the moment that the sweep waits for, if that is past: being late is the sweep's fault
    and no difference. A breach that was told a moment before the end, by a clock ahead of ours, was one.

    Raises NeverOpen, UnknownCalendar.
    """
    at = min(now, next_at(clock) or now)
    read = measured(replace(clock, breached_at=None), custody, at, calendars, ladders)
    if clock.breached_at is not None and read.due_at == clock.breached_at:
        read = measured(clock, custody, at, calendars, ladders)
    return replace(read, warned_at=clock.warned_at)


def differences(kept: Clock, read: Clock) -> dict[str, tuple[Any, Any]]:
    """What does not follow: by field the value that was kept and the one that was read. Empty: all is well."""
    both = {name: (getattr(kept, name), getattr(read, name)) for name in _FOLLOWS}
    return {name: (old, new) for name, (old, new) in both.items() if old != new}


def is_past(clock: Clock) -> bool:
    """Whether its outcome is certain, so that reports may have counted it already."""
    return clock.ended_at is not None or clock.breached_at is not None


def unsound(custody: tuple[Custody, ...], *, closed: bool) -> str | None:
    """What is wrong with a history of holders, whose parts then do not add up to the ticket's life; None: nothing."""
    if not custody:
        return "nobody ever had the ball"
    if any(later.since < earlier.since for earlier, later in pairwise(custody)):
        return "a holder comes before the one before"
    if (custody[-1].holder is Holder.NOBODY) is not closed:
        return f"{'somebody' if closed else 'nobody'} has the ball of a {'closed' if closed else 'living'} ticket"
    return None
