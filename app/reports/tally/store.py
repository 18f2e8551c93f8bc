"""Sums of facts put to questions, read-only.

Knows how a period is put together from kept sums and single facts, and that what happened since the last count is
counted along. Refuses to know what makes a question valid and which figures are made of sums.

Everything is read in one snapshot (`Database.reading(reports=True)`): sums, facts and what is not counted yet agree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.access.store import list_teams
from app.kit.db import Reading
from app.kit.errors import Invalid
from app.reports.question import AGENT, DIMENSIONS, TEAM, Group, Interval, Question
from app.reports.tally.counting import facts_of
from app.reports.tally.cut import KEPT, Cut, Stretch, find_cut, stretches
from app.reports.tally.fact import Fact, Measure
from app.reports.tally.keeping.store import Tallied, get_tallied, list_facts, read_fact
from app.reports.tally.measured import Measured
from app.reports.tally.parts import BY, Parts
from app.reports.tally.subjects.store import list_subjects
from app.tickets.journal.position import Position

MAX_COUNTED = 100_000  # facts that one question may count one by one: about a second
MAX_WAITING = 300  # events since the last count; a question counts along what are fewer

# A replica shows what was committed by the last transaction that reached it. Events are read in their order: whether
# there are few is known after so many.
_WAITING = """
    SELECT CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_xact_replay_timestamp(), now()) ELSE now() END AS now,
        count(*) AS n, min(at) AS since, array_agg(DISTINCT ticket_id) AS ticket_ids
    FROM (SELECT at, ticket_id FROM event WHERE (xact, place) > ($1, $2) ORDER BY xact, place LIMIT $3) AS waiting"""
_LAG = """
    SELECT coalesce(extract(epoch FROM now() - (
        SELECT at FROM event WHERE (xact, place) > ($1, $2) ORDER BY xact, place LIMIT 1)), 0) AS seconds"""
# A row for each step of a kind, in the order of the primary key, with columns of what there is for all groups. Numbers
# come as the bytes of which the driver would make objects: there are tens of thousands, and numpy reads them so. All
# columns of a row are in one order, as PostgreSQL takes each sum up in all of them before the next.
_CELLS = """
    SELECT measure, step_at, array_agg(detail) AS detail, {groups}
        string_agg(int8send(n), '') AS n, string_agg(int8send(good), '') AS good,
        string_agg(int8send(total), '') AS total,
        string_agg({spread}, '') AS spread, string_agg(int8send(octet_length({spread})), '') AS spread_sizes,
        string_agg({lasted}, '') AS lasted, string_agg(int8send(octet_length({lasted})), '') AS lasted_sizes
    FROM rollup
    WHERE edition = $1 AND cut = $2 AND grain = $3 AND measure = ANY($4) AND step_at >= $5 AND step_at < $6{conditions}
    GROUP BY measure, step_at"""
_FACTS = f"""
    SELECT measure, at, detail, good, value, lasted, {", ".join(DIMENSIONS)} FROM fact
    WHERE edition = $1 AND measure = ANY($2) AND at >= $3 AND at < $4"""  # noqa: S608 - our own names, as in all of these


class NotKept(Invalid):
    """No sums are kept by these dimensions, and there are too many facts to count them one by one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The tickets of what happened after the last count; None: that is too much to be counted along.

    `as_of` is the moment up to which all is counted with these, or without them when they are too many.
    """

    as_of: datetime
    ticket_ids: tuple[UUID, ...] | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that is counted, as one snapshot shows it: opened once, asked as often as one likes.

    `changes` are the facts that come (1) and go (-1) with what waits; none when that is too much.
    """

    tx: Reading
    tallied: Tallied
    waiting: Waiting
    changes: Sequence[tuple[Fact, int]]

    @property
    def zone(self) -> ZoneInfo:
        """In which days, weeks and months are counted."""
        return self.tallied.zone


async def get_ledger(tx: Reading) -> Ledger:
    """In a session of `Database.reading(reports=True)`."""
    tallied = await get_tallied(tx)
    waiting = await get_waiting(tx, tallied.position, MAX_WAITING)
    return Ledger(tx, tallied, waiting, await list_changes(tx, tallied, waiting))


async def list_measured(
    ledger: Ledger, question: Question, measures: Sequence[Measure], *, durations: bool = True
) -> Measured:
    """The sums of these measures by step and group, without how durations are spread where nobody wants to know.

    Raises `TooManyLines`, `NotKept`.
    """
    asked, tallied = question.by_agent(), ledger.tallied
    parts = Parts(asked)
    cut = find_cut({*asked.group_by, *asked.conditions})
    fits = asked.interval is Interval.NONE or asked.zone == tallied.zone
    for stretch in stretches(asked.start, asked.end, asked.interval, cut if fits else None, tallied.zone):
        if cut is None or stretch.grain is None:
            facts = await _list_facts(ledger.tx, tallied.edition, asked, measures, stretch)
            parts.add_facts(((fact, 1) for fact in facts), cut)
        else:
            parts.add_kept(await _list_kept(ledger.tx, tallied.edition, asked, measures, cut, stretch, durations))
    parts.add_facts(((fact, sign) for fact, sign in ledger.changes if fact.measure in measures), cut)
    teams = await list_teams(ledger.tx) if question.asks_teams else {}
    return parts.measured(ledger.waiting.as_of, _telling(question, teams))


async def get_lag(tx: Reading) -> float:
    """For how many seconds the first event that is not counted yet has stood there; 0 when all is counted."""
    [row] = await tx.fetch(_LAG, *(await get_tallied(tx)).position)
    return max(0.0, float(row["seconds"]))


async def get_waiting(tx: Reading, position: Position, limit: int) -> Waiting:
    """What is not counted yet; `limit` events are too much."""
    [row] = await tx.fetch(_WAITING, *position, limit)
    if row["n"] >= limit:
        return Waiting(row["since"], None)
    return Waiting(row["now"], tuple(row["ticket_ids"] or ()))


async def list_changes(tx: Reading, tallied: Tallied, waiting: Waiting) -> list[tuple[Fact, int]]:
    """The facts that come (1) and go (-1) when what waits is counted."""
    if not waiting.ticket_ids:
        return []
    subjects = await list_subjects(tx, waiting.ticket_ids)
    counted = await list_facts(tx, tallied.edition, waiting.ticket_ids)
    coming = [(fact, 1) for subject in subjects.values() for fact in facts_of(subject)]
    going = [(fact, -1) for facts in counted.values() for fact in facts.values()]
    return coming + going


async def _list_kept(
    tx: Reading,
    edition: int,
    question: Question,
    measures: Sequence[Measure],
    cut: Cut,
    stretch: Stretch,
    durations: bool,
) -> Sequence[Mapping[str, Any]]:
    """Rows as `Parts.add_kept` takes them."""
    where, values = _conditions({f"key[{cut.dimensions.index(n) + 1}]": v for n, v in question.conditions.items()}, 7)
    groups = (f"array_agg(key[{cut.dimensions.index(name) + 1}]) AS {BY}{name}," for name in question.group_by)
    spread, lasted = ("spread", "lasted") if durations else ("''::bytea",) * 2
    sql = _CELLS.format(groups=" ".join(groups), spread=spread, lasted=lasted, conditions=where)
    return await tx.fetch(sql, edition, cut.name, stretch.grain, list(measures), stretch.start, stretch.end, *values)


async def _list_facts(
    tx: Reading, edition: int, question: Question, measures: Sequence[Measure], stretch: Stretch
) -> list[Fact]:
    where, values = _conditions(question.conditions, 5)
    asked = (edition, list(measures), stretch.start, stretch.end, *values)
    rows = await tx.fetch(f"{_FACTS}{where} LIMIT {MAX_COUNTED + 1}", *asked)
    if len(rows) > MAX_COUNTED:
        kept = ["+".join(cut.askable) for cut in KEPT if cut.dimensions]
        raise NotKept(
            f"There is too much to count by these dimensions together. Ask for a shorter period, begin and end it at"
            f" midnight (give days), or group by dimensions of one of these sets: {', '.join(kept)}.",
            field="group_by",
            allowed=kept,
        )
    return [read_fact(row) for row in rows]


def _conditions(asked: Mapping[str, str], first: int) -> tuple[str, list[str]]:
    """What SQL says of columns that must have a value, and those values; the first is `$first`."""
    said = "".join(f" AND {column} = ${number}" for number, column in enumerate(asked, start=first))
    return said, list(asked.values())


def _telling(question: Question, teams: Mapping[str, str]) -> Callable[[Group], Group | None]:
    """From a group by agents the one that is asked for, by the teams that they are in now; None for one that is not."""
    if not question.asks_teams:
        return lambda group: group
    names, wanted = question.by_agent().group_by, question.only.get(TEAM)

    def told(group: Group) -> Group | None:
        values = dict(zip(names, group, strict=True))
        values[TEAM] = teams.get(values[AGENT] or "")
        return tuple(values[name] for name in question.group_by) if wanted in (None, values[TEAM]) else None

    return told
