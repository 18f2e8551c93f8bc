"""Facts that were counted, without what happened: for what is made of sums."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from app.kit.db import Transaction
from app.kit.ids import new_id
from app.reports.question import DIMENSIONS, UNIVERSAL, Dimensions
from app.reports.tally.cell import Cell
from app.reports.tally.fact import Fact, Measure
from app.reports.tally.folding import fold
from app.reports.tally.histogram import unpacked
from app.reports.tally.keeping.store import NOTHING, add_cells, claim_tallied, mark_tallied, record_facts
from app.reports.tally.measured import Sums
from app.tickets.journal.store import get_head

OF = Dimensions(
    topic="invoice_question",
    channel="x",
    account="@poldermobiel",
    department="billing",
    stage="central",
    arm=None,
    priority="normal",
    agent=None,
    language="nl",
)


def fact(measure: Measure, at: datetime, detail: str = "", **said: Any) -> Fact:
    """With the dimensions of `OF` but for those that are said."""
    of = OF._replace(**{name: said.pop(name) for name in DIMENSIONS if name in said})
    return Fact(measure, at, of, detail, **said)


def sums_of(*cells: Cell) -> Sums:
    """Cells as columns."""
    n, good, total = (np.array([cell[place] for cell in cells], np.int64) for place in range(3))
    spread, lasted = unpacked([cell.spread.packed for cell in cells]), unpacked([cell.lasted.packed for cell in cells])
    return Sums(n, good, total, spread, lasted)


async def count(
    tx: Transaction, facts: Iterable[Fact], ticket_id: UUID | None = None, *, zone: ZoneInfo = UNIVERSAL
) -> None:
    """As if a worker had counted them, all on one ticket; and whatever was committed before, as nothing."""
    if await claim_tallied(tx, zone) is not None:
        await mark_tallied(tx, await get_head(tx))
    counted = list(facts)
    of = ticket_id or new_id()
    await record_facts(tx, NOTHING.edition, [(of, number, one) for number, one in enumerate(counted, start=1)])
    await add_cells(tx, NOTHING.edition, fold(((one, 1) for one in counted), zone))
