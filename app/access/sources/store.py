"""Sources and the calls that they signed, in the database. Refuses to know what was signed."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from app.access.sources.source import Source
from app.access.tables import source, source_call
from app.kit.db import Reading, Transaction
from app.kit.errors import NotFound


class SourceNotFound(NotFound):
    pass


async def add_source(tx: Transaction, new: Source) -> None:
    facts = {column.name: getattr(new, column.name) for column in source.c}
    await tx.execute(insert(source).values(**facts))


async def find_source(tx: Reading, source_id: UUID) -> Source | None:
    """None also when it was removed."""
    row = await tx.first(select(source).where(source.c.id == source_id, source.c.removed_at.is_(None)))
    return None if row is None else Source(**row._asdict())


async def list_sources(tx: Reading) -> tuple[Source, ...]:
    """Those that are not removed, oldest first."""
    rows = await tx.rows(select(source).where(source.c.removed_at.is_(None)).order_by(source.c.id))
    return tuple(Source(**row._asdict()) for row in rows)


async def mark_removed(tx: Transaction, source_id: UUID, at: datetime) -> None:
    """Raises `SourceNotFound`."""
    here = update(source).where(source.c.id == source_id, source.c.removed_at.is_(None))
    if (await tx.execute(here.values(removed_at=at))).rowcount == 0:
        raise SourceNotFound("There is no such source.")


async def record_call(tx: Transaction, source_id: UUID, message_id: str, signed_at: datetime) -> bool:
    """Whether this very call never came before. A sender that tries again signs anew, at another moment."""
    call = {"source_id": source_id, "message_id": message_id, "signed_at": signed_at}
    return await tx.insert_missing(source_call, [call]) == 1


async def purge_calls(tx: Transaction, older_than: timedelta) -> int:
    """Forget calls that are too old to be believed anyway; returns how many."""
    gone = await tx.execute(delete(source_call).where(source_call.c.signed_at < func.now() - older_than))
    return gone.rowcount
