"""The broken promises behind a figure, read-only.

Knows where they stand and in which order they are listed. Refuses to know what became of them since. They are the very
facts that the sums were made of, so that their number is the figure.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from app.kit.db import Reading
from app.reports.question import TEAM, Question
from app.reports.tally.fact import PROMISES, Measure
from app.reports.tally.keeping.store import get_tallied

Place = tuple[datetime, UUID, int]

# The condition of the index `ix_fact_broken`, word for word.
_BROKEN = "NOT f.good AND f.measure IN ('first_reply', 'next_reply', 'resolution', 'acceptance', 'ownership')"
_LIST = f"""
    SELECT f.at, f.ticket_id, f.number AS place, f.measure AS metric, f.department, f.topic, f.channel, f.account,
           f.priority, f.stage, f.arm, f.agent, p.team, t.number, t.holder, t.assignee, t.state,
           f.value / 1000.0 AS business, f.lasted / 1000.0 AS calendar, (SELECT min(c.ended_at) FROM clock c
               WHERE c.ticket_id = f.ticket_id AND c.metric = f.measure AND c.breached_at = f.at) AS ended_at
    FROM fact f JOIN ticket t ON t.id = f.ticket_id LEFT JOIN profile p ON 'agent:' || p.name = f.agent
    WHERE f.edition = $1 AND f.at >= $2 AND f.at < $3 AND {_BROKEN} AND f.measure = ANY($4)
      AND ($5::timestamptz IS NULL OR (f.at, f.ticket_id, f.number) < ($5, $6, $7))"""  # noqa: S608 - our own names
_ORDER = " ORDER BY f.at DESC, f.ticket_id DESC, f.number DESC LIMIT $8"


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept, `at` its due moment. Dimensions as it counts for, `team` and below as it stands.

    `business` and `calendar` are the seconds that it took at last, and `ended_at` is when that was; None: it is owed
    still.
    """

    at: datetime
    ticket_id: UUID
    place: int
    metric: str
    department: str | None
    topic: str | None
    channel: str | None
    account: str | None
    priority: str | None
    stage: str | None
    arm: str | None
    agent: str | None
    team: str | None
    number: int
    holder: str
    assignee: str | None
    state: str
    business: float | None
    calendar: float | None
    ended_at: datetime | None


async def list_broken(
    tx: Reading, question: Question, metric: Measure | None, *, limit: int, after: Place | None = None
) -> tuple[Broken, ...]:
    """The newest first, without steps and groups. A promise that was broken a moment ago comes with the next count."""
    metrics = PROMISES if metric is None else (metric,)
    place = after or (None, None, None)
    # Both where a department asks about another one: then there is nothing.
    own = [] if question.department is None else [("department", question.department)]
    conditions = [*question.only.items(), *own]
    where = "".join(f" AND {_column(name)} = ${number}" for number, (name, _) in enumerate(conditions, start=9))
    edition = (await get_tallied(tx)).edition
    asked = (edition, question.start, question.end, list(metrics), *place, limit, *(value for _, value in conditions))
    rows = await tx.fetch(_LIST + where + _ORDER, *asked)
    return tuple(Broken(**{member.name: row[member.name] for member in fields(Broken)}) for row in rows)


def _column(dimension: str) -> str:
    return "p.team" if dimension == TEAM else f"f.{dimension}"
