"""One run over a file: read, send, keep what was rejected, bookmark; and so on to the end.

Knows the order of the four. Refuses to know how any of them is done.
"""

import csv
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.ingest.bookmark import Bookmark, Tally
from app.cli.ingest.chunks import Chunk, Rejected, chunks
from app.cli.ingest.plan import Plan
from app.cli.ingest.posting import Poster
from app.cli.ingest.reading import Place
from app.cli.ingest.screen import Meter
from app.cli.ingest.source import Source


class Run:
    """`place` and `tally` are those of all runs over this file so far."""

    def __init__(self, source: Source, plan: Plan, bookmark: Bookmark) -> None:
        """Raises `OtherFile`."""
        self._source = source
        self._plan = plan
        self._bookmark = bookmark
        self.place, self.tally = bookmark.find() or (Place(), Tally())
        self.rejects = source.path.with_name(f"{source.path.name}.rejected.csv")

    def take_in(self, poster: Poster, meter: Meter, *, batch: int, limit: int | None) -> None:
        """To the end of the file, or `limit` rows on. Raises `ServiceUnreachable`, `ServiceRefused`."""
        if self.place == Place():
            self.rejects.unlink(missing_ok=True)
        else:
            meter.tell(f"Going on at line {self.place.line + 1:,}.")
        with self._source.path.open("rb") as file:
            rows = itertools.islice(self._source.rows(file, self.place), limit)
            for chunk in chunks(rows, self._plan, batch):
                refused = _send(poster, chunk, self.tally)
                self._settle(chunk, sorted([*chunk.rejected, *refused], key=lambda one: one.line))
                meter.move(self.place.offset, self.tally, chunk.read)
        if limit is None or self.place.offset >= self._source.size:
            self._bookmark.remove()

    def _settle(self, chunk: Chunk, rejected: Sequence[Rejected]) -> None:
        self._keep(rejected)
        self.tally.read += chunk.read
        self.tally.skipped += chunk.skipped
        self.tally.rejected += len({one.line for one in rejected})
        self.place = chunk.end
        self._bookmark.write(self.place, self.tally)

    def _keep(self, rejected: Sequence[Rejected]) -> None:
        if not rejected:
            return
        is_new = not self.rejects.exists()
        with self.rejects.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(("line", "field", "reason"))
            writer.writerows((one.line, one.field, one.reason) for one in rejected)


def _send(poster: Poster, chunk: Chunk, tally: Tally) -> list[Rejected]:
    """Count what became of each mention; returns what the service refused."""
    refused: list[Rejected] = []
    items = poster.post(chunk.bodies) if chunk.bodies else []
    for line, item in zip(chunk.lines, items, strict=True):
        if "outcome" not in item:
            refused += _refusals(line, item)
            continue
        tally.outcomes[item["outcome"]] += 1
        if item["outcome"] == "opened":
            tally.departments[item["department"] or "triage"] += 1
    return refused


def _refusals(line: int, problem: Mapping[str, Any]) -> list[Rejected]:
    """One for each field that the problem names, told without its place in the batch."""
    errors: Sequence[Mapping[str, Any]] = problem.get("errors") or [
        {"field": problem.get("field", ""), "message": problem["detail"]}
    ]
    return [Rejected(line, _within(error["field"]), error["message"]) for error in errors]


def _within(field: str) -> str:
    """`mentions.3.author.handle` -> `author.handle`."""
    return field.split(".", 2)[-1] if field.startswith("mentions.") else field
