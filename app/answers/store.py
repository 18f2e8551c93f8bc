"""Replies and answers in the database. Knows their states; refuses to know how anything is published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, update

from app.answers.answer import Answer
from app.answers.reply import Hold, Reply, ReplyState
from app.answers.tables import SAID, answer, reply
from app.escalation.embargoes.embargo import Embargo
from app.escalation.embargoes.store import reached_by
from app.kit.db import Reading, Transaction
from app.kit.errors import NotFound
from app.mentions.mention import Visibility
from app.tickets.tables import ticket

# Of one ticket, straight on the driver: every reading of a ticket asks for both.
_REPLIES = f"SELECT {', '.join(one.name for one in SAID)} FROM reply WHERE ticket_id = $1 ORDER BY id"  # noqa: S608
_ANSWERS = f"SELECT {', '.join(one.name for one in answer.c)} FROM answer WHERE ticket_id = $1 ORDER BY id"  # noqa: S608


class ReplyNotFound(NotFound):
    pass


class AnswerNotFound(NotFound):
    pass


async def add_replies(tx: Transaction, replies: Sequence[Reply]) -> None:
    await tx.insert(reply, [asdict(one) for one in replies])


async def add_answer(tx: Transaction, given: Answer) -> None:
    await tx.insert(answer, [asdict(given)])


async def get_answer(tx: Reading, answer_id: UUID) -> Answer:
    """Raises `AnswerNotFound`."""
    row = await tx.first(select(answer).where(answer.c.id == answer_id))
    if row is None:
        raise AnswerNotFound(f"There is no answer {answer_id} here.", field="answer_id")
    return Answer(**row._asdict())


async def list_reusable(
    tx: Reading,
    *,
    topic: str | None,
    department: str | None,
    now: datetime,
    after: UUID | None,
    limit: int,
) -> tuple[Answer, ...]:
    """What departments said for everybody who asks and what still holds, newest first; `after` is the last one's id."""
    found = select(answer).where(answer.c.reusable, or_(answer.c.valid_until.is_(None), answer.c.valid_until > now))
    for column, value in ((answer.c.topic, topic), (answer.c.department, department)):
        found = found if value is None else found.where(column == value)
    if after is not None:
        found = found.where(answer.c.id < after)
    return tuple(Answer(**row._asdict()) for row in await tx.rows(found.order_by(answer.c.id.desc()).limit(limit)))


async def list_replies(tx: Reading, ticket_id: UUID) -> tuple[Reply, ...]:
    """Oldest first."""
    return tuple(map(_reply, await tx.fetch(_REPLIES, ticket_id)))


async def list_newest_replies(
    tx: Reading,
    *,
    state: ReplyState | None,
    ticket_id: UUID | None,
    department: str | None,
    after: UUID | None,
    limit: int,
) -> tuple[Reply, ...]:
    """Newest first; `after` is the id of the last one of the page before. `department`: on tickets that it owns."""
    found = select(*SAID).where(*_of(department))
    for column, value in ((reply.c.state, state), (reply.c.ticket_id, ticket_id)):
        found = found if value is None else found.where(column == value)
    if after is not None:
        found = found.where(reply.c.id < after)
    return await _replies(tx, found.order_by(reply.c.id.desc()).limit(limit))


async def get_reply(tx: Reading, reply_id: UUID, *, department: str | None = None) -> Reply:
    """Raises `ReplyNotFound`, also when a `department` is given that neither owns the ticket nor answered it so."""
    found = await _replies(tx, select(*SAID).where(reply.c.id == reply_id, *_of(department)))
    if not found:
        raise ReplyNotFound(f"There is no reply {reply_id} here.")
    return found[0]


async def list_held(tx: Reading, ticket_ids: Collection[UUID], hold: Hold) -> tuple[Reply, ...]:
    """The replies on these tickets that wait for this among others, oldest first."""
    waiting = select(*SAID).where(reply.c.state == ReplyState.HELD, reply.c.held_for.contains([hold]))
    return await _replies(tx, waiting.where(reply.c.ticket_id.in_(ticket_ids)).order_by(reply.c.id))


async def list_held_unmarked(tx: Reading, limit: int) -> tuple[UUID, ...]:
    """Tickets that are not marked as under an embargo although a reply on them waits for one to end."""
    waiting = select(reply.c.ticket_id).join(ticket, ticket.c.id == reply.c.ticket_id).distinct()
    held = waiting.where(reply.c.state == ReplyState.HELD, reply.c.held_for.contains([Hold.EMBARGO]))
    rows = await tx.rows(held.where(ticket.c.embargoed.is_(False)).order_by(reply.c.ticket_id).limit(limit))
    return tuple(row.ticket_id for row in rows)


async def list_queued_unmarked(tx: Reading, in_force: Sequence[Embargo], limit: int) -> tuple[UUID, ...]:
    """Tickets that are not marked although one of these embargoes reaches them and a public reply on them is on its
    way.
    """
    if not in_force:
        return ()
    on_its_way = select(reply.c.ticket_id).join(ticket, ticket.c.id == reply.c.ticket_id).distinct()
    public = on_its_way.where(reply.c.state == ReplyState.QUEUED, reply.c.visibility == Visibility.PUBLIC)
    unmarked = public.where(ticket.c.embargoed.is_(False), or_(*map(reached_by, in_force)))
    return tuple(row.ticket_id for row in await tx.rows(unmarked.order_by(reply.c.ticket_id).limit(limit)))


async def list_queued(tx: Reading, ticket_ids: Collection[UUID]) -> tuple[Reply, ...]:
    """The replies on these tickets that are on their way, oldest first."""
    queued = select(*SAID).where(reply.c.ticket_id.in_(ticket_ids), reply.c.state == ReplyState.QUEUED)
    return await _replies(tx, queued.order_by(reply.c.id))


async def list_answers(tx: Reading, ticket_id: UUID) -> tuple[Answer, ...]:
    """Oldest first."""
    return tuple(Answer(**row) for row in await tx.fetch(_ANSWERS, ticket_id))


async def mark_decided(tx: Transaction, before: Reply, after: Reply) -> bool:
    """Write what somebody made of a reply; False when it does not stand in the state of `before` any more."""
    changed = {name: value for name, value in asdict(after).items() if value != getattr(before, name)}
    here = update(reply).where(reply.c.id == before.id, reply.c.state == before.state)
    done = await tx.execute(here.values(**changed))
    return done.rowcount == 1


async def mark_published(tx: Transaction, reply_id: UUID, external_id: str | None, at: datetime) -> None:
    """The channel has it, whatever was thought of it before."""
    before = (ReplyState.QUEUED, ReplyState.FAILED, ReplyState.UNKNOWN)
    facts = {"state": ReplyState.PUBLISHED, "reason": None, "external_id": external_id, "published_at": at}
    await _mark(tx, reply_id, before, **facts)


async def mark_unknown(tx: Transaction, reply_id: UUID, reason: str) -> None:
    """It was sent, and nobody can tell whether the channel has it."""
    await _mark(tx, reply_id, (ReplyState.QUEUED, ReplyState.UNKNOWN), state=ReplyState.UNKNOWN, reason=reason)


async def mark_failed(tx: Transaction, reply_id: UUID, reason: str) -> None:
    """The channel does not have it, and it will not be tried again by itself."""
    await _mark(tx, reply_id, (ReplyState.QUEUED, ReplyState.UNKNOWN), state=ReplyState.FAILED, reason=reason)


async def mark_delayed(tx: Transaction, reply_id: UUID, reason: str) -> None:
    """The channel does not have it, and another attempt follows."""
    await _mark(tx, reply_id, (ReplyState.QUEUED, ReplyState.UNKNOWN), state=ReplyState.QUEUED, reason=reason)


async def mark_requeued(tx: Transaction, reply_id: UUID) -> None:
    """What had failed is tried again; the reason stays, until it is published, as the last that is known."""
    await _mark(tx, reply_id, (ReplyState.FAILED,), state=ReplyState.QUEUED)


async def _mark(tx: Transaction, reply_id: UUID, before: Sequence[str], **changes: object) -> None:
    """Change a reply that stands in one of the states `before`, and no other."""
    await tx.execute(update(reply).where(reply.c.id == reply_id, reply.c.state.in_(before)).values(**changes))


def _of(department: str | None) -> list[ColumnElement[bool]]:
    if department is None:
        return []
    owned = select(ticket.c.id).where(ticket.c.id == reply.c.ticket_id, ticket.c.department == department).exists()
    return [or_(owned, reply.c.department == department)]


async def _replies(tx: Reading, found: Select[Any]) -> tuple[Reply, ...]:
    return tuple(_reply(row._asdict()) for row in await tx.rows(found))


def _reply(row: Mapping[str, Any]) -> Reply:
    facts = {
        **row,
        "state": ReplyState(row["state"]),
        "held_for": tuple(map(Hold, row["held_for"])),
        "confirmed": tuple(row["confirmed"]),
        "attachments": tuple(row["attachments"]),
    }
    return Reply(**facts)
