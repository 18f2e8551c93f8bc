"""What is done as a promise comes near its due moment, and after it, and who is told of that.

Knows what each rung of a ladder means to a ticket, and in whose hours people are told. Refuses to know when a rung is
reached (sla) and when to look (worker). A rung is a row, once for a clock; nobody is told of a promise that has ended
by then.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.flows.record import record
from app.flows.work import WEBCARE
from app.kit.ids import new_id
from app.routing.decision import Priority
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


async def climb(unit: Unit, standing: Mapping[UUID, Ticket]) -> None:
    """Do what is on the rungs that clocks of these locked tickets have come to: one level of each ladder.

    A clock that has come further is due again at once.
    """
    clocks = await sla.list_climbing(unit.tx, list(standing), unit.now)
    if not clocks:
        return
    reached = [one for clock in clocks for one in _reached(unit, clock, standing[clock.ticket_id].priority)]
    new = await sla.add_reached(unit.tx, reached, unit.now)
    await sla.mark_climbed(unit.tx, {clock.id: level for clock in clocks if (level := _level(unit, clock)) is not None})
    deeds: dict[UUID, list[Reached]] = {clock.ticket_id: [] for clock in clocks}
    for one in reached:
        if one.id in new:
            deeds[one.clock.ticket_id].append(one)
    await record(unit, [_done(standing[ticket_id], of_ticket, unit.now) for ticket_id, of_ticket in deeds.items()])


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


def _reached(unit: Unit, clock: Clock, priority: str) -> list[Reached]:
    level, at = _level(unit, clock), clock.climb_at
    if level is None or at is None:
        return []
    window = unit.rulebook.windows.get(priority)
    tell_at = next_open(unit.rulebook.calendars[window], unit.now) if window else unit.now
    rungs = rungs_at(unit.rulebook.ladders[clock.policy.ladder or ""], clock.policy.target, level)
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
