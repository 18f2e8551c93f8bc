"""How much waits in the database, counted for `/metrics`.

Knows capped counts over partial indexes, so that a scrape costs the same whether ten or a million rows wait.
Refuses to know whose work it is; reports tell that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, literal_column, select, text

from app.answers.reply import ReplyState
from app.answers.tables import reply
from app.delivery.endpoints.endpoint import EndpointState
from app.delivery.tables import delivery, endpoint
from app.kit.db import Reading
from app.reports.tables import alarm
from app.reports.tally.store import get_lag
from app.tickets.tables import ticket
from app.tickets.ticket import State

ALARMED = timedelta(days=1)
CAP = 10_000  # a count that stands at the cap means: this many or more

_unresolved = ticket.c.state.not_in([State.RESOLVED, State.CLOSED])
_tickets = select(ticket.c.state).where(_unresolved).limit(CAP).subquery()
_overdue = select(ticket.c.id).where(_unresolved, ticket.c.next_due_at < func.now()).limit(CAP).subquery()
_open = select(delivery.c.due_at).where(delivery.c.state == "open").limit(CAP).subquery()

_dead = select(delivery.c.finished_at).where(delivery.c.state == literal_column("'dead'")).limit(CAP).subquery()

# Those that wait for a person; what is queued waits for a delivery, and what failed has a dead one.
_held = select(reply.c.state).where(text("reply.state in ('held', 'unknown')")).limit(CAP).subquery()

_ALARMS = select(func.count()).select_from(alarm).where(text("alarm.resolved_at is null"))
_REPLIES = select(_held.c.state, func.count().label("n")).group_by(_held.c.state)
_TICKETS = select(_tickets.c.state, func.count().label("n")).group_by(_tickets.c.state)
_OVERDUE = select(func.count()).select_from(_overdue)
_DELIVERIES = select(
    func.count().label("n"), func.extract("epoch", func.now() - func.min(_open.c.due_at)).label("late")
)
_DEAD = select(
    func.count().label("all"), func.count().filter(_dead.c.finished_at > func.now() - ALARMED).label("lately")
)
_ENDPOINTS = select(endpoint.c.state, func.count().label("n")).group_by(endpoint.c.state)


@dataclass(frozen=True, slots=True)
class Receivers:
    """How those that we send to fare. `dead` deliveries wait for a person; `died_lately` did so within a day."""

    endpoints: Mapping[EndpointState, int]
    dead: int
    died_lately: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """`replies` are those that wait for a person. `late_seconds`: how long the one that is due longest of the counted
    deliveries has been due, 0 when none is. `uncounted_seconds`: the same of what reports have not counted.
    """

    tickets: Mapping[State, int]
    overdue: int
    deliveries: int
    late_seconds: float
    replies: Mapping[ReplyState, int]
    receivers: Receivers
    alarms: int
    uncounted_seconds: float


async def count_receivers(tx: Reading) -> Receivers:
    """Endpoints by state, without removed ones, and deliveries that were given up."""
    found = {row.state: row.n for row in await tx.rows(_ENDPOINTS)}
    dead = await tx.first(_DEAD)
    assert dead is not None
    return Receivers(
        endpoints={state: found.get(state, 0) for state in EndpointState if state is not EndpointState.REMOVED},
        dead=dead.all,
        died_lately=dead.lately,
    )


async def count_alarms(tx: Reading) -> int:
    """Topics that suddenly grew or soured, once for each kind of alarm."""
    count: int = await tx.scalar(_ALARMS)
    return count


async def count_backlog(tx: Reading) -> Backlog:
    """Unresolved tickets by state, those past a promise to their customer, and deliveries that are not done."""
    found = {row.state: row.n for row in await tx.rows(_TICKETS)}
    replies = {row.state: row.n for row in await tx.rows(_REPLIES)}
    deliveries = await tx.first(_DELIVERIES)
    assert deliveries is not None
    return Backlog(
        tickets={state: found.get(state, 0) for state in State if state not in {State.RESOLVED, State.CLOSED}},
        overdue=await tx.scalar(_OVERDUE),
        deliveries=deliveries.n,
        late_seconds=max(0.0, float(deliveries.late or 0)),
        replies={state: replies.get(state, 0) for state in (ReplyState.HELD, ReplyState.UNKNOWN)},
        receivers=await count_receivers(tx),
        alarms=await count_alarms(tx),
        uncounted_seconds=await get_lag(tx),
    )
