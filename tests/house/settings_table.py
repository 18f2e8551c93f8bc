"""The table of settings in docs/operating.md, made from the settings: `python -m tests.house.settings_table` prints it.

Knows how a default reads as the value of an environment variable. Refuses to know what a setting is for: that is its
description.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from app.settings import PROJECT, Settings

BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def table() -> str:
    """One row for each variable, in the order in which `Settings` tells them; ends with a line break."""
    rows = [
        f"| `WEBCARE_{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _default(field: FieldInfo) -> str:
    """Empty where it is unset; the description then says what happens."""
    text = "" if field.default_factory or field.default is None else _written(field.default)
    return f"`{text}`" if text else ""


def _written(value: Any) -> str:
    """As in the environment: seconds, folders from the project's, lists with commas."""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, Path):
        return str(value.relative_to(PROJECT) if value.is_absolute() else value)
    if isinstance(value, frozenset):
        return _written(sorted(value))
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(map(_written, value))
    return str(value)


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201 - its purpose
