"""Tokens and kept answers as PostgreSQL holds them."""

import asyncio
from datetime import timedelta

import pytest
from asyncpg import IntegrityConstraintViolationError

from app.access.role import Caller, Role
from app.access.store import (
    KeptAnswer,
    TokenNotFound,
    add_answer,
    add_tokens,
    claim_key,
    find_answer,
    find_caller,
    list_tokens,
    mark_revoked,
    purge_answers,
)
from app.access.token import Token
from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.kit.ids import digest, new_id

NOW = utc_now()
ANNA = Token(new_id(), "anna", Role.AGENT, None, NOW)
PARCELS = Token(new_id(), "parcels", Role.DEPARTMENT, "supply_chain", NOW)


async def stand(database: Database, *tokens: tuple[Token, str]) -> None:
    await database.transact(lambda tx: add_tokens(tx, [(token, digest(secret)) for token, secret in tokens]))


async def caller(database: Database, secret: str) -> Caller | None:
    async with database.reading() as tx:
        return await find_caller(tx, digest(secret))


async def test_a_token_tells_its_holder(database: Database) -> None:
    await stand(database, (ANNA, "a"), (PARCELS, "p"))
    assert await caller(database, "a") == Caller(ANNA.id, "anna", Role.AGENT)
    assert await caller(database, "p") == Caller(PARCELS.id, "parcels", Role.DEPARTMENT, "supply_chain")
    assert await caller(database, "another") is None


@pytest.mark.parametrize(("hours", "is_let_in"), [(-1, False), (1, True)])
async def test_a_token_ends_at_its_moment(database: Database, hours: int, is_let_in: bool) -> None:
    expires_at = NOW + timedelta(hours=hours)
    await stand(database, (Token(ANNA.id, "anna", Role.AGENT, None, NOW, expires_at), "a"))
    assert (await caller(database, "a") is not None) == is_let_in


async def test_a_revoked_token_lets_nobody_in_and_keeps_its_moment(database: Database) -> None:
    await stand(database, (ANNA, "a"))
    revoked = await database.transact(lambda tx: mark_revoked(tx, ANNA.id, NOW))
    again = await database.transact(lambda tx: mark_revoked(tx, ANNA.id, NOW + timedelta(days=1)))
    assert revoked.revoked_at == again.revoked_at == NOW
    assert await caller(database, "a") is None


async def test_nobody_revokes_what_is_not_there(database: Database) -> None:
    with pytest.raises(TokenNotFound):
        await database.transact(lambda tx: mark_revoked(tx, ANNA.id, NOW))


async def test_tokens_are_listed_in_the_order_of_their_making(database: Database) -> None:
    await stand(database, (PARCELS, "p"), (ANNA, "a"))
    async with database.reading() as tx:
        assert await list_tokens(tx) == (ANNA, PARCELS)
        assert await list_tokens(tx, limit=1) == (ANNA,)
        assert await list_tokens(tx, after=ANNA.id, limit=1) == (PARCELS,)


async def test_one_secret_opens_for_one_token_only(database: Database) -> None:
    await stand(database, (ANNA, "same"))
    await stand(database, (PARCELS, "same"))
    assert await caller(database, "same") == Caller(ANNA.id, "anna", Role.AGENT)


@pytest.mark.parametrize(("role", "department"), [(Role.DEPARTMENT, None), (Role.AGENT, "billing")])
async def test_the_database_itself_refuses_a_token_that_would_see_too_much(
    database: Database, role: Role, department: str | None
) -> None:
    with pytest.raises(IntegrityConstraintViolationError):
        await stand(database, (Token(new_id(), "x", role, department, NOW), "x"))


def kept(key: str, age: timedelta = timedelta()) -> KeptAnswer:
    return KeptAnswer(ANNA.id, key, b"asked", 201, b"answered", utc_now() - age)


async def test_an_answer_is_found_by_its_token_and_key(database: Database) -> None:
    answer = kept("k")
    await stand(database, (ANNA, "a"), (PARCELS, "p"))
    await database.transact(lambda tx: add_answer(tx, answer))
    async with database.reading() as tx:
        assert await find_answer(tx, ANNA.id, "k") == answer
        assert await find_answer(tx, PARCELS.id, "k") is None
        assert await find_answer(tx, ANNA.id, "K") is None


async def test_answers_are_forgotten_by_age(database: Database) -> None:
    await stand(database, (ANNA, "a"))

    async def unit(tx: Transaction) -> int:
        await add_answer(tx, kept("old", timedelta(hours=25)))
        await add_answer(tx, kept("young", timedelta(hours=23)))
        return await purge_answers(tx, timedelta(hours=24))

    assert await database.transact(unit) == 1
    async with database.reading() as tx:
        assert await find_answer(tx, ANNA.id, "old") is None
        assert await find_answer(tx, ANNA.id, "young") is not None


async def test_a_key_is_held_until_its_unit_ends(database: Database) -> None:
    held, ended = asyncio.Event(), asyncio.Event()

    async def first(tx: Transaction) -> bool:
        claimed = await claim_key(tx, ANNA.id, "k")
        held.set()
        await ended.wait()
        return claimed

    working = asyncio.create_task(database.transact(first))
    await held.wait()
    assert not await database.transact(lambda tx: claim_key(tx, ANNA.id, "k"))
    assert await database.transact(lambda tx: claim_key(tx, ANNA.id, "another"))
    assert await database.transact(lambda tx: claim_key(tx, PARCELS.id, "k"))
    ended.set()
    assert await working
    assert await database.transact(lambda tx: claim_key(tx, ANNA.id, "k"))
