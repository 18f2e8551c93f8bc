"""Mentions in the database: once per (channel, external id), with their authors, threads, revisions and tombstones.

Knows which rows must be locked so that many processes agree. Refuses to know tickets. Every function takes a list;
keys are locked in sorted order, so that two lists that overlap wait for each other instead of deadlocking.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from app.kit.db import OnConflict, Reading, Records, Transaction, Values, as_json
from app.kit.ids import new_id
from app.mentions.mention import Author, Mention
from app.mentions.tables import POST, author, conversation, mention, mention_key, mention_revision

Key = tuple[str, str]
AuthorKey = tuple[str, str]
Thread = tuple[str, str, UUID]


@dataclass(frozen=True, slots=True)
class Known:
    """What stands under a key: a mention, a tombstone without one, or a post of our own (`mention_id` None)."""

    mention_id: UUID | None
    thread: str | None
    deleted: bool
    revision: int = 0
    fingerprint: bytes = b""
    metrics: Mapping[str, int] = field(default_factory=dict)
    reposts: int = 0


@dataclass(frozen=True, slots=True)
class Parent:
    """A post that others answer or repeat; `mention_id` None: our own."""

    thread: str
    mention_id: UUID | None


@dataclass(frozen=True, slots=True)
class Uptake:
    """How others take a post up: what its channel counts, and the reposts that came in."""

    mention_id: UUID
    metrics: Mapping[str, int]
    reposts: int
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """A mention with the identity that it has here."""

    id: UUID
    mention: Mention
    author_id: UUID
    conversation_id: UUID | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A post on its channel: the channel's own id of it, and the key of its thread."""

    external_id: str
    thread: str


_PROFILE = ("external_id", "handle", "display_name", "followers", "verified")

_ADD_KEYS = """
    INSERT INTO mention_key (channel, external_id, mention_id, thread)
    SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[])
    ON CONFLICT DO NOTHING RETURNING channel, external_id"""

_LOCK_KEYS = """
    SELECT k.channel, k.external_id, k.mention_id, k.thread, k.deleted_at IS NOT NULL AS deleted,
           m.revision, m.fingerprint, m.metrics, m.reposts
    FROM unnest($1::text[], $2::text[]) AS asked (channel, external_id)
    JOIN mention_key k USING (channel, external_id) LEFT JOIN mention m ON m.id = k.mention_id
    ORDER BY k.channel, k.external_id FOR UPDATE OF k"""

_THREADS = """
    SELECT k.channel, k.external_id, k.thread, k.mention_id
    FROM unnest($1::text[], $2::text[]) AS asked (channel, external_id)
    JOIN mention_key k USING (channel, external_id) WHERE k.thread IS NOT NULL"""

_ADD_REPOSTS = """
    UPDATE mention m SET reposts = reposts + counted.n
    FROM (SELECT channel, external_id, count(*) AS n
          FROM unnest($1::text[], $2::text[]) AS asked (channel, external_id) GROUP BY 1, 2) AS counted
    JOIN mention_key k USING (channel, external_id)
    WHERE m.id = k.mention_id RETURNING k.channel, k.external_id, m.id, m.metrics, m.reposts, m.posted_at"""

# Finds and adds in one round trip. A row that somebody else is adding at this moment is in neither part: the
# statement waits for them, adds nothing, and finds it when it is run again. What stands is looked up row by row
# (LATERAL): PostgreSQL cannot know how few are asked, and would read a small table whole for each list.
_CLAIM_AUTHORS = """
    WITH asked AS MATERIALIZED (SELECT * FROM json_populate_recordset(NULL::author, $1)),
    added AS (INSERT INTO author SELECT * FROM asked ON CONFLICT DO NOTHING RETURNING *)
    SELECT *, true AS fresh FROM added
    UNION ALL SELECT standing.*, false FROM asked CROSS JOIN LATERAL (
        SELECT * FROM author a WHERE (a.channel, a.key) = (asked.channel, asked.key) LIMIT 1) AS standing"""

_CLAIM_CONVERSATIONS = """
    WITH asked AS MATERIALIZED (SELECT * FROM json_populate_recordset(NULL::conversation, $1)),
    locked AS MATERIALIZED (
        SELECT standing.* FROM asked CROSS JOIN LATERAL (
            SELECT * FROM conversation c
            WHERE (c.channel, c.thread, c.author_id) = (asked.channel, asked.thread, asked.author_id)
            FOR UPDATE) AS standing),
    added AS (INSERT INTO conversation SELECT * FROM asked ON CONFLICT DO NOTHING RETURNING *)
    SELECT *, true AS fresh FROM added UNION ALL SELECT *, false FROM locked"""


async def claim_keys(tx: Transaction, arrivals: Mapping[Key, tuple[UUID, str]]) -> dict[Key, Known]:
    """Claim the keys of arrivals (mention id, thread); returns those that stood already, locked.

    A key that is absent from the answer is new and ours: nobody else can create it any more.
    """
    keys = sorted(arrivals)
    ids, threads = [arrivals[key][0] for key in keys], [arrivals[key][1] for key in keys]
    added = {_key(row) for row in await tx.fetch(_ADD_KEYS, *_split(keys), ids, threads)}
    standing = [key for key in keys if key not in added]
    if not standing:
        return {}
    return {_key(row): _known(row) for row in await tx.fetch(_LOCK_KEYS, *_split(standing))}


async def list_threads(tx: Reading, keys: Iterable[Key]) -> dict[Key, str]:
    """The threads of posts that we know, ours included; posts that we never saw are absent."""
    return {key: parent.thread for key, parent in (await list_parents(tx, keys)).items()}


async def list_parents(tx: Reading, keys: Iterable[Key]) -> dict[Key, Parent]:
    """What others may answer or repeat; posts that we never saw are absent."""
    asked = sorted(set(keys))
    if not asked:
        return {}
    return {_key(row): Parent(row["thread"], row["mention_id"]) for row in await tx.fetch(_THREADS, *_split(asked))}


async def claim_authors(tx: Transaction, people: Mapping[AuthorKey, Author], now: datetime) -> dict[AuthorKey, UUID]:
    """The ids of people by (channel, key); unknown ones are added and changed profiles are brought up to date."""
    rows = [_author_row(key, people[key], now) for key in sorted(people)]
    found = {(row["channel"], row["key"]): row for row in await _claim(tx, _CLAIM_AUTHORS, rows)}
    changed = [
        _profile(row, people[key]) for key, row in found.items() if not row["fresh"] and _changed(row, people[key])
    ]
    await tx.update(author, changed)
    return {key: row["id"] for key, row in found.items()}


async def claim_conversations(tx: Transaction, threads: Iterable[Thread]) -> tuple[dict[Thread, UUID], set[UUID]]:
    """Conversations by (channel, thread, author), locked until the commit; and which of them are new.

    Whoever posts to the same conversation at the same time waits here, which is what keeps it to one open ticket.
    """
    rows = [
        {"id": new_id(), "channel": channel, "thread": thread, "author_id": author_id}
        for channel, thread, author_id in sorted(set(threads))
    ]
    found = await _claim(tx, _CLAIM_CONVERSATIONS, rows)
    ids = {(row["channel"], row["thread"], row["author_id"]): row["id"] for row in found}
    return ids, {row["id"] for row in found if row["fresh"]}


async def add_mentions(tx: Transaction, stored: Sequence[Stored], received_at: datetime) -> None:
    await tx.insert(mention, [_mention_row(one, received_at) for one in stored])


async def record_revisions(tx: Transaction, edits: Mapping[UUID, Mention], now: datetime) -> None:
    """Move the words that stand into `mention_revision` and put the new ones in their place."""
    if not edits:
        return
    standing = await tx.rows(select(*POST).where(mention.c.id.in_(list(edits))))
    kept = ("revision", "title", "text", "attachments")
    await tx.insert(
        mention_revision,
        [{"mention_id": row.id, "replaced_at": now, **{name: getattr(row, name) for name in kept}} for row in standing],
    )
    await tx.update(mention, [_edited_row(row, edits[row.id]) for row in standing])


async def add_reposts(tx: Transaction, originals: Sequence[Key]) -> dict[Key, Uptake]:
    """Count each repost on its original; returns the originals that we know, as they are taken up then."""
    if not originals:
        return {}
    rows = await tx.fetch(_ADD_REPOSTS, *_split(sorted(originals)))
    return {_key(row): Uptake(row["id"], row["metrics"], row["reposts"], row["posted_at"]) for row in rows}


async def mark_metrics(tx: Transaction, metrics: Mapping[UUID, Mapping[str, int]]) -> None:
    """Write what a channel counts by now; nobody edited anything for it."""
    await tx.update(mention, [{"id": mention_id, "metrics": counted} for mention_id, counted in metrics.items()])


async def record_own_post(tx: Transaction, channel: str, external_id: str, thread: str) -> None:
    """What we published, so that its echo is known and replies to it find their conversation."""
    row = {"channel": channel, "external_id": external_id, "mention_id": None, "thread": thread}
    await tx.insert(mention_key, [row], on_conflict=OnConflict.IGNORE)


async def record_deletion(tx: Transaction, key: Key, now: datetime) -> Known | None:
    """Put a tombstone on a key, whether or not its post has come, and take the words away.

    Returns what stood there before, None when nothing did.
    """
    channel, external_id = key
    fresh = await tx.fetch(_ADD_KEYS, *_split([key]), [None], [None])
    before = None if fresh else _known((await tx.fetch(_LOCK_KEYS, *_split([key])))[0])
    here = (mention_key.c.channel == channel) & (mention_key.c.external_id == external_id)
    await tx.execute(mention_key.update().where(here, mention_key.c.deleted_at.is_(None)).values(deleted_at=now))
    if before is not None and before.mention_id is not None and not before.deleted:
        gone = mention.update().where(mention.c.id == before.mention_id)
        await tx.execute(gone.values(text="", title=None, attachments=[], deleted_at=now))
        await tx.execute(mention_revision.delete().where(mention_revision.c.mention_id == before.mention_id))
    return before


async def get_thread(tx: Reading, conversation_id: UUID) -> str:
    found: str = await tx.scalar(select(conversation.c.thread).where(conversation.c.id == conversation_id))
    return found


async def list_places(tx: Reading, mention_ids: Sequence[UUID]) -> dict[UUID, Place]:
    """Where each of these posts stands on its channel; those that we did not receive are absent."""
    where = mention.join(conversation, conversation.c.id == mention.c.conversation_id)
    found = select(mention.c.id, mention.c.external_id, conversation.c.thread).select_from(where)
    return {
        row.id: Place(row.external_id, row.thread) for row in await tx.rows(found.where(mention.c.id.in_(mention_ids)))
    }


async def _claim(tx: Transaction, sql: str, rows: Sequence[dict[str, Any]]) -> Records:
    """Each of `rows` as it stands, added where it was not there; once more when others were adding the same."""
    if not rows:
        return ()
    content = as_json(rows)
    found = await tx.fetch(sql, content)
    return found if len(found) == len(rows) else await tx.fetch(sql, content)


def _split(keys: Sequence[Key]) -> tuple[list[str], list[str]]:
    return [channel for channel, _ in keys], [external_id for _, external_id in keys]


def _key(row: Values) -> Key:
    return row["channel"], row["external_id"]


def _known(row: Values) -> Known:
    if row["revision"] is None:
        return Known(row["mention_id"], row["thread"], row["deleted"])
    counted = row["metrics"]
    own = (row["revision"], row["fingerprint"], counted, row["reposts"])
    return Known(row["mention_id"], row["thread"], row["deleted"], *own)


def _author_row(key: AuthorKey, person: Author, now: datetime) -> dict[str, Any]:
    channel, name = key
    profile = {**_told(person), "verified": bool(person.verified)}
    return {**profile, "id": new_id(), "channel": channel, "key": name, "first_seen_at": now}


def _told(person: Author) -> dict[str, Any]:
    return {name: getattr(person, name) for name in _PROFILE}


def _profile(row: Values, person: Author) -> dict[str, Any]:
    """The profile that stands, with what this post tells in its place: what a channel leaves out did not change."""
    told = {name: value for name, value in _told(person).items() if value is not None}
    return {"id": row["id"], **{name: row[name] for name in _PROFILE}, **told}


def _changed(row: Values, person: Author) -> bool:
    return any(value not in {None, row[name]} for name, value in _told(person).items())


def _mention_row(stored: Stored, received_at: datetime) -> dict[str, Any]:
    said = stored.mention
    return {
        "id": stored.id,
        "channel": said.channel,
        "external_id": said.external_id,
        "account": said.account,
        "author_id": stored.author_id,
        "conversation_id": stored.conversation_id,
        "kind": said.kind,
        "parent_id": said.parent_id,
        "title": said.title,
        "text": said.text,
        "url": said.url,
        "language": stored.language,
        "visibility": said.visibility,
        "metrics": said.metrics,
        "rating": said.rating,
        "area": said.area,
        "attachments": said.attachments,
        "revision": said.revision or 0,
        "fingerprint": said.fingerprint,
        "posted_at": said.posted_at,
        "received_at": received_at,
    }


def _edited_row(standing: Row[Any], said: Mention) -> dict[str, Any]:
    return {
        "id": standing.id,
        "title": said.title,
        "text": said.text,
        "metrics": said.metrics,
        "attachments": said.attachments,
        "revision": standing.revision + 1 if said.revision is None else said.revision,
        "fingerprint": said.fingerprint,
    }
