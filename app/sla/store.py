"""Clocks in the database.

Knows how they are written, and how a sweep claims those whose moment has come. Refuses to know what a moment means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, any_, bindparam, select, text

from app.kit.db import OnConflict, Reading, Transaction
from app.sla.clock import Clock, State, next_at
from app.sla.policy import Happening, Metric, as_record, from_record
from app.sla.tables import clock

_OWN_COLUMNS = tuple(field.name for field in fields(Clock))
_values = attrgetter(*_OWN_COLUMNS)

_LIST = (
    select(clock)
    .where(clock.c.ticket_id == any_(bindparam("ticket_ids", type_=ARRAY(Uuid))))
    .order_by(clock.c.ticket_id, clock.c.id)
)

# A claimed clock that is not recorded again is looked at later, so that it never stands in the way of the others.
_CLAIM = text("""
    WITH due AS MATERIALIZED (
        SELECT clock.id, clock.ticket_id
        FROM clock JOIN ticket ON ticket.id = clock.ticket_id
        WHERE clock.next_at < now()
        ORDER BY clock.next_at, clock.id
        LIMIT :limit
        FOR UPDATE OF clock, ticket SKIP LOCKED
    )
    UPDATE clock SET next_at = now() + interval '5 minutes'
    FROM due WHERE clock.id = due.id
    RETURNING due.ticket_id, now() AS now
""")


@dataclass(frozen=True, slots=True)
class Due:
    """What a sweep claimed: how many `clocks`, of which tickets, at which moment by the database's clock."""

    clocks: int
    ticket_ids: tuple[UUID, ...]
    now: datetime


async def list_clocks(tx: Reading, ticket_ids: Sequence[UUID]) -> dict[UUID, tuple[Clock, ...]]:
    """All clocks of the tickets, in the order in which they started; a ticket without any is absent.

    Raises PolicyUnreadable.
    """
    if not ticket_ids:
        return {}
    found: dict[UUID, tuple[Clock, ...]] = {}
    for row in await tx.rows(_LIST, {"ticket_ids": list(ticket_ids)}):
        found[row.ticket_id] = (*found.get(row.ticket_id, ()), _clock(row))
    return found


async def record_clocks(tx: Transaction, clocks: Sequence[Clock]) -> None:
    """Write clocks as they are now, new ones included, and set their timers; one statement for any number."""
    await tx.insert(clock, [_row(one) for one in clocks], on_conflict=OnConflict.REPLACE)


async def claim_due(tx: Transaction, limit: int) -> Due | None:
    """Lock up to `limit` clocks whose moment has passed, and their tickets; None when there are none.

    What others have locked is passed over. The moment is the database's, which is the only clock of a sweep.
    """
    rows = await tx.rows(_CLAIM, {"limit": limit})
    if not rows:
        return None
    return Due(len(rows), tuple({row.ticket_id: None for row in rows}), rows[0].now)


def _row(one: Clock) -> dict[str, Any]:
    row = dict(zip(_OWN_COLUMNS, _values(one), strict=True))
    return row | {"policy": as_record(one.policy), "next_at": next_at(one)}


def _clock(row: Row[Any]) -> Clock:
    values = {name: getattr(row, name) for name in _OWN_COLUMNS}
    return Clock(
        **{
            **values,
            "metric": Metric(row.metric),
            "policy": from_record(row.policy),
            "state": State(row.state),
            "ended_by": None if row.ended_by is None else Happening(row.ended_by),
        }
    )
