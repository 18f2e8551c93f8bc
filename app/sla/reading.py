"""Reading a promise from custody: how much of it is used up, and when it is or was due.

Knows one policy, one calendar and who held the ball; every call starts from scratch. Refuses to know what starts or
ends a clock, and what was recorded about it before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app.sla.business_time import add, elapsed
from app.sla.calendar import Calendar, Span
from app.sla.policy import Policy
from app.tickets.custody import Custody, Holder, Interval, held

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """`elapsed` is the business time used so far, in the `intervals` that count.

    `due_at` and `warn_at` are the moments at which the target, or its share for warning, is used up if nothing changes,
    and `climb_at` that of a level of the ladder. A moment that the clock ran past stays, and one that it has not
    reached is None while it is paused.
    """

    calendar: Calendar
    due_at: datetime | None
    warn_at: datetime | None
    climb_at: datetime | None
    running: bool
    intervals: tuple[Interval, ...]

    @property
    def elapsed(self) -> timedelta:
        return sum((elapsed(self.calendar, part.start, part.end) for part in self.intervals), timedelta())


def read(
    policy: Policy,
    calendar: Calendar,
    custody: tuple[Custody, ...],
    *,
    started_at: datetime,
    stopped_at: datetime | None,
    now: datetime,
    level: timedelta | None = None,
) -> Reading:
    """A promise made at `started_at`, and fulfilled at `stopped_at` unless that is None, as it stands at `now`.

    `custody` has an entry at least and none after `now`. Time before its first entry counts as the first holder's: a
    post is asked before it is received. Raises NeverOpen.
    """
    end = _NEVER if stopped_at is None else stopped_at
    if started_at < custody[0].since:
        custody = (replace(custody[0], since=started_at), *custody[1:])
    counted = _counted(policy, custody, started_at, end)
    spans = _joined(counted)
    so_far = tuple(
        Interval(part.holder, part.department, part.start, min(part.end, now)) for part in counted if part.start < now
    )
    return Reading(
        calendar=calendar,
        due_at=_reached(calendar, spans, end, policy.target),
        warn_at=_reached(calendar, spans, end, policy.target * policy.warn),
        climb_at=None if level is None else _reached(calendar, spans, end, level),
        running=stopped_at is None and bool(spans) and spans[-1][1] == end,
        intervals=so_far,
    )


def _counted(policy: Policy, custody: tuple[Custody, ...], start: datetime, end: datetime) -> tuple[Interval, ...]:
    """The parts of [start, end) whose holder's time counts."""
    return tuple(
        Interval(part.holder, part.department, max(part.start, start), part.end)
        for part in held(custody, end)
        if part.end > start and part.holder is not Holder.NOBODY and part.holder not in policy.pauses
    )


def _joined(intervals: Sequence[Interval]) -> list[Span]:
    spans: list[Span] = []
    for interval in intervals:
        if spans and spans[-1][1] == interval.start:
            spans[-1] = spans[-1][0], interval.end
        else:
            spans.append((interval.start, interval.end))
    return spans


def _reached(calendar: Calendar, spans: Sequence[Span], end: datetime, duration: timedelta) -> datetime | None:
    """When `duration` is used up within `spans`, or would be if the last one, when it reaches `end`, went on.

    A pause that begins at that very moment is in time, as a stop would be: the moment then moves to after the pause.
    """
    left = duration
    for start, stop in spans:
        moment = add(calendar, start, left)
        if moment < stop or stop == end:
            return moment
        left -= elapsed(calendar, start, stop)
    return None
