"""Links between tickets in the database: those that people made, and those that follow from merging and reopening.

Knows how they are kept and read from both sides. Refuses to know why two tickets belong together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_

from app.kit.db import Reading, Transaction
from app.kit.errors import NotFound
from app.tickets.tables import ticket_link


class TicketsNotLinked(NotFound):
    pass


@dataclass(frozen=True, slots=True)
class Linked:
    """Another ticket, and what it is to the one that was asked about.

    `kind` is what somebody said, or `part` (merged into this one), `whole` (this one is merged into it), `previous` and
    `next` of the same conversation. `actor` and `linked_at` are of who said it, None where it follows by itself.
    """

    ticket_id: UUID
    number: int
    state: str
    channel: str
    topic: str | None
    kind: str
    actor: str | None
    linked_at: datetime | None


_LIST = """
    SELECT t.id AS ticket_id, t.number, t.state, t.channel, t.topic, l.kind, l.actor, l.linked_at
    FROM (
        SELECT other_id AS id, kind, actor, linked_at FROM ticket_link WHERE ticket_id = $1
        UNION ALL SELECT ticket_id, kind, actor, linked_at FROM ticket_link WHERE other_id = $1
        UNION ALL SELECT id, 'part', NULL, closed_at FROM ticket WHERE merged_into_id = $1
        UNION ALL SELECT merged_into_id, 'whole', NULL, closed_at FROM ticket WHERE id = $1
        UNION ALL SELECT id, 'next', NULL, NULL FROM ticket WHERE previous_id = $1
        UNION ALL SELECT previous_id, 'previous', NULL, NULL FROM ticket WHERE id = $1
    ) AS l JOIN ticket t USING (id) ORDER BY t.number"""

# Says nothing when the same stands already.
_ADD = """
    INSERT INTO ticket_link (ticket_id, other_id, kind, actor, linked_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (ticket_id, other_id) DO UPDATE
    SET kind = excluded.kind, actor = excluded.actor, linked_at = excluded.linked_at
    WHERE ticket_link.kind <> excluded.kind RETURNING 1"""


async def list_links(tx: Reading, ticket_id: UUID) -> tuple[Linked, ...]:
    """Every ticket that has to do with this one, by its number."""
    rows: list[Mapping[str, Any]] = [*await tx.fetch(_LIST, ticket_id)]
    return tuple(Linked(**dict(row)) for row in rows)


async def add_link(tx: Transaction, one: UUID, other: UUID, kind: str, actor: str, now: datetime) -> bool:
    """Link two tickets, or say anew what they are to each other; False when exactly that stands already."""
    return bool(await tx.fetch(_ADD, *sorted((one, other)), kind, actor, now))


async def mark_unlinked(tx: Transaction, one: UUID, other: UUID) -> None:
    """Raises `TicketsNotLinked`."""
    first, second = sorted((one, other))
    both = and_(ticket_link.c.ticket_id == first, ticket_link.c.other_id == second)
    if not (await tx.execute(ticket_link.delete().where(both))).rowcount:
        raise TicketsNotLinked("Nobody linked these two tickets.")
