"""A report as a table: for programs (RFC 4180), or as a Dutch spreadsheet opens it with a double click.

Knows which texts a spreadsheet would run, and how a Dutch one wants its columns and numbers. Refuses to know what the
columns mean: the header has their names.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read these too


@dataclass(frozen=True, slots=True)
class Spelling:
    """What stands between cells, before decimals, and in front of it all; whether a day is a date, not a moment; and
    what is said for what is not so, and for what is.
    """

    separator: str
    decimal: str
    mark: str
    dates: bool
    truth: tuple[str, str]


PLAIN = Spelling(",", ".", "", dates=False, truth=("false", "true"))
# Excel under Dutch settings; without the mark of UTF-8 it takes a text for Windows-1252, and a moment with an offset is
# a text to it, which it neither sorts nor groups by month.
DUTCH = Spelling(";", ",", "\N{ZERO WIDTH NO-BREAK SPACE}", dates=True, truth=("ONWAAR", "WAAR"))


def write(names: Sequence[str], rows: Sequence[Sequence[Any]], spelling: Spelling = PLAIN) -> str:
    """A header and one line for each row. A text that would run as a formula gets a leading `'`; numbers stay so."""
    table = io.StringIO()
    writer = csv.writer(table, delimiter=spelling.separator)
    writer.writerow(names)
    writer.writerows([_cell(value, spelling) for value in row] for row in rows)
    return spelling.mark + table.getvalue()


def _cell(value: Any, spelling: Spelling) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return spelling.truth[value]
    if isinstance(value, float):
        return str(value).replace(".", spelling.decimal)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
