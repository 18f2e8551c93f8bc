"""JSON as everything here writes it: UTC with `Z`, ids as text. Refuses to know whose JSON it is."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson


def dump(value: Any) -> bytes:
    """JSON in UTF-8. Beside what JSON knows: ids, moments, durations and bytes, as PostgreSQL reads them.

    Raises TypeError for what has no form in JSON, half characters among it.
    """
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z)


def iso(moment: datetime | None) -> str | None:
    """A moment as `dump` writes it, for where a text is wanted already."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):  # asyncpg's is a subclass, which orjson does not take for one
        return str(value)
    if isinstance(value, timedelta):
        return f"{value / timedelta(microseconds=1):.0f} microseconds"
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"JSON has no way to write {type(value).__name__}")
