"""A version of the rules: what came into force, when, from where, and by whom.

Knows nothing but these facts. Refuses to know what stands in the files, and what a process does when there is a
newer version (flows.rules).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Origin(StrEnum):
    """Where rules came from: the folder of files, a caller who sent them, an earlier version, a step ahead or back."""

    FOLDER = "folder"
    SENT = "sent"
    ROLLBACK = "rollback"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Version:
    """`digest` names the content, `sources` is the text of each file. `number` grows by time, with gaps."""

    number: int
    digest: str
    sources: Mapping[str, str]
    origin: Origin
    actor: str
    note: str | None
    at: datetime
