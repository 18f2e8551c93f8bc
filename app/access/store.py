"""Tokens in the database, and the answers kept for idempotency keys. Refuses to know secrets: it sees digests only."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, or_, select, text, update

from app.access.role import Caller, Role
from app.access.tables import idempotency, token
from app.access.token import Token
from app.kit.db import Reading, Transaction
from app.kit.errors import NotFound


class TokenNotFound(NotFound):
    pass


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a call with an idempotency key was answered. `answer` is sealed; `fingerprint` is of the request."""

    token_id: UUID
    key: str
    fingerprint: bytes
    status: int
    answer: bytes
    created_at: datetime


_PUBLIC = [column for column in token.c if column is not token.c.digest]

_LIVING = (
    select(token.c.id, token.c.name, token.c.role, token.c.department)
    .where(token.c.digest == bindparam("digest"))
    .where(token.c.revoked_at.is_(None))
    .where(or_(token.c.expires_at.is_(None), token.c.expires_at > func.now()))
)


async def find_caller(tx: Reading, digest: bytes) -> Caller | None:
    """Who holds the token with this digest; None for one that is unknown, revoked or expired."""
    row = await tx.first(_LIVING, {"digest": digest})
    return None if row is None else Caller(row.id, row.name, Role(row.role), row.department)


async def list_tokens(tx: Reading, *, after: UUID | None = None, limit: int | None = None) -> tuple[Token, ...]:
    """Oldest first, revoked ones too; those made after the token `after`, when it is given."""
    tokens = select(*_PUBLIC).order_by(token.c.id).limit(limit)
    if after is not None:
        tokens = tokens.where(token.c.id > after)
    return tuple(map(_token, await tx.rows(tokens)))


async def any_token(tx: Reading) -> bool:
    return bool(await tx.scalar(select(select(token.c.id).exists())))


async def lock_tokens(tx: Transaction) -> None:
    """Keep other units from adding tokens until this one ends; readers pass."""
    await tx.execute(text("LOCK TABLE token IN SHARE ROW EXCLUSIVE MODE"))


async def add_tokens(tx: Transaction, tokens: Sequence[tuple[Token, bytes]]) -> int:
    """Tokens, each with its digest; returns how many. One whose digest stands already is left as it is."""
    return await tx.insert_missing(token, [{**asdict(one), "digest": digest} for one, digest in tokens])


async def mark_revoked(tx: Transaction, token_id: UUID, at: datetime) -> Token:
    """Revoke; a token that was revoked before keeps its moment. Raises `TokenNotFound`."""
    revoke = (
        update(token)
        .where(token.c.id == token_id)
        .values(revoked_at=func.coalesce(token.c.revoked_at, at))
        .returning(*_PUBLIC)
    )
    row = await tx.first(revoke)
    if row is None:
        raise TokenNotFound("There is no such token.")
    return _token(row)


async def claim_key(tx: Transaction, token_id: UUID, key: str) -> bool:
    """Hold the key until this unit ends. False: another unit holds it at this moment."""
    number = func.hashtextextended(f"{token_id}/{key}", 0)
    return bool(await tx.scalar(select(func.pg_try_advisory_xact_lock(number))))


async def find_answer(tx: Reading, token_id: UUID, key: str) -> KeptAnswer | None:
    mine = (idempotency.c.token_id == token_id) & (idempotency.c.key == key)
    row = await tx.first(select(idempotency).where(mine))
    return None if row is None else KeptAnswer(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


async def add_answer(tx: Transaction, kept: KeptAnswer) -> None:
    await tx.insert(idempotency, [asdict(kept)])


async def purge_answers(tx: Transaction, older_than: timedelta) -> int:
    """Forget answers by the database's clock; returns how many."""
    return (await tx.execute(delete(idempotency).where(idempotency.c.created_at < func.now() - older_than))).rowcount


def _token(row: Row[tuple[object, ...]]) -> Token:
    facts = dict(row._mapping)  # noqa: SLF001
    return Token(**{**facts, "role": Role(row.role)})
