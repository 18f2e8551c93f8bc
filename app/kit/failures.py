"""What PostgreSQL and its driver raise, and what of it callers are told.

Knows SQLSTATE, the driver's own words, and which failures pass by themselves. Refuses to know which unit of work failed
and whether it is run again.
"""

from typing import NoReturn

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.kit.errors import Invalid, Unavailable

UNSTORABLE = "A value cannot be stored: it holds a character, number or moment that the database has no place for."
# The driver's words for a connection that is gone, or that was told so and does not know what to do next.
_GONE = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
FAILURES = (SQLAlchemyError, asyncpg.PostgresError, *_GONE)

_CANCELLED = "57014"  # by `statement_timeout`; trying again at once would only load the database more
_NOT_THERE_YET = frozenset({"42P01", "42703"})  # a table or column that a migration made and a replica has to learn of
_FLEETING = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300"})


class DatabaseUnreachable(Unavailable):
    pass


class ReportsUnreachable(Unavailable):
    """The database that reports read, where that is another one: everything else goes on."""


class OutcomeUnknown(Unavailable):
    """The connection was lost while a commit was under way and repeating it could do the work twice."""


class RowRefused(Invalid):
    """PostgreSQL cannot hold one of the values: an error of class 22 (data)."""


def is_fleeting(error: BaseException) -> bool:
    """Whether the same may work at the next try: somebody was in the way, or the connection was lost."""
    return _sqlstate(error) in _FLEETING or is_lost_connection(error)


def is_lost_connection(error: BaseException) -> bool:
    if _sqlstate(error):
        return _sqlstate(error).startswith(("08", "57P"))
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    return isinstance(error, _GONE) and not _is_unstorable(error)


def is_of_replica(error: BaseException) -> bool:
    """Whether a replica is away, too busy, or behind the schema that this program knows."""
    return _is_out_of_reach(error) or _sqlstate(error) in _NOT_THERE_YET


def raise_translated(error: Exception) -> NoReturn:
    """As callers read it: `RowRefused`, `DatabaseUnreachable`.

    A broken constraint (class 23) stays what it is: a mistake of ours, about which no caller can do anything.
    """
    if _is_unstorable(error):
        raise RowRefused(UNSTORABLE) from error
    if _is_out_of_reach(error):
        raise DatabaseUnreachable("The database cannot be reached or is too busy; try again shortly.") from error
    raise error


def _sqlstate(error: BaseException) -> str:
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


def _is_unstorable(error: BaseException) -> bool:
    """PostgreSQL refused a value (class 22), or the driver could not even write it down (which has no class)."""
    if _sqlstate(error):
        return _sqlstate(error).startswith("22")
    cause = getattr(error, "orig", None)
    below = error if cause is None else cause.__cause__
    return isinstance(below, asyncpg.InterfaceError) and isinstance(below, ValueError)


def _is_out_of_reach(error: BaseException) -> bool:
    if _is_unstorable(error):
        return False
    fleeting = is_fleeting(error) or _sqlstate(error) == _CANCELLED
    return fleeting or isinstance(error, PoolTimeoutError | InterfaceError | OperationalError)
