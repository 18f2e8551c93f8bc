"""Comments in the database, as others than the ticket's own readers may see them: without personal data.

Knows how they are searched and filtered. Refuses to know what personal data is (answers.guard, when the answer came in)
and which comments tell most (feedback.telling).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from app.feedback.answering import SCALE
from app.feedback.effort import Effort, effort
from app.feedback.nps import BANDS, Band
from app.feedback.telling import Comment, most_telling
from app.kit.db import Reading

MOST_READ = 5_000  # comments of a period that are weighed against each other: the newest


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which comments: received in [since, until), and all that is not None must hold. `text` as people write searches:
    words, "a phrase", or, -not.
    """

    since: datetime
    until: datetime
    text: str | None = None
    topic: str | None = None
    department: str | None = None
    channel: str | None = None
    band: Band | None = None


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A comment without personal data. Attribution is of the resolution that it is about."""

    id: UUID
    ticket_id: UUID
    number: int
    received_at: datetime
    score: int
    effort: int | None
    text: str
    topic: str | None
    channel: str
    department: str | None
    stage: str | None
    language: str


_LIST = """
    SELECT r.invitation_id AS id, i.ticket_id, t.number, r.received_at, r.score, r.effort, r.verbatim AS text,
        i.topic, i.channel, i.department, i.stage, i.language
    FROM response r JOIN invitation i ON i.id = r.invitation_id JOIN ticket t ON t.id = i.ticket_id
    WHERE r.verbatim IS NOT NULL AND r.received_at >= $1 AND r.received_at < $2
        AND ($3::text IS NULL
            OR to_tsvector('dutch', coalesce(r.verbatim, '')) @@ websearch_to_tsquery('dutch', $3))
        AND ($4::text IS NULL OR i.topic = $4)
        AND ($5::text IS NULL OR i.department = $5)
        AND ($6::text IS NULL OR i.channel = $6)
        AND r.score BETWEEN $7 AND $8
        AND ($9::timestamptz IS NULL OR (r.received_at, r.invitation_id) < ($9, $10::uuid))
    ORDER BY r.received_at DESC, r.invitation_id DESC LIMIT $11"""

_EFFORTS = """
    SELECT i.topic, r.effort, count(*) AS n
    FROM response r JOIN invitation i ON i.id = r.invitation_id
    WHERE r.effort IS NOT NULL AND r.received_at >= $1 AND r.received_at < $2
        AND ($3::text IS NULL OR i.topic = $3)
        AND ($4::text IS NULL OR i.department = $4)
        AND ($5::text IS NULL OR i.channel = $5)
        AND r.score BETWEEN $6 AND $7
    GROUP BY 1, 2"""


async def list_verbatims(
    tx: Reading, wanted: Wanted, *, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[Verbatim]:
    """Newest first; `before` is the place of the last one that was seen."""
    filters = (wanted.since, wanted.until, wanted.text, wanted.topic, wanted.department, wanted.channel)
    rows = await tx.fetch(_LIST, *filters, *_scores(wanted.band), *(before or (None, None)), limit)
    return [Verbatim(**{member.name: row[member.name] for member in fields(Verbatim)}) for row in rows]


async def list_efforts(tx: Reading, wanted: Wanted) -> dict[str | None, Effort]:
    """What the second question comes to, by topic; who wrote nothing counts as well. `text` does not matter."""
    filters = (wanted.topic, wanted.department, wanted.channel, *_scores(wanted.band))
    answers: dict[str | None, dict[int, int]] = {}
    for row in await tx.fetch(_EFFORTS, wanted.since, wanted.until, *filters):
        answers.setdefault(row["topic"], {})[row["effort"]] = row["n"]
    return {topic: effort(counted) for topic, counted in answers.items()}


def _scores(band: Band | None) -> tuple[int, int]:
    """The lowest and the highest score that are meant."""
    scores = BANDS[band] if band else range(len(SCALE))
    return scores[0], scores[-1]


async def list_telling(tx: Reading, wanted: Wanted, *, per_topic: int) -> Mapping[str | None, list[Verbatim]]:
    """The most telling comments of each topic. What is asked for a week is told of that week alone."""
    found = await list_verbatims(tx, wanted, limit=MOST_READ)
    return most_telling([Comment(one, one.topic, one.score, one.text) for one in found], per_topic)
