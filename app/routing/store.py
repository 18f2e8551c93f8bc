"""Decision records in the database. Knows how they are kept; refuses to know how a decision is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from app.kit.db import Reading, Transaction
from app.kit.ids import new_id
from app.routing.tables import decision

_QUOTING = "phrase|risk|route|tone|part|first_part"  # reasons that hold words of the post
_FORGET_WORDS = f"""
    UPDATE decision SET record = record || jsonb_build_object(
        'evidence', '[]'::jsonb, 'secondary', '[]'::jsonb, 'reasons',
        jsonb_path_query_array(record, '$.reasons[*] ? (!(@.code like_regex "^({_QUOTING})$"))'))
    WHERE mention_id = $1"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on a ticket. `record` is what `routing.decision.as_record` gives; `actor` is system or a person."""

    ticket_id: UUID
    mention_id: UUID | None
    actor: str
    at: datetime
    record: Mapping[str, Any]


async def record_decisions(tx: Transaction, decisions: Sequence[Decided]) -> None:
    columns = ("topic", "confidence", "department", "rule", "digest")
    await tx.insert(
        decision,
        [
            {
                "id": new_id(),
                "ticket_id": made.ticket_id,
                "mention_id": made.mention_id,
                "actor": made.actor,
                "at": made.at,
                **{name: made.record[name] for name in columns},
                "record": made.record,
            }
            for made in decisions
        ],
    )


async def list_decisions(tx: Reading, ticket_id: UUID) -> tuple[Decided, ...]:
    """Oldest first."""
    rows = await tx.rows(select(decision).where(decision.c.ticket_id == ticket_id).order_by(decision.c.id))
    return tuple(Decided(row.ticket_id, row.mention_id, row.actor, row.at, row.record) for row in rows)


async def find_judged(tx: Reading, ticket_id: UUID) -> UUID | None:
    """The post from which the topic of a ticket was read last; None on a ticket that nothing was read of."""
    read = select(decision.c.mention_id).where(decision.c.ticket_id == ticket_id, decision.c.mention_id.is_not(None))
    found: UUID | None = await tx.scalar(read.order_by(decision.c.id.desc()).limit(1))
    return found


async def list_latest_records(tx: Reading, ticket_ids: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """The newest decision record of each of these tickets that has one."""
    newest = (
        select(decision.c.ticket_id, decision.c.record)
        .where(decision.c.ticket_id.in_(ticket_ids))
        .ext(distinct_on(decision.c.ticket_id))
        .order_by(decision.c.ticket_id, decision.c.id.desc())
    )
    return {row.ticket_id: row.record for row in await tx.rows(newest)}


async def record_deletion(tx: Transaction, mention_id: UUID) -> None:
    """A post was deleted: what was decided stays, the words of the post that led to it go."""
    await tx.fetch(_FORGET_WORDS, mention_id)
