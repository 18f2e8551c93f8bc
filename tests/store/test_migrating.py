"""One migrator at a time, and no work on a schema that this program does not know."""

import asyncio
import inspect
from collections.abc import AsyncIterator

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, NullPool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from app.kit.db import Database
from app.kit.failures import DatabaseUnreachable
from app.migrating import SchemaUnknown, alembic_config, check_schema, migrate
from tests.conftest import administer


@pytest.fixture
async def empty_url(server: URL) -> AsyncIterator[str]:
    await administer(server, "CREATE DATABASE webcare_empty")
    yield server.set(database="webcare_empty").render_as_string(hide_password=False)
    await administer(server, "DROP DATABASE webcare_empty WITH (FORCE)")


async def check(url: str) -> None:
    database = Database(url, pool_size=1)
    try:
        async with database.reading() as tx:
            await check_schema(tx)
    finally:
        await database.close()


async def test_machines_that_start_together_migrate_once(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(3)))
    await check(empty_url)


async def test_an_empty_database_is_refused(empty_url: str) -> None:
    with pytest.raises(SchemaUnknown, match="webcare migrate"):
        await check(empty_url)


async def test_a_database_of_a_newer_program_is_refused(empty_url: str) -> None:
    await migrate(empty_url)
    database = Database(empty_url, pool_size=1)
    await database.transact(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await database.close()
    with pytest.raises(SchemaUnknown) as refused:
        await check(empty_url)
    assert refused.value.facts["found"] == "9999"


async def test_who_names_a_database_that_is_not_there_is_told(server: URL) -> None:
    nowhere = server.set(database="webcare_nowhere").render_as_string(hide_password=False)
    with pytest.raises(DatabaseUnreachable, match=r'database "webcare_nowhere" does not exist.*WEBCARE_DATABASE_URL'):
        await migrate(nowhere)


async def test_a_server_that_is_not_there_is_told(unused_tcp_port: int) -> None:
    with pytest.raises(DatabaseUnreachable, match=rf"127\.0\.0\.1.*{unused_tcp_port}.*WEBCARE_DATABASE_URL"):
        await migrate(f"postgresql+asyncpg://nobody:x@127.0.0.1:{unused_tcp_port}/x")


async def test_a_busy_database_is_waited_for(empty_url: str) -> None:
    """Whoever holds the migrators' lock longer than the lock timeout only delays the others."""
    holder = Database(empty_url, pool_size=1)
    async with holder.reading() as tx:
        await tx.execute(text("SELECT pg_advisory_lock(:key)"), {"key": 0x77656263617265})
        migrating = asyncio.create_task(migrate(empty_url))
        await asyncio.sleep(2.5)
        assert not migrating.done()
    await holder.close()
    await migrating
    await check(empty_url)


async def test_a_revision_that_gave_up_halfway_is_run_again(empty_url: str) -> None:
    """An index that is built beside the traffic waits for old readers; what stands before it is committed by then."""
    engine = create_async_engine(
        empty_url, poolclass=NullPool, connect_args={"server_settings": {"lock_timeout": "100ms"}}
    )

    def upgrade(connection: Connection, revision: str) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    gave_up = []
    for script in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions())):
        if "autocommit_block" in inspect.getsource(script.module).partition("def upgrade")[2]:
            async with engine.connect() as reader, engine.connect() as connection:
                await reader.execution_options(isolation_level="REPEATABLE READ")
                await reader.execute(text("SELECT 1"))
                with pytest.raises(DBAPIError, match="lock timeout"):
                    await connection.run_sync(upgrade, script.revision)
            gave_up.append(script.revision)
        async with engine.connect() as connection:
            await connection.run_sync(upgrade, script.revision)
    await check(empty_url)
    assert len(gave_up) > 5
