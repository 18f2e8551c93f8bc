"""A file of labelled texts: which column means what, and which rows make a label.

Knows the usual names of columns and what a label needs. Refuses to know how lines are read (cli/ingest) and where
labels are kept.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.cli.ingest.plan import USUAL
from app.cli.ingest.reading import Read, Unreadable
from app.kit.errors import Invalid

LONGEST = 20_000  # characters, as of a post
COLUMNS: dict[str, tuple[str, ...]] = {
    "text": USUAL["text"],
    "topic": ("topic", "label", "intent", "category", "onderwerp", "categorie"),
    "lang": USUAL["lang"],
}
_NEEDED = ("text", "topic")


class ColumnsUnclear(Invalid):
    """The columns do not make labels, or a word of the command means no field or column."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One row: a text and its topic."""

    line: int
    text: str
    topic: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that makes no label, and why."""

    line: int
    reason: str


def find_columns(there: Iterable[str], mapped: Mapping[str, str]) -> dict[str, str]:
    """The column of each field: the one that was said, else the first with a usual name. Raises `ColumnsUnclear`."""
    columns = tuple(there)
    for name, column in mapped.items():
        if name not in COLUMNS:
            raise ColumnsUnclear(f"A label has no field '{name}'. It has {', '.join(COLUMNS)}.")
        if column not in columns:
            raise ColumnsUnclear(f"The file has no column '{column}'. It has {', '.join(columns)}.")
    usual = {column.strip().lower(): column for column in reversed(columns)}
    found = {name: usual[word] for name, words in COLUMNS.items() for word in reversed(words) if word in usual}
    found |= mapped
    for name in _NEEDED:
        if name not in found:
            raise ColumnsUnclear(
                f"No column looks like {name}. Say which one is, --map {name}=COLUMN. "
                f"The file has {', '.join(columns)}."
            )
    return found


def read_labels(
    rows: Iterable[Read], columns: Mapping[str, str], renamed: Mapping[str, str], topics: Collection[str]
) -> Iterator[Labelled | Rejected]:
    """What each row makes. `renamed` maps names of topics in the file to ours."""
    for row in rows:
        if isinstance(row, Unreadable):
            yield Rejected(row.line, row.reason)
            continue
        text, topic, language = (_word(row.values, columns.get(name)) for name in COLUMNS)
        topic = renamed.get(topic, topic)
        wrong = _what_is_wrong(text, topic, topics)
        yield Rejected(row.line, wrong) if wrong else Labelled(row.line, text, topic, language or None)


def _what_is_wrong(text: str, topic: str, topics: Collection[str]) -> str | None:
    if not text:
        return "the row has no text"
    if len(text) > LONGEST:
        return f"the text is longer than {LONGEST:,} characters"
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return "the text holds a character that cannot be stored (NUL, or half of one)"
    if not topic:
        return "the row has no topic"
    if topic not in topics:
        return f"there is no topic '{topic[:60]}'; --rename OLD=NEW says which of ours it is"
    return None


def _word(values: Mapping[str, Any], column: str | None) -> str:
    value = values.get(column) if column else None
    return "" if value is None else str(value).strip()
