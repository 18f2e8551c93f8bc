"""JSON as everything here writes it: UTC with `Z`, ids as text. Refuses to know whose JSON it is."""

from typing import Any
from uuid import UUID

import orjson


def dump(value: Any) -> bytes:
    """JSON in UTF-8; ids of the database driver's own type are written too."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):  # asyncpg's is a subclass, which orjson does not take for one
        return str(value)
    raise TypeError(f"JSON has no way to write {type(value).__name__}")
