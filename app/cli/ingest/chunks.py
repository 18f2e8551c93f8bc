"""Rows become chunks: what is sent, acknowledged and bookmarked together.

Knows how many rows and bytes make a chunk, so that memory stays flat whatever the file holds. Refuses to send.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.cli.ingest.plan import Plan, Wrong
from app.cli.ingest.reading import Place, Read, Unreadable

_BYTES = 4 * 2**20
_UNSENT = 5000  # rows that were rejected or skipped: the bookmark moves on all the same


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that was not taken in; `field` is empty when the line could not be read at all."""

    line: int
    field: str
    reason: str


@dataclass(slots=True)
class Chunk:
    """`bodies` are mentions as JSON texts, `lines` where each began. `end` is the place behind all of it."""

    end: Place = field(default_factory=Place)
    read: int = 0
    skipped: int = 0
    bytes: int = 0
    bodies: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def take(self, row: Read, plan: Plan) -> None:
        self.end = row.end
        self.read += 1
        if isinstance(row, Unreadable):
            self.rejected.append(Rejected(row.line, "", row.reason))
            return
        if not plan.wants(row.values):
            self.skipped += 1
            return
        mention = plan.understand(row.values)
        if isinstance(mention, Wrong):
            self.rejected.append(Rejected(row.line, mention.field, mention.reason))
            return
        body = json.dumps(mention)
        self.bodies.append(body)
        self.lines.append(row.line)
        self.bytes += len(body)


def chunks(rows: Iterable[Read], plan: Plan, batch: int) -> Iterator[Chunk]:
    """Chunks of at most `batch` mentions, in the order of the rows, none of them empty."""
    chunk = Chunk()
    for row in rows:
        chunk.take(row, plan)
        if len(chunk.bodies) == batch or chunk.bytes > _BYTES or chunk.read - len(chunk.bodies) == _UNSENT:
            yield chunk
            chunk = Chunk()
    if chunk.read:
        yield chunk
