"""Mentions as tests write them: what matters is said, the rest is believable."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from app.mentions.mention import Author, Kind, Mention
from tests.support.clock import MORNING

LATE_PARCEL = "Waar blijft mijn pakketje? Zou gisteren al bezorgd worden"
GREETING = "Goedemorgen allemaal"

_numbers = count(1)


def mention(text: str = LATE_PARCEL, *, by: str = "sanne", at: datetime | None = None, **facts: Any) -> Mention:
    """A post on X, five minutes before the tests' morning."""
    number = next(_numbers)
    return Mention(
        **{
            "channel": "x",
            "external_id": f"post-{number}",
            "author": Author(external_id=f"u-{by}", handle=by),
            "text": text,
            "posted_at": at or MORNING - timedelta(minutes=5),
            "kind": Kind.MENTION,
            **facts,
        }
    )


def as_json(said: Mention, **facts: Any) -> dict[str, Any]:
    """The same as it comes over the wire."""
    return {
        "channel": said.channel,
        "external_id": said.external_id,
        "author": {"external_id": said.author.external_id, "handle": said.author.handle},
        "text": said.text,
        "posted_at": said.posted_at.isoformat(),
        **facts,
    }
