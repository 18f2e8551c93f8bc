"""Facts and their sums as they are kept, and how far events were counted.

Knows editions, the lock that makes one process count at a time, and how sums are added to. Refuses to know what a fact
is and where it is added.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.kit.db import OnConflict, Reading, Transaction, as_json
from app.reports.question import DIMENSIONS, UNIVERSAL, Dimensions
from app.reports.tables import fact, rollup
from app.reports.tally.cell import Cell, summed
from app.reports.tally.cut import Grain
from app.reports.tally.fact import Fact, Measure
from app.reports.tally.folding import Place, Sum
from app.reports.tally.histogram import Histogram
from app.tickets.journal.position import BEGINNING, Position

_of = itemgetter(*DIMENSIONS)
_NAMED = ", ".join(DIMENSIONS)
_FACT_COLUMNS = ("edition", "ticket_id", "number", "measure", "at", "detail", "good", "value", "lasted", *DIMENSIONS)
_SUMS = ("n", "good", "total", "spread", "lasted")
_PLACE = "edition, cut, grain, measure, step_at, key, detail"
_CELL_COLUMNS = (*_PLACE.split(", "), *_SUMS)
_BEGIN = """
    INSERT INTO tally (edition, newest, xact, place, zone) SELECT 1, 1, 0, 0, $1 WHERE NOT EXISTS (SELECT FROM tally)
    ON CONFLICT DO NOTHING"""
_STANDING = "SELECT edition, xact, place, zone FROM tally"
_CLAIM = f"{_STANDING} FOR UPDATE SKIP LOCKED"
_MARK = "UPDATE tally SET xact = $1, place = $2"
_NEXT_EDITION = "UPDATE tally SET newest = newest + 1 RETURNING newest"
_PUT_IN_FORCE = "UPDATE tally SET edition = $1, xact = $2, place = $3, zone = $4 WHERE newest = $1 RETURNING edition"
_FACTS = f"""
    SELECT ticket_id, number, measure, at, detail, good, value, lasted, {_NAMED}
    FROM fact WHERE edition = $1 AND ticket_id = ANY($2)"""  # noqa: S608 - our own names, as in all of these
_FACTS_BETWEEN = f"""
    SELECT measure, at, detail, good, value, lasted, {_NAMED}
    FROM fact WHERE edition = $1 AND measure = $2 AND at >= $3 AND at < $4"""  # noqa: S608
_SPAN = "SELECT min(at) AS first_at, max(at) AS last_at FROM fact WHERE edition = $1 AND measure = $2"
_REMOVE_FACTS = """
    DELETE FROM fact f USING json_populate_recordset(NULL::fact, $1) AS gone
    WHERE f.edition = gone.edition AND f.ticket_id = gone.ticket_id AND f.number = gone.number"""
_CELLS = f"""
    SELECT r.cut, r.grain, r.measure, r.step_at, r.key, r.detail, r.n, r.good, r.total, r.spread, r.lasted
    FROM json_populate_recordset(NULL::rollup, $1) AS asked JOIN rollup r USING ({_PLACE})"""  # noqa: S608
_REMOVE_CELLS = f"""
    DELETE FROM rollup r USING json_populate_recordset(NULL::rollup, $1) AS gone
    WHERE ({", ".join(f"r.{name}" for name in _PLACE.split(", "))})
        = ({", ".join(f"gone.{name}" for name in _PLACE.split(", "))})"""  # noqa: S608
_BLOCKS = "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::int AS blocks"
_PURGE = """
    DELETE FROM {table} WHERE ctid >= $1 AND ctid < $2
    AND edition NOT IN (SELECT edition FROM tally UNION SELECT newest FROM tally)"""
_TOGETHER = 2000  # blocks of 8 kB


@dataclass(frozen=True, slots=True)
class Tallied:
    """Events up to `position` are counted in `edition`, whose steps of time begin as clocks in `zone` have them."""

    edition: int
    position: Position
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Stretch:
    """The blocks `first` up to, but not including, `end` of a table. Walked one after the other each row is looked at
    once; to look for those of an edition would be to walk past all that were removed, again and again.
    """

    table: str
    first: int
    end: int


NOTHING = Tallied(1, BEGINNING, UNIVERSAL)
_EMPTY = Cell()


async def get_tallied(tx: Reading) -> Tallied:
    """What readers go by; `NOTHING` before anything was counted."""
    return next(map(_tallied, await tx.fetch(_STANDING)), NOTHING)


async def claim_tallied(tx: Transaction, zone: ZoneInfo) -> Tallied | None:
    """The same, locked until the commit; None while another process counts. `zone` is for the first edition."""
    await tx.fetch(_BEGIN, zone.key)
    return next(map(_tallied, await tx.fetch(_CLAIM)), None)


async def mark_tallied(tx: Transaction, position: Position) -> None:
    await tx.fetch(_MARK, *position)


async def add_edition(tx: Transaction, zone: ZoneInfo) -> int:
    """The number of an edition that nobody reads yet. Whoever makes one and is overtaken does so in vain."""
    await tx.fetch(_BEGIN, zone.key)
    return int((await tx.fetch(_NEXT_EDITION))[0]["newest"])


async def mark_in_force(tx: Transaction, tallied: Tallied) -> bool:
    """Let everybody read this edition from the commit on; False when a newer one was begun meanwhile."""
    return bool(await tx.fetch(_PUT_IN_FORCE, tallied.edition, *tallied.position, tallied.zone.key))


async def list_stretches(tx: Reading) -> list[Stretch]:
    """All that is kept of facts and sums, in pieces that are small enough for one transaction."""
    found = []
    for table in (fact, rollup):
        [row] = await tx.fetch(_BLOCKS, table.name)
        found += [Stretch(table.name, first, first + _TOGETHER) for first in range(0, row["blocks"], _TOGETHER)]
    return found


async def purge_editions(tx: Transaction, stretch: Stretch) -> None:
    """Remove what is there of editions that are neither read nor being made."""
    await tx.fetch(_PURGE.format(table=stretch.table), (stretch.first, 0), (stretch.end, 0))


async def list_facts(tx: Reading, edition: int, ticket_ids: Sequence[UUID]) -> dict[UUID, dict[int, Fact]]:
    """What was counted of each ticket, by number; a ticket of which nothing was is absent."""
    found: dict[UUID, dict[int, Fact]] = {}
    for row in await tx.fetch(_FACTS, edition, ticket_ids):
        found.setdefault(row["ticket_id"], {})[row["number"]] = read_fact(row)
    return found


async def find_span(tx: Reading, edition: int, measure: Measure) -> tuple[datetime, datetime] | None:
    """When the first and the last fact of a kind happened; None when there is none."""
    [row] = await tx.fetch(_SPAN, edition, measure)
    return None if row["first_at"] is None else (row["first_at"], row["last_at"])


async def list_facts_between(
    tx: Reading, edition: int, measure: Measure, start: datetime, end: datetime
) -> Iterator[Fact]:
    """The facts of one kind in the half-open [start, end), in no particular order."""
    return map(read_fact, await tx.fetch(_FACTS_BETWEEN, edition, measure, start, end))


async def record_facts(tx: Transaction, edition: int, facts: Iterable[tuple[UUID, int, Fact]]) -> None:
    """Each with its ticket and its number among the facts of that."""
    rows = (
        (edition, ticket_id, number, one.measure, one.at, one.detail, one.good, one.value, one.lasted, *one.of)
        for ticket_id, number, one in facts
    )
    await tx.copy(fact, _FACT_COLUMNS, rows)


async def mark_uncounted(tx: Transaction, edition: int, keys: Iterable[tuple[UUID, int]]) -> None:
    """These facts, by ticket and number, are no facts any more."""
    if gone := [{"edition": edition, "ticket_id": of, "number": number} for of, number in keys]:
        await tx.fetch(_REMOVE_FACTS, as_json(gone))


async def record_cells(tx: Transaction, edition: int, sums: Iterable[Sum]) -> None:
    """Whole sums, where none stand yet."""
    await tx.copy(rollup, _CELL_COLUMNS, ((edition, *place, *_sums(cell)) for place, cell in sums))


async def add_cells(tx: Transaction, edition: int, sums: Iterable[Sum]) -> None:
    """Add to the sums that stand, or begin them; what comes to nothing goes. Only for whoever claimed the edition."""
    cells = dict(sums)
    if not cells:
        return
    keys = {place: _cell_key(edition, place) for place in cells}
    for row in await tx.fetch(_CELLS, as_json(list(keys.values()))):
        place = _place(row)
        cells[place] = summed((cells[place], read_cell(row)))
    if gone := [place for place, cell in cells.items() if cell == _EMPTY]:
        await tx.fetch(_REMOVE_CELLS, as_json([keys[place] for place in gone]))
    rows = [keys[place] | dict(zip(_SUMS, _sums(cell), strict=True)) for place, cell in cells.items() if cell != _EMPTY]
    await tx.insert(rollup, rows, on_conflict=OnConflict.REPLACE)


def read_fact(row: Mapping[str, Any]) -> Fact:
    return Fact(
        Measure(row["measure"]),
        row["at"],
        Dimensions(*_of(row)),
        row["detail"],
        row["good"],
        row["value"],
        row["lasted"],
    )


def read_cell(row: Mapping[str, Any]) -> Cell:
    return Cell(row["n"], row["good"], row["total"], Histogram(row["spread"]), Histogram(row["lasted"]))


def _tallied(row: Mapping[str, Any]) -> Tallied:
    return Tallied(row["edition"], Position(row["xact"], row["place"]), ZoneInfo(row["zone"]))


def _cell_key(edition: int, place: Place) -> dict[str, Any]:
    cut, grain, measure, step, group, detail = place
    return {
        "edition": edition,
        "cut": cut,
        "grain": grain,
        "measure": measure,
        "step_at": step,
        "key": group,
        "detail": detail,
    }


def _sums(cell: Cell) -> tuple[int, int, int, bytes, bytes]:
    """In the order of `_SUMS`."""
    return cell.n, cell.good, cell.total, cell.spread.packed, cell.lasted.packed


def _place(row: Mapping[str, Any]) -> Place:
    grain, measure = Grain(row["grain"]), Measure(row["measure"])
    return Place(row["cut"], grain, measure, row["step_at"], tuple(row["key"]), row["detail"])
