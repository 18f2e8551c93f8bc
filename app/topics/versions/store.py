"""Models in the database. Knows which is in force: that of the newest promotion. Refuses to know what is in them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, text, update

from app.kit.db import Reading, Transaction
from app.kit.errors import NotFound
from app.topics.tables import topic_model, topic_promotion, topic_training
from app.topics.versions.version import Origin, Promotion, Version

_ONE_AT_A_TIME = text("LOCK TABLE topic_promotion IN SHARE ROW EXCLUSIVE MODE")  # readers go on
_SHOWN = tuple(column for column in topic_model.c if column.name != "content")
# A slot is free that nobody took, or whose taker never came to an end.
_TAKE = """
    INSERT INTO topic_training AS t (slot, lease_until) VALUES ($1, now() + $2)
    ON CONFLICT (slot) DO UPDATE SET lease_until = excluded.lease_until
    WHERE t.ended_at IS NULL AND t.lease_until <= now() RETURNING slot"""


class ModelNotFound(NotFound):
    pass


async def claim_training(tx: Transaction, slot: str, lease: timedelta) -> bool:
    """Whether this slot is ours to train in; by the database's clock."""
    return bool(await tx.fetch(_TAKE, slot, lease))


async def mark_trained(tx: Transaction, slot: str, at: datetime) -> None:
    """The training of a slot came to an end, whatever came of it."""
    await tx.execute(update(topic_training).where(topic_training.c.slot == slot).values(ended_at=at))


async def mark_given_up(tx: Transaction, slot: str) -> None:
    """The training of a slot was broken off: it is free again."""
    given_up = update(topic_training).where(topic_training.c.slot == slot, topic_training.c.ended_at.is_(None))
    await tx.execute(given_up.values(lease_until=func.now()))


async def claim_promotion(tx: Transaction) -> None:
    """Whoever else wants to put a model in force waits until the commit."""
    await tx.execute(_ONE_AT_A_TIME)


async def add_version(
    tx: Transaction,
    content: bytes,
    *,
    digest: str,
    examples: str,
    labels: Mapping[str, int],
    taught_until: datetime | None,
    comparison: Mapping[str, Any],
    actor: str,
    at: datetime,
) -> Version:
    """Keep a model."""
    facts: dict[str, Any] = {
        "digest": digest,
        "examples": examples,
        "labels": dict(labels),
        "taught_until": taught_until,
        "comparison": dict(comparison),
        "actor": actor,
        "at": at,
    }
    number = await tx.scalar(insert(topic_model).values(content=content, **facts).returning(topic_model.c.number))
    return Version(number=number, **facts)


async def add_promotion(
    tx: Transaction, model: int | None, origin: Origin, actor: str, note: str | None, at: datetime
) -> Promotion:
    """Put a model in force, or phrases alone."""
    facts = {"model": model, "origin": origin, "actor": actor, "note": note, "at": at}
    number = await tx.scalar(insert(topic_promotion).values(facts).returning(topic_promotion.c.number))
    return Promotion(number, model, origin, actor, note, at)


async def find_promotion(tx: Reading) -> Promotion | None:
    """What is in force; None before the first promotion."""
    row = await tx.first(select(topic_promotion).order_by(topic_promotion.c.number.desc()).limit(1))
    return None if row is None else _promotion(row)


async def list_promotions(tx: Reading) -> list[Promotion]:
    """Newest first: the first is in force."""
    rows = await tx.rows(select(topic_promotion).order_by(topic_promotion.c.number.desc()))
    return [_promotion(row) for row in rows]


async def get_content(tx: Reading, number: int) -> tuple[str, bytes]:
    """A model's digest and its bytes. Raises `ModelNotFound`."""
    row = await tx.first(select(topic_model.c.digest, topic_model.c.content).where(topic_model.c.number == number))
    if row is None:
        raise _not_found(number)
    return row.digest, row.content


async def get_version(tx: Reading, number: int) -> Version:
    """Raises `ModelNotFound`."""
    row = await tx.first(select(*_SHOWN).where(topic_model.c.number == number))
    if row is None:
        raise _not_found(number)
    return Version(**row._asdict())


async def find_version(tx: Reading, digest: str) -> Version | None:
    """The version with this content."""
    row = await tx.first(select(*_SHOWN).where(topic_model.c.digest == digest))
    return None if row is None else Version(**row._asdict())


async def find_newest(tx: Reading) -> Version | None:
    """The model that was trained last, whether it is in force or not."""
    newest = await list_versions(tx, before=None, limit=1)
    return newest[0] if newest else None


async def list_versions(tx: Reading, *, before: int | None, limit: int) -> Sequence[Version]:
    """Newest first, without their bytes."""
    found = select(*_SHOWN).order_by(topic_model.c.number.desc()).limit(limit)
    if before is not None:
        found = found.where(topic_model.c.number < before)
    return [Version(**row._asdict()) for row in await tx.rows(found)]


def _promotion(row: Any) -> Promotion:
    return Promotion(**{**row._asdict(), "origin": Origin(row.origin)})


def _not_found(number: int) -> ModelNotFound:
    return ModelNotFound(f"There is no model {number}; `webcare topics status` lists them.")
