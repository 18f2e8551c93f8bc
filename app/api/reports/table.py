"""A report as a table for a spreadsheet (RFC 4180).

Knows which texts a spreadsheet would run. Refuses to know what the columns mean: the header has their names.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read these too


def write(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A header and one line for each row. A text that would run as a formula gets a leading `'`; numbers stay so."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return table.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
