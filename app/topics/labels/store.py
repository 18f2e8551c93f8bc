"""Labels in the database. Knows that rows are only added; refuses to know which of two labels is right."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.kit.db import Reading, Transaction
from app.kit.ids import new_id
from app.topics.labels.labelling import Labelling, Source
from app.topics.tables import label

# A post that its author deleted has no words left.
_LABELLED = """
    SELECT * FROM (
        SELECT l.id, l.topic, l.mine, l.source, l.actor, l.at, l.mention_id,
               coalesce(l.text, CASE WHEN m.title IS NULL THEN m.text ELSE m.title || E'\\n' || m.text END) AS text,
               coalesce(l.language, m.language) AS language
        FROM label l LEFT JOIN mention m ON m.id = l.mention_id
        WHERE m.deleted_at IS NULL AND ($1::timestamptz IS NULL OR l.at > $1)
        ORDER BY l.at DESC, l.id DESC LIMIT $2) AS newest
    ORDER BY at, id"""


async def record_labels(tx: Transaction, said: Sequence[Labelling]) -> None:
    await tx.insert(label, [_row(one) for one in said])


async def record_imported(tx: Transaction, said: Sequence[Labelling]) -> int:
    """Labels of texts that stand nowhere else; returns how many of them are new."""
    return await tx.insert_missing(label, [_row(one) for one in said])


async def list_labels(tx: Reading, *, since: datetime | None = None, limit: int) -> list[Labelling]:
    """The newest `limit` labels given after `since`, oldest first, each with the text as it reads today."""
    rows = await tx.fetch(_LABELLED, since, limit)
    return [Labelling(**{name: value for name, value in _read(row).items() if name != "id"}) for row in rows]


async def get_counts(tx: Reading, since: datetime | None = None, until: datetime | None = None) -> Mapping[Source, int]:
    """How many labels each source gave after `since`, and not after `until`; every source is named."""
    found = select(label.c.source, func.count().label("n")).group_by(label.c.source)
    if since is not None:
        found = found.where(label.c.at > since)
    if until is not None:
        found = found.where(label.c.at <= until)
    rows = await tx.rows(found)
    counts = {row.source: row.n for row in rows}
    return {source: counts.get(source, 0) for source in Source}


def _row(said: Labelling) -> dict[str, Any]:
    return {
        "id": new_id(),
        "topic": said.topic,
        "mine": said.mine,
        "source": said.source,
        "actor": said.actor,
        "at": said.at,
        "mention_id": said.mention_id,
        "text": said.text,
        "language": said.language,
        "fingerprint": None if said.text is None else hashlib.blake2b(said.text.encode(), digest_size=16).digest(),
    }


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "source": Source(row["source"])}
