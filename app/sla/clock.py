"""Clocks: when a promise began, how much of it is used up, when it is due and whether it was kept.

Starts and ends clocks as their policies say, and reads everything else from custody: an open clock adds nothing up, so
it cannot disagree with the history. Refuses to know why a ticket moved, and the database.

    state       it is
    running     open, and somebody who does not pause it has the ball
    paused      open, and the holder's time does not count: no due moment
    breached    past its due moment, open or ended; what is recorded is that moment, not when it was noticed
    met         ended by what it waited for, at or before the due moment
    cancelled   ended by something else before it was due: nothing is owed any more

An ended clock has `ended_at` and `ended_by`, and goes on again only when its ticket is reopened and its policy says so;
one that would go on ends by what it waited for when that comes before.
Promises to the customer of a ticket that is merged go on in the other one.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from uuid import UUID

from app.kit.errors import Invalid
from app.sla.calendar import Calendar
from app.sla.ladder import Ladders, next_level
from app.sla.policy import DEPARTMENTAL, Happening, Metric, Policy, Reopening
from app.sla.reading import read
from app.tickets.custody import Custody


class State(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What a clock tells the outside; the first two once per clock."""

    WARNING = "warning"
    BREACHED = "breached"
    MET = "met"


class UnknownCalendar(Invalid):
    """A clock still runs in a calendar that the rulebook no longer has."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise on one ticket. `round` numbers the clocks of a metric on a ticket from 1.

    `due_at`, `warn_at` and `climb_at` stand as in `app.sla.reading.Reading`; `warned_at` and `breached_at` are those
    moments, set once they have passed. `climbed` is the highest level of the ladder at which all was done. `elapsed` is
    the business time that an ended clock took. `first_ended_at` outlives reopening: the first resolution is kept apart
    from the total.
    """

    id: UUID
    ticket_id: UUID
    metric: Metric
    round: int
    department: str | None
    policy: Policy
    state: State
    started_at: datetime
    ended_at: datetime | None = None
    ended_by: Happening | None = None
    first_ended_at: datetime | None = None
    due_at: datetime | None = None
    warn_at: datetime | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    climb_at: datetime | None = None
    climbed: timedelta | None = None
    elapsed: timedelta | None = None


_REPLIES = frozenset({Metric.FIRST_REPLY, Metric.NEXT_REPLY})


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that `clock` has come past, and the moment at which it did."""

    clock: Clock
    step: Step
    at: datetime


def advance(
    clocks: Sequence[Clock],
    custody: tuple[Custody, ...],
    happenings: Sequence[Happening],
    at: datetime,
    *,
    ticket_id: UUID,
    policies: Mapping[Metric, Policy],
    calendars: Mapping[str, Calendar],
    new_id: Callable[[], UUID],
    started_at: datetime | None = None,
    rechosen: Collection[Metric] = (),
    ladders: Ladders = MappingProxyType({}),
) -> tuple[Clock, ...]:
    """All clocks of a ticket as they are after `happenings`, in the order in which they happened at `at`.

    Without any happening it records what open clocks came past by `at`: warnings and breaches, each at its own moment.

    `clocks` are all that the ticket had and `custody` is what it has now, not empty. `policies` are the ticket's
    present ones: new clocks freeze them, and clocks of the metrics in `rechosen` take them over when they are open and
    not breached by then; so does a clock whose calendar is gone. A metric without one starts no clock. `started_at` is
    when the customer asked, if not `at`: promises to the customer count from then; of `absorbed` and `parted` it is
    since when the customer waits for a reply by what came along or stayed behind, None when nobody does. Clocks that
    had ended stay as they are, unless reopened. Raises NeverOpen, UnknownCalendar.
    """
    ended = {clock.id: clock for clock in clocks if clock.ended_at is not None}
    current = list(clocks)
    for happening in happenings:
        starting = [metric for metric in policies if _starts(policies[metric], happening, current)]
        latest = {clock.metric: clock.id for clock in current}
        current = [_touched(clock, happening, at, latest=latest[clock.metric] == clock.id) for clock in current]
        current = [_rebased(clock, happening, custody[0].since, started_at, at) for clock in current]
        for metric in starting:
            department = custody[-1].department if metric in DEPARTMENTAL else None
            if metric in DEPARTMENTAL and department is None:
                continue
            if _is_running(metric, current) or (metric is Metric.NEXT_REPLY and _owes_reply(current)):
                continue
            if happening is Happening.ABSORBED and started_at is None:
                continue
            current.append(
                Clock(
                    id=new_id(),
                    ticket_id=ticket_id,
                    metric=metric,
                    round=1 + sum(clock.metric is metric for clock in current),
                    department=department,
                    policy=policies[metric],
                    state=State.RUNNING,
                    started_at=at if department else started_at or at,
                )
            )
    read_again = partial(measured, custody=custody, at=at, calendars=calendars, ladders=ladders)
    return tuple(
        clock if ended.get(clock.id) is clock else _promised(clock, policies, rechosen, calendars, read_again)
        for clock in current
    )


def measured(
    clock: Clock,
    custody: tuple[Custody, ...],
    at: datetime,
    calendars: Mapping[str, Calendar],
    ladders: Ladders,
) -> Clock:
    """The clock with its moments and state as custody has them at `at`; an earlier breach or warning stays recorded.

    Raises NeverOpen, UnknownCalendar.
    """
    calendar = calendars.get(clock.policy.calendar)
    if calendar is None:
        message = f"clocks still run in calendar {clock.policy.calendar!r}; put it back into the rulebook"
        raise UnknownCalendar(message, calendar=clock.policy.calendar)
    reading = read(
        clock.policy,
        calendar,
        custody,
        started_at=clock.started_at,
        stopped_at=clock.ended_at,
        now=at,
        level=_level_ahead(clock, ladders),
    )
    until = clock.ended_at or at
    breached_at = clock.breached_at or _before(reading.due_at, until)
    return replace(
        clock,
        state=_state(clock, breached=breached_at is not None, running=reading.running),
        due_at=breached_at or reading.due_at,
        warn_at=reading.warn_at,
        warned_at=clock.warned_at or _before(reading.warn_at, until),
        breached_at=breached_at,
        climb_at=reading.climb_at,
        elapsed=None if clock.ended_at is None else reading.elapsed,
    )


def passed(before: Iterable[Clock], after: Iterable[Clock]) -> tuple[Passed, ...]:
    """The steps that clocks came past between two states of them, in the order of their moments."""
    known = {clock.id: set(_steps(clock)) for clock in before}
    steps = (
        Passed(clock, step, at)
        for clock in after
        for step, at in _steps(clock)
        if (step, at) not in known.get(clock.id, ())
    )
    return tuple(sorted(steps, key=lambda step: step.at))


def taken_over(before: Iterable[Clock], after: Iterable[Clock]) -> tuple[tuple[Clock, Clock], ...]:
    """The clocks, as they were and as they are, that took over another policy between two states of them."""
    known = {clock.id: clock for clock in before}
    pairs = ((known[clock.id], clock) for clock in after if clock.id in known)
    return tuple((old, new) for old, new in pairs if old.policy != new.policy)


def due(clocks: Iterable[Clock]) -> dict[Metric, datetime]:
    """The due moment of each metric with an open clock; paused clocks have none."""
    return {clock.metric: clock.due_at for clock in clocks if clock.ended_at is None and clock.due_at is not None}


def waiting_since(clocks: Iterable[Clock]) -> datetime | None:
    """Since when the customer waits for a reply; None: nobody waits."""
    return min((one.started_at for one in clocks if one.metric in _REPLIES and one.ended_at is None), default=None)


def next_at(clock: Clock) -> datetime | None:
    """The moment that a sweep must wait for: the warning, the due moment, a rung; None when nothing is to come."""
    if clock.ended_at is not None:
        return None
    warning = clock.warn_at if clock.warned_at is None else None
    breach = clock.due_at if clock.breached_at is None else None
    return min(filter(None, (warning, breach, clock.climb_at)), default=None)


def _starts(policy: Policy, happening: Happening, clocks: Iterable[Clock]) -> bool:
    if happening is Happening.ABSORBED:
        return policy.metric is Metric.NEXT_REPLY
    restarts = happening is Happening.REOPENED and policy.runs.reopening is Reopening.RESTART
    return happening in policy.runs.starts or (
        restarts and any(clock.metric is policy.metric and clock.ended_at is not None for clock in clocks)
    )


def _touched(clock: Clock, happening: Happening, at: datetime, *, latest: bool) -> Clock:
    """The clock after one happening, before custody is read. Of several rounds only the `latest` is reopened."""
    if clock.ended_at is not None:
        if latest and _comes_after_all(clock, happening):
            return replace(clock, ended_at=max(at, clock.started_at), ended_by=happening)
        goes_on = _is_moved(clock) if happening is Happening.UNMERGED else latest and _goes_on(clock, happening)
        return replace(clock, ended_at=None, ended_by=None) if goes_on else clock
    merged = happening is Happening.MERGED
    if merged or happening in clock.policy.runs.stops | clock.policy.runs.cancels:
        ended_at = max(at, clock.started_at)
        first_ended_at = clock.first_ended_at or (None if merged else ended_at)
        return replace(clock, ended_at=ended_at, ended_by=happening, first_ended_at=first_ended_at)
    return clock


def _comes_after_all(clock: Clock, happening: Happening) -> bool:
    """Whether a clock that waited in vain, and would go on, gets what it waited for: a reply on a resolved ticket."""
    runs = clock.policy.runs
    in_vain = clock.ended_by not in runs.stops and not _is_moved(clock)
    return in_vain and happening in runs.stops and runs.reopening is Reopening.UNLESS_MET


def _goes_on(clock: Clock, happening: Happening) -> bool:
    """Whether an ended clock is open again when its ticket is."""
    if happening is not Happening.REOPENED:
        return False
    unmet = clock.ended_by not in clock.policy.runs.stops
    return clock.policy.runs.reopening is Reopening.CONTINUE or (
        clock.policy.runs.reopening is Reopening.UNLESS_MET and unmet
    )


def _rebased(clock: Clock, happening: Happening, life: datetime, waiting: datetime | None, at: datetime) -> Clock:
    """An open promise to the customer when tickets become one or two: of the customer who asked first counts.

    `life` is when the ticket's life began, with or without what came along or left. A ticket that is parted from
    its absorbed one was itself not late for it, so what was recorded of that goes as well.
    """
    if happening not in {Happening.ABSORBED, Happening.PARTED} or clock.ended_at or clock.metric in DEPARTMENTAL:
        return clock
    if happening is Happening.ABSORBED:
        sooner = life if clock.metric is Metric.RESOLUTION else waiting
        return replace(clock, started_at=min(clock.started_at, sooner or clock.started_at))
    own = life if clock.metric is Metric.RESOLUTION else waiting
    afresh = replace(clock, warned_at=None, breached_at=None)
    return replace(afresh, started_at=own) if own else replace(afresh, ended_at=at, ended_by=happening)


def _is_moved(clock: Clock) -> bool:
    """Whether the promise is kept, broken and counted on another ticket."""
    return clock.ended_by is Happening.MERGED and clock.metric not in DEPARTMENTAL


def _promised(
    clock: Clock,
    policies: Mapping[Metric, Policy],
    rechosen: Collection[Metric],
    calendars: Collection[str],
    read_again: Callable[[Clock], Clock],
) -> Clock:
    """The clock as it is read, by another policy where that holds now. A breach by the one before stays a breach."""
    other = policies.get(clock.metric, clock.policy)
    if clock.policy.calendar not in calendars:
        return read_again(replace(clock, policy=other))
    read_so_far = read_again(clock)
    if clock.metric in rechosen and read_so_far.ended_at is None and read_so_far.breached_at is None:
        return read_again(replace(read_so_far, policy=other))
    return read_so_far


def _is_running(metric: Metric, clocks: Iterable[Clock]) -> bool:
    """Whether a promise of this kind still waits: what would start one is then a part of what it waits for."""
    return any(clock.metric is metric and clock.ended_at is None for clock in clocks)


def _owes_reply(clocks: Iterable[Clock]) -> bool:
    """Whether the first reply was never given: a later post of the customer does not start a clock of its own."""
    return any(clock.metric is Metric.FIRST_REPLY and clock.ended_by not in clock.policy.runs.stops for clock in clocks)


def _level_ahead(clock: Clock, ladders: Ladders) -> timedelta | None:
    """What the clock climbs to next. Nothing is climbed once it ended, or when its ladder is no longer in the rules."""
    if clock.ended_at is not None or clock.policy.ladder is None:
        return None
    return next_level(ladders.get(clock.policy.ladder, ()), clock.policy.target, clock.climbed)


def _state(clock: Clock, *, breached: bool, running: bool) -> State:
    if _is_moved(clock):
        return State.CANCELLED
    if breached:
        return State.BREACHED
    if clock.ended_at is None:
        return State.RUNNING if running else State.PAUSED
    return State.MET if clock.ended_by in clock.policy.runs.stops else State.CANCELLED


def _before(moment: datetime | None, until: datetime) -> datetime | None:
    return moment if moment is not None and moment < until else None


def _steps(clock: Clock) -> Iterator[tuple[Step, datetime]]:
    if clock.warned_at is not None:
        yield Step.WARNING, clock.warned_at
    if clock.breached_at is not None:
        yield Step.BREACHED, clock.breached_at
    if clock.state is State.MET and clock.ended_at is not None:
        yield Step.MET, clock.ended_at
