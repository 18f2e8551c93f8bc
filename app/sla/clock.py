"""Clocks: when a promise began, how much of it is used up, when it is due and whether it was kept.

Knows which happening starts and ends which metric, and reads everything else from custody: an open clock adds nothing
up, so it cannot disagree with the history. Refuses to know why a ticket moved, and the database.

    state       it is
    running     open, and somebody who does not pause it has the ball
    paused      open, and the holder's time does not count: no due moment
    breached    past its due moment, open or ended; what is recorded is that moment, not when it was noticed
    met         ended by what it waited for, at or before the due moment
    cancelled   ended by something else before it was due: nothing is owed any more

An ended clock has `ended_at` and `ended_by`. Only the resolution clock, and a first reply that was never given, go on
again: when their ticket is reopened. Promises to the customer of a ticket that is merged go on in the other one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.kit.errors import Invalid
from app.sla.calendar import Calendar
from app.sla.policy import Metric, Policy
from app.sla.reading import read
from app.tickets.custody import Custody


class Happening(StrEnum):
    """What a flow did to a ticket, as far as clocks care."""

    OPENED = "opened"
    HANDED_OVER = "handed_over"  # to a department
    ACCEPTED = "accepted"
    ANSWERED = "answered"  # by the department, first-hand or as a draft for webcare
    HANDED_BACK = "handed_back"
    MOVED_ON = "moved_on"  # taken from the department: rerouted, or fallen back to webcare
    REPLIED = "replied"  # to the customer, by a person
    CUSTOMER_POSTED = "customer_posted"
    WAITING = "waiting"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CLOSED = "closed"
    PRIORITISED = "prioritised"
    MERGED = "merged"  # it goes on as a part of another ticket
    ABSORBED = "absorbed"  # another ticket goes on as a part of it
    UNMERGED = "unmerged"  # it is a ticket of its own again
    PARTED = "parted"  # what it had absorbed is a ticket of its own again


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

    `due_at` and `warn_at` stand as in `app.sla.reading.Reading`; `warned_at` and `breached_at` are those moments, set
    once they have passed. `elapsed` is the business time that an ended clock took. `first_ended_at` outlives reopening:
    the first resolution is kept apart from the total.
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
    elapsed: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that `clock` has come past, and the moment at which it did."""

    clock: Clock
    step: Step
    at: datetime


_STARTS: Mapping[Happening, tuple[Metric, ...]] = {
    Happening.OPENED: (Metric.FIRST_REPLY, Metric.RESOLUTION),
    Happening.HANDED_OVER: (Metric.ACCEPTANCE, Metric.OWNERSHIP),
    Happening.CUSTOMER_POSTED: (Metric.NEXT_REPLY,),
    Happening.ABSORBED: (Metric.NEXT_REPLY,),
}

# What a metric waits for.
_FULFILS: Mapping[Metric, frozenset[Happening]] = {
    Metric.FIRST_REPLY: frozenset({Happening.REPLIED}),
    Metric.NEXT_REPLY: frozenset({Happening.REPLIED}),
    Metric.RESOLUTION: frozenset({Happening.RESOLVED}),
    # An answer accepts: a department that answers at once need not say first that it will.
    Metric.ACCEPTANCE: frozenset({Happening.ACCEPTED, Happening.ANSWERED, Happening.HANDED_BACK}),
    Metric.OWNERSHIP: frozenset({Happening.ANSWERED, Happening.HANDED_BACK, Happening.MOVED_ON, Happening.HANDED_OVER}),
}
# What ends it though it did not get what it waited for.
_RELEASES: Mapping[Metric, frozenset[Happening]] = {
    Metric.FIRST_REPLY: frozenset({Happening.RESOLVED, Happening.CLOSED, Happening.MERGED}),
    Metric.NEXT_REPLY: frozenset({Happening.RESOLVED, Happening.CLOSED, Happening.MERGED}),
    Metric.RESOLUTION: frozenset({Happening.CLOSED, Happening.MERGED}),
    Metric.ACCEPTANCE: frozenset(
        {Happening.MOVED_ON, Happening.HANDED_OVER, Happening.RESOLVED, Happening.CLOSED, Happening.MERGED}
    ),
    Metric.OWNERSHIP: frozenset({Happening.RESOLVED, Happening.CLOSED, Happening.MERGED}),
}
_REPLIES = frozenset({Metric.FIRST_REPLY, Metric.NEXT_REPLY})
_TO_CUSTOMER = _REPLIES | {Metric.RESOLUTION}


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
) -> tuple[Clock, ...]:
    """All clocks of a ticket as they are after `happenings`, in the order in which they happened at `at`.

    Without any happening it records what open clocks came past by `at`: warnings and breaches, each at its own moment.

    `clocks` are all that the ticket had and `custody` is what it has now, not empty. `policies` are the ticket's
    present ones: new clocks freeze them, and `prioritised` gives them to clocks that are open and not breached; a
    metric without one starts no clock. `started_at` is when the customer asked, if not `at`: the post of
    `opened` and `customer_posted`, or its receipt for imported history; of `absorbed` and `parted` it is since when
    the customer waits for a reply by what came along or stayed behind, None when nobody does. Clocks that had ended
    stay as they are, unless reopened. Raises NeverOpen, UnknownCalendar.
    """
    ended = {clock.id: clock for clock in clocks if clock.ended_at is not None}
    current = list(clocks)
    for happening in happenings:
        current = [_touched(clock, happening, at, policies) for clock in current]
        current = [_rebased(clock, happening, custody[0].since, started_at, at) for clock in current]
        for metric in _STARTS.get(happening, ()):
            if metric not in policies or (metric is Metric.NEXT_REPLY and _owes_reply(current)):
                continue
            if happening is Happening.ABSORBED and started_at is None:
                continue
            handed_over = happening is Happening.HANDED_OVER
            current.append(
                Clock(
                    id=new_id(),
                    ticket_id=ticket_id,
                    metric=metric,
                    round=1 + sum(clock.metric is metric for clock in current),
                    department=custody[-1].department if handed_over else None,
                    policy=policies[metric],
                    state=State.RUNNING,
                    started_at=at if handed_over else started_at or at,
                )
            )
    return tuple(
        clock if ended.get(clock.id) is clock else _measured(clock, custody, at, calendars) for clock in current
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


def due(clocks: Iterable[Clock]) -> dict[Metric, datetime]:
    """The due moment of each metric with an open clock; paused clocks have none."""
    return {clock.metric: clock.due_at for clock in clocks if clock.ended_at is None and clock.due_at is not None}


def waiting_since(clocks: Iterable[Clock]) -> datetime | None:
    """Since when the customer waits for a reply; None: nobody waits."""
    return min((one.started_at for one in clocks if one.metric in _REPLIES and one.ended_at is None), default=None)


def next_at(clock: Clock) -> datetime | None:
    """The moment that a sweep must wait for: the warning, then the due moment; None when nothing is to come."""
    if clock.ended_at is not None or clock.breached_at is not None:
        return None
    return clock.warn_at if clock.warned_at is None else clock.due_at


def _touched(clock: Clock, happening: Happening, at: datetime, policies: Mapping[Metric, Policy]) -> Clock:
    """The clock after one happening, before custody is read."""
    if clock.ended_at is not None:
        return replace(clock, ended_at=None, ended_by=None) if _goes_on(clock, happening) else clock
    if happening in _FULFILS[clock.metric] | _RELEASES[clock.metric]:
        ended_at = max(at, clock.started_at)
        first_ended_at = clock.first_ended_at or (None if happening is Happening.MERGED else ended_at)
        return replace(clock, ended_at=ended_at, ended_by=happening, first_ended_at=first_ended_at)
    if happening is Happening.PRIORITISED and clock.breached_at is None:
        return replace(clock, policy=policies.get(clock.metric, clock.policy))
    return clock


def _goes_on(clock: Clock, happening: Happening) -> bool:
    """Whether an ended clock is open again after this."""
    if happening is Happening.UNMERGED:
        return _is_moved(clock)
    return happening is Happening.REOPENED and (clock.metric is Metric.RESOLUTION or _is_unanswered(clock))


def _rebased(clock: Clock, happening: Happening, life: datetime, waiting: datetime | None, at: datetime) -> Clock:
    """An open promise to the customer when tickets become one or two: of the customer who asked first counts.

    `life` is when the ticket's life began, with or without what came along or left. A ticket that is parted from
    its absorbed one was itself not late for it, so what was recorded of that goes as well.
    """
    if happening not in {Happening.ABSORBED, Happening.PARTED} or clock.ended_at or clock.metric not in _TO_CUSTOMER:
        return clock
    if happening is Happening.ABSORBED:
        sooner = life if clock.metric is Metric.RESOLUTION else waiting
        return replace(clock, started_at=min(clock.started_at, sooner or clock.started_at))
    own = life if clock.metric is Metric.RESOLUTION else waiting
    afresh = replace(clock, warned_at=None, breached_at=None)
    return replace(afresh, started_at=own) if own else replace(afresh, ended_at=at, ended_by=happening)


def _is_moved(clock: Clock) -> bool:
    """Whether the promise is kept, broken and counted on another ticket."""
    return clock.ended_by is Happening.MERGED and clock.metric in _TO_CUSTOMER


def _is_unanswered(clock: Clock) -> bool:
    return clock.metric is Metric.FIRST_REPLY and clock.ended_by is not Happening.REPLIED


def _owes_reply(clocks: Iterable[Clock]) -> bool:
    """Whether an earlier post of the customer still waits: a later one does not start its own clock."""
    return any(
        _is_unanswered(clock) or (clock.metric is Metric.NEXT_REPLY and clock.ended_at is None) for clock in clocks
    )


def _measured(clock: Clock, custody: tuple[Custody, ...], at: datetime, calendars: Mapping[str, Calendar]) -> Clock:
    """The clock with its moments and state read from custody; an earlier breach or warning stays recorded."""
    calendar = calendars.get(clock.policy.calendar)
    if calendar is None:
        message = f"clocks still run in calendar {clock.policy.calendar!r}; put it back into the rulebook"
        raise UnknownCalendar(message, calendar=clock.policy.calendar)
    reading = read(clock.policy, calendar, custody, started_at=clock.started_at, stopped_at=clock.ended_at, now=at)
    until = clock.ended_at or at
    breached_at = clock.breached_at or _before(reading.due_at, until)
    return replace(
        clock,
        state=_state(clock, breached=breached_at is not None, running=reading.running),
        due_at=breached_at or reading.due_at,
        warn_at=reading.warn_at,
        warned_at=clock.warned_at or _before(reading.warn_at, until),
        breached_at=breached_at,
        elapsed=None if clock.ended_at is None else reading.elapsed,
    )


def _state(clock: Clock, *, breached: bool, running: bool) -> State:
    if _is_moved(clock):
        return State.CANCELLED
    if breached:
        return State.BREACHED
    if clock.ended_at is None:
        return State.RUNNING if running else State.PAUSED
    return State.MET if clock.ended_by in _FULFILS[clock.metric] else State.CANCELLED


def _before(moment: datetime | None, until: datetime) -> datetime | None:
    return moment if moment is not None and moment < until else None


def _steps(clock: Clock) -> Iterator[tuple[Step, datetime]]:
    if clock.warned_at is not None:
        yield Step.WARNING, clock.warned_at
    if clock.breached_at is not None:
        yield Step.BREACHED, clock.breached_at
    if clock.state is State.MET and clock.ended_at is not None:
        yield Step.MET, clock.ended_at
