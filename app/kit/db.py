"""The database: the one module that begins, commits and retries transactions.

Knows PostgreSQL over asyncpg, units of work, and writing many rows in one round trip. Refuses to know any table.

A signature tells what a function may do: `Reading` is held read-only by PostgreSQL itself, `Transaction` may write.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeVar

import orjson
from sqlalchemy import CursorResult, Executable, MetaData, Row, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.kit.errors import Invalid, Unavailable
from app.kit.wire import dump

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

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
_FLEETING = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300"})


class DatabaseUnreachable(Unavailable):
    pass


class OutcomeUnknown(Unavailable):
    """The connection was lost while a commit was under way and repeating it could do the work twice."""


class RowRefused(Invalid):
    """PostgreSQL cannot hold one of the values: a class 22 (data) or 23 (constraint) error."""


class Reading:
    """One snapshot-less read session: every statement sees what is committed when it starts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        return await self._connection.execute(statement, parameters)

    async def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        return (await self.execute(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Parameters = None) -> Row[Any] | None:
        return (await self.execute(statement, parameters)).first()

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()


class Transaction(Reading):
    """One unit of work. It commits when the flow returns and leaves nothing when the flow raises."""

    async def insert(self, table: Table, rows: Sequence[Mapping[str, Any]], *, or_ignore: bool = False) -> int:
        """Write many rows, all with the keys of the first, in one statement; returns how many were written.

        Values travel as one array per column, so that the statement is the same for one row and for a thousand
        and stays prepared. `or_ignore` leaves rows alone whose key stands already.
        """
        if not rows:
            return 0
        names = tuple(rows[0])
        result = await self._connection.exec_driver_sql(_insert_many(table, names, or_ignore), _arrays(table, rows))
        return result.rowcount

    async def update(self, table: Table, rows: Sequence[Mapping[str, Any]], *, guard: str | None = None) -> int:
        """Change many rows by primary key in one statement; returns how many were changed.

        Each row holds its primary key and the columns to set. `guard` names a counter of which a row gives the new
        value: only rows that still stand one below are changed, so a count short of `len(rows)` means that somebody
        was faster.
        """
        if not rows:
            return 0
        sql = _update_many(table, tuple(rows[0]), guard)
        return (await self._connection.exec_driver_sql(sql, _arrays(table, rows))).rowcount


def _arrays(table: Table, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Any], ...]:
    """One array per column, in the order of the first row's keys; JSON travels as text."""
    return tuple(
        [None if row[name] is None else dump(row[name]).decode() for row in rows]
        if isinstance(table.c[name].type, JSONB)
        else [row[name] for row in rows]
        for name in rows[0]
    )


def _unnest(table: Table, names: tuple[str, ...]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return ", ".join(f"${n}::{table.c[name].type.compile(dialect)}[]" for n, name in enumerate(names, start=1))


@lru_cache(maxsize=256)
def _insert_many(table: Table, names: tuple[str, ...], or_ignore: bool) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    conflict = " ON CONFLICT DO NOTHING" if or_ignore else ""
    source = f"SELECT * FROM unnest({_unnest(table, names)})"  # noqa: S608 - names come from our own metadata
    return f'INSERT INTO "{table.name}" ({columns}) {source}{conflict}'


@lru_cache(maxsize=256)
def _update_many(table: Table, names: tuple[str, ...], guard: str | None) -> str:
    keys = [column.name for column in table.primary_key]
    columns = ", ".join(f'"{name}"' for name in names)
    changes = ", ".join(f'"{name}" = new."{name}"' for name in names if name not in keys)
    where = " AND ".join(f'old."{key}" = new."{key}"' for key in keys)
    guarded = f' AND old."{guard}" = new."{guard}" - 1' if guard else ""
    source = f"unnest({_unnest(table, names)}) AS new ({columns})"
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
                json_serializer=lambda value: dump(value).decode(),
                json_deserializer=orjson.loads,
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
                async with self._engine.connect() as connection:
                    result = await unit(Transaction(connection))
                    committing = True
                    await connection.commit()
                    return result
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                if not _is_fleeting(error):
                    raise _translated(error) from error
                if committing and not repeatable and _is_lost_connection(error):
                    raise OutcomeUnknown("The connection was lost during the commit; look before repeating.") from error
                if attempt == ATTEMPTS:
                    raise _translated(error) from error
                await asyncio.sleep(random.uniform(0.5, 1.5) * 0.02 * 2**attempt)  # noqa: S311
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def reading(self, *, reports: bool = False) -> AsyncIterator[Reading]:
        """A read-only session, on the reports database when there is one and `reports` asks for it."""
        engine = self._readers[reports]
        try:
            async with engine.connect() as connection:
                await connection.execution_options(postgresql_readonly=True)
                yield Reading(connection)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _translated(error) from error


def _sqlstate(error: BaseException) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _is_lost_connection(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _sqlstate(error).startswith(("08", "57P"))
    return isinstance(error, OSError | TimeoutError)


def _is_fleeting(error: BaseException) -> bool:
    return _sqlstate(error) in _FLEETING or _is_lost_connection(error)


def _translated(error: BaseException) -> BaseException:
    state = _sqlstate(error)
    if state.startswith(("22", "23")):
        return RowRefused(f"PostgreSQL refused a value: {getattr(error, 'orig', error)}".split("\n")[0])
    if _is_fleeting(error) or isinstance(error, PoolTimeoutError | InterfaceError | OperationalError):
        return DatabaseUnreachable("The database cannot be reached or is too busy; try again shortly.")
    return error
