"""Brings a database to the schema of this program, and tells whether it has it.

Knows Alembic, the one-migrator lock and patience with busy tables. Refuses to know what a revision changes, and how
events are ordered.
"""

import asyncio
import random
from contextlib import aclosing

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.kit.db import Database, Reading
from app.kit.errors import Unavailable
from app.kit.failures import FAILURES, DatabaseUnreachable
from app.settings import PROJECT
from app.tickets.journal.store import find_foreign, mark_restored

_LOCK_KEY = 0x77656263617265  # "webcare"; any number that no other program on this server takes
_LOCK_NOT_AVAILABLE = "55P03"
_ATTEMPTS = 60  # of 2 s each: a busy table gets two minutes


class SchemaUnknown(Unavailable):
    """The database is at another revision than this program knows; `found` and `known` name them."""


class RestoredElsewhere(Unavailable):
    """The events come from another server, whose order does not hold here until `migrate` mended it."""


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "migrations"))
    return config


async def migrate(url: str) -> None:
    """Run every missing revision, each in its own transaction, and put restored events in the order of this server.

    Safe to start on many machines at once.

    A revision that cannot get its locks within 2 s gives up, lets the waiting traffic pass, and tries again.
    Raises `DatabaseUnreachable` when there is no way in, and SQLAlchemy's `DBAPIError` when a revision fails or
    patience ends.
    """
    engine = create_async_engine(
        url,
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"application_name": "webcare migrate", "lock_timeout": "2s"}},
    )
    try:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with aclosing(await _connect(engine)) as connection:
                    await _lock(connection)
                    await connection.run_sync(_upgrade)
                    await _settle_in(url)
                    return
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE or attempt == _ATTEMPTS:
                    raise
            await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311
    finally:
        await engine.dispose()


async def _connect(engine: AsyncEngine) -> AsyncConnection:
    """Who migrates has chosen the address, often just now, and is told what is wrong with it."""
    try:
        return await engine.connect()
    except FAILURES as error:
        why = getattr(getattr(error, "orig", error), "__cause__", None) or error
        raise DatabaseUnreachable(f"There is no way into the database: {why}. Look at WEBCARE_DATABASE_URL.") from error


async def _lock(connection: AsyncConnection) -> None:
    """Become the one migrator of this database, for the length of the session.

    Asked again and again, never waited for: an index that is built concurrently waits for every statement that is
    under way, also for one that waits for the builder.
    """
    while not await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}):
        await connection.rollback()
        await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311
    await connection.commit()  # Alembic wants to begin by itself


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _settle_in(url: str) -> None:
    database = Database(url, pool_size=1, statement_timeout=0)  # as long as it takes
    try:
        await database.transact(mark_restored)
    finally:
        await database.close()


async def check_schema(reading: Reading) -> None:
    """Raise `SchemaUnknown` unless the database stands at the very revision that this program was written for.

    Raises `RestoredElsewhere` too.
    """
    known = ScriptDirectory.from_config(alembic_config()).get_current_head()
    there = await reading.scalar(text("SELECT to_regclass('alembic_version')::text"))
    found = await reading.scalar(text("SELECT version_num FROM alembic_version")) if there else None
    if found != known:
        raise SchemaUnknown(
            f"The database is at revision {found}, this program at {known}. "
            "Run `webcare migrate` with the newest webcare that uses this database.",
            found=found,
            known=known,
        )
    if await find_foreign(reading) is not None:
        raise RestoredElsewhere("This database was restored from another server; run `webcare migrate` once.")
