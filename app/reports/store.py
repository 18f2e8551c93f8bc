"""Questions put to the database, read-only.

Knows where each figure stands, on which date axis it is counted and what each dimension reads. Refuses to know what
makes a question valid and how an answer is shown. Every function returns figures for all lines that the question
makes, zeros included; docs/metrics.md tells the axes and formulas.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    and_,
    cast,
    extract,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION

from app.feedback import nps
from app.feedback.invitation import State as Invited
from app.feedback.nps import Nps
from app.feedback.tables import invitation, response
from app.kit.db import Reading
from app.reports.attainment import PERCENTILES, Attainment, attain
from app.reports.question import DIMENSIONS, MAX_LINES, Group, Interval, Question
from app.sla.clock import State as Clocked
from app.sla.policy import Metric
from app.sla.tables import CERTAIN_AT, IS_CERTAIN, clock
from app.tickets.tables import ticket

Step = datetime | None

# Attribution as it was when the invitation was made.
_INVITED: dict[str, ColumnElement[Any]] = {name: invitation.c[name] for name in DIMENSIONS}
# The ticket as it is, except that a promise of one department is counted as that department's for ever.
_PROMISED: dict[str, ColumnElement[Any]] = {
    **{name: ticket.c[name] for name in DIMENSIONS if name not in {"agent", "department"}},
    "agent": ticket.c.assignee,
    "department": func.coalesce(clock.c.department, ticket.c.department),
}


async def list_nps(tx: Reading, question: Question) -> list[tuple[Step, Group, Nps]]:
    """The scores of customers, by when their tickets were resolved."""
    promoter = response.c.score >= nps.MIN_PROMOTER
    detractor = response.c.score <= nps.MAX_DETRACTOR
    arrived = invitation.c.state.in_((Invited.SENT, Invited.ANSWERED))
    figures = await _figures(
        tx,
        invitation.outerjoin(response, response.c.invitation_id == invitation.c.id),
        _asked(question, invitation.c.resolved_at, _INVITED),
        [_step(question, invitation.c.resolved_at), *(_INVITED[name] for name in question.group_by)],
        [
            func.count().filter(promoter),
            func.count().filter(~promoter, ~detractor),
            func.count().filter(detractor),
            func.count().filter(arrived),
        ],
    )
    groups = [line[1:] for line in figures] if question.group_by else [()]
    nobody = (0, 0, 0, 0)
    return [(step, group, nps.score(*figures.get((step, *group), nobody))) for step, group in question.lines(groups)]


async def list_attainment(tx: Reading, question: Question) -> list[tuple[Step, Group, Attainment]]:
    """Promises kept and broken, by when that became certain; the last member of each group is the metric."""
    shares = literal(list(PERCENTILES), ARRAY(DOUBLE_PRECISION))
    figures = await _figures(
        tx,
        clock.join(ticket, ticket.c.id == clock.c.ticket_id),
        and_(_asked(question, CERTAIN_AT, _PROMISED), IS_CERTAIN),
        [_step(question, CERTAIN_AT), *(_PROMISED[name] for name in question.group_by), clock.c.metric],
        [
            func.count().filter(clock.c.state == Clocked.MET),
            func.count().filter(clock.c.state == Clocked.BREACHED),
            func.percentile_cont(shares).within_group(extract("epoch", clock.c.elapsed)),
        ],
    )
    groups = [line[1:] for line in figures] if question.group_by else [(metric,) for metric in Metric]
    nothing = (0, 0, None)
    return [(step, group, attain(*figures.get((step, *group), nothing))) for step, group in question.lines(groups)]


def _step(question: Question, axis: ColumnElement[Any]) -> ColumnElement[Any]:
    if question.interval is Interval.NONE:
        return cast(null(), DateTime(timezone=True))
    return func.date_trunc(question.interval, axis, "UTC")


def _asked(
    question: Question, axis: ColumnElement[Any], dimensions: Mapping[str, ColumnElement[Any]]
) -> ColumnElement[bool]:
    own = true() if question.department is None else dimensions["department"] == question.department
    return and_(axis >= question.start, axis < question.end, own)


async def _figures(
    tx: Reading,
    rows: FromClause,
    where: ColumnElement[bool],
    line: Sequence[ColumnElement[Any]],
    figures: Sequence[ColumnElement[Any]],
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The figures of each line that there is anything for; more of them than an answer may have need not be read."""
    places: list[ColumnElement[Any]] = [literal_column(str(place)) for place in range(1, len(line) + 1)]
    named = [column.label(f"c{place}") for place, column in enumerate((*line, *figures), start=1)]
    found = await tx.rows(select(*named).select_from(rows).where(where).group_by(*places).limit(MAX_LINES + 1))
    return {tuple(row[: len(line)]): tuple(row[len(line) :]) for row in found}
