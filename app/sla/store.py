"""Clocks in the database, and the rungs that they reached.

Knows how they are written, and how a sweep claims those whose moment has come. Refuses to know what a moment means.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, select, text

from app.kit.db import OnConflict, Reading, Transaction, as_json
from app.sla.clock import Clock, State, next_at
from app.sla.ladder import Does, Rung
from app.sla.policy import Happening, Metric, Policy, PolicyUnreadable, as_record, from_record
from app.sla.tables import clock, rung
from app.tickets.tables import ticket

_OWN_COLUMNS = tuple(field.name for field in fields(Clock))
_values = attrgetter(*_OWN_COLUMNS)
_kept = itemgetter(*_OWN_COLUMNS)

_READ = f"SELECT {', '.join(_OWN_COLUMNS).replace('policy', 'policy::text AS policy')} FROM clock"  # noqa: S608 - our own names
_LIST = f"{_READ} WHERE ticket_id = ANY($1) ORDER BY ticket_id, id"

_CLAIM = """
    SELECT clock.id, clock.ticket_id, clock.next_at, now() AS now
    FROM clock JOIN ticket ON ticket.id = clock.ticket_id
    WHERE clock.next_at < now()
    ORDER BY clock.next_at, clock.id
    LIMIT $1
    FOR UPDATE OF clock, ticket SKIP LOCKED
"""

_PUT_OFF = """
    UPDATE clock SET next_at = now() + interval '5 minutes'
    FROM unnest($1::uuid[], $2::timestamptz[]) AS due (id, next_at)
    WHERE clock.id = due.id AND clock.next_at = due.next_at
"""

_CLIMBING = f"{_READ} WHERE ticket_id = ANY($1) AND climb_at < $2 ORDER BY climb_at, id"

_ADD_RUNGS = """
    INSERT INTO rung (clock_id, name, id, ticket_id, does, aim, reached_at, tell_at, done_at)
    SELECT clock_id, name, id, ticket_id, does, aim, reached_at, tell_at, done_at
    FROM json_populate_recordset(NULL::rung, $1)
    ON CONFLICT DO NOTHING
    RETURNING id
"""

# As with clocks: who cannot be told now is told later, and stands in nobody's way.
_CLAIM_UNTOLD = text("""
    WITH due AS MATERIALIZED (
        SELECT rung.id
        FROM rung JOIN ticket ON ticket.id = rung.ticket_id
        WHERE rung.tell_at <= now()
        ORDER BY rung.tell_at, rung.id
        LIMIT :limit
        FOR UPDATE OF rung, ticket SKIP LOCKED
    )
    UPDATE rung SET tell_at = now() + interval '5 minutes'
    FROM due, clock WHERE rung.id = due.id AND clock.id = rung.clock_id
    RETURNING rung.id, rung.ticket_id, rung.aim, rung.reached_at,
        clock.metric, clock.round, clock.department, clock.ended_at, clock.due_at
""")


_MARK_TOLD = """
    UPDATE rung SET outcome = told.outcome, tell_at = NULL, done_at = told.done_at
    FROM json_populate_recordset(NULL::rung, $1) AS told WHERE rung.id = told.id
"""


@dataclass(frozen=True, slots=True)
class Reached:
    """A rung that a clock came to, at its own moment. `tell_at` is when people may hear of it; None: nobody does."""

    id: UUID
    clock: Clock
    rung: Rung
    at: datetime
    tell_at: datetime | None


@dataclass(frozen=True, slots=True)
class Untold:
    """A rung of which somebody is to be told now; `aim` is department, lead or manager."""

    id: UUID
    ticket_id: UUID
    aim: str
    reached_at: datetime
    metric: str
    round: int
    department: str | None
    ended_at: datetime | None
    due_at: datetime | None


_untold = attrgetter(*(field.name for field in fields(Untold)))


@dataclass(frozen=True, slots=True)
class Due:
    """What a sweep claimed: `clocks` with the moments they waited for, of which tickets, and the database's `now`."""

    clocks: Mapping[UUID, datetime]
    ticket_ids: tuple[UUID, ...]
    now: datetime


async def list_clocks(tx: Reading, ticket_ids: Sequence[UUID]) -> dict[UUID, tuple[Clock, ...]]:
    """All clocks of the tickets, in the order in which they started; a ticket without any is absent.

    Raises PolicyUnreadable.
    """
    if not ticket_ids:
        return {}
    found: dict[UUID, tuple[Clock, ...]] = {}
    for row in await tx.fetch(_LIST, ticket_ids):
        found[row["ticket_id"]] = (*found.get(row["ticket_id"], ()), _clock(row))
    return found


async def record_clocks(tx: Transaction, clocks: Sequence[Clock]) -> None:
    """Write clocks as they are now, new ones included, and set their timers; one statement for any number."""
    await tx.insert(clock, [_row(one) for one in clocks], on_conflict=OnConflict.REPLACE)


async def mark_read(tx: Transaction, clocks: Sequence[Clock]) -> None:
    """Give clocks that stand what they read; no ticket's act does this, only their mending."""
    await tx.update(clock, [_row(one) for one in clocks])


async def claim_due(tx: Transaction, limit: int) -> Due | None:
    """Lock up to `limit` clocks whose moment has passed, and their tickets; None when there are none.

    What others have locked is passed over. The moment is the database's, which is the only clock of a sweep.
    """
    rows = await tx.fetch(_CLAIM, limit)
    if not rows:
        return None
    clocks = {row["id"]: row["next_at"] for row in rows}
    return Due(clocks, tuple({row["ticket_id"]: None for row in rows}), rows[0]["now"])


async def mark_put_off(tx: Transaction, due: Due) -> None:
    """Look later at claimed clocks that nothing became of, so that they never stand in the way of the others."""
    await tx.fetch(_PUT_OFF, list(due.clocks), list(due.clocks.values()))


async def list_climbing(tx: Reading, ticket_ids: Sequence[UUID], now: datetime) -> tuple[Clock, ...]:
    """The clocks of the tickets that have come to a rung, the one that did so first before the others.

    One whose policy cannot be read climbs nothing: its ticket cannot be recorded either, which is where that is said.
    """
    return tuple(_readable(await tx.fetch(_CLIMBING, ticket_ids, now)))


async def add_reached(tx: Transaction, reached: Sequence[Reached], now: datetime) -> frozenset[UUID]:
    """Keep that clocks came to rungs; returns the ids of those that they had never come to before."""
    rows = [
        {
            "clock_id": one.clock.id,
            "name": one.rung.name,
            "id": one.id,
            "ticket_id": one.clock.ticket_id,
            "does": one.rung.does,
            "aim": one.rung.to,
            "reached_at": one.at,
            "tell_at": one.tell_at,
            "done_at": None if one.tell_at else now,
        }
        for one in reached
    ]
    return frozenset(row["id"] for row in await tx.fetch(_ADD_RUNGS, as_json(rows)))


async def claim_untold(tx: Transaction, limit: int) -> tuple[Untold, ...]:
    """Lock up to `limit` rungs of which people may be told by now, and their tickets; others' are passed over."""
    return tuple(Untold(*_untold(row)) for row in await tx.rows(_CLAIM_UNTOLD, {"limit": limit}))


async def mark_told(tx: Transaction, outcomes: Mapping[UUID, str], now: datetime) -> None:
    """By rung: what became of telling."""
    rows = [{"id": rung_id, "outcome": outcome, "done_at": now} for rung_id, outcome in outcomes.items()]
    await tx.fetch(_MARK_TOLD, as_json(rows))


async def list_notices(
    tx: Reading, *, aim: str | None, department: str | None, ticket_id: UUID | None, limit: int, before: UUID | None
) -> Sequence[Row[Any]]:
    """Who was told, or is to be told, of which promises; the newest first. `department` is who owns the ticket."""
    asked = select(rung, clock.c.metric, clock.c.round, ticket.c.number, ticket.c.department).where(
        rung.c.clock_id == clock.c.id, rung.c.ticket_id == ticket.c.id, rung.c.does == Does.NOTIFY
    )
    if aim is not None:
        asked = asked.where(rung.c.aim == aim)
    if department is not None:
        asked = asked.where(ticket.c.department == department)
    if ticket_id is not None:
        asked = asked.where(clock.c.ticket_id == ticket_id)  # whose index finds it
    if before is not None:
        asked = asked.where(rung.c.id < before)
    return await tx.rows(asked.order_by(rung.c.id.desc()).limit(limit))


def _readable(rows: Iterable[Mapping[str, Any]]) -> Iterator[Clock]:
    for row in rows:
        with suppress(PolicyUnreadable):
            yield _clock(row)


def _row(one: Clock) -> dict[str, Any]:
    row = dict(zip(_OWN_COLUMNS, _values(one), strict=True))
    return row | {"policy": as_record(one.policy), "next_at": next_at(one)}


def _clock(row: Mapping[str, Any]) -> Clock:
    values = dict(zip(_OWN_COLUMNS, _kept(row), strict=True))
    values["metric"] = Metric(values["metric"])
    values["policy"] = _policy(values["policy"])
    values["state"] = State(values["state"])
    values["ended_by"] = values["ended_by"] and Happening(values["ended_by"])
    return Clock(**values)


@lru_cache(maxsize=4096)
def _policy(frozen: str) -> Policy:
    """Few policies stand on many clocks."""
    return from_record(orjson.loads(frozen))
