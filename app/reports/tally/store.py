"""Sums of facts put to questions, read-only.

Knows how a period is put together from kept sums and single facts, and that what happened since the last count is
counted along. Refuses to know what makes a question valid and which figures are made of sums.

Everything is read in one snapshot (`Database.reading(reports=True)`): sums, facts and what is not counted yet agree.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.access.store import list_teams
from app.kit.db import Reading
from app.kit.errors import Invalid
from app.reports.question import AGENT, DIMENSIONS, TEAM, Group, Interval, Question
from app.reports.tally.cell import Cell, cell_of, summed
from app.reports.tally.counting import facts_of
from app.reports.tally.cut import KEPT, Cut, Stretch, find_cut, stretches
from app.reports.tally.fact import Fact, Measure
from app.reports.tally.keeping.store import Tallied, get_tallied, list_facts, read_cell, read_fact
from app.reports.tally.subjects.store import list_subjects
from app.tickets.journal.position import Position

MAX_COUNTED = 100_000  # facts that one question may count one by one: about a second
MAX_WAITING = 300  # events since the last count that a question counts along

# A replica shows what was committed by the last transaction that reached it. Events are read in their order: whether
# there are few is known after so many.
_WAITING = """
    SELECT CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_xact_replay_timestamp(), now()) ELSE now() END AS now,
        count(*) AS n, min(at) AS since, array_agg(DISTINCT ticket_id) AS ticket_ids
    FROM (SELECT at, ticket_id FROM event WHERE (xact, place) > ($1, $2) ORDER BY xact, place LIMIT $3) AS waiting"""
_LAG = """
    SELECT coalesce(extract(epoch FROM now() - (
        SELECT at FROM event WHERE (xact, place) > ($1, $2) ORDER BY xact, place LIMIT 1)), 0) AS seconds"""
_CELLS = """
    SELECT measure, step_at, key, detail, n, good, total, spread, lasted FROM rollup
    WHERE edition = $1 AND cut = $2 AND grain = $3 AND measure = ANY($4) AND step_at >= $5 AND step_at < $6"""
_FACTS = f"""
    SELECT measure, at, detail, good, value, lasted, {", ".join(DIMENSIONS)} FROM fact
    WHERE edition = $1 AND measure = ANY($2) AND at >= $3 AND at < $4"""  # noqa: S608 - our own names, as in all of these


class NotKept(Invalid):
    """No sums are kept by these dimensions, and there are too many facts to count them one by one."""


class Line(NamedTuple):
    """Of which line of an answer a cell is a part: step and group as the question makes them."""

    step: datetime | None
    group: Group
    measure: Measure
    detail: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What was counted by `as_of`. A line without anything is absent; its cell would be `Cell()`."""

    as_of: datetime
    cells: Mapping[Line, Cell]

    def of(self, step: datetime | None, group: Group, measure: Measure, detail: str = "") -> Cell:
        """What was counted there, which may be nothing."""
        return self.cells.get(Line(step, group, measure, detail), Cell())


@dataclass(frozen=True, slots=True)
class Waiting:
    """The tickets of what happened after the last count; None: that is too much to be counted along.

    `as_of` is the moment up to which all is counted with these, or without them when they are too many.
    """

    as_of: datetime
    ticket_ids: tuple[UUID, ...] | None


async def list_measured(tx: Reading, question: Question, measures: Sequence[Measure]) -> Measured:
    """The sums of these measures by step and group. Raises `TooManyLines`, `NotKept`."""
    measured = await _list_kept(tx, question.by_agent(), measures)
    return _by_team(measured, question, await list_teams(tx)) if question.asks_teams else measured


async def _list_kept(tx: Reading, question: Question, measures: Sequence[Measure]) -> Measured:
    """By dimensions of facts alone."""
    question.lines([()])
    tallied = await get_tallied(tx)
    cut = find_cut({*question.group_by, *question.conditions})
    fits = question.interval is Interval.NONE or question.zone == tallied.zone
    parts = defaultdict[Line, list[Cell]](list)
    for stretch in stretches(question.start, question.end, question.interval, cut if fits else None, tallied.zone):
        if cut is None or stretch.grain is None:
            facts = await _list_facts(tx, tallied.edition, question, measures, stretch)
            _add(parts, question, cut, ((fact, 1) for fact in facts))
        else:
            await _add_kept(tx, parts, tallied.edition, question, measures, cut, stretch)
    waiting = await get_waiting(tx, tallied.position, MAX_WAITING)
    _add(parts, question, cut, await list_corrections(tx, tallied, waiting, measures))
    sums = ((line, summed(cells)) for line, cells in parts.items())
    return Measured(waiting.as_of, {line: cell for line, cell in sums if cell != Cell()})


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


async def list_corrections(
    tx: Reading, tallied: Tallied, waiting: Waiting, measures: Sequence[Measure]
) -> list[tuple[Fact, int]]:
    """The facts that come (1) and go (-1) when what waits is counted."""
    if not waiting.ticket_ids:
        return []
    subjects = await list_subjects(tx, waiting.ticket_ids)
    counted = await list_facts(tx, tallied.edition, waiting.ticket_ids)
    coming = [(fact, 1) for subject in subjects.values() for fact in facts_of(subject)]
    going = [(fact, -1) for facts in counted.values() for fact in facts.values()]
    return [(fact, sign) for fact, sign in coming + going if fact.measure in measures]


def _by_team(measured: Measured, question: Question, teams: Mapping[str, str]) -> Measured:
    """What was measured by agents, as the question has it: by the teams that they are in now."""
    names, wanted = question.by_agent().group_by, question.only.get(TEAM)
    parts = defaultdict[Line, list[Cell]](list)
    for line, cell in measured.cells.items():
        values = dict(zip(names, line.group, strict=True))
        values[TEAM] = teams.get(values[AGENT] or "")
        if wanted is None or values[TEAM] == wanted:
            parts[line._replace(group=tuple(values[name] for name in question.group_by))].append(cell)
    return Measured(measured.as_of, {line: summed(cells) for line, cells in parts.items()})


async def _add_kept(
    tx: Reading,
    parts: Mapping[Line, list[Cell]],
    edition: int,
    question: Question,
    measures: Sequence[Measure],
    cut: Cut,
    stretch: Stretch,
) -> None:
    where, values = _conditions({f"key[{cut.dimensions.index(n) + 1}]": v for n, v in question.conditions.items()}, 7)
    asked = (edition, cut.name, stretch.grain, list(measures), stretch.start, stretch.end, *values)
    places = [cut.dimensions.index(name) for name in question.group_by]
    for row in await tx.fetch(_CELLS + where, *asked):
        group = tuple(row["key"][place] for place in places)
        line = Line(question.step_of(row["step_at"]), group, Measure(row["measure"]), row["detail"])
        parts[line].append(read_cell(row))


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


def _add(
    parts: Mapping[Line, list[Cell]], question: Question, cut: Cut | None, changes: Iterable[tuple[Fact, int]]
) -> None:
    """Each fact that is asked about to its line, told as in the sums that it is put to."""
    places = [DIMENSIONS.index(name) for name in question.group_by]
    conditions: dict[str, Any] = question.conditions
    for fact, sign in changes:
        asked = all(getattr(fact.of, name) == value for name, value in conditions.items())
        if asked and question.start <= fact.at < question.end:
            group = tuple(fact.of[place] for place in places)
            detail = cut.told(fact.measure, fact.detail) if cut else fact.detail
            line = Line(question.step_of(fact.at), group, fact.measure, detail)
            parts[line].append(cell_of(fact, sign))
