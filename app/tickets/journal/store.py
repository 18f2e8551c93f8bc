"""The events of all tickets, in an order in which nothing is ever put before what was read.

Knows which events are settled: every transaction that could still put one before them has ended. Refuses to know who
reads and how far somebody has read.

`place` alone does not do: a transaction takes its places before it commits, so one that commits late would put its
events before those that were read meanwhile. Transactions have numbers, and PostgreSQL tells below which of them all
have ended (`pg_snapshot_xmin`); so events are read by the number of their transaction, and only below that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kit.db import Reading, Transaction
from app.tickets.journal.position import BEGINNING, Position

_SETTLED = "e.xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_FOREIGN = "xact >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_HEAD = f"SELECT e.xact, e.place FROM event e WHERE {_SETTLED} ORDER BY e.xact DESC, e.place DESC LIMIT 1"  # noqa: S608
_STANDING = f"SELECT e.xact, e.place FROM event e WHERE e.xact = $1 AND e.place = $2 AND {_SETTLED}"  # noqa: S608
_ENTRIES = f"""
    SELECT e.xact, e.place, e.ticket_id, t.number, e.sequence, e.type, e.actor, e.at, e.data, e.departments
    FROM event e JOIN ticket t ON t.id = e.ticket_id
    WHERE (e.xact, e.place) > ($1, $2) AND (e.xact, e.place) <= ($3, $4) AND {_SETTLED}
    ORDER BY e.xact, e.place LIMIT $5"""  # noqa: S608 - our own words, as in all of these
_TOUCHED = f"""
    SELECT e.xact, e.place, e.ticket_id FROM event e
    WHERE (e.xact, e.place) > ($1, $2) AND {_SETTLED} ORDER BY e.xact, e.place LIMIT $3"""  # noqa: S608
_ANY_FOREIGN = f"SELECT xact, place FROM event WHERE {_FOREIGN} ORDER BY xact, place LIMIT 1"  # noqa: S608
_MEND = f"""
    WITH mended AS (
        UPDATE event SET xact = 0 WHERE xact <> 0 AND EXISTS (SELECT FROM event WHERE {_FOREIGN}) RETURNING place)
    SELECT count(*) AS mended FROM mended"""  # noqa: S608

_END = Position(2**63 - 1, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is read here. `departments` are those whose ticket it was before or after it."""

    position: Position
    ticket_id: UUID
    number: int
    sequence: int
    type: str
    actor: str
    at: datetime
    data: Mapping[str, Any]
    departments: frozenset[str]


async def get_head(tx: Reading) -> Position:
    """The last settled event; `BEGINNING` when there is none."""
    found = await tx.fetch(_HEAD)
    return _position(found[0]) if found else BEGINNING


async def find_position(tx: Reading, position: Position) -> Position | None:
    """The same position when a settled event stands there."""
    found = await tx.fetch(_STANDING, *position)
    return _position(found[0]) if found else None


async def list_entries(tx: Reading, after: Position, *, until: Position | None = None, limit: int) -> tuple[Entry, ...]:
    """The settled events after one position up to and including another, at most `limit`, in order."""
    rows = await tx.fetch(_ENTRIES, *after, *(until or _END), limit)
    return tuple(
        Entry(
            position=_position(row),
            ticket_id=row["ticket_id"],
            number=row["number"],
            sequence=row["sequence"],
            type=row["type"],
            actor=row["actor"],
            at=row["at"],
            data=row["data"],
            departments=frozenset(row["departments"]),
        )
        for row in rows
    )


async def list_touched(tx: Reading, after: Position, limit: int) -> tuple[tuple[Position, UUID], ...]:
    """Where the settled events after a position stand, and of which ticket each is; at most `limit`, in order."""
    return tuple((_position(row), row["ticket_id"]) for row in await tx.fetch(_TOUCHED, *after, limit))


async def find_foreign(tx: Reading) -> Position | None:
    """The first event of a transaction that this server has not come to yet: it was restored from another server."""
    found = await tx.fetch(_ANY_FOREIGN)
    return _position(found[0]) if found else None


async def mark_restored(tx: Transaction) -> int:
    """When there is a foreign event, put all that stand before this server's first; returns how many those were.

    They keep their order by place. Positions that readers knew stand no more, as what they saw may not either: a
    backup is older than what was read.
    """
    found = await tx.fetch(_MEND)
    return int(found[0]["mended"])


def _position(row: Mapping[str, Any]) -> Position:
    return Position(row["xact"], row["place"])
