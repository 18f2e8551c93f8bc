"""Replies and answers in the database. Knows their states; refuses to know how anything is published."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from app.answers.tables import SAID, answer, reply
from app.kit.db import Reading, Transaction


@dataclass(frozen=True, slots=True)
class Reply:
    """`visibility` public or private; `mention_id` is the post that it answers."""

    id: UUID
    ticket_id: UUID
    mention_id: UUID | None
    actor: str
    department: str | None
    text: str
    visibility: str
    queued_at: datetime
    state: str = "queued"
    reason: str | None = None
    external_id: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`first_hand`: it went to the customer as it is; else it is a draft for webcare."""

    id: UUID
    ticket_id: UUID
    department: str
    actor: str
    text: str
    first_hand: bool
    valid_until: datetime | None
    given_at: datetime


async def add_replies(tx: Transaction, replies: Sequence[Reply]) -> None:
    await tx.insert(reply, [asdict(one) for one in replies])


async def add_answer(tx: Transaction, given: Answer) -> None:
    await tx.insert(answer, [asdict(given)])


async def list_replies(tx: Reading, ticket_id: UUID) -> tuple[Reply, ...]:
    """Oldest first."""
    rows = await tx.rows(select(*SAID).where(reply.c.ticket_id == ticket_id).order_by(reply.c.id))
    return tuple(Reply(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name


async def list_answers(tx: Reading, ticket_id: UUID) -> tuple[Answer, ...]:
    """Oldest first."""
    rows = await tx.rows(select(answer).where(answer.c.ticket_id == ticket_id).order_by(answer.c.id))
    return tuple(Answer(**row._mapping) for row in rows)  # noqa: SLF001


async def mark_published(tx: Transaction, reply_id: UUID, external_id: str | None, at: datetime) -> None:
    """The channel has it, whatever was thought of it before."""
    facts = {"state": "published", "reason": None, "external_id": external_id, "published_at": at}
    await _mark(tx, reply_id, ("queued", "failed"), **facts)


async def mark_failed(tx: Transaction, reply_id: UUID, reason: str) -> None:
    """It will not be tried again by itself."""
    await _mark(tx, reply_id, ("queued",), state="failed", reason=reason)


async def mark_delayed(tx: Transaction, reply_id: UUID, reason: str) -> None:
    """An attempt failed and another one follows."""
    await _mark(tx, reply_id, ("queued",), reason=reason)


async def mark_requeued(tx: Transaction, reply_id: UUID) -> None:
    """What had failed is tried again; the reason stays, until it is published, as the last that is known."""
    await _mark(tx, reply_id, ("failed",), state="queued")


async def _mark(tx: Transaction, reply_id: UUID, before: Sequence[str], **changes: object) -> None:
    """Change a reply that stands in one of the states `before`, and no other."""
    await tx.execute(update(reply).where(reply.c.id == reply_id, reply.c.state.in_(before)).values(**changes))
