"""Statements in the database. Knows which hold where; refuses to know what contradicts them."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, or_, select, update

from app.answers.statements.statement import Statement
from app.answers.tables import statement
from app.kit.db import Reading, Transaction
from app.kit.errors import NotFound

_LISTS = ("topics", "never_say", "channels")


class StatementNotFound(NotFound):
    pass


async def add_statement(tx: Transaction, made: Statement) -> None:
    await tx.insert(statement, [asdict(made)])


async def get_statement(tx: Reading, statement_id: UUID) -> Statement:
    """Raises `StatementNotFound`."""
    row = await tx.first(select(statement).where(statement.c.id == statement_id))
    if row is None:
        raise StatementNotFound(f"There is no statement {statement_id}.")
    return _statement(row)


async def list_holding(tx: Reading, topic: str, channel: str, now: datetime) -> tuple[Statement, ...]:
    """What is agreed about this topic on this channel now, oldest first."""
    found = select(statement).where(*_about(topic, channel), *_in_force(now)).order_by(statement.c.id)
    return tuple(map(_statement, await tx.rows(found)))


async def list_statements(
    tx: Reading, *, topic: str | None, channel: str | None, at: datetime | None, after: UUID | None, limit: int
) -> tuple[Statement, ...]:
    """Newest first; `after` is the id of the last one of the page before. `at`: those that hold at that moment."""
    wanted = [*_about(topic, channel), *(_in_force(at) if at else ())]
    if after is not None:
        wanted.append(statement.c.id < after)
    found = select(statement).where(*wanted).order_by(statement.c.id.desc()).limit(limit)
    return tuple(map(_statement, await tx.rows(found)))


async def mark_withdrawn(tx: Transaction, statement_id: UUID, actor: str, now: datetime) -> bool:
    """False when somebody was first."""
    here = update(statement).where(statement.c.id == statement_id, statement.c.withdrawn_at.is_(None))
    done = await tx.execute(here.values(withdrawn_at=now, withdrawn_by=actor))
    return done.rowcount == 1


def _about(topic: str | None, channel: str | None) -> list[ColumnElement[bool]]:
    about: list[ColumnElement[bool]] = []
    if topic is not None:
        about.append(statement.c.topics.contains([topic]))
    if channel is not None:
        about.append(or_(statement.c.channels.is_(None), statement.c.channels.contains([channel])))
    return about


def _in_force(now: datetime) -> tuple[ColumnElement[bool], ...]:
    ends = or_(statement.c.valid_until.is_(None), statement.c.valid_until > now)
    return (statement.c.withdrawn_at.is_(None), statement.c.begins_at <= now, ends)


def _statement(row: Row[Any]) -> Statement:
    facts: Mapping[str, Any] = row._asdict()
    lists = {name: None if facts[name] is None else tuple(facts[name]) for name in _LISTS}
    return Statement(**{field.name: facts[field.name] for field in fields(Statement)} | lists)
