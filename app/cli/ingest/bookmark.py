"""How far a file was taken in, kept beside it until the end, so that an interrupted run goes on where it stopped.

Knows the tally and the bookmark file. Refuses to know how rows are read and sent. The bookmark is written after the
service has acknowledged: what is sent twice after a crash is known there as a duplicate.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from app.cli.ingest.reading import Place
from app.kit.errors import Invalid

_START = 65_536  # bytes of the file that tell it from another


class OtherFile(Invalid):
    """The bookmark was made for another file, or for another understanding of this one."""


@dataclass(slots=True)
class Tally:
    """What became of the rows so far. `departments` counts opened tickets, `triage` among them."""

    read: int = 0
    skipped: int = 0
    rejected: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    departments: Counter[str] = field(default_factory=Counter)


class Bookmark:
    """`plan` is the fingerprint of the understanding of the file."""

    def __init__(self, file: Path, plan: str) -> None:
        self._file = file
        self._plan = plan
        self.path = file.with_name(f"{file.name}.webcare-progress")

    def find(self) -> tuple[Place, Tally] | None:
        """Where the last run stopped. Raises `OtherFile`."""
        if not self.path.exists():
            return None
        try:
            kept = json.loads(self.path.read_text())
            place = Place(kept["offset"], kept["line"])
            tally = kept["tally"]
            found = (
                place,
                Tally(
                    tally["read"],
                    tally["skipped"],
                    tally["rejected"],
                    Counter(tally["outcomes"]),
                    Counter(tally["departments"]),
                ),
            )
            fits = kept["fingerprint"] == self._fingerprint(place)
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise OtherFile(
                f"{self.path} belongs to another file, or to other words for this one. "
                "Use the same words to go on, or --restart to begin anew."
            )
        return found

    def write(self, place: Place, tally: Tally) -> None:
        kept = {
            "fingerprint": self._fingerprint(place),
            "offset": place.offset,
            "line": place.line,
            "tally": {
                "read": tally.read,
                "skipped": tally.skipped,
                "rejected": tally.rejected,
                "outcomes": tally.outcomes,
                "departments": tally.departments,
            },
        }
        draft = self.path.with_name(f"{self.path.name}.new")
        draft.write_text(json.dumps(kept))
        draft.replace(self.path)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _fingerprint(self, place: Place) -> str:
        """Of the plan and of what was read, so that a file may grow while it is taken in."""
        with self._file.open("rb") as file:
            start = file.read(min(place.offset, _START))
        return hashlib.blake2b(self._plan.encode() + start, digest_size=16).hexdigest()
