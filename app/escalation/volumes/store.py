"""Hourly counts of posts in the database.

Knows that each post is counted once, minutes after it came in and never on its way in, and which hours are comparable.
Refuses to know what is unusual (spike).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.escalation.incidents.incident import Scope, Subject
from app.escalation.tables import sweep, volume
from app.kit.db import Reading, Transaction
from app.kit.ids import first_id_at, moment_of
from app.mentions.tables import mention

WEEK = timedelta(weeks=1)
HOUR = timedelta(hours=1)
AT_ONCE = timedelta(days=1)  # of posts: no look takes longer because there was none for long
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slot:
    """What one look covers: posts that came in within [since, until), by the database's clock, which says `now`.

    `behind`: there are more to catch up with, so that this hour is not counted yet.
    """

    since: datetime
    until: datetime
    now: datetime
    behind: bool


# A post counts for the topic and account of the ticket that it stands on, in the hour in which it was posted.
_COUNT = """
    WITH posts AS MATERIALIZED (
        SELECT DISTINCT ON (m.id) m.id, m.area, date_trunc('hour', m.posted_at, 'UTC') AS hour_at,
               t.topic, t.channel, t.account
        FROM mention m JOIN ticket_mention link ON link.mention_id = m.id JOIN ticket t ON t.id = link.ticket_id
        WHERE m.id >= $1 AND m.id < $2 ORDER BY m.id, t.id DESC),
    named AS (
        SELECT 'topic' AS scope, topic AS name, hour_at FROM posts WHERE topic IS NOT NULL
        UNION ALL SELECT 'account', channel || '/' || account, hour_at FROM posts WHERE account IS NOT NULL
        UNION ALL SELECT 'area', area, hour_at FROM posts WHERE area IS NOT NULL)
    INSERT INTO volume (scope, name, hour_at, n) SELECT scope, name, hour_at, count(*) FROM named GROUP BY 1, 2, 3
    ON CONFLICT (scope, name, hour_at) DO UPDATE SET n = volume.n + excluded.n"""

_DAYS = """
    SELECT day.start, v.name, sum(v.n)::int AS n FROM unnest($1::timestamptz[]) AS day (start)
    JOIN volume v ON v.hour_at >= day.start AND v.hour_at < day.start + interval '1 day' AND v.scope = 'topic'
    GROUP BY 1, 2"""


async def claim_slot(tx: Transaction, name: str, every: timedelta, settled: timedelta, reach: timedelta) -> Slot | None:
    """The look of this slot, by the database's clock; None when another process has it, or had it.

    Whoever has it keeps the others out until the commit, so that no post is counted twice. What came in less than
    `settled` ago is left for the next one, and so is what goes beyond a day of posts; what came in longer than `reach`
    ago is not counted at all.
    """
    await tx.execute(
        insert(sweep).values(name=name, slot_at=_BEGINNING, counted_until=_BEGINNING).on_conflict_do_nothing()
    )
    mine = select(sweep.c.slot_at, sweep.c.counted_until, func.now().label("now")).where(sweep.c.name == name)
    row = await tx.first(mine.with_for_update(skip_locked=True))
    if row is None:
        return None
    slot_at = row.now - (row.now - _BEGINNING) % every
    if slot_at <= row.slot_at:
        return None
    since, end = row.counted_until, max(row.counted_until, row.now - settled)
    if since < row.now - reach:
        within = select(mention.c.id).where(mention.c.id >= first_id_at(row.now - reach))
        first = await tx.scalar(within.order_by(mention.c.id).limit(1))
        since = end if first is None else min(moment_of(first), end)
    until = min(end, since + AT_ONCE)
    await tx.execute(update(sweep).where(sweep.c.name == name).values(slot_at=slot_at, counted_until=until))
    return Slot(since, until, row.now, behind=until < end)


async def record_volumes(tx: Transaction, slot: Slot) -> None:
    """Count the posts of a slot, in the hours in which they were posted."""
    await tx.fetch(_COUNT, first_id_at(slot.since), first_id_at(slot.until))


async def list_volumes(
    tx: Reading, hour: datetime, weeks: int
) -> tuple[Mapping[Subject, int], Mapping[Subject, Sequence[Sequence[int]]]]:
    """Posts in this hour so far; and, of the same subjects, in the comparable hours of so many weeks before.

    Comparable are the hour before, the same hour of the week and the one after, in this order; weeks before counting
    began are left out.
    """
    began = await tx.scalar(select(func.min(volume.c.hour_at)))
    past = [
        [at for week in range(1, weeks + 1) if began is not None and (at := hour - week * WEEK + near) >= began]
        for near in (-HOUR, timedelta(), HOUR)
    ]
    rows = await tx.rows(select(volume).where(volume.c.hour_at.in_([hour, *chain(*past)])))
    now: dict[Subject, int] = {}
    before: dict[Subject, dict[datetime, int]] = {}
    for row in rows:
        subject = Subject(Scope(row.scope), row.name)
        if row.hour_at == hour:
            now[subject] = row.n
        else:
            before.setdefault(subject, {})[row.hour_at] = row.n
    subjects = now.keys() | before.keys()
    return now, {one: [[before.get(one, {}).get(at, 0) for at in alike] for alike in past] for one in subjects}


async def list_days(tx: Reading, until: datetime, weeks: int) -> Mapping[str, Sequence[int]]:
    """Posts about each topic in the 24 hours up to `until`, and in the same hours of so many weeks before.

    The newest first. Weeks before counting began are left out, so all topics have as many.
    """
    began = await tx.scalar(select(func.min(volume.c.hour_at)))
    starts = [until - AT_ONCE - week * WEEK for week in range(weeks + 1)]
    known = [start for start in starts if began is not None and start >= began] or starts[:1]
    days: dict[str, list[int]] = {}
    for row in await tx.fetch(_DAYS, known):
        days.setdefault(row["name"], [0] * len(known))[known.index(row["start"])] = row["n"]
    return days


async def purge_volumes(tx: Transaction, before: datetime) -> None:
    """Forget hours that no look compares with any more."""
    await tx.execute(delete(volume).where(volume.c.hour_at < before))
