"""Follow-ups in the database: one for each answer of somebody who is not content, with a due moment of its own.

Knows the rows and their order. Refuses to know who is not content and how long a department may take.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.feedback.tables import follow_up
from app.kit.db import Reading, Transaction, Values
from app.kit.errors import NotFound


class FollowUpNotFound(NotFound):
    """Nobody has to get back to this customer, or it is another department's."""


class Outcome(StrEnum):
    """What became of it; the last is the customer's own doing."""

    SETTLED = "settled"
    SPOKEN = "spoken"
    NOT_REACHED = "not_reached"
    CHANGED = "changed"


class Standing(StrEnum):
    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """`overdue_at` is its due moment once that passed; `done_at` and later are None while it is open."""

    invitation_id: UUID
    ticket_id: UUID
    department: str
    opened_at: datetime
    due_at: datetime
    overdue_at: datetime | None = None
    done_at: datetime | None = None
    done_by: str | None = None
    outcome: Outcome | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A follow-up in a list, with what the customer said."""

    follow_up: FollowUp
    number: int
    score: int
    verbatim: str | None


_MEMBERS = ", ".join(f"f.{column.name}" for column in follow_up.c)
_OF = f"SELECT {_MEMBERS} FROM follow_up f WHERE f.ticket_id = $1"  # noqa: S608 - our own names
_LATEST = f"{_OF} ORDER BY f.opened_at DESC LIMIT 1"
_CLAIM = f"""{_OF} AND f.done_at IS NULL AND ($2::text IS NULL OR f.department = $2)
    ORDER BY f.opened_at DESC LIMIT 1 FOR UPDATE"""
# Once more from the beginning, where a customer who had changed their mind is not content after all.
_OPEN = """
    INSERT INTO follow_up (invitation_id, ticket_id, department, opened_at, due_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (invitation_id) DO UPDATE SET due_at = excluded.due_at, overdue_at = NULL, done_at = NULL,
        done_by = NULL, outcome = NULL, note = NULL
    WHERE follow_up.outcome = 'changed'"""
_DROP = """
    UPDATE follow_up SET done_at = $2, done_by = 'customer', outcome = 'changed'
    WHERE invitation_id = $1 AND done_at IS NULL"""
_LIST = f"""
    SELECT {_MEMBERS}, t.number, r.score, r.verbatim
    FROM follow_up f JOIN ticket t ON t.id = f.ticket_id JOIN response r ON r.invitation_id = f.invitation_id
    WHERE ($1::text IS NULL OR f.department = $1)
        AND CASE $2 WHEN 'open' THEN f.done_at IS NULL WHEN 'overdue' THEN f.done_at IS NULL AND f.due_at < $3
            ELSE f.done_at IS NOT NULL END
        AND ($4::timestamptz IS NULL OR (f.due_at, f.invitation_id) > ($4, $5::uuid))
    ORDER BY f.due_at, f.invitation_id LIMIT $6"""  # noqa: S608 - our own names
_CLAIM_OVERDUE = f"""
    WITH due AS MATERIALIZED (
        SELECT f.invitation_id FROM follow_up f JOIN ticket t ON t.id = f.ticket_id
        WHERE f.done_at IS NULL AND f.overdue_at IS NULL AND f.due_at <= now()
        ORDER BY f.due_at LIMIT $1 FOR UPDATE OF f, t SKIP LOCKED)
    UPDATE follow_up f SET overdue_at = f.due_at FROM due
    WHERE f.invitation_id = due.invitation_id RETURNING {_MEMBERS}"""  # noqa: S608 - our own names


async def add_follow_up(tx: Transaction, opened: FollowUp) -> None:
    """One that stands goes on as it is."""
    values = (opened.invitation_id, opened.ticket_id, opened.department, opened.opened_at, opened.due_at)
    await tx.fetch(_OPEN, *values)


async def mark_changed(tx: Transaction, invitation_id: UUID, now: datetime) -> None:
    """The customer is content after all."""
    await tx.fetch(_DROP, invitation_id, now)


async def claim_follow_up(tx: Transaction, ticket_id: UUID, department: str | None) -> FollowUp:
    """What is open on a ticket, locked; `department` None: of whichever. Raises `FollowUpNotFound`."""
    for row in await tx.fetch(_CLAIM, ticket_id, department):
        return _follow_up(row)
    raise FollowUpNotFound("There is no open follow-up on this ticket.")


async def mark_done(tx: Transaction, done: FollowUp) -> None:
    await tx.update(follow_up, [asdict(done)])


async def find_follow_up(tx: Reading, ticket_id: UUID) -> FollowUp | None:
    """The last one of a ticket, open or not."""
    for row in await tx.fetch(_LATEST, ticket_id):
        return _follow_up(row)
    return None


async def list_follow_ups(
    tx: Reading,
    standing: Standing,
    now: datetime,
    *,
    department: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[Line]:
    """In the order in which they are due."""
    rows = await tx.fetch(_LIST, department, standing, now, *(after or (None, None)), limit)
    return [Line(_follow_up(row), row["number"], row["score"], row["verbatim"]) for row in rows]


async def claim_overdue(tx: Transaction, limit: int) -> Sequence[FollowUp]:
    """Those whose due moment passed by the database's clock, each once; they count as told of from now on."""
    return [_follow_up(row) for row in await tx.fetch(_CLAIM_OVERDUE, limit)]


async def mark_untold(tx: Transaction, invitation_ids: Sequence[UUID]) -> None:
    """Nobody could be told of these; they are claimed again."""
    untold = follow_up.update().where(follow_up.c.invitation_id.in_(invitation_ids))
    await tx.execute(untold.values(overdue_at=None))


def _follow_up(row: Values) -> FollowUp:
    told = {column.name: row[column.name] for column in follow_up.c}
    return FollowUp(**told | {"outcome": Outcome(row["outcome"]) if row["outcome"] else None})
