"""What becomes of PostgreSQL's errors on their way to a caller."""

from datetime import timedelta

import pytest
from asyncpg import IntegrityConstraintViolationError
from sqlalchemy import text

from app.access.store import KeptAnswer, add_answer
from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.kit.failures import RowRefused
from app.kit.ids import new_id
from app.mentions.tables import author

PERSON = {"channel": "x", "key": "id:1", "verified": False, "first_seen_at": utc_now()}


@pytest.mark.parametrize("wrong", [{"handle": "half\0way"}, {"followers": 2**70}, {"first_seen_at": "yesterday-ish"}])
async def test_a_value_that_cannot_be_stored_is_refused_without_a_word_of_the_inside(
    database: Database, wrong: dict[str, object]
) -> None:
    with pytest.raises(RowRefused) as refused:
        await database.transact(lambda tx: tx.insert(author, [{"id": new_id(), **PERSON, **wrong}]))
    assert "asyncpg" not in refused.value.message
    assert "author" not in refused.value.message


@pytest.mark.parametrize("wrong", [{"handle": "half\0way"}, {"handle": "half \ud800"}, {"followers": 2**70}])
async def test_one_among_very_many_is_refused_too(database: Database, wrong: dict[str, object]) -> None:
    row = {"id": new_id(), **PERSON, **wrong}
    with pytest.raises(RowRefused):
        await database.transact(lambda tx: tx.copy(author, tuple(row), [tuple(row.values())]))


async def test_very_many_rows_come_after_those_that_waited(database: Database) -> None:
    async def act(tx: Transaction) -> None:
        await tx.insert(author, [{"id": new_id(), **PERSON}])
        await tx.copy(author, ("id", *PERSON), [(new_id(), *PERSON.values())])

    with pytest.raises(IntegrityConstraintViolationError) as broken:
        await database.transact(act)
    assert "COPY author" in str(broken.value.context)  # the second is the one too many


async def test_a_value_that_cannot_be_asked_for_is_refused_too(database: Database) -> None:
    with pytest.raises(RowRefused):
        async with database.reading() as tx:
            await tx.execute(text("SELECT 1 / 0"))


async def test_a_broken_constraint_is_a_mistake_of_ours_and_goes_on_as_it_is(database: Database) -> None:
    async def act(tx: Transaction) -> None:
        await add_answer(tx, KeptAnswer(new_id(), "k", b"asked", 201, b"answered", utc_now() - timedelta(days=1)))

    with pytest.raises(IntegrityConstraintViolationError) as broken:
        await database.transact(act)
    assert broken.value.__cause__ is not broken.value
