"""Drafts in the database: one per person and ticket, until it is sent, dropped or forgotten.

Knows how they are kept. Refuses to know who may read whose words and when a draft is sent.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, select, tuple_

from app.answers.tables import draft
from app.kit.db import OnConflict, Reading, Records, Transaction
from app.kit.errors import NotFound
from app.tickets.tables import ticket


class DraftNotFound(NotFound):
    pass


@dataclass(frozen=True, slots=True)
class Draft:
    """`version` is the ticket's that it is based on; `visibility` None: as the customer asked."""

    ticket_id: UUID
    actor: str
    text: str
    visibility: str | None
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft beside the ticket as it stands now."""

    draft: Draft
    number: int
    ticket_version: int


_KEPT = select(*draft.c, ticket.c.number, ticket.c.version.label("ticket_version")).join(
    ticket, ticket.c.id == draft.c.ticket_id
)


async def add_draft(tx: Transaction, new: Draft) -> None:
    """In the place of the one before."""
    await tx.insert(draft, [asdict(new)], on_conflict=OnConflict.REPLACE)


async def get_draft(tx: Reading, ticket_id: UUID, actor: str) -> Kept:
    """Raises `DraftNotFound`."""
    row = await tx.first(_KEPT.where(draft.c.ticket_id == ticket_id, draft.c.actor == actor))
    if row is None:
        raise DraftNotFound("You have no draft on this ticket.")
    return _kept(row)


async def list_own_drafts(
    tx: Reading, actor: str, *, after: tuple[datetime, UUID] | None = None, limit: int
) -> tuple[Kept, ...]:
    """Somebody's drafts, the newest first; those behind the (updated_at, ticket_id) `after`."""
    newest: Select[Any] = _KEPT.where(draft.c.actor == actor)
    if after is not None:
        newest = newest.where(tuple_(draft.c.updated_at, draft.c.ticket_id) < after)
    rows = await tx.rows(newest.order_by(draft.c.updated_at.desc(), draft.c.ticket_id.desc()).limit(limit))
    return tuple(map(_kept, rows))


async def list_writers(tx: Reading, ticket_id: UUID) -> Records:
    """Who has a draft on a ticket, the newest first: rows of `actor` and `updated_at`, and nobody's words."""
    who = "SELECT actor, updated_at FROM draft WHERE ticket_id = $1 ORDER BY updated_at DESC"
    return await tx.fetch(who, ticket_id)


async def drop_draft(tx: Transaction, ticket_id: UUID, actor: str) -> None:
    """Somebody's own, if there is one."""
    await tx.execute(delete(draft).where(draft.c.ticket_id == ticket_id, draft.c.actor == actor))


async def purge_drafts(tx: Transaction, older_than: timedelta) -> int:
    """Forget what was not touched for so long, by the database's clock; returns how many."""
    return (await tx.execute(delete(draft).where(draft.c.updated_at < func.now() - older_than))).rowcount


def _kept(row: Row[Any]) -> Kept:
    known = Draft(row.ticket_id, row.actor, row.text, row.visibility, row.version, row.updated_at)
    return Kept(known, row.number, row.ticket_version)
