"""Second opinions in the database: asked for, claimed under a lease, kept behind a fence.

Knows the budget of a day, what a claim gives to whoever asks, and which opinions turned out right. Refuses to know what
is asked, how, and what follows from an answer.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.kit.db import OnConflict, Reading, Transaction
from app.mentions.mention import words_of
from app.tickets.resolution import MERGED, WITHDRAWN
from app.topics.opinions.opinion import NoOpinion
from app.topics.opinions.track import Track
from app.topics.tables import adviser, opinion

POSTS = 5  # the newest of a ticket
WITHIN = 500  # of the newest opinions on a topic: a model is judged by what it says now


@dataclass(frozen=True, slots=True)
class Post:
    """What a customer wrote, and the names that the channel has for who wrote it."""

    text: str
    names: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A ticket on which an opinion is wanted, ours until the lease ends; `posts` oldest first."""

    ticket_id: UUID
    lease_token: UUID
    attempt: int
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Had:
    """What came of asking, as people read it: a topic, or the reason why there is none.

    `routed`: the ticket went where it says.
    """

    topic: str | None
    reason: str | None
    model: str
    answered_at: datetime
    routed: bool

    @property
    def in_words(self) -> str:
        return f"second opinion of {self.model}: {self.topic or f'none ({self.reason})'}"


_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT ticket_id FROM opinion WHERE state = 'open' AND due_at <= now()
        ORDER BY due_at, ticket_id LIMIT $1 FOR UPDATE SKIP LOCKED)
    UPDATE opinion o SET attempt = attempt + 1, lease_token = gen_random_uuid(), due_at = now() + $2
    FROM due WHERE o.ticket_id = due.ticket_id
    RETURNING o.ticket_id, o.lease_token, o.attempt,
        (SELECT t.state = 'triage' FROM ticket t WHERE t.id = o.ticket_id) AS in_triage"""

_POSTS = """
    SELECT asked.id AS ticket_id, post.* FROM unnest($1::uuid[]) AS asked (id) CROSS JOIN LATERAL (
        SELECT m.title, m.text, a.handle, a.display_name, m.posted_at, m.id
        FROM ticket_mention l JOIN mention m ON m.id = l.mention_id JOIN author a ON a.id = m.author_id
        WHERE l.ticket_id = asked.id AND m.deleted_at IS NULL ORDER BY m.posted_at DESC, m.id DESC LIMIT $2) post
    ORDER BY post.posted_at, post.id"""

_FINISH = """
    UPDATE opinion SET state = $3, lease_token = NULL, answered_at = now(), model = $4, topic = $5, reason = $6,
        routed = $7
    WHERE ticket_id = $1 AND lease_token = $2 AND state = 'open' RETURNING ticket_id"""

# Right is what the ticket ended with. What went into another ticket, or was taken back, nobody judged; what ended
# without a topic was about none.
_TRACK = f"""
    SELECT count(*) AS n, count(*) FILTER (WHERE t.topic = $2) AS correct
    FROM (SELECT ticket_id FROM opinion WHERE state = 'given' AND model = $1 AND topic = $2
          ORDER BY answered_at DESC LIMIT {WITHIN}) o
    JOIN ticket t ON t.id = o.ticket_id
    WHERE t.state IN ('resolved', 'closed') AND t.resolution <> ALL ($3)"""  # noqa: S608 - a number of our own


async def add_questions(tx: Transaction, ticket_ids: Sequence[UUID]) -> None:
    """Want an opinion on each of these tickets, once."""
    await tx.insert(opinion, [{"ticket_id": one} for one in ticket_ids], on_conflict=OnConflict.IGNORE)


async def claim_due(
    tx: Transaction, url: str, *, limit: int, lease: timedelta, per_day: int, tries: int
) -> tuple[Asked, ...]:
    """Take what is wanted from whoever answers at `url`, the oldest first, and count it as asked today (UTC).

    Nothing while they rest or when the day's budget is used up. What left triage meanwhile is done, unasked; so is what
    was asked as often as `tries` and never recorded.
    """
    today = func.date(func.timezone("UTC", func.now()))
    await tx.execute(insert(adviser).values(url=url, counted_on=today, calls=0).on_conflict_do_nothing())
    mine = select(
        adviser.c.calls,
        (adviser.c.counted_on == today).label("today"),
        (adviser.c.rest_until > func.now()).label("rests"),
    )
    standing = await tx.first(mine.where(adviser.c.url == url).with_for_update(skip_locked=True))
    if standing is None or standing.rests:
        return ()
    used = standing.calls if standing.today else 0
    claimed = await tx.fetch(_CLAIM, min(limit, per_day - used), lease) if per_day > used else ()
    asked = [row for row in claimed if row["in_triage"] and row["attempt"] <= tries]
    await tx.execute(update(adviser).where(adviser.c.url == url).values(counted_on=today, calls=used + len(asked)))
    posts: dict[UUID, list[Post]] = {row["ticket_id"]: [] for row in asked}
    for row in await tx.fetch(_POSTS, list(posts), POSTS):
        words = words_of(row["title"], row["text"])
        posts[row["ticket_id"]].append(Post(words, (row["handle"], row["display_name"])))
    for row in claimed:
        if row["ticket_id"] not in posts:
            end = ("none", NoOpinion.UNREACHABLE) if row["in_triage"] else ("moot", None)
            await tx.fetch(_FINISH, row["ticket_id"], row["lease_token"], end[0], None, None, end[1], False)
    return tuple(
        Asked(row["ticket_id"], row["lease_token"], row["attempt"], tuple(posts[row["ticket_id"]])) for row in asked
    )


async def mark_given(tx: Transaction, asked: Asked, *, model: str, topic: str, routed: bool) -> bool:
    """False when the lease ran out and somebody else has it, or had it."""
    return bool(await tx.fetch(_FINISH, asked.ticket_id, asked.lease_token, "given", model, topic, None, routed))


async def mark_none(tx: Transaction, asked: Asked, *, model: str, reason: NoOpinion) -> bool:
    """The same, where nothing came of it."""
    return bool(await tx.fetch(_FINISH, asked.ticket_id, asked.lease_token, "none", model, None, reason, False))


async def mark_again(tx: Transaction, asked: Asked, delay: timedelta) -> bool:
    """The same, to be asked again after `delay`."""
    mine = (opinion.c.ticket_id == asked.ticket_id) & (opinion.c.lease_token == asked.lease_token)
    later = update(opinion).where(mine, opinion.c.state == "open").values(lease_token=None, due_at=func.now() + delay)
    return (await tx.execute(later)).rowcount > 0


async def mark_resting(tx: Transaction, url: str, rest: timedelta) -> None:
    """Whoever answers at `url` is left alone for so long."""
    await tx.execute(update(adviser).where(adviser.c.url == url).values(rest_until=func.now() + rest))


async def get_track(tx: Reading, model: str, topic: str) -> Track:
    """How the model's opinions on a topic turned out, of those whose tickets are settled."""
    [row] = await tx.fetch(_TRACK, model, topic, [MERGED, WITHDRAWN])
    return Track(row["n"], row["correct"])


async def list_opinions(tx: Reading, ticket_ids: Collection[UUID]) -> Mapping[UUID, Had]:
    """What was said about these tickets, where somebody was asked and that ended."""
    ended = select(opinion).where(opinion.c.ticket_id.in_(ticket_ids), opinion.c.model.is_not(None))
    rows = await tx.rows(ended)
    return {row.ticket_id: Had(row.topic, row.reason, row.model, row.answered_at, row.routed) for row in rows}
