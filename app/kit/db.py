"""The database: the one module that begins, commits and retries transactions.

Knows PostgreSQL over asyncpg, units of work, and writing many rows in one round trip. Refuses to know any table.

A signature tells what a function may do: `Reading` is held read-only by PostgreSQL itself, `Transaction` may write.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Literal, TypeVar

import asyncpg
import orjson
from sqlalchemy import CursorResult, Executable, MetaData, Row, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.kit.failures import (
    FAILURES,
    UNSTORABLE,
    DatabaseUnreachable,
    OutcomeUnknown,
    ReportsUnreachable,
    RowRefused,
    is_fleeting,
    is_lost_connection,
    is_of_replica,
    raise_translated,
)
from app.kit.wire import dump

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Values = Mapping[str, Any]
Records = Sequence[Mapping[str, Any]]
Isolation = Literal["read_committed", "repeatable_read"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ATTEMPTS = 5


class OnConflict(Enum):
    """What becomes of a new row whose key stands already."""

    RAISE = auto()
    IGNORE = auto()
    REPLACE = auto()  # by primary key


class Reading:
    """A read session: every statement sees what is committed when it starts, or when the first of reports did."""

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:
        self._connection = connection
        self._driver = driver

    async def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        return await self._connection.execute(statement, parameters)

    async def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        return (await self.execute(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Parameters = None) -> Row[Any] | None:
        return (await self.execute(statement, parameters)).first()

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    async def fetch(self, sql: str, *values: Any) -> Records:
        """Run SQL as PostgreSQL reads it (`$1`), straight on the driver; rows read as `row["name"]`.

        SQLAlchemy needs several times as long around a statement as PostgreSQL for it, so what runs for every
        mention goes this way.
        """
        return await self.fetch_standing(sql, *values)

    async def fetch_standing(self, sql: str, *values: Any) -> Records:
        """The same, about what this unit neither adds nor changes."""
        found: Records = await self._driver.fetch(sql, *values)
        return found


class Transaction(Reading):
    """One unit of work. It commits when the flow returns and leaves nothing when the flow raises.

    Rows that are only to be added wait for each other: what is asked next, or the commit, sends them first, all in
    one statement. A unit then costs half the round trips, and whoever asks sees what was added; `fetch_standing`
    does not look for that and sends nothing.
    """

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:
        super().__init__(connection, driver)
        self._waiting: dict[Table, tuple[str, str]] = {}

    async def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        await self.flush()
        return await super().execute(statement, parameters)

    async def fetch(self, sql: str, *values: Any) -> Records:
        await self.flush()
        return await super().fetch(sql, *values)

    async def insert(self, table: Table, rows: Sequence[Values], *, on_conflict: OnConflict = OnConflict.RAISE) -> None:
        """Add many rows, all with the keys of the first. Raises `RowRefused`; the database's refusals come later."""
        if not rows:
            return
        if table in self._waiting:
            await self.flush()
        self._waiting[table] = (_insert_many(table, tuple(rows[0]), on_conflict), as_json(rows))

    async def copy(self, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add very many rows, now, each with values of the columns named; none of them may stand already.

        They travel in PostgreSQL's own form: neither side writes or reads a text. Raises `RowRefused`.
        """
        await self.flush()
        try:
            await self._driver.copy_records_to_table(table.name, columns=names, records=rows)
        except (OverflowError, UnicodeEncodeError) as error:
            raise RowRefused(UNSTORABLE) from error

    async def insert_missing(self, table: Table, rows: Sequence[Values]) -> int:
        """Add the rows whose keys do not stand yet, now; returns how many those were."""
        if not rows:
            return 0
        return await self._write(_insert_many(table, tuple(rows[0]), OnConflict.IGNORE), as_json(rows))

    async def update(self, table: Table, rows: Sequence[Values], *, guard: str | None = None) -> int:
        """Change many rows by primary key in one statement; returns how many were changed.

        Each row holds its primary key and the columns to set. `guard` names a counter of which a row gives the new
        value: only rows that still stand one below are changed, so a count short of `len(rows)` means that somebody
        was faster.
        """
        if not rows:
            return 0
        return await self._write(_update_many(table, tuple(rows[0]), guard), as_json(rows), len(rows))

    async def notify(self, channel: str, payload: str) -> None:
        """Tell whoever listens to a channel, after the commit. Costs a cluster-wide lock: not for what runs often."""
        await self._driver.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def flush(self) -> None:
        """Send the rows that wait."""
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            statements, contents = zip(*waiting.values(), strict=True)
            await self._driver.execute(_together(statements), *contents)

    async def _write(self, sql: str, *values: Any) -> int:
        """Rows travel as one JSON text, so that a statement is the same for one row and for a thousand.

        Measured against one array per column: a quarter of the time here, a third more in PostgreSQL.
        """
        await self.flush()
        status: str = await self._driver.execute(sql, *values)
        return int(status.rsplit(" ", 1)[1])


def as_json(rows: Sequence[Values]) -> str:
    """Rows for `json_populate_recordset`. Raises `RowRefused`."""
    try:
        return dump(rows).decode()
    except TypeError as error:  # half a character, or a number beyond 64 bits
        raise RowRefused(UNSTORABLE) from error


def _listed(names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in names)


@lru_cache(maxsize=256)
def _insert_many(table: Table, names: tuple[str, ...], on_conflict: OnConflict) -> str:
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
    conflict = {
        OnConflict.RAISE: "",
        OnConflict.IGNORE: "ON CONFLICT DO NOTHING",
        OnConflict.REPLACE: f"ON CONFLICT ({_listed(keys)}) DO UPDATE SET {changes}",
    }[on_conflict]
    source = f'SELECT {_listed(names)} FROM json_populate_recordset(NULL::"{table.name}", $1)'  # noqa: S608 - our own names
    return f'INSERT INTO "{table.name}" ({_listed(names)}) {source} {conflict}'


@lru_cache(maxsize=256)
def _together(statements: tuple[str, ...]) -> str:
    """Several of `_insert_many` as one statement; keys to each other are checked at its end."""
    parts = (f"w{n} AS ({sql.replace('$1', f'${n}')})" for n, sql in enumerate(statements, start=1))
    return f"WITH {', '.join(parts)} SELECT"


@lru_cache(maxsize=256)
def _update_many(table: Table, names: tuple[str, ...], guard: str | None) -> str:
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f'"{name}" = new."{name}"' for name in names if name not in keys)
    where = " AND ".join(f'old."{key}" = new."{key}"' for key in keys)
    guarded = f' AND old."{guard}" = new."{guard}" - 1' if guard else ""
    # PostgreSQL takes what comes as JSON for a hundred rows, and would read a small table whole to change one of it.
    source = f'(SELECT * FROM json_populate_recordset(NULL::"{table.name}", $1) LIMIT $2) AS new'  # noqa: S608
    return f'UPDATE "{table.name}" AS old SET {changes} FROM {source} WHERE {where}{guarded}'  # noqa: S608


class Database:
    """A pool of connections to one PostgreSQL, and the rule by which units of work are repeated."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        statement_timeout: float = 5.0,
        lock_timeout: float = 2.0,
        reports_url: str | None = None,
    ) -> None:
        """Open nothing yet. `url` is SQLAlchemy's, driver asyncpg; timeouts in seconds.

        No pre-ping: a dead pooled connection fails the unit's first statement and the unit is repeated whole,
        which costs nothing while connections live.
        """
        limits = {
            "application_name": "webcare",
            "timezone": "UTC",
            "jit": "off",
            "statement_timeout": str(int(statement_timeout * 1000)),
            "lock_timeout": str(int(lock_timeout * 1000)),
            "idle_in_transaction_session_timeout": "15000",
        }

        def engine_for(address: str) -> AsyncEngine:
            return create_async_engine(
                address,
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=5,
                pool_use_lifo=True,
                hide_parameters=True,  # errors that are logged hold no customer's words
                json_serializer=lambda value: dump(value).decode(),
                json_deserializer=orjson.loads,
                isolation_level="AUTOCOMMIT",  # transactions are begun below, on the driver that both ways share
                connect_args={"timeout": 5, "server_settings": limits},
            )

        self._engine = engine_for(url)
        reader = engine_for(reports_url) if reports_url else self._engine
        self._readers = {False: self._engine, True: reader}

    async def close(self) -> None:
        for engine in set(self._readers.values()):
            await engine.dispose()

    async def transact(self, unit: Callable[[Transaction], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Run a unit of work and commit it; repeat it whole on deadlock, lock timeout or lost connection.

        `repeatable` says that unique keys make the unit safe to run again after a commit whose outcome is unknown.
        Raises `DatabaseUnreachable`, `OutcomeUnknown`, `RowRefused`, and whatever the unit raises.
        """
        for attempt in range(1, ATTEMPTS + 1):
            committing = False
            try:
                async with _begun(self._engine, readonly=False) as (connection, driver, transaction):
                    tx = Transaction(connection, driver)
                    result = await unit(tx)
                    await tx.flush()
                    committing = True
                    await transaction.commit()
                    return result
            except FAILURES as error:
                if not is_fleeting(error):
                    raise_translated(error)
                if committing and not repeatable and is_lost_connection(error):
                    raise OutcomeUnknown("The connection was lost during the commit; look before repeating.") from error
                if attempt == ATTEMPTS:
                    raise_translated(error)
                await asyncio.sleep(random.uniform(0.5, 1.5) * 0.02 * 2**attempt)  # noqa: S311 - only spreads
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def reading(self, *, reports: bool = False) -> AsyncIterator[Reading]:
        """A read-only session, on the reports database when there is one and `reports` asks for it.

        What reports read stands still meanwhile: all their statements see what was committed when the first began.
        """
        isolation: Isolation = "repeatable_read" if reports else "read_committed"
        reader = self._readers[reports]
        try:
            async with _begun(reader, isolation, readonly=True) as (connection, driver, transaction):
                yield Reading(connection, driver)
                await transaction.rollback()
        except FAILURES as error:
            if reader is not self._engine and is_of_replica(error):
                message = "The database that reports read cannot be reached, or is too busy; all else works."
                raise ReportsUnreachable(message) from error
            raise_translated(error)

    async def listen(self, channel: str) -> AsyncGenerator[str, None]:
        """Each payload that is notified on a channel from now on, on a connection beside the pool.

        Raises `DatabaseUnreachable` when that is lost; what is notified until somebody listens again is not heard.
        """
        _, address = self._engine.dialect.create_connect_args(self._engine.url)
        heard = asyncio.Queue[str | None]()
        try:
            connection = await asyncpg.connect(**address, timeout=5, server_settings={"application_name": "webcare"})
        except FAILURES as error:
            raise_translated(error)
        try:
            connection.add_termination_listener(lambda _: heard.put_nowait(None))
            await connection.add_listener(channel, lambda *notified: heard.put_nowait(notified[-1]))
            while (payload := await heard.get()) is not None:
                yield payload
            raise DatabaseUnreachable("The connection that listened is lost.")
        finally:
            connection.terminate()


@asynccontextmanager
async def _begun(
    engine: AsyncEngine, isolation: Isolation = "read_committed", *, readonly: bool
) -> AsyncIterator[tuple[AsyncConnection, Any, Any]]:
    """A connection of the pool, its driver, and a transaction begun on it, which the caller ends.

    What raises is rolled back. A connection that cannot even do that is thrown away: the pool never lends one that
    is still inside a transaction.
    """
    async with engine.connect() as connection:
        driver = await _living_driver(connection)
        transaction = driver.transaction(isolation=isolation, readonly=readonly)
        try:
            await transaction.start()
            yield connection, driver, transaction
        except BaseException:
            try:
                await transaction.rollback()
            except BaseException:  # noqa: BLE001 - what went wrong first is what matters
                await connection.invalidate()
            raise


async def _living_driver(connection: AsyncConnection) -> Any:
    """The asyncpg connection below; those that died in the pool are passed over."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    while driver.is_closed():
        await connection.invalidate()
        driver = (await connection.get_raw_connection()).driver_connection
    return driver
