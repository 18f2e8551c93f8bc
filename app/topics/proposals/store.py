"""Proposals in the database, and the posts that they are made of.

Knows which posts nobody found a topic for. Refuses to know how they are grouped and when two groups are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.kit.db import Reading, Transaction
from app.kit.ids import first_id_at
from app.topics.proposals.proposal import Proposal, ProposalDecided, ProposalNotFound, ProposalState
from app.topics.tables import proposal

_POST = """SELECT m.id, m.author_id, m.language, a.handle, a.display_name,
    CASE WHEN m.title IS NULL THEN m.text ELSE m.title || E'\\n' || m.text END AS text"""
# The post that opened a ticket which is, or ended, without a topic; or which a department gave back.
_UNPLACED = f"""
    {_POST} FROM (
        SELECT id FROM ticket WHERE id >= $1 AND (topic IS NULL OR state = 'triage') ORDER BY id DESC LIMIT $2) t
    CROSS JOIN LATERAL (SELECT mention_id FROM ticket_mention WHERE ticket_id = t.id ORDER BY mention_id LIMIT 1) l
    JOIN mention m ON m.id = l.mention_id JOIN author a ON a.id = m.author_id
    WHERE m.deleted_at IS NULL ORDER BY m.id"""  # noqa: S608 - our own words
_TYPICAL = f"""
    SELECT p.id AS proposal_id, post.* FROM proposal p CROSS JOIN LATERAL (
        {_POST}, named.place FROM unnest(p.posts) WITH ORDINALITY AS named (id, place)
        JOIN mention m ON m.id = named.id JOIN author a ON a.id = m.author_id
        WHERE m.deleted_at IS NULL ORDER BY named.place LIMIT $2) post
    WHERE p.id = ANY($1) ORDER BY post.place"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Post:
    """What a customer wrote, with the names that the channel has for who wrote it."""

    id: UUID
    author_id: UUID
    text: str
    language: str | None
    names: tuple[str | None, ...]


async def list_unplaced(tx: Reading, since: datetime, limit: int) -> list[Post]:
    """Posts that nobody found a topic for, of the newest `limit` tickets opened since then, oldest first."""
    return [_post(row) for row in await tx.fetch(_UNPLACED, first_id_at(since), limit)]


async def list_typical(tx: Reading, ids: Sequence[UUID], most: int) -> dict[UUID, list[Post]]:
    """Of each of these proposals the most typical posts, at most so many, but for what their authors deleted."""
    found: dict[UUID, list[Post]] = {one: [] for one in ids}
    for row in await tx.fetch(_TYPICAL, list(ids), most):
        found[row["proposal_id"]].append(_post(row))
    return found


async def claim_proposals(tx: Transaction) -> list[Proposal]:
    """All of them, whatever became of them, locked; the newest first."""
    rows = await tx.rows(select(proposal).order_by(proposal.c.id.desc()).with_for_update())
    return [_proposal(row) for row in rows]


async def record_proposal(tx: Transaction, made: Proposal) -> None:
    """A new one, or one as it looks now; what a manager decided stays."""
    row = {
        "id": made.id,
        "words": list(made.words),
        "posts": list(made.posts),
        "size": made.size,
        "proposed_at": made.proposed_at,
        "seen_at": made.seen_at,
    }
    seen = {name: row[name] for name in ("words", "posts", "size", "seen_at")}
    await tx.execute(insert(proposal).values(**row).on_conflict_do_update(index_elements=["id"], set_=seen))


async def mark_decided(tx: Transaction, proposal_id: UUID, state: ProposalState, actor: str, now: datetime) -> Proposal:
    """Raises `ProposalNotFound`, `ProposalDecided`."""
    mine = (proposal.c.id == proposal_id) & (proposal.c.state == ProposalState.OPEN)
    decided = update(proposal).where(mine).values(state=state, decided_at=now, decided_by=actor)
    changed = (await tx.execute(decided)).rowcount
    found = await get_proposal(tx, proposal_id)
    if not changed:
        raise ProposalDecided(f"It was {found.state} by {found.decided_by} before.", state=found.state)
    return found


async def get_proposal(tx: Reading, proposal_id: UUID) -> Proposal:
    """Raises `ProposalNotFound`."""
    row = await tx.first(select(proposal).where(proposal.c.id == proposal_id))
    if row is None:
        raise ProposalNotFound("There is no such proposal.")
    return _proposal(row)


async def list_proposals(
    tx: Reading, *, state: ProposalState, limit: int, before: UUID | None = None
) -> tuple[Proposal, ...]:
    """Newest first; `before` is the id of the last one seen."""
    chosen = select(proposal).where(proposal.c.state == state).order_by(proposal.c.id.desc()).limit(limit)
    rows = await tx.rows(chosen if before is None else chosen.where(proposal.c.id < before))
    return tuple(_proposal(row) for row in rows)


def _post(row: Any) -> Post:
    return Post(row["id"], row["author_id"], row["text"], row["language"], (row["handle"], row["display_name"]))


def _proposal(row: Any) -> Proposal:
    return Proposal(
        row.id,
        ProposalState(row.state),
        tuple(row.words),
        tuple(row.posts),
        row.size,
        row.proposed_at,
        row.seen_at,
        row.decided_at,
        row.decided_by,
    )
