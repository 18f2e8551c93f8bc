"""Tickets and promises as they stand, read-only.

Knows which partial index finds what is open, so that no question reads what is settled. Refuses to know what is too
many, and what somebody does about it. `department` None asks about all, else only about its own: as in reports on
promises, one that a department made is the department's for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

from app.kit.db import Reading
from app.reports.standing.age import BEGINNINGS, band

T = TypeVar("T")
Place = tuple[datetime, UUID]

_OPEN = "t.state NOT IN ('resolved', 'closed')"
_OWN = "($1::text IS NULL OR t.department = $1)"
_TICKET = "t.id AS ticket_id, t.number, t.topic, t.channel, t.account, t.priority, t.holder, t.assignee"
# A promise that runs and is not broken has a moment to come, and `ix_clock_next_at` holds exactly those.
_AT_RISK = f"""
    SELECT c.id, c.metric, c.round, coalesce(c.department, t.department) AS department, c.due_at, c.warned_at, {_TICKET}
    FROM clock c JOIN ticket t ON t.id = c.ticket_id
    WHERE c.next_at IS NOT NULL AND c.state = 'running' AND c.due_at >= $2 AND (c.due_at < $3 OR c.warn_at <= $2)
      AND ($1::text IS NULL OR coalesce(c.department, t.department) = $1)
      AND ($4::timestamptz IS NULL OR (c.due_at, c.id) > ($4, $5))
    ORDER BY c.due_at, c.id LIMIT $6"""  # noqa: S608 - our own names
_LATE = f"""
    SELECT {_TICKET}, t.department, t.next_due_at AS due_at, t.due FROM ticket t
    WHERE {_OPEN} AND t.next_due_at < $2 AND {_OWN} AND ($3::timestamptz IS NULL OR (t.next_due_at, t.id) > ($3, $4))
    ORDER BY t.next_due_at, t.id LIMIT $5"""  # noqa: S608
_ESCALATED = f"""
    SELECT {_TICKET}, t.department, t.risk, t.embargoed, e.state, e.raised_at AS since
    FROM escalation e JOIN ticket t ON t.id = e.ticket_id
    WHERE e.state <> 'closed' AND {_OWN} ORDER BY t.risk DESC, e.raised_at LIMIT $2"""  # noqa: S608
_HELD = f"""
    SELECT t.holder, CASE WHEN t.holder = 'department' THEN t.department END AS department, count(*) AS n,
           count(*) FILTER (WHERE t.next_due_at < $2) AS late,
           count(*) FILTER (WHERE t.next_due_at >= $2 AND t.next_due_at < $3) AS due,
           count(*) FILTER (WHERE t.holder = 'department' AND t.state = 'routed') AS unaccepted,
           min(t.opened_at) AS oldest_at
    FROM ticket t WHERE {_OPEN} AND {_OWN} GROUP BY 1, 2 ORDER BY late DESC, due DESC, n DESC, 1, 2"""  # noqa: S608
_AGED = f"""
    SELECT t.holder, t.department, width_bucket(extract(epoch FROM $2 - t.opened_at), $3::numeric[]) AS band,
           count(*) AS n, count(*) FILTER (WHERE t.next_due_at < $2) AS late
    FROM ticket t WHERE {_OPEN} AND {_OWN} GROUP BY 1, 2, 3 ORDER BY t.holder, t.department, band"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A promise that is kept so far, and will not be unless somebody acts. `department` is whose promise it is."""

    id: UUID
    ticket_id: UUID
    number: int
    metric: str
    round: int
    department: str | None
    topic: str | None
    channel: str
    account: str | None
    priority: str
    holder: str
    assignee: str | None
    due_at: datetime
    warned_at: datetime | None


@dataclass(frozen=True, slots=True)
class Late:
    """An open ticket whose soonest promise to the customer is broken.

    `broken` has the due moment of every promise on it that was not kept in time and is owed still, the soonest first;
    also of those that a department made to us.
    """

    ticket_id: UUID
    number: int
    department: str | None
    topic: str | None
    channel: str
    account: str | None
    priority: str
    holder: str
    assignee: str | None
    due_at: datetime
    broken: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Escalated:
    """A ticket that PR looks at, or is asked to look at, `since` then."""

    ticket_id: UUID
    number: int
    department: str | None
    topic: str | None
    channel: str
    account: str | None
    priority: str
    holder: str
    assignee: str | None
    risk: int
    embargoed: bool
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Ball:
    """What one holder has to do: open tickets; of these late, due until the moment asked, and not accepted yet."""

    holder: str
    department: str | None
    n: int
    late: int
    due: int
    unaccepted: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Aged:
    """Open tickets of one holder, owner and band of age; `late` of them are past the soonest promise."""

    holder: str
    department: str | None
    age: str
    n: int
    late: int


async def list_at_risk(
    tx: Reading, department: str | None, now: datetime, until: datetime, *, limit: int, after: Place | None = None
) -> tuple[AtRisk, ...]:
    """Promises that are due before `until`, or past their warning; the one that is due first before the others."""
    due_at, clock_id = after or (None, None)
    rows = await tx.fetch(_AT_RISK, department, now, until, due_at, clock_id, limit)
    return tuple(_made(AtRisk, row) for row in rows)


async def list_late(
    tx: Reading, department: str | None, now: datetime, *, limit: int, after: Place | None = None
) -> tuple[Late, ...]:
    """The latest first."""
    rows = await tx.fetch(_LATE, department, now, *(after or (None, None)), limit)
    return tuple(_made(Late, {**row, "broken": _broken(row["due"], now)}) for row in rows)


async def list_escalated(tx: Reading, department: str | None, limit: int) -> tuple[Escalated, ...]:
    """The riskiest first."""
    return tuple(_made(Escalated, row) for row in await tx.fetch(_ESCALATED, department, limit))


async def list_balls(tx: Reading, department: str | None, now: datetime, until: datetime) -> tuple[Ball, ...]:
    """Who must do what: who has most that is late first. A department's ball is its own, whoever owned it before."""
    return tuple(_made(Ball, row) for row in await tx.fetch(_HELD, department, now, until))


async def list_aged(tx: Reading, department: str | None, now: datetime) -> tuple[Aged, ...]:
    """Open tickets by holder, owner and age; only those that there are."""
    rows = await tx.fetch(_AGED, department, now, BEGINNINGS)
    return tuple(Aged(row["holder"], row["department"], band(row["band"]), row["n"], row["late"]) for row in rows)


def _broken(due: Mapping[str, str], now: datetime) -> dict[str, datetime]:
    """Of what is due by metric that which was due before now, the soonest first."""
    moments = {metric: datetime.fromisoformat(moment) for metric, moment in due.items()}
    return {metric: at for metric, at in sorted(moments.items(), key=itemgetter(1)) if at < now}


def _made(kind: type[T], row: Mapping[str, Any]) -> T:
    return kind(**{member.name: row[member.name] for member in fields(kind)})  # type: ignore[arg-type]
