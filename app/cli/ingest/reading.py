"""Rows out of a CSV or JSON lines file, each with its place, so that reading can go on where it stopped.

Knows lines, quotes and braces. Refuses to know what a column means. What cannot be read is a value, `Unreadable`, and
the next line is tried.
"""

import codecs
import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

LONGEST_LINE = 8 * 2**20  # bytes; the service reads no longer body
_DELIMITERS = ",;\t|"


class LineTooLong(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Place:
    """Between two rows: so many bytes and lines of the file are behind it."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where it begins, counted from 1; `values` by column; `end` is the place behind it."""

    line: int
    values: Mapping[str, Any]
    end: Place


@dataclass(frozen=True, slots=True)
class Unreadable:
    line: int
    reason: str
    end: Place


Read: TypeAlias = Row | Unreadable


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a CSV file and what separates its columns."""

    columns: tuple[str, ...]
    delimiter: str
    end: Place


class _Lines:
    """The lines of a file from a place on. A line that fails is behind us all the same."""

    def __init__(self, file: BinaryIO, place: Place, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self.go_to(place)

    def go_to(self, place: Place) -> None:
        self._file.seek(place.offset)
        self.place = place

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        """Raises `LineTooLong` and `UnicodeDecodeError`."""
        raw = self._next_bytes()
        is_first = self.place.line == 1
        return raw.removeprefix(codecs.BOM_UTF8 if is_first else b"").decode(self._encoding)

    def skip(self) -> None:
        """Pass over one line, whatever it holds."""
        try:
            self._next_bytes()
        except LineTooLong:
            return

    def _next_bytes(self) -> bytes:
        raw = self._file.readline(LONGEST_LINE + 1)
        if not raw:
            raise StopIteration
        length, piece = len(raw), raw
        while len(piece) > LONGEST_LINE and not piece.endswith(b"\n"):
            piece = self._file.readline(LONGEST_LINE + 1)
            length += len(piece)
        self.place = Place(self.place.offset + length, self.place.line + 1)
        if length > LONGEST_LINE:
            raise LineTooLong(f"the line is longer than {LONGEST_LINE // 2**20} MB")
        return raw


def read_header(file: BinaryIO, encoding: str) -> Header:
    """Raises `ValueError` when the file does not begin with the names of its columns."""
    lines = _Lines(file, Place(), encoding)
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)
    lines.go_to(Place())
    columns = tuple(name.strip() for name in next(csv.reader(lines, delimiter=delimiter), []))
    if not any(columns):
        raise ValueError("the first line holds no names of columns")
    return Header(columns, delimiter, lines.place)


def read_csv(file: BinaryIO, header: Header, place: Place, encoding: str) -> Iterator[Read]:
    """Rows from `place` on, which is a row's beginning. Quoted fields may run over several lines.

    Where quotes do not fit, the line on which the row began is unreadable and reading goes on with the one after it.
    """
    lines = _Lines(file, max(place, header.end, key=lambda one: one.offset), encoding)
    while True:
        begin = lines.place
        try:
            values = next(csv.reader(lines, delimiter=header.delimiter, strict=True), None)
        except (csv.Error, ValueError) as error:
            runs_on = lines.place.line > begin.line + 1
            lines.go_to(begin)
            lines.skip()
            reason = "a quote that is not closed" if runs_on else _in_words(error)
            yield Unreadable(begin.line + 1, reason, lines.place)
            continue
        if values is None:
            return
        if len(values) == len(header.columns):
            yield Row(begin.line + 1, dict(zip(header.columns, values, strict=True)), lines.place)
        elif values:
            columns = f"{len(values)} columns where the first line names {len(header.columns)}"
            yield Unreadable(begin.line + 1, columns, lines.place)


def read_json(file: BinaryIO, place: Place, encoding: str) -> Iterator[Read]:
    """One JSON object per line; what is nested gets names with dots: `author.handle`."""
    lines = _Lines(file, place, encoding)
    while True:
        line = lines.place.line + 1
        try:
            text = next(lines, None)
            if text is None:
                return
            if text.strip():
                yield Row(line, _flat(json.loads(text)), lines.place)
        except (ValueError, RecursionError) as error:
            yield Unreadable(line, _in_words(error), lines.place)


def _flat(value: Any, within: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("the line is no JSON object")  # noqa: TRY004 - what a file holds, not what a caller did
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        flat |= _flat(inner, f"{within}{name}.") if isinstance(inner, dict) else {f"{within}{name}": inner}
    return flat


def _in_words(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not {error.encoding}: byte {error.start + 1} of the line is 0x{error.object[error.start]:02x}"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at character {error.colno}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error)
