"""Lessons in the database: which tickets wait to be weighed, what they are worth, and the most worth first.

Knows that of posts that say the same one is a lesson, and that a ticket which left triage is none any more. Refuses to
know what makes a lesson worth something (lesson) and what alike means (likeness).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.kit.db import OnConflict, Reading, Transaction
from app.kit.wire import dump
from app.tickets.queue.store import FREE, LINE, POST, Line, Question, conditions, urgency_of
from app.tickets.queue.wanted import Wanted
from app.topics.tables import lesson

KEPT = timedelta(days=30)  # after they taught something; so long the same once more is no new lesson

_NEW = f"""
    SELECT t.id AS ticket_id, coalesce(post.text, '') AS text, NULL AS bands
    FROM (SELECT t.id FROM ticket t LEFT JOIN lesson l ON l.ticket_id = t.id
          WHERE {FREE} AND t.state = 'triage' AND (l.ticket_id IS NULL OR (l.worth IS NULL AND l.like_id IS NULL))
          ORDER BY t.id LIMIT $1) t
    LEFT JOIN LATERAL {POST} post ON true"""

_STALE = """
    SELECT ticket_id, '' AS text, bands FROM lesson WHERE worth IS NOT NULL AND weighed_at < now() - $2::interval
    ORDER BY weighed_at LIMIT $1"""

_LEARNED = """
    UPDATE lesson l SET worth = NULL, weighed_at = now() FROM ticket t
    WHERE t.id = l.ticket_id AND l.worth IS NOT NULL AND t.state <> 'triage' RETURNING l.ticket_id"""

_LIKES = """
    SELECT DISTINCT ON (new.ticket_id) new.ticket_id, l.ticket_id AS like_id
    FROM json_to_recordset($1::json) AS new (ticket_id uuid, bands bigint[])
    JOIN lesson l ON l.bands && new.bands AND l.like_id IS NULL AND l.ticket_id <> new.ticket_id
    ORDER BY new.ticket_id, l.ticket_id"""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A ticket with what it is worth. `like_id`: it says what that one says, and is worth nothing beside it."""

    ticket_id: UUID
    worth: float | None
    best: Sequence[tuple[str, float]]
    labels: int
    bands: tuple[int, ...]
    like_id: UUID | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ticket in triage to be weighed: new with its text, or with the bands that it had."""

    ticket_id: UUID
    text: str
    bands: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Lesson:
    """A line of the queue with what the ticket would teach."""

    line: Line
    worth: float
    best: Sequence[tuple[str, float]]
    labels: int
    alike: int


async def list_waiting(tx: Reading, limit: int, stale: timedelta) -> list[Waiting]:
    """What is in triage and not weighed yet, then what was weighed longer ago than `stale`: topics grow less rare."""
    found = [*await tx.fetch(_NEW, limit)]
    if len(found) < limit:
        found += await tx.fetch(_STALE, limit - len(found), stale)
    return [Waiting(row["ticket_id"], row["text"], row["bands"] and tuple(row["bands"])) for row in found]


async def list_likes(tx: Reading, bands: Mapping[UUID, tuple[int, ...]]) -> dict[UUID, UUID]:
    """Of these tickets those that say what a lesson says already, with the ticket of that."""
    rows = [{"ticket_id": ticket_id, "bands": list(found)} for ticket_id, found in bands.items()]
    return {row["ticket_id"]: row["like_id"] for row in await tx.fetch(_LIKES, dump(rows).decode())}


async def list_labels_by_topic(tx: Reading) -> Mapping[str, int]:
    """How many posts people said to be about each topic."""
    rows = await tx.fetch("SELECT topic, count(*) AS n FROM label WHERE mine GROUP BY topic")
    return {row["topic"]: row["n"] for row in rows}


async def record_lessons(tx: Transaction, weighed: Sequence[Weighed]) -> None:
    """Keep what these are worth from now on, and count those that say the same beside their lesson."""
    rows = [
        {
            "ticket_id": one.ticket_id,
            "worth": one.worth,
            "best": one.best,
            "labels": one.labels,
            "bands": one.bands,
            "like_id": one.like_id,
        }
        for one in weighed
    ]
    await tx.insert(lesson, rows, on_conflict=OnConflict.REPLACE)
    counted = """UPDATE lesson SET alike = n FROM (
        SELECT l.like_id, count(*) AS n FROM lesson l JOIN ticket t ON t.id = l.ticket_id
        WHERE l.like_id = ANY ($1) AND t.state = 'triage' GROUP BY l.like_id) likes
        WHERE lesson.ticket_id = likes.like_id"""
    await tx.fetch(counted, list({one.like_id for one in weighed if one.like_id}))


async def mark_learned(tx: Transaction) -> int:
    """What left triage teaches nothing more; returns how many did."""
    return len(await tx.fetch(_LEARNED))


async def purge_lessons(tx: Transaction) -> None:
    await tx.fetch("DELETE FROM lesson WHERE weighed_at < now() - $1::interval AND worth IS NULL", KEPT)


async def list_lessons(
    tx: Reading, wanted: Wanted, now: datetime, *, limit: int, after: tuple[float, UUID] | None = None
) -> tuple[Lesson, ...]:
    """Tickets in triage that fit, the most worth first; `after` is the (worth, id) of the last one seen."""
    question = Question()
    fits = conditions(wanted, now, question)
    if after is not None:
        fits += f" AND (l.worth, l.ticket_id) < ({question.put(after[0])}, {question.put(after[1])})"
    sql = f"""WITH t AS MATERIALIZED (
            SELECT {LINE}, l.worth, l.best, l.labels, l.alike FROM lesson l JOIN ticket t ON t.id = l.ticket_id
            WHERE l.worth IS NOT NULL AND t.state = 'triage' AND {fits}
            ORDER BY l.worth DESC, l.ticket_id DESC LIMIT {limit:d})
        SELECT t.*, coalesce(post.text, '') AS text, post.author
        FROM t LEFT JOIN LATERAL {POST} post ON true
        ORDER BY t.worth DESC, t.id DESC"""
    return tuple(_lesson(row) for row in await tx.fetch(sql, *question.values))


def _lesson(row: Mapping[str, Any]) -> Lesson:
    return Lesson(Line(row, urgency_of(row)), row["worth"], row["best"], row["labels"], row["alike"])
