"""Statements in the database: what PR approved to be said on every ticket of an incident.

Knows that a ticket gets a statement once, whatever the number of processes. Refuses to know how its merge fields are
filled (statement) and how it is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from app.escalation.tables import incident_saying, incident_statement
from app.kit.db import Reading, Transaction


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said on every ticket of an incident, `texts` by language with merge fields."""

    id: UUID
    incident_id: UUID
    texts: Mapping[str, str]
    actor: str
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """A statement on one ticket: `reply_id` where it was said, else the `reason` why it could not be."""

    statement_id: UUID
    ticket_id: UUID
    said_at: datetime
    reply_id: UUID | None = None
    reason: str | None = None


_UNSAID = text("""
    SELECT DISTINCT ON (im.ticket_id) im.ticket_id, s.id, s.incident_id, s.texts, s.actor, s.approved_at
    FROM incident i
    JOIN LATERAL (SELECT * FROM incident_statement s WHERE s.incident_id = i.id ORDER BY s.id DESC LIMIT 1) s ON true
    JOIN incident_mention im ON im.incident_id = i.id JOIN ticket t ON t.id = im.ticket_id
    WHERE i.state = 'open' AND t.state NOT IN ('resolved', 'closed') AND NOT EXISTS (
        SELECT FROM incident_saying said WHERE said.statement_id = s.id AND said.ticket_id = im.ticket_id)
    ORDER BY im.ticket_id, s.id DESC LIMIT :limit""")


async def add_statement(tx: Transaction, approved: Statement) -> None:
    await tx.insert(incident_statement, [asdict(approved)])


async def list_statements(tx: Reading, incident_id: UUID) -> tuple[Statement, ...]:
    """Newest first; the first is the one that is said."""
    found = select(incident_statement).where(incident_statement.c.incident_id == incident_id)
    rows = await tx.rows(found.order_by(incident_statement.c.id.desc()))
    return tuple(Statement(**row._asdict()) for row in rows)


async def list_unsaid(tx: Reading, limit: int) -> dict[UUID, Statement]:
    """Open tickets of open incidents that did not get the newest statement yet, each with that one."""
    rows = await tx.rows(_UNSAID, {"limit": limit})
    return {row.ticket_id: Statement(row.id, row.incident_id, row.texts, row.actor, row.approved_at) for row in rows}


async def record_said(tx: Transaction, said: Sequence[Said]) -> set[UUID]:
    """Note what is said where; the tickets on which nobody else says it at the same moment."""
    if not said:
        return set()
    added = (
        insert(incident_saying)
        .values([asdict(one) for one in said])
        .on_conflict_do_nothing()
        .returning(incident_saying.c.ticket_id)
    )
    return {row.ticket_id for row in await tx.rows(added)}


async def mark_unsaid(tx: Transaction, said: Sequence[Said]) -> None:
    """Note why these could not be said after all."""
    await tx.update(
        incident_saying,
        [
            {"statement_id": one.statement_id, "ticket_id": one.ticket_id, "reply_id": None, "reason": one.reason}
            for one in said
        ],
    )
