"""Invitations and responses in the database.

Knows the rows, and that an invitation is locked after its ticket. Refuses to know who should be asked and in which
words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select, text, update

from app.feedback.answering import Answer
from app.feedback.invitation import ASKED, OPEN, OPT_OUT_TAG, Reason, State
from app.feedback.tables import invitation, response
from app.kit.db import OnConflict, Reading, Transaction
from app.tickets.tables import ticket


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
class Asked:
    """An invitation that may be answered; `given` is the answer that may still be changed."""

    invitation: Invitation
    given: Answer | None


@dataclass(frozen=True, slots=True)
class History:
    """What went before a resolution, of the ticket and of its author on all tickets and channels.

    `person` is who the author is, the same for all authors that are known to be one. `with_pr`: PR was ever asked to
    look at the ticket, or it belongs to an incident.
    """

    person: str
    last_post_at: datetime
    last_asked_at: datetime | None
    opted_out: bool
    with_pr: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of a resolution of a ticket; `score` and later are None without a response."""

    state: State
    reason: Reason | None
    score: int | None
    comment: str | None
    received_at: datetime | None
    effort: int | None = None
    changed_at: datetime | None = None


POSTPONED = timedelta(minutes=5)  # until a ticket that could not be recorded is tried again

_COLUMNS = tuple(invitation.c[member.name] for member in fields(Invitation))
_ANSWERED = """
    SELECT state, reason, score, comment, received_at, effort, changed_at
    FROM invitation LEFT JOIN response ON response.invitation_id = invitation.id
    WHERE ticket_id = $1 ORDER BY score IS NULL, resolved_at DESC LIMIT 1"""
# A lock of its own: the author's row is locked before tickets where mentions come in, here it would come after.
_CLAIM_PEOPLE = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('survey ' || person, 0))
    FROM (
        SELECT DISTINCT coalesce(i.person, a.id::text) AS person
        FROM unnest(CAST(:authors AS uuid[])) AS a (id) LEFT JOIN identity i ON i.author_id = a.id ORDER BY 1
    ) AS people""")
_HISTORIES = """
    SELECT t.id, coalesce(known.person, t.author_id::text) AS person,
        (SELECT max(m.posted_at) FROM ticket_mention tm JOIN mention m ON m.id = tm.mention_id
            WHERE tm.ticket_id = t.id) AS last_post_at,
        (SELECT max(coalesce(i.sent_at, i.due_at)) FROM invitation i
            WHERE i.author_id = ANY(authors.ids) AND i.state = ANY($2) AND i.id <> ALL($3::uuid[])) AS last_asked_at,
        EXISTS (SELECT FROM ticket o WHERE o.author_id = ANY(authors.ids) AND o.tags ? $4) AS opted_out,
        EXISTS (SELECT FROM escalation e WHERE e.ticket_id = t.id)
            OR EXISTS (SELECT FROM incident_mention im WHERE im.ticket_id = t.id) AS with_pr
    FROM ticket t
    LEFT JOIN identity known ON known.author_id = t.author_id
    CROSS JOIN LATERAL (
        SELECT array(SELECT author_id FROM identity WHERE person = known.person UNION SELECT t.author_id) AS ids
    ) AS authors
    WHERE t.id = ANY($1::uuid[])"""
# The first answer, or another one in its place; its moment stays that of the first.
_KEEP_RESPONSE = """
    INSERT INTO response (invitation_id, score, comment, effort, verbatim, mention_id, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (invitation_id) DO UPDATE SET score = excluded.score, comment = excluded.comment,
        effort = excluded.effort, verbatim = excluded.verbatim, mention_id = excluded.mention_id,
        changed_at = excluded.received_at"""
_TAKE_AWAY = "UPDATE response SET comment = NULL, verbatim = NULL WHERE mention_id = $1"


async def claim_people(tx: Transaction, author_ids: Iterable[UUID]) -> None:
    """Until the commit nobody else decides whether to ask these people, so that none is asked twice."""
    await tx.execute(_CLAIM_PEOPLE, {"authors": sorted(set(author_ids))})


async def list_histories(tx: Reading, ticket_ids: Sequence[UUID], without: Sequence[UUID] = ()) -> dict[UUID, History]:
    """The histories of tickets, by ticket; invitations `without` do not count as asked."""
    rows = await tx.fetch(_HISTORIES, list(ticket_ids), list(ASKED), list(without), OPT_OUT_TAG)
    return {
        row["id"]: History(row["person"], row["last_post_at"], row["last_asked_at"], row["opted_out"], row["with_pr"])
        for row in rows
    }


async def add_invitations(tx: Transaction, invitations: Sequence[Invitation]) -> None:
    """A resolution that has its invitation keeps it."""
    await tx.insert(invitation, [asdict(one) for one in invitations], on_conflict=OnConflict.IGNORE)


async def mark_withdrawn(tx: Transaction, ticket_ids: Sequence[UUID], reason: Reason) -> None:
    """What waits for these tickets is no longer sent. What is on its way can't be called back."""
    waiting = (invitation.c.ticket_id.in_(ticket_ids), invitation.c.state == State.WAITING)
    await tx.execute(update(invitation).where(*waiting).values(state=State.WITHDRAWN, reason=reason))


async def mark_dropped(tx: Transaction, reasons: Mapping[UUID, Reason]) -> None:
    """Claimed invitations that are not sent after all, each for its reason."""
    await tx.update(invitation, [{"id": i, "state": State.WITHDRAWN, "reason": why} for i, why in reasons.items()])


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


async def mark_postponed(tx: Transaction, invitation_ids: Sequence[UUID]) -> None:
    """Looked at again later: their tickets cannot be recorded now, and are to hold up no others."""
    later = update(invitation).where(invitation.c.id.in_(invitation_ids)).values(due_at=func.now() + POSTPONED)
    await tx.execute(later)


async def mark_queued(tx: Transaction, digests: Mapping[UUID, bytes], expires_at: datetime) -> None:
    """Claimed invitations are on their way, each with the digest of its link's token."""
    queued = [
        {"id": one, "state": State.QUEUED, "digest": digest, "expires_at": expires_at}
        for one, digest in digests.items()
    ]
    await tx.update(invitation, queued)


async def mark_sent(tx: Transaction, invitation_id: UUID, at: datetime) -> bool:
    """The channel took it; whether that is news: it is not of a customer who was quicker to answer."""
    return await _mark_queued_as(tx, invitation_id, state=State.SENT, sent_at=at)


async def mark_failed(tx: Transaction, invitation_id: UUID) -> bool:
    """The channel did not take it and will not be asked again by itself; whether that is news."""
    return await _mark_queued_as(tx, invitation_id, state=State.FAILED, reason=Reason.UNDELIVERED)


async def find_open(tx: Reading, digest: bytes, now: datetime, changeable: timedelta) -> Asked | None:
    """The invitation behind a link that may still be answered, or whose answer may still be changed."""
    row = await tx.first(_open(now, changeable).where(invitation.c.digest == digest))
    return None if row is None else _asked(row)


async def list_open(tx: Reading, author_ids: Sequence[UUID], now: datetime, changeable: timedelta) -> dict[UUID, Asked]:
    """What may still be answered by these authors, each time the last that they were asked, by author."""
    if not author_ids:
        return {}
    asked = _open(now, changeable).where(invitation.c.author_id.in_(author_ids)).order_by(invitation.c.resolved_at)
    return {row.author_id: _asked(row) for row in await tx.rows(asked)}


async def mark_answered(tx: Transaction, invitation_id: UUID, now: datetime) -> bool:
    """Whether this is the first answer. An answer proves that the question arrived, whatever the channel said."""
    is_open = (invitation.c.id == invitation_id, invitation.c.state.in_(OPEN))
    answered = update(invitation).where(*is_open)
    done = await tx.execute(answered.values(state=State.ANSWERED, sent_at=func.coalesce(invitation.c.sent_at, now)))
    return done.rowcount == 1


async def mark_declined(tx: Transaction, invitation_id: UUID) -> None:
    """The customer wants no such question; it was asked all the same, and counts as that."""
    await tx.execute(update(invitation).where(invitation.c.id == invitation_id).values(reason=Reason.OPTED_OUT))


async def record_response(
    tx: Transaction,
    invitation_id: UUID,
    given: Answer,
    at: datetime,
    verbatim: str | None = None,
    mention_id: UUID | None = None,
) -> None:
    """Keep an answer, or another one in its place. `verbatim` is the comment without personal data."""
    values = (given.score, given.comment, given.effort, verbatim, mention_id, at)
    await tx.fetch(_KEEP_RESPONSE, invitation_id, *values)


async def record_deletion(tx: Transaction, mention_id: UUID) -> None:
    """Its author deleted the reply that an answer was read from: the words go, the score was counted."""
    await tx.fetch(_TAKE_AWAY, mention_id)


async def find_feedback(tx: Reading, ticket_id: UUID) -> Feedback | None:
    """What the customer answered last; without an answer, what became of the latest resolution that there was somebody
    to ask about; None without one. A later resolution that nobody is asked about hides no score.
    """
    for row in await tx.fetch(_ANSWERED, ticket_id):
        return Feedback(**{**row, "state": State(row["state"]), "reason": _reason(row["reason"])})
    return None


async def _mark_queued_as(tx: Transaction, invitation_id: UUID, **changes: object) -> bool:
    queued = (invitation.c.id == invitation_id, invitation.c.state == State.QUEUED)
    return (await tx.execute(update(invitation).where(*queued).values(**changes))).rowcount == 1


def _open(now: datetime, changeable: timedelta) -> Select[Any]:
    given = (response.c.score, response.c.comment, response.c.effort)
    may_answer = invitation.c.state.in_(OPEN) & invitation.c.reason.is_(None) & (invitation.c.expires_at > now)
    may_change = (invitation.c.state == State.ANSWERED) & (response.c.received_at > now - changeable)
    both = invitation.outerjoin(response, response.c.invitation_id == invitation.c.id)
    return select(*_COLUMNS, *given).select_from(both).where(or_(may_answer, may_change))


def _asked(row: Row[Any]) -> Asked:
    given = None if row.score is None else Answer(row.score, row.comment, row.effort)
    return Asked(_invitation(row), given)


def _invitation(row: Row[Any]) -> Invitation:
    values = {column.name: getattr(row, column.name) for column in _COLUMNS}
    return Invitation(**values | {"state": State(row.state), "reason": _reason(row.reason)})


def _reason(value: str | None) -> Reason | None:
    return None if value is None else Reason(value)
