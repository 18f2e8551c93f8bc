"""Which column means what: rows of any file become mentions as `POST /api/v1/mentions/batch` takes them.

Knows the usual names of columns and how each field is written. Refuses to judge values that can be written: the
service does, and names the field.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.cli.ingest.moments import read_moment
from app.kit.errors import Invalid
from app.kit.wire import iso

DEFAULT_CHANNEL = "import"
NOW = "now"

# Each field of a mention and the names under which exports carry it, the surest first.
USUAL: dict[str, tuple[str, ...]] = {
    "channel": ("channel", "kanaal", "platform"),
    "external_id": ("external_id", "id", "tweet_id", "post_id", "message_id", "comment_id", "review_id", "status_id"),
    "text": ("text", "full_text", "body", "message", "content", "tweet", "comment", "review", "tekst", "bericht"),
    "posted_at": (
        "posted_at",
        "created_at",
        "published_at",
        "tweet_created",
        "timestamp",
        "datetime",
        "date",
        "datum",
        "at",
    ),
    "author.external_id": ("author.external_id", "author_id", "user_id", "user.id", "customer_id"),
    "author.handle": (
        "author.handle",
        "author_handle",
        "handle",
        "screen_name",
        "username",
        "user.screen_name",
        "user",
    ),
    "author.display_name": ("author.display_name", "author_name", "display_name", "user.name", "name", "naam"),
    "author.followers": ("author.followers", "followers", "followers_count", "user.followers_count"),
    "author.verified": ("author.verified", "verified", "user.verified"),
    "account": ("account",),
    "conversation_id": ("conversation_id", "thread_id", "session"),
    "parent_id": ("parent_id", "in_reply_to", "in_response_to_tweet_id", "in_reply_to_status_id"),
    "kind": ("kind",),
    "title": ("title", "subject", "titel", "onderwerp"),
    "url": ("url", "link", "permalink"),
    "lang": ("lang", "language", "taal"),
    "visibility": ("visibility",),
    "rating": ("rating", "stars"),
    "revision": ("revision",),
}
_NEEDED = ("text", "posted_at")
_METRIC = re.compile(r"metrics\.[^.]+")
_IDS = frozenset({"external_id", "author.external_id", "conversation_id", "parent_id"})
_FLOAT_ID = re.compile(r"(\d+)\.0")  # what a table library makes of whole numbers beside empty cells
_YES, _NO = frozenset({"true", "1", "yes", "ja"}), frozenset({"false", "0", "no", "nee"})


class PlanIncomplete(Invalid):
    """The columns do not make a mention, or a word of the command means no field or column."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row that makes no mention: which of its fields, and why."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`columns` by field. `constants` by field stand where a row's column is empty, or where there is none.

    `only` are values by column that a row must have. `now` is written where a constant says so. A moment without an
    offset is of `zone`. `imported` marks history, whose clocks start at receipt.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    only: Mapping[str, str]
    now: datetime
    date_format: str | None = None
    zone: tzinfo = UTC
    imported: bool = True

    @property
    def fingerprint(self) -> str:
        """Equal for plans that read every row alike."""
        words = [self.columns, self.constants, self.only, self.date_format, str(self.zone), self.imported]
        return json.dumps(words, sort_keys=True)

    def wants(self, values: Mapping[str, Any]) -> bool:
        return all(str(values.get(column, "")) == value for column, value in self.only.items())

    def understand(self, values: Mapping[str, Any]) -> dict[str, Any] | Wrong:
        """The mention that a row makes. One without an id gets the digest of all it holds, the same each time."""
        mention: dict[str, Any] = {"author": {}}
        if self.imported:
            mention["imported"] = True
        for name in {**self.columns, **self.constants}:
            raw = values.get(self.columns.get(name, ""))
            given = self.constants.get(name) if raw in (None, "") else raw
            if given is None:
                continue
            try:
                _put(mention, name, self._written(name, given))
            except ValueError as error:
                return Wrong(name, str(error))
        for name in _NEEDED:
            if name not in mention:
                return Wrong(name, "the row has none")
        mention.setdefault("external_id", _digest(values))
        return mention

    def _written(self, name: str, given: Any) -> Any:
        """The value as the service takes it. Raises `ValueError`."""
        if name == "posted_at":
            moment = self.now if given == NOW else read_moment(str(given), date_format=self.date_format, zone=self.zone)
            return iso(moment)
        if name in _IDS:
            return _FLOAT_ID.sub(r"\1", str(given).strip())
        if name in ("author.followers", "revision") or _METRIC.fullmatch(name):
            return _count(given)
        if name == "rating":
            return _number(given)
        if name == "author.verified":
            return _flag(given)
        return str(given)


def make_plan(
    columns: Iterable[str],
    *,
    mapped: Mapping[str, str],
    constants: Mapping[str, str],
    only: Mapping[str, str],
    now: datetime,
    date_format: str | None = None,
    zone: tzinfo = UTC,
    imported: bool = True,
) -> Plan:
    """What was said, and for all other fields the columns with a usual name. Raises `PlanIncomplete`."""
    there = tuple(columns)
    for name in (*mapped, *constants):
        if name not in USUAL and not _METRIC.fullmatch(name):
            raise PlanIncomplete(f"A mention has no field '{name}'. It has {', '.join(USUAL)} and metrics.NAME.")
    for column in (*mapped.values(), *only):
        if column not in there:
            raise PlanIncomplete(f"The file has no column '{column}'. It has {', '.join(there)}.")
    usual = {_plain(column): column for column in reversed(there)}
    taken = set(mapped.values())
    found = dict(mapped)
    for name, names in USUAL.items():
        if name not in mapped and name not in constants:
            free = [usual[one] for one in names if one in usual and usual[one] not in taken]
            found |= {name: free[0]} if free else {}
    for needed in _NEEDED:
        if needed not in found and needed not in constants:
            raise PlanIncomplete(
                f"No column looks like {needed}. Say which one is, --map {needed}=COLUMN, or give a constant, "
                f"--set {needed}=VALUE. The file has {', '.join(there)}."
            )
    always = dict(constants) if "channel" in found else {"channel": DEFAULT_CHANNEL, **constants}
    return Plan(found, always, only, now, date_format, zone, imported)


def _plain(column: str) -> str:
    return re.sub(r"[\s-]+", "_", column.strip()).lower()


def _put(mention: dict[str, Any], name: str, value: Any) -> None:
    outer, _, inner = name.partition(".")
    if inner:
        mention.setdefault(outer, {})[inner] = value
    else:
        mention[outer] = value


def _digest(values: Mapping[str, Any]) -> str:
    canonical = json.dumps(values, sort_keys=True).encode()
    return f"row-{hashlib.blake2b(canonical, digest_size=16).hexdigest()}"


def _number(given: Any) -> float:
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{str(given)[:60]}' is no number")
    return number


def _count(given: Any) -> int:
    number = _number(given)
    if not number.is_integer():
        raise ValueError(f"'{str(given)[:60]}' is no whole number")
    return int(number)


def _flag(given: Any) -> bool:
    word = str(given).strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"'{word[:60]}' is neither true nor false")
    return word in _YES
