"""Hand-backs: why a department did not keep a ticket, and when too many of them are too many.

Knows codes and the count. Refuses to know who owns what instead.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

BOUNCED = "bounced"
TOO_MANY = 3


class HandBackCode(StrEnum):
    """What was wrong with it, so that rules can be mended where it happens often."""

    WRONG_TOPIC = "wrong_topic"
    WRONG_DEPARTMENT = "wrong_department"
    NOT_A_QUESTION = "not_a_question"
    INCOMPLETE = "incomplete"
    DUPLICATE = "duplicate"
    OTHER = "other"


def counted(data: Mapping[str, Any], tried: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the event of a hand-back says, after those before it: its number, and from the third on what was tried."""
    bounces = len(tried) + 1
    return {**data, "bounces": bounces, **({"tried": list(tried)} if bounces >= TOO_MANY else {})}


def tagged(tags: tuple[str, ...], bounces: int) -> tuple[str, ...]:
    return (*tags, BOUNCED) if bounces >= TOO_MANY and BOUNCED not in tags else tags
