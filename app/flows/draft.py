"""Somebody looks at a ticket and writes, but has not said anything yet.

Knows what becomes of unsent words, and who is told that somebody is there. Refuses to know how words are sent (answer).
Nothing here changes a ticket, so nobody's version grows stale by it.
"""

from datetime import timedelta
from uuid import UUID

from app.access.role import Caller
from app.answers.drafts import store as drafts
from app.answers.drafts.store import Draft, Kept
from app.runtime import Unit
from app.tickets import store as tickets
from app.tickets.presence.store import Doing, Presence, record_presence
from app.tickets.ticket import Ticket

PRESENT_FOR = timedelta(minutes=1)
FORGOTTEN_AFTER = timedelta(days=30)


async def keep(
    unit: Unit, caller: Caller, ticket_id: UUID, text: str, visibility: str | None, version: int | None
) -> Kept:
    """Keep what somebody wrote so far, in the place of what stood there; others see that somebody types.

    `version` is the ticket's that the writer saw; None: as it stands. Raises `TicketNotFound`.
    """
    ticket = await tickets.get_ticket(unit.tx, ticket_id, department=caller.department)
    draft = Draft(ticket.id, caller.actor, text, visibility, version or ticket.version, unit.now)
    await drafts.add_draft(unit.tx, draft)
    await _tell(unit, caller, ticket, Doing.TYPING)
    return Kept(draft, ticket.number, ticket.version)


async def drop(unit: Unit, caller: Caller, ticket_id: UUID) -> None:
    """The writer's own, wherever the ticket went; one that is not there is gone already."""
    await drafts.drop_draft(unit.tx, ticket_id, caller.actor)


async def announce(unit: Unit, caller: Caller, ticket_id: UUID, doing: Doing) -> None:
    """Tell who listens what somebody does with a ticket at this moment. Raises `TicketNotFound`."""
    ticket = await tickets.get_ticket(unit.tx, ticket_id, department=caller.department)
    await _tell(unit, caller, ticket, doing)


async def forget_drafts(unit: Unit) -> int:
    """Chore: drop what nobody touched for a month; returns how many."""
    return await drafts.purge_drafts(unit.tx, FORGOTTEN_AFTER)


async def _tell(unit: Unit, caller: Caller, ticket: Ticket, doing: Doing) -> None:
    until = unit.now if doing is Doing.GONE else unit.now + PRESENT_FOR
    whose = tuple(sorted(set(filter(None, (ticket.department, ticket.with_department)))))
    seen = Presence(ticket.id, ticket.number, caller.actor, doing, unit.now, until, whose)
    await record_presence(unit.tx, seen)
