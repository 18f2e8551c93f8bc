"""Tokens, agents and the answers kept for idempotency keys in the database.

Knows rows. Refuses to know secrets: it sees digests only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on

from app.access.profile import BLANK, Profile
from app.access.role import Caller, Role, actor_of
from app.access.tables import idempotency, profile, token
from app.access.token import Token
from app.kit.db import OnConflict, Reading, Transaction
from app.kit.errors import NotFound


class TokenNotFound(NotFound):
    pass


class AgentNotFound(NotFound):
    """Nobody of this name has a living token of the role agent."""


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

_FACTS = tuple(profile.c[fact.name] for fact in fields(Profile))
_OF_AGENT = and_(profile.c.name == token.c.name, token.c.role == Role.AGENT)
_LIVES = and_(token.c.revoked_at.is_(None), or_(token.c.expires_at.is_(None), token.c.expires_at > func.now()))
_LIVING = (
    select(token.c.id, token.c.name, token.c.role, token.c.department, *_FACTS)
    .select_from(token.outerjoin(profile, _OF_AGENT))
    .where(token.c.digest == bindparam("digest"), _LIVES)
)
_AGENTS = (
    select(token.c.name, *_FACTS)
    .select_from(token.outerjoin(profile, _OF_AGENT))
    .where(token.c.role == Role.AGENT, _LIVES)
    .ext(distinct_on(token.c.name))
    .order_by(token.c.name)
)


async def find_caller(tx: Reading, digest: bytes) -> Caller | None:
    """Who holds the token with this digest; None for one that is unknown, revoked or expired."""
    row = await tx.first(_LIVING, {"digest": digest})
    return None if row is None else Caller(row.id, row.name, Role(row.role), row.department, _profile(row))


async def get_agent(tx: Reading, name: str) -> Profile:
    """What an agent with a living token can take. Raises `AgentNotFound`."""
    row = await tx.first(_AGENTS.where(token.c.name == name))
    if row is None:
        raise AgentNotFound(f"There is no agent {name}: nobody of that name has a token of the role agent.")
    return _profile(row)


async def list_agents(tx: Reading, *, after: str = "", limit: int | None = None) -> Sequence[tuple[str, Profile]]:
    """Who has a living token of the role agent, by name; those behind the name `after`."""
    rows = await tx.rows(_AGENTS.where(token.c.name > after).limit(limit))
    return tuple((row.name, _profile(row)) for row in rows)


async def list_teams(tx: Reading) -> dict[str, str]:
    """The team of each agent who has one, by the actor that history names; also of those whose tokens are gone."""
    rows = await tx.rows(select(profile.c.name, profile.c.team).where(profile.c.team.is_not(None)))
    return {actor_of(Role.AGENT, row.name): row.team for row in rows}


async def add_profile(tx: Transaction, name: str, known: Profile, now: datetime) -> None:
    """In the place of the one before."""
    row = {"name": name, **asdict(known), "updated_at": now}
    await tx.insert(profile, [row], on_conflict=OnConflict.REPLACE)


async def list_living(tx: Reading, token_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these tokens that still let somebody in."""
    rows = await tx.rows(select(token.c.id).where(token.c.id.in_(list(token_ids)), _LIVES))
    return {row.id for row in rows}


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


def _profile(row: Row[Any]) -> Profile:
    if row.needs_review is None:
        return BLANK
    skills = (tuple(row.languages), tuple(row.topics), tuple(row.channels), tuple(row.departments))
    return Profile(*skills, needs_review=row.needs_review, team=row.team)


def _token(row: Row[tuple[object, ...]]) -> Token:
    facts = dict(row._mapping)  # noqa: SLF001
    return Token(**{**facts, "role": Role(row.role)})
