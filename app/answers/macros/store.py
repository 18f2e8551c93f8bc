"""Macros in PostgreSQL. Knows how they are kept, found and counted; refuses to know what they say."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, insert, or_, select, tuple_, update

from app.answers.macros.macro import Language, Macro
from app.answers.tables import macro, macro_version
from app.kit.db import Reading, Transaction
from app.kit.errors import Conflict, NotFound

_KEPT = tuple(column for column in macro.c if column.name != "removed_at")
_VERSION = ("version", "name", "texts", "valid_from", "valid_until", "updated_at", "updated_by")


class MacroNotFound(NotFound):
    pass


class MacroChangedMeanwhile(Conflict):
    """Somebody else changed the macro between reading and writing it."""


@dataclass(frozen=True, slots=True)
class Suiting:
    """Which macros are asked for; None asks nothing. Those that suit every topic or channel suit each."""

    owner: str | None = None
    topic: str | None = None
    channel: str | None = None
    valid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """What a macro said since `updated_at`."""

    version: int
    name: str
    texts: dict[str, str]
    valid_from: datetime
    valid_until: datetime | None
    updated_at: datetime
    updated_by: str


async def add_macro(tx: Transaction, new: Macro) -> None:
    await tx.execute(insert(macro).values(**_values(new)))
    await _record_version(tx, new)


async def get_macro(tx: Reading, macro_id: UUID) -> Macro:
    """Raises `MacroNotFound`."""
    return await _one(tx, select(*_KEPT), macro_id)


async def claim_macro(tx: Transaction, macro_id: UUID) -> Macro:
    """The macro, locked until the commit. Raises `MacroNotFound`."""
    return await _one(tx, select(*_KEPT).with_for_update(), macro_id)


async def list_macros(
    tx: Reading, suiting: Suiting, *, limit: int, after: tuple[str, UUID] | None = None
) -> tuple[Macro, ...]:
    """By name; `after` is the (name, id) of the last one seen."""
    found = select(*_KEPT).where(macro.c.removed_at.is_(None), *_suits(suiting))
    if after is not None:
        found = found.where(tuple_(macro.c.name, macro.c.id) > after)
    rows = await tx.rows(found.order_by(macro.c.name, macro.c.id).limit(limit))
    return tuple(_macro(row) for row in rows)


async def list_versions(tx: Reading, macro_id: UUID) -> tuple[Version, ...]:
    """The present one first."""
    found = select(*(macro_version.c[name] for name in _VERSION)).where(macro_version.c.macro_id == macro_id)
    return tuple(Version(**row._asdict()) for row in await tx.rows(found.order_by(macro_version.c.version.desc())))


async def mark_changed(tx: Transaction, changed: Macro) -> None:
    """Write a macro that was claimed, as its new version."""
    await tx.execute(update(macro).where(macro.c.id == changed.id).values(**_values(changed)))
    await _record_version(tx, changed)


async def mark_used(tx: Transaction, macro_id: UUID, now: datetime) -> None:
    counted = {"used": macro.c.used + 1, "last_used_at": func.greatest(macro.c.last_used_at, now)}
    await tx.execute(update(macro).where(macro.c.id == macro_id).values(**counted))


async def mark_removed(tx: Transaction, macro_id: UUID, now: datetime) -> None:
    """It is found no more; what it said stays."""
    await tx.execute(update(macro).where(macro.c.id == macro_id).values(removed_at=now))


async def _record_version(tx: Transaction, said: Macro) -> None:
    facts = _values(said)
    await tx.execute(insert(macro_version).values(macro_id=said.id, **{name: facts[name] for name in _VERSION}))


async def _one(tx: Reading, found: Select[Any], macro_id: UUID) -> Macro:
    row = await tx.first(found.where(macro.c.id == macro_id, macro.c.removed_at.is_(None)))
    if row is None:
        raise MacroNotFound("There is no such macro.")
    return _macro(row)


def _suits(suiting: Suiting) -> Sequence[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if suiting.owner is not None:
        asked.append(macro.c.owner == suiting.owner)
    if suiting.topic is not None:
        asked.append(or_(macro.c.topics == [], macro.c.topics.contains([suiting.topic])))
    if suiting.channel is not None:
        asked.append(or_(macro.c.channels == [], macro.c.channels.contains([suiting.channel])))
    if suiting.valid_at is not None:
        asked.append(macro.c.valid_from <= suiting.valid_at)
        asked.append(or_(macro.c.valid_until.is_(None), macro.c.valid_until > suiting.valid_at))
    return asked


def _values(kept: Macro) -> dict[str, Any]:
    return {**asdict(kept), "texts": {language.value: text for language, text in kept.texts.items()}}


def _macro(row: Row[Any]) -> Macro:
    texts = {Language(language): text for language, text in row.texts.items()}
    return Macro(**{**row._asdict(), "texts": texts, "topics": tuple(row.topics), "channels": tuple(row.channels)})
