"""A file of posts: what it is called tells how its rows are read.

Knows formats. Refuses to know what a column means.
"""

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from app.cli.ingest.reading import Header, Place, Read, Row, read_csv, read_header, read_json
from app.kit.errors import Invalid


class FileUnusable(Invalid):
    pass


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


_FORMATS = {".csv": Format.CSV, ".tsv": Format.CSV, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL}


@dataclass(frozen=True, slots=True)
class Source:
    """`header` is there for CSV only."""

    path: Path
    encoding: str
    header: Header | None

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def rows(self, file: BinaryIO, place: Place) -> Iterator[Read]:
        if self.header is None:
            return read_json(file, place, self.encoding)
        return read_csv(file, self.header, place, self.encoding)

    def first(self, count: int) -> list[Read]:
        with self.path.open("rb") as file:
            return list(itertools.islice(self.rows(file, Place()), count))

    def columns(self, looked_at: int) -> tuple[str, ...]:
        """The names of the columns; of JSON lines those that come up in so many rows."""
        if self.header is not None:
            return self.header.columns
        rows = [row for row in self.first(looked_at) if isinstance(row, Row)]
        return tuple(dict.fromkeys(name for row in rows for name in row.values))


def open_source(path: Path, kind: Format | None, encoding: str) -> Source:
    """Raises `FileUnusable`."""
    chosen = kind or _FORMATS.get(path.suffix.lower())
    if chosen is None:
        raise FileUnusable(f"{path.name}: say whether it is --format csv or --format jsonl.")
    with path.open("rb") as file:
        try:
            header = read_header(file, encoding) if chosen is Format.CSV else None
        except (csv.Error, ValueError, LookupError) as error:
            raise FileUnusable(f"{path.name} cannot be read as {chosen} in {encoding}: {error}.") from error
    return Source(path, encoding, header)
