"""Which department owns a topic on a channel, and how far it answers for itself: the oil stain.

Knows departments, stages and the arms of a pilot. Refuses to know how a topic was found (topics) and what a ticket's
priority is (`decision`).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.kit.errors import NotFound

WEBCARE = "webcare"  # the department that this team itself is


class Unowned(NotFound):
    """No ownership names this topic. A rulebook that was loaded has none of these; a topic typed by hand may."""


class Stage(StrEnum):
    CENTRAL = "central"
    ADVISE = "advise"
    PILOT = "pilot"
    LIVE = "live"


class Arm(StrEnum):
    """The two halves of a pilot."""

    FIRST_HAND = "first_hand"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Department:
    """The owner of a customer process. `name` by language, `process` in one English phrase, `calendar` by name."""

    slug: str
    name: Mapping[str, str]
    process: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Owning:
    """One line of the oil stain. `channels` None: wherever no other line is more specific. `percent` is of a pilot."""

    topic: str
    channels: frozenset[str] | None
    department: str
    stage: Stage
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Owned:
    """The answer for one ticket. `arm` only in a pilot; `rule` names the line that decided, for people to look up."""

    department: str
    stage: Stage
    arm: Arm | None
    rule: str


def find(ownerships: Iterable[Owning], topic: str, channel: str, ticket_id: UUID) -> Owned:
    """The most specific ownership: topic on this channel before topic anywhere. Raises `Unowned`."""
    anywhere = None
    for owning in ownerships:
        if owning.topic != topic:
            continue
        if owning.channels is None:
            anywhere = owning
        elif channel in owning.channels:
            return _owned(owning, f"ownership: {topic} on {channel}", ticket_id)
    if anywhere is None:
        raise Unowned(f"no department owns the topic '{topic}' on {channel}", topic=topic, channel=channel)
    return _owned(anywhere, f"ownership: {topic} anywhere", ticket_id)


def draw_arm(ticket_id: UUID, percent: int) -> Arm:
    """The arm of a ticket in a pilot of `percent` (1-99): the same in every process, version and year.

    The first eight bytes of the SHA-256 of the id's 16 bytes, read as a big-endian number, modulo 100, are the
    ticket's lot; lots below `percent` are first-hand. A larger pilot therefore keeps every ticket that a smaller one
    had. UUIDv7 itself will not do as a lot: its leading bits are the time of day.
    """
    lot = int.from_bytes(hashlib.sha256(ticket_id.bytes).digest()[:8], "big") % 100
    return Arm.FIRST_HAND if lot < percent else Arm.CONTROL


def _owned(owning: Owning, rule: str, ticket_id: UUID) -> Owned:
    arm = None if owning.percent is None else draw_arm(ticket_id, owning.percent)
    return Owned(owning.department, owning.stage, arm, rule)
