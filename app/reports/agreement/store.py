"""The same numbers counted in several ways, read-only and in one snapshot.

Knows for each kind of fact a statement of its own over the tables that the work is done in: written apart from
`tally.counting`, so that a mistake in either shows. Refuses to know what follows from a difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.kit.db import Reading
from app.kit.errors import Invalid, Unavailable
from app.reports.agreement.agreement import Agreement, Count, count_of
from app.reports.question import ASKABLE, Interval, Question, TooManyLines
from app.reports.tally.cell import cell_of, summed
from app.reports.tally.fact import Fact, Measure
from app.reports.tally.store import Ledger, NotKept, get_ledger, get_waiting, list_changes, list_measured

CHARTS = (Interval.DAY, Interval.WEEK, Interval.MONTH)
MANY = 50_000  # events; that many are counted along in some seconds

_IN = "at >= $1 AND at < $2"
_PROMISED = f"""
    SELECT metric AS measure, count(*) AS n, count(*) FILTER (WHERE state = 'met') AS good,
        coalesce(sum(round(extract(epoch FROM elapsed) * 1000)), 0) AS total
    FROM (SELECT *, coalesce(breached_at, ended_at) AS at FROM clock WHERE state IN ('met', 'breached')) AS certain
    WHERE {_IN} GROUP BY 1"""  # noqa: S608 - our own words, as in all of these
_OPENED = """
    SELECT measure, count(*) AS n, 0 AS good, 0 AS total FROM ticket, unnest(ARRAY['opened', 'placed', 'understood'])
    AS measure WHERE opened_at >= $1 AND opened_at < $2 GROUP BY 1"""
_HAPPENED = f"""
    SELECT CASE type WHEN 'mention.received' THEN 'mentioned' ELSE split_part(type, '.', 2) END AS measure,
        count(*) AS n, count(*) FILTER (WHERE type = 'ticket.replied' AND data->>'department' IS NOT NULL) AS good,
        0 AS total
    FROM event WHERE {_IN} AND type IN ('mention.received', 'ticket.handed_back', 'ticket.fell_back',
        'ticket.replied', 'ticket.reopened')
    GROUP BY 1"""  # noqa: S608
_HANDED_OVER = """
    SELECT 'handed_over' AS measure, count(*) AS n, 0 AS good, 0 AS total FROM clock
    WHERE metric = 'acceptance' AND started_at >= $1 AND started_at < $2"""
_PUBLISHED = """
    SELECT 'published' AS measure, count(*) AS n, count(*) FILTER (WHERE permille = 0) AS good,
        coalesce(sum(permille), 0) AS total
    FROM reply, round((edited * 1000)::numeric) AS permille
    WHERE edited IS NOT NULL AND state NOT IN ('held', 'rejected') AND queued_at >= $1 AND queued_at < $2"""
_RESOLVED = f"""
    SELECT 'resolved' AS measure, count(*) AS n, 0 AS good, coalesce(sum(hops), 0) AS total
    FROM event e, LATERAL (
        SELECT count(*) FILTER (WHERE (holder, department) IS DISTINCT FROM (had, of) AND had IS NOT NULL) AS hops
        FROM (SELECT holder, department, lag(holder) OVER w AS had, lag(department) OVER w AS of FROM custody c
            WHERE c.ticket_id = e.ticket_id AND c.since <= e.at AND holder IN ('triage', 'webcare', 'department')
            WINDOW w AS (ORDER BY position)) AS ours) AS moved
    WHERE type = 'ticket.resolved' AND {_IN}"""  # noqa: S608
_BACKLOG = f"""
    SELECT 'backlog' AS measure, count(*) AS n, 0 AS good, coalesce(sum(change), 0) AS total FROM (
        SELECT opened_at AS at, 1 AS change FROM ticket UNION ALL
        SELECT at, CASE WHEN type IN ('ticket.resolved', 'ticket.merged') THEN -1 ELSE 1 END FROM event
        WHERE type IN ('ticket.resolved', 'ticket.reopened')
            OR type IN ('ticket.merged', 'ticket.unmerged') AND data ? 'into') AS changes
    WHERE {_IN}"""  # noqa: S608
_HELD = f"""
    SELECT 'held' AS measure, count(*) AS n, 0 AS good,
        coalesce(sum(floor(extract(epoch FROM at - since) * 1000)), 0) AS total
    FROM (SELECT c.since, coalesce((SELECT min(e.at) FROM event e WHERE c.holder = 'customer'
                AND e.ticket_id = c.ticket_id AND e.type = 'ticket.resolved' AND e.at >= c.since AND e.at < c.over),
            c.over) AS at
        FROM (SELECT *, lead(since) OVER (PARTITION BY ticket_id ORDER BY position) AS over FROM custody) AS c
        JOIN ticket t ON t.id = c.ticket_id AND t.merged_into_id IS NULL
        WHERE c.holder <> 'nobody' AND c.over > c.since) AS stretches
    WHERE at > since AND {_IN}"""  # noqa: S608
_SURVEYED = """
    SELECT measure, count(*) AS n, count(*) FILTER (WHERE measure = 'asked' AND state = 'answered') AS good,
        coalesce(sum(CASE measure WHEN 'scored' THEN score END), 0) AS total
    FROM invitation LEFT JOIN response ON invitation_id = id, LATERAL (
        SELECT 'asked' AS measure WHERE state IN ('sent', 'answered') UNION ALL
        SELECT 'unasked' WHERE state NOT IN ('sent', 'answered', 'waiting', 'queued') UNION ALL
        SELECT 'scored' WHERE score IS NOT NULL) AS kinds
    WHERE resolved_at >= $1 AND resolved_at < $2 GROUP BY 1"""
_ANEW = (
    _OPENED,
    _HAPPENED,
    _PROMISED,
    _HANDED_OVER,
    _PUBLISHED,
    _RESOLVED,
    _BACKLOG,
    _HELD,
    _SURVEYED,
)
_FACTS = f"""
    SELECT measure, count(*) AS n, count(*) FILTER (WHERE good) AS good, coalesce(sum(value), 0) AS total
    FROM fact WHERE edition = $3 AND {_IN} AND measure = ANY($4) GROUP BY 1"""  # noqa: S608


class TooMuchToCompare(Invalid):
    """A period that cannot be counted in all ways at once."""


class StillCounting(Unavailable):
    """So much happened lately that is not counted yet that nothing can be compared now."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Each kind of fact, as of one moment."""

    as_of: datetime
    agreements: tuple[Agreement, ...]


async def list_agreements(tx: Reading, question: Question) -> Compared:
    """All facts of the question's period, counted in all ways. Raises `TooMuchToCompare`, `StillCounting`."""
    try:
        return await _compare(tx, question)
    except (TooManyLines, NotKept) as error:
        way_out = "Ask for a shorter period, and let it begin and end at midnight: give days."
        raise TooMuchToCompare(f"There is too much to compare. {way_out}", field="from") from error


async def _compare(tx: Reading, question: Question) -> Compared:
    ledger = await get_ledger(tx)
    # What waits is in what reports tell, or else it must not be in what is counted anew.
    along = ledger.waiting.ticket_ids is not None
    lately = _counted(question, ledger.changes if along else await _all_changes(ledger))
    headline = await _asked(ledger, question)
    charts = {one: await _asked(ledger, replace(question, interval=one)) for one in CHARTS}
    groupings = {name: await _asked(ledger, replace(question, group_by=(name,))) for name in ASKABLE}
    behind = _by_measure(await tx.fetch(_FACTS, question.start, question.end, ledger.tallied.edition, list(Measure)))
    anew = _by_measure([row for statement in _ANEW for row in await tx.fetch(statement, question.start, question.end)])
    return Compared(
        ledger.waiting.as_of,
        tuple(
            Agreement(
                measure=measure,
                headline=headline[measure],
                charts={interval: counts[measure] for interval, counts in charts.items()},
                groupings={name: counts[measure] for name, counts in groupings.items()},
                drill_down=behind[measure] + lately[measure] if along else behind[measure],
                anew=anew[measure] if along else anew[measure] - lately[measure],
            )
            for measure in Measure
        ),
    )


async def _all_changes(ledger: Ledger) -> Sequence[tuple[Fact, int]]:
    """With what is too much for a question to count along. Raises `StillCounting`."""
    waiting = await get_waiting(ledger.tx, ledger.tallied.position, MANY)
    if waiting.ticket_ids is None:
        raise StillCounting("Much happened lately and is still being counted; try again shortly.")
    return await list_changes(ledger.tx, ledger.tallied, waiting)


async def _asked(ledger: Ledger, question: Question) -> dict[Measure, Count]:
    """As reports tell it: the sum of the lines."""
    cells = (await list_measured(ledger, question, list(Measure), durations=False)).cells.items()
    return {measure: count_of(summed(cell for line, cell in cells if line.measure is measure)) for measure in Measure}


def _counted(question: Question, changes: Sequence[tuple[Fact, int]]) -> dict[Measure, Count]:
    cells = [(fact.measure, cell_of(fact, n)) for fact, n in changes if question.start <= fact.at < question.end]
    return {measure: count_of(summed(cell for of, cell in cells if of is measure)) for measure in Measure}


def _by_measure(rows: Iterable[Mapping[str, Any]]) -> dict[Measure, Count]:
    found = {row["measure"]: Count(row["n"], row["good"], int(row["total"])) for row in rows}
    return {measure: found.get(measure, Count(0, 0, 0)) for measure in Measure}
