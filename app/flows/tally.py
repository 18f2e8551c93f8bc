"""What happened is counted: the tickets of new events are counted again, and the sums get the difference.

Knows how far was counted, and that it moves with the sums in one transaction: each event is counted once, whoever
dies. Refuses to know what is counted (reports.tally). One process counts at a time; the others pass by.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.kit.errors import Conflict
from app.reports.tally.counting import facts_of
from app.reports.tally.fact import Fact
from app.reports.tally.folding import fold
from app.reports.tally.keeping import store as keeping
from app.reports.tally.keeping.store import Tallied
from app.reports.tally.subjects.store import list_behind, list_subjects
from app.runtime import Unit
from app.tickets.journal.position import BEGINNING
from app.tickets.journal.store import find_position, get_head, list_touched


class RebuiltAgain(Conflict):
    """Somebody else began to count everything anew, so what was counted here is of no use."""


@dataclass(frozen=True, slots=True)
class Recounted:
    """A batch of a new edition: how many tickets, and the last of them; None: there was none left."""

    tickets: int
    last: UUID | None


async def tally(unit: Unit, limit: int) -> int:
    """Count up to `limit` events that happened since; returns how many those were.

    After a restore from elsewhere the position stands no more. Then everything is looked at again: what was counted
    already makes no difference.
    """
    tallied = await keeping.claim_tallied(unit.tx)
    if tallied is None:
        return 0
    known = tallied.position == BEGINNING or await find_position(unit.tx, tallied.position)
    touched = await list_touched(unit.tx, tallied.position if known else BEGINNING, limit)
    if touched:
        await _recount(unit, tallied.edition, list({ticket_id: None for _, ticket_id in touched}))
        await keeping.mark_tallied(unit.tx, touched[-1][0])
    return len(touched)


async def begin_edition(unit: Unit) -> Tallied:
    """An empty edition that nobody reads yet, and the event up to which all will be in it, and maybe more."""
    head = await get_head(unit.tx)
    return Tallied(await keeping.add_edition(unit.tx), head)


async def count_behind(unit: Unit, edition: int, after: UUID | None, limit: int) -> Recounted:
    """Count the next tickets into an edition; in the order of their ids, None: from the first on."""
    ticket_ids = await list_behind(unit.tx, after, limit)
    await _recount(unit, edition, ticket_ids)
    return Recounted(len(ticket_ids), ticket_ids[-1] if ticket_ids else None)


async def put_in_force(unit: Unit, made: Tallied) -> None:
    """From the commit on everybody reads this edition. Raises `RebuiltAgain`."""
    if not await keeping.mark_in_force(unit.tx, made):
        raise RebuiltAgain("Somebody began to rebuild reports after this did; theirs will be read.")


async def forget_editions(unit: Unit, limit: int) -> int:
    """Remove what nobody reads any more, at most so many rows of each kind; returns how many."""
    return await keeping.purge_editions(unit.tx, limit)


async def _recount(unit: Unit, edition: int, ticket_ids: Sequence[UUID]) -> None:
    """Count tickets again. Whatever became of them, the sums get what differs from what was counted before."""
    subjects = await list_subjects(unit.tx, ticket_ids)
    counted = await keeping.list_facts(unit.tx, edition, ticket_ids)
    changes: list[tuple[Fact, int]] = []
    new: dict[tuple[UUID, int], Fact] = {}
    gone: list[tuple[UUID, int]] = []
    for ticket_id, subject in subjects.items():
        before = counted.get(ticket_id, {})
        missing = Counter(facts_of(subject))
        for number, fact in before.items():
            if missing[fact] > 0:
                missing[fact] -= 1
            else:
                gone.append((ticket_id, number))
                changes.append((fact, -1))
        for number, fact in enumerate(missing.elements(), start=max(before, default=0) + 1):
            new[ticket_id, number] = fact
            changes.append((fact, 1))
    await keeping.mark_uncounted(unit.tx, edition, gone)
    await keeping.record_facts(unit.tx, edition, new)
    await keeping.add_cells(unit.tx, edition, fold(changes))
