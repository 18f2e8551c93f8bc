"""Outages in the database.

Knows how a channel goes down once and comes back once. Refuses to know what becomes of tickets meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from sqlalchemy import select, update

from app.channels.tables import outage
from app.kit.db import Reading, Transaction


@dataclass(frozen=True, slots=True)
class Outage:
    """From `since` to `until`, None while it lasts, nothing could be said or heard on a channel."""

    id: UUID
    channel: str
    since: datetime
    until: datetime | None
    told_by: str
    reason: str | None


_COLUMNS = tuple(field.name for field in fields(Outage))
_values = attrgetter(*_COLUMNS)


async def add_outage(tx: Transaction, begun: Outage) -> bool:
    """Whether it is new: a channel that is down already does not go down again."""
    return await tx.insert_missing(outage, [dict(zip(_COLUMNS, _values(begun), strict=True))]) > 0


async def mark_over(tx: Transaction, channel: str, until: datetime) -> None:
    lasting = outage.c.channel == channel, outage.c.until.is_(None)
    await tx.execute(update(outage).where(*lasting).values(until=until))


async def find_lasting(tx: Reading, channel: str) -> Outage | None:
    row = await tx.first(select(outage).where(outage.c.channel == channel, outage.c.until.is_(None)))
    return None if row is None else Outage(*_values(row))


async def list_down(tx: Reading) -> tuple[str, ...]:
    """The channels that are down."""
    return tuple(row.channel for row in await tx.rows(select(outage.c.channel).where(outage.c.until.is_(None))))


async def list_outages(tx: Reading, *, limit: int, before: UUID | None) -> Sequence[Outage]:
    """Newest first."""
    found = select(outage) if before is None else select(outage).where(outage.c.id < before)
    return [Outage(*_values(row)) for row in await tx.rows(found.order_by(outage.c.id.desc()).limit(limit))]
