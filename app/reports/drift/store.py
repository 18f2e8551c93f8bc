"""Weeks of topics and their alarms in the database.

Knows which facts a week is made of. Refuses to know what is unusual (alarm) and when to look (worker).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.feedback.nps import Band
from app.kit.db import Reading, Transaction
from app.kit.ids import first_id_at, new_id
from app.reports.drift.alarm import Drift, Finding
from app.reports.drift.week import WEEK, WEEKS, Counts, Daily, weeks_of
from app.reports.question import Interval, Question, midnight
from app.reports.tables import alarm, certainty
from app.reports.tally.fact import Measure
from app.reports.tally.store import get_ledger, list_measured

SHOWN = timedelta(days=30)  # after it resolved itself
_MEASURES = (Measure.UNDERSTOOD, Measure.HANDED_OVER, Measure.HANDED_BACK, Measure.SCORED)

_SURE = """
    SELECT (d.at AT TIME ZONE $3)::date AS day_on, d.topic, count(*) AS decided, sum(d.confidence) AS sure,
        count(*) FILTER (WHERE t.signals -> 'tones' ?| $4) AS sour
    FROM decision d JOIN ticket t ON t.id = d.ticket_id
    WHERE d.id >= $1 AND d.id < $2 AND d.actor = 'system' AND d.topic IS NOT NULL GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Alarm:
    """`figures` as the last look found them that still alarmed: n, of, usual, chance."""

    id: UUID
    topic: str
    kind: Drift
    raised_at: datetime
    seen_at: datetime
    resolved_at: datetime | None
    figures: Mapping[str, Any]


async def list_weeks(tx: Reading, until: date, zone: ZoneInfo) -> Mapping[str, tuple[Counts, ...]]:
    """Each topic's weeks up to the day before `until`, whose days begin where clocks in `zone` say so; in a session of
    `reading(reports=True)`.
    """
    return weeks_of([*await list_counted(tx, until, zone), *await list_certain(tx, until)], until)


async def list_counted(tx: Reading, until: date, zone: ZoneInfo) -> list[Daily]:
    """What reports count of these weeks, in a session like that."""
    since = until - WEEKS * WEEK
    period = midnight(since, zone), midnight(until, zone)
    question = Question(*period, Interval.DAY, ("topic",), zone=zone)
    measured = await list_measured(await get_ledger(tx), question, _MEASURES)
    counted: dict[tuple[str, date], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (step, (topic,), measure, detail), cell in measured.cells.items():
        assert step is not None
        for about, name in _counted(topic, measure, detail):
            counted[about, step.astimezone(zone).date()][name] += cell.n
    return [Daily(topic, day, Counts(**counts)) for (topic, day), counts in counted.items()]


async def list_certain(tx: Reading, until: date) -> list[Daily]:
    """How sure decisions of these weeks were, and in which words posts: as far as it was recorded."""
    days = []
    seen = certainty.c.day_on >= until - WEEKS * WEEK, certainty.c.day_on < until
    for row in await tx.rows(select(certainty).where(*seen)):
        heard = 0 if row.sour is None else row.decided
        counts = Counts(sure=row.sure, decided=row.decided, heard=heard, sour=row.sour or 0)
        days.append(Daily(row.topic, row.day_on, counts))
    return days


def _counted(topic: str | None, measure: Measure, detail: str) -> list[tuple[str, str]]:
    """What a cell counts for: topics, each with what of it is counted. `detail` of what was understood is the topic
    that it was taken for, while `topic` is what it turned out to be.
    """
    if measure is Measure.UNDERSTOOD:
        found = [(detail, "taken")] if detail else []
        found += [(detail, "corrected")] if detail and topic != detail else []
        found += [(topic, "posts")] if topic else []
        return found + ([(topic, "unsure")] if topic and not detail else [])
    if topic is None:
        return []
    if measure is Measure.SCORED:
        return [(topic, "scored"), *([(topic, "detractors")] if detail == Band.DETRACTOR else [])]
    return [(topic, str(measure))]


async def record_certainty(tx: Transaction, until: date, zone: ZoneInfo, moods: Collection[str]) -> None:
    """Count the decisions of each day before `until` that is not counted yet, of as many weeks as are looked at.

    `moods` are the tones that a ticket has in its signals when its customer's words weigh below zero.
    """
    last: date | None = await tx.scalar(select(func.max(certainty.c.day_on)))
    earliest = until - WEEKS * WEEK
    since = earliest if last is None else max(earliest, last + timedelta(days=1))
    if since < until:
        period = (first_id_at(midnight(day, zone)) for day in (since, until))
        rows = await tx.fetch(_SURE, *period, zone.key, list(moods))
        await tx.insert(certainty, [dict(row) for row in rows])


async def claim_standing(tx: Transaction) -> dict[tuple[str, Drift], Alarm]:
    """The alarms that are not resolved, locked."""
    rows = await tx.rows(select(alarm).where(alarm.c.resolved_at.is_(None)).with_for_update())
    return {(one.topic, one.kind): one for one in map(_alarm, rows)}


async def record_alarm(tx: Transaction, finding: Finding, now: datetime) -> None:
    """It stands now with these figures, new or as before."""
    found = {
        "n": finding.n,
        "of": finding.of,
        "usual": round(finding.usual, 1),
        "chance": finding.chance,
    }
    row = {"id": new_id(), "topic": finding.topic, "kind": finding.kind, "raised_at": now, "seen_at": now}
    raised = insert(alarm).values(**row, figures=found)
    again = {"seen_at": now, "figures": found}
    standing = alarm.c.resolved_at.is_(None)
    await tx.execute(raised.on_conflict_do_update(index_elements=["topic", "kind"], index_where=standing, set_=again))


async def mark_resolved(tx: Transaction, ids: Sequence[UUID], now: datetime) -> None:
    await tx.execute(update(alarm).where(alarm.c.id.in_(ids), alarm.c.resolved_at.is_(None)).values(resolved_at=now))


async def list_alarms(tx: Reading, now: datetime) -> tuple[Alarm, ...]:
    """Those that stand, and those that resolved themselves lately; the newest first."""
    shown = alarm.c.resolved_at.is_(None) | (alarm.c.resolved_at > now - SHOWN)
    return tuple(map(_alarm, await tx.rows(select(alarm).where(shown).order_by(alarm.c.raised_at.desc(), alarm.c.id))))


def _alarm(row: Any) -> Alarm:
    return Alarm(row.id, row.topic, Drift(row.kind), row.raised_at, row.seen_at, row.resolved_at, row.figures)
