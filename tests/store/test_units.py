"""A unit of work is done once and whole, whatever becomes of its connection."""

import pytest
from asyncpg import IntegrityConstraintViolationError
from sqlalchemy import URL, func, select, text
from sqlalchemy.exc import DBAPIError

from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.kit.failures import DatabaseUnreachable
from app.kit.ids import new_id
from app.mentions.tables import author, conversation
from tests.conftest import administer

OWN_NUMBER = text("SELECT pg_backend_pid()")
# As many as a small shop has: reading all of them would seem cheap to who does not know that one is changed.
MANY = text("""
    INSERT INTO author (id, channel, key, verified, first_seen_at)
    SELECT gen_random_uuid(), 'x', 'id:' || n, false, now() FROM generate_series(1, 3000) n""")
READ_WHOLE = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'author'")


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


async def test_what_is_asked_about_other_rows_does_not_send_those_that_wait(database: Database) -> None:
    async def unit(tx: Transaction) -> tuple[int, int]:
        waiting = person("a")
        await tx.insert(author, [waiting])
        [before] = await tx.fetch_standing("SELECT count(*) AS n FROM author")
        [after] = await tx.fetch("SELECT count(*) AS n FROM author")
        return before["n"], after["n"]

    assert await database.transact(unit) == (0, 1)


async def test_rows_that_wait_are_seen_by_whoever_asks_and_kept_by_the_commit(database: Database) -> None:
    async def unit(tx: Transaction) -> int:
        await tx.insert(author, [person("a"), person("b")])
        await tx.insert(conversation, [thread("a")])
        seen = int(await tx.scalar(select(func.count()).select_from(author)))
        await tx.insert(author, [person("c")])
        return seen

    assert await database.transact(unit) == 2
    async with database.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(author)) == 3


async def test_a_row_that_is_refused_late_takes_its_whole_unit_with_it(database: Database) -> None:
    async def unit(tx: Transaction) -> None:
        await tx.insert(author, [person("a")])
        await tx.insert(conversation, [thread("b")])  # of an author that nobody added

    with pytest.raises(IntegrityConstraintViolationError):
        await database.transact(unit)
    async with database.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(author)) == 0


IDS = {name: new_id() for name in "abc"}


def person(name: str) -> dict[str, object]:
    return {"id": IDS[name], "channel": "x", "key": name, "verified": False, "first_seen_at": utc_now()}


def thread(author_name: str) -> dict[str, object]:
    return {"id": new_id(), "channel": "x", "thread": "t", "author_id": IDS[author_name]}


async def test_changing_one_row_reads_no_table_whole(database: Database) -> None:
    """Also once PostgreSQL keeps the plan of a statement, for which it looks at the values of five."""

    async def unit(tx: Transaction) -> tuple[int, int]:
        await tx.execute(MANY)
        await tx.execute(text("ANALYZE author"))
        ids = [row.id for row in await tx.rows(select(author.c.id).limit(8))]
        before = await tx.scalar(READ_WHOLE)
        for one in ids:
            await tx.update(author, [{"id": one, "followers": 7}])
        return before, await tx.scalar(READ_WHOLE)

    before, after = await database.transact(unit)
    assert after == before
