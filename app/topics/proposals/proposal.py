"""Topics that the rulebook may be missing, as they are proposed.

Knows when a group of today is one that was proposed before, and how one reads as a topic of topics.yaml. Refuses to
know how groups are found (grouping) and what a manager thinks of them.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.kit.errors import Conflict, NotFound

_SHARED = 0.5  # of the smaller one's posts or words
_NO_SLUG = re.compile(r"[^a-z0-9]+")


class ProposalNotFound(NotFound):
    pass


class ProposalDecided(Conflict):
    """A manager accepted or dismissed it before."""


class ProposalState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """`posts` are mentions, the most typical first; `size` counts the people who wrote them."""

    id: UUID
    state: ProposalState
    words: tuple[str, ...]
    posts: tuple[UUID, ...]
    size: int
    proposed_at: datetime
    seen_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None


def known(words: Collection[str], posts: Collection[UUID], before: Iterable[Proposal]) -> Proposal | None:
    """The proposal that a group is the same as, whatever became of it: half of its posts or words are shared."""
    for one in before:
        if _shared(posts, one.posts) >= _SHARED or _shared(words, one.words) >= _SHARED:
            return one
    return None


def as_topic(words: Sequence[str], examples: Iterable[tuple[str, str | None]]) -> dict[str, Any]:
    """The topic as topics.yaml has it, by a slug; `examples` as (text, language). Names are for people to better."""
    name = words[0].capitalize()
    return {
        _NO_SLUG.sub("_", words[0].casefold()).strip("_") or "proposed": {
            "name": {"nl": name, "en": name},
            "phrases": {"any": list(words)},
            "examples": [{"text": text, **({"lang": lang} if lang else {})} for text, lang in examples],
        }
    }


def _shared(one: Collection[Any], other: Collection[Any]) -> float:
    least = min(len(one), len(other))
    return len(set(one) & set(other)) / least if least else 0.0
