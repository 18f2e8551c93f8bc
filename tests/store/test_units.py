"""A unit of work is done once and whole, whatever becomes of its connection."""

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from app.kit.db import Database, DatabaseUnreachable, Transaction
from tests.conftest import administer

OWN_NUMBER = text("SELECT pg_backend_pid()")


async def test_a_connection_that_died_in_the_pool_costs_a_unit_nothing(database: Database, server: URL) -> None:
    """Nobody asks a pooled connection whether it lives before it is used: the unit is simply run again."""
    before = await database.transact(lambda tx: tx.scalar(OWN_NUMBER))
    await administer(server, f"SELECT pg_terminate_backend({before})")

    after = await database.transact(lambda tx: tx.scalar(OWN_NUMBER))

    assert after != before


async def test_a_unit_that_loses_its_connection_is_run_again_from_its_beginning(
    database: Database, server: URL
) -> None:
    numbers = []

    async def unit(tx: Transaction) -> int:
        numbers.append(await tx.scalar(OWN_NUMBER))
        if len(numbers) == 1:
            await administer(server, f"SELECT pg_terminate_backend({numbers[0]})")
        return int(await tx.scalar(text("SELECT 7")))

    assert await database.transact(unit) == 7
    assert len(set(numbers)) == 2


async def test_a_unit_that_never_keeps_its_connection_says_that_the_database_is_not_there(
    database: Database, server: URL
) -> None:
    async def unit(tx: Transaction) -> None:
        await administer(server, f"SELECT pg_terminate_backend({await tx.scalar(OWN_NUMBER)})")
        await tx.scalar(text("SELECT 7"))

    with pytest.raises(DatabaseUnreachable):
        await database.transact(unit)


async def test_a_session_for_reading_cannot_write(database: Database) -> None:
    """PostgreSQL itself refuses, whatever statement it is given."""
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.reading() as tx:
            await tx.execute(text("DELETE FROM token"))
