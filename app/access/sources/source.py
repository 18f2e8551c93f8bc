"""A source: a partner that pushes what is posted on one channel, for one of our profiles or for all of them.

Knows what a source may bring. Refuses to know how its calls are signed and kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kit.errors import Invalid


class SourceOfAnother(Invalid):
    """A mention of a channel or profile that this source is not for."""


@dataclass(frozen=True, slots=True)
class Source:
    """`account` None: every profile of ours on `channel`. A new secret is a new source: both work until one goes."""

    id: UUID
    name: str
    channel: str
    account: str | None
    secret_sealed: bytes = field(repr=False)
    created_at: datetime
    removed_at: datetime | None = None

    def complete(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """A mention as it came, with what goes without saying. Raises `SourceOfAnother`."""
        own = {"channel": self.channel, **({} if self.account is None else {"account": self.account})}
        for name, value in own.items():
            if content.get(name, value) != value:
                raise SourceOfAnother(f"This source is for the {name} '{value}'; leave it out.", field=name, own=value)
        return {**content, **own}
