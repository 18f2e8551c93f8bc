"""What happened is counted: the tickets of new events are counted again, and the sums get the difference.

Knows how far was counted, and that it moves with the sums in one transaction: each event is counted once, whoever
dies. Refuses to know what is counted (reports.tally). One process counts at a time; the others pass by.
"""

from collections.abc import Sequence
from uuid import UUID

from app.reports.tally.counting import facts_of
from app.reports.tally.fact import Fact, differing
from app.reports.tally.folding import fold
from app.reports.tally.keeping import store as keeping
from app.reports.tally.keeping.store import Tallied
from app.reports.tally.subjects.store import list_subjects
from app.runtime import Unit
from app.tickets.journal.position import BEGINNING
from app.tickets.journal.store import find_position, list_touched


async def tally(unit: Unit, limit: int) -> int:
    """Count up to `limit` events that happened since; returns how many those were.

    After a restore from elsewhere the position stands no more. Then everything is looked at again: what was counted
    already makes no difference.
    """
    tallied = await keeping.claim_tallied(unit.tx, unit.rulebook.zone)
    if tallied is None:
        return 0
    known = tallied.position == BEGINNING or await find_position(unit.tx, tallied.position)
    touched = await list_touched(unit.tx, tallied.position if known else BEGINNING, limit)
    if touched:
        await _recount(unit, tallied, list({ticket_id: None for _, ticket_id in touched}))
        await keeping.mark_tallied(unit.tx, touched[-1][0])
    return len(touched)


async def _recount(unit: Unit, into: Tallied, ticket_ids: Sequence[UUID]) -> None:
    """Count tickets again. Whatever became of them, the sums get what differs from what was counted before."""
    subjects = await list_subjects(unit.tx, ticket_ids)
    counted = await keeping.list_facts(unit.tx, into.edition, ticket_ids)
    changes: list[tuple[Fact, int]] = []
    new: list[tuple[UUID, int, Fact]] = []
    gone: list[tuple[UUID, int]] = []
    for ticket_id, subject in subjects.items():
        before = counted.get(ticket_id, {})
        went, came = differing(before, facts_of(subject))
        gone += [(ticket_id, number) for number in went]
        new += [(ticket_id, number, fact) for number, fact in enumerate(came, start=max(before, default=0) + 1)]
        changes += [(before[number], -1) for number in went]
        changes += [(fact, 1) for fact in came]
    await keeping.mark_uncounted(unit.tx, into.edition, gone)
    await keeping.record_facts(unit.tx, into.edition, new)
    await keeping.add_cells(unit.tx, into.edition, fold(changes, into.zone))
