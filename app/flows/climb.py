"""What is done as a promise comes near its due moment, and after it, and who is told of that.

Knows what each rung of a ladder means to a ticket, and in whose hours people are told. Refuses to know when a rung is
reached (sla) and when to look (worker). A rung is a row, once for a clock; nobody is told of a promise that has ended
by then.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.flows.record import record
from app.kit.ids import new_id
from app.routing.decision import Priority
from app.routing.ownership import WEBCARE
from app.runtime import Unit
from app.sla import store as sla
from app.sla.business_time import next_open
from app.sla.clock import Clock
from app.sla.ladder import Does, next_level, rungs_at
from app.sla.policy import Metric
from app.sla.store import Reached, Untold
from app.tickets import lifecycle, press
from app.tickets.custody import Holder
from app.tickets.hand_over import FellBack
from app.tickets.legal import LEGAL
from app.tickets.ticket import Event, Step, Ticket

TOLD, SETTLED, NOBODY = "told", "settled", "nobody"


@dataclass(frozen=True, slots=True)
class Climb:
    """A clock that came to the rungs at this `level` of its ladder."""

    clock: Clock
    level: timedelta


async def list_climbs(unit: Unit, ticket_ids: Sequence[UUID]) -> tuple[Climb, ...]:
    """The clocks of these tickets that have come to rungs, one level of its ladder each, in the order of their moments.

    A clock that has come further is due again at once.
    """
    levels = ((clock, _level(unit, clock)) for clock in await sla.list_climbing(unit.tx, ticket_ids, unit.now))
    return tuple(Climb(clock, level) for clock, level in levels if level is not None)


async def climb(unit: Unit, standing: Mapping[UUID, Ticket], climbs: Sequence[Climb]) -> None:
    """Do what is on the rungs that clocks of these locked tickets came to; the clocks go on from there already."""
    reached = [
        rung
        for one in climbs
        if one.clock.ticket_id in standing
        for rung in _reached(unit, one, standing[one.clock.ticket_id].priority)
    ]
    if not reached:
        return
    new = await sla.add_reached(unit.tx, reached, unit.now)
    deeds: dict[UUID, list[Reached]] = defaultdict(list)
    for one in reached:
        if one.id in new:
            deeds[one.clock.ticket_id].append(one)
    steps = [_done(standing[ticket_id], of_ticket, unit.now) for ticket_id, of_ticket in deeds.items()]
    await record(unit, [step for step in steps if step.events])


def told(standing: Mapping[UUID, Ticket], untold: Sequence[Untold]) -> tuple[list[Step], dict[UUID, str]]:
    """Tell people of rungs, a step for each ticket; and by rung what became of that."""
    events: dict[UUID, list[Event]] = defaultdict(list)
    outcomes: dict[UUID, str] = {}
    for one in untold:
        ticket = standing[one.ticket_id]
        whom = _department(one, ticket)
        outcomes[one.id] = SETTLED if one.ended_at else TOLD if whom else NOBODY
        if outcomes[one.id] == TOLD:
            facts = {"metric": one.metric, "round": one.round, "department": one.department, "due_at": one.due_at}
            data = {"to": one.aim, **facts, "reached_at": one.reached_at}
            events[one.ticket_id].append(Event("sla.notified", "system", data, only_for=whom))
    return [Step(standing[ticket_id], standing[ticket_id], tuple(of)) for ticket_id, of in events.items()], outcomes


def _department(one: Untold, ticket: Ticket) -> str | None:
    """Whose endpoints hear of it: leads and managers are those of webcare."""
    return WEBCARE if one.aim != "department" else one.department or ticket.with_department or ticket.department


def _level(unit: Unit, clock: Clock) -> timedelta | None:
    ladder = unit.rulebook.ladders.get(clock.policy.ladder or "", ())
    return next_level(ladder, clock.policy.target, clock.climbed)


def _reached(unit: Unit, one: Climb, priority: str) -> list[Reached]:
    clock, at = one.clock, one.clock.climb_at
    assert at is not None
    window = unit.rulebook.windows.get(priority)
    tell_at = next_open(unit.rulebook.calendars[window], unit.now) if window else unit.now
    rungs = rungs_at(unit.rulebook.ladders[clock.policy.ladder or ""], clock.policy.target, one.level)
    return [Reached(new_id(), clock, rung, at, tell_at if rung.does is Does.NOTIFY else None) for rung in rungs]


def _done(ticket: Ticket, reached: Sequence[Reached], now: datetime) -> Step:
    """What the rungs do with the ticket, one after the other; what is done already is not done again."""
    step = Step(ticket, ticket, ())
    for one in reached:
        step = step.then(_deed(step.ticket, one, now))
    return step


def _deed(ticket: Ticket, reached: Reached, now: datetime) -> Step:
    clock, rung = reached.clock, reached.rung
    why = f"{clock.metric}: due {clock.due_at:%Y-%m-%d %H:%M}Z by policy '{clock.policy.name}'"
    match rung.does:
        case Does.RAISE if ticket.state in LEGAL["update"] and _is_below(ticket.priority, rung.to):
            return lifecycle.update(ticket, "system", priority=rung.to, tags=None)
        case Does.TAKE_BACK if ticket.holder is Holder.DEPARTMENT:
            accepts = clock.metric is Metric.ACCEPTANCE
            return lifecycle.fall_back(ticket, FellBack.NOT_ACCEPTED if accepts else FellBack.NOT_ANSWERED, now)
        case Does.ESCALATE:
            figures = {"metric": clock.metric, "due_at": clock.due_at, "reached_at": reached.at}
            return press.escalate(ticket, "system", [press.Reason(f"sla:{clock.metric}", why, figures)])
        case _:
            return Step(ticket, ticket, ())


def _is_below(priority: str, other: str) -> bool:
    order = list(Priority)
    return order.index(Priority(priority)) > order.index(Priority(other))
