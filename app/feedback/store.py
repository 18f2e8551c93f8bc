"""Invitations and responses in the database.

Knows the rows, and that an invitation is locked after its ticket. Refuses to know who should be asked and in which
words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, select, text, update

from app.escalation.tables import escalation, incident_mention
from app.feedback.invitation import ASKED, OPEN, OPT_OUT_TAG, Answer, Reason, State
from app.feedback.tables import invitation, response
from app.kit.db import OnConflict, Reading, Transaction
from app.mentions.tables import mention
from app.tickets.tables import ticket, ticket_mention


@dataclass(frozen=True, slots=True)
class Invitation:
    """One resolution, asked about or not. `due_at` and later moments are None as long as they have not come."""

    id: UUID
    ticket_id: UUID
    resolved_at: datetime
    author_id: UUID
    state: State
    reason: Reason | None
    language: str
    channel: str
    account: str | None
    topic: str | None
    department: str | None
    stage: str | None
    arm: str | None
    priority: str
    agent: str | None
    due_at: datetime | None
    expires_at: datetime | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What went before a resolution, of the ticket and of its author on all tickets.

    `with_pr`: PR was ever asked to look at the ticket, or it belongs to an incident.
    """

    last_post_at: datetime
    last_asked_at: datetime | None
    opted_out: bool
    with_pr: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of the latest resolution of a ticket; `score` and later are None without a response."""

    state: State
    reason: Reason | None
    score: int | None
    comment: str | None
    received_at: datetime | None


_COLUMNS = tuple(invitation.c[member.name] for member in fields(Invitation))
_LATEST = """
    SELECT state, reason, score, comment, received_at
    FROM invitation LEFT JOIN response ON response.invitation_id = invitation.id
    WHERE ticket_id = $1 ORDER BY resolved_at DESC LIMIT 1"""
# A lock of its own: the author's row is locked before tickets where mentions come in, here it would come after.
_CLAIM_AUTHORS = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('survey ' || person, 0))
    FROM (SELECT unnest(CAST(:authors AS text[])) AS person ORDER BY 1) AS people""")


async def claim_authors(tx: Transaction, author_ids: Iterable[UUID]) -> None:
    """Until the commit nobody else decides whether to ask these people, so that none is asked twice."""
    await tx.execute(_CLAIM_AUTHORS, {"authors": sorted(map(str, set(author_ids)))})


async def list_histories(tx: Reading, ticket_ids: Sequence[UUID]) -> dict[UUID, History]:
    """The histories of tickets, by ticket."""
    posts = ticket_mention.join(mention, mention.c.id == ticket_mention.c.mention_id)
    last_post_at = (
        select(func.max(mention.c.posted_at)).select_from(posts).where(ticket_mention.c.ticket_id == ticket.c.id)
    )
    last_asked_at = select(func.max(func.coalesce(invitation.c.sent_at, invitation.c.due_at))).where(
        invitation.c.author_id == ticket.c.author_id, invitation.c.state.in_(ASKED)
    )
    of_author = ticket.alias()
    opted_out = exists().where(of_author.c.author_id == ticket.c.author_id, of_author.c.tags.contains([OPT_OUT_TAG]))
    escalated = exists().where(escalation.c.ticket_id == ticket.c.id)
    in_incident = exists().where(incident_mention.c.ticket_id == ticket.c.id)
    found = select(
        ticket.c.id,
        last_post_at.scalar_subquery().label("last_post_at"),
        last_asked_at.scalar_subquery().label("last_asked_at"),
        opted_out.label("opted_out"),
        (escalated | in_incident).label("with_pr"),
    ).where(ticket.c.id.in_(ticket_ids))
    rows = await tx.rows(found)
    return {row.id: History(row.last_post_at, row.last_asked_at, row.opted_out, row.with_pr) for row in rows}


async def add_invitations(tx: Transaction, invitations: Sequence[Invitation]) -> None:
    """A resolution that has its invitation keeps it."""
    await tx.insert(invitation, [asdict(one) for one in invitations], on_conflict=OnConflict.IGNORE)


async def mark_withdrawn(tx: Transaction, ticket_ids: Sequence[UUID], reason: Reason) -> None:
    """What waits for these tickets is no longer sent. What is on its way can't be called back."""
    waiting = (invitation.c.ticket_id.in_(ticket_ids), invitation.c.state == State.WAITING)
    await tx.execute(update(invitation).where(*waiting).values(state=State.WITHDRAWN, reason=reason))


async def claim_due(tx: Transaction, limit: int) -> tuple[Invitation, ...]:
    """Invitations whose moment has come by the database's clock, locked with their tickets; others' are passed over."""
    due = (
        select(*_COLUMNS)
        .join(ticket, ticket.c.id == invitation.c.ticket_id)
        .where(invitation.c.state == State.WAITING, invitation.c.due_at <= func.now())
        .order_by(invitation.c.due_at, invitation.c.id)
        .limit(limit)
        .with_for_update(of=[invitation, ticket], skip_locked=True)
    )
    return tuple(_invitation(row) for row in await tx.rows(due))


async def mark_queued(tx: Transaction, digests: Mapping[UUID, bytes], expires_at: datetime) -> None:
    """Claimed invitations are on their way, each with the digest of its link's token."""
    queued = [
        {"id": one, "state": State.QUEUED, "digest": digest, "expires_at": expires_at}
        for one, digest in digests.items()
    ]
    await tx.update(invitation, queued)


async def mark_sent(tx: Transaction, invitation_id: UUID, at: datetime) -> None:
    """The channel took it. Nothing changes for a customer who was quicker to answer."""
    await _mark_queued_as(tx, invitation_id, state=State.SENT, sent_at=at)


async def mark_failed(tx: Transaction, invitation_id: UUID) -> None:
    """The channel did not take it and will not be asked again by itself."""
    await _mark_queued_as(tx, invitation_id, state=State.FAILED)


async def find_open(tx: Reading, digest: bytes, now: datetime) -> Invitation | None:
    """The invitation behind a link that may still be answered."""
    row = await tx.first(
        select(*_COLUMNS).where(
            invitation.c.digest == digest, invitation.c.state.in_(OPEN), invitation.c.expires_at > now
        )
    )
    return None if row is None else _invitation(row)


async def mark_answered(tx: Transaction, invitation_id: UUID, now: datetime) -> bool:
    """Whether this is the one answer. An answer proves that the question arrived, whatever the channel said."""
    is_open = (invitation.c.id == invitation_id, invitation.c.state.in_(OPEN))
    answered = update(invitation).where(*is_open)
    done = await tx.execute(answered.values(state=State.ANSWERED, sent_at=func.coalesce(invitation.c.sent_at, now)))
    return done.rowcount == 1


async def record_response(tx: Transaction, invitation_id: UUID, given: Answer, at: datetime) -> None:
    await tx.insert(response, [{"invitation_id": invitation_id, **asdict(given), "received_at": at}])


async def find_feedback(tx: Reading, ticket_id: UUID) -> Feedback | None:
    """What became of the ticket's latest resolution that there was somebody to ask about; None without one."""
    for row in await tx.fetch(_LATEST, ticket_id):
        return Feedback(**{**row, "state": State(row["state"]), "reason": _reason(row["reason"])})
    return None


async def _mark_queued_as(tx: Transaction, invitation_id: UUID, **changes: object) -> None:
    queued = (invitation.c.id == invitation_id, invitation.c.state == State.QUEUED)
    await tx.execute(update(invitation).where(*queued).values(**changes))


def _invitation(row: Row[Any]) -> Invitation:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return Invitation(**values | {"state": State(row.state), "reason": _reason(row.reason)})


def _reason(value: str | None) -> Reason | None:
    return None if value is None else Reason(value)
