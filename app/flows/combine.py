"""Tickets that belong together: merged into one, taken apart again, or linked.

Knows what has to be gathered of both. Refuses to know what becomes of either (tickets/merging) and of their clocks.
Both rows are locked in the order of their ids, so that two who merge in opposite directions wait for each other.
"""

from uuid import UUID

from app.access.role import Caller
from app.flows.record import record
from app.flows.work import check_version
from app.runtime import Unit
from app.sla import store as sla
from app.sla.clock import waiting_since
from app.tickets import merging
from app.tickets import store as tickets
from app.tickets.links.store import add_link, mark_unlinked
from app.tickets.merging import LinkKind, check_merged
from app.tickets.replay import replay
from app.tickets.store import ChangedMeanwhile, Numbered, TicketNotFound
from app.tickets.ticket import Ticket


async def merge(
    unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, into_id: UUID, *, confirmed: bool
) -> Ticket:
    """The ticket, closed, as a part of the other one. Whatever comes next in its conversation stands there.

    `confirmed`: its author and the other's are one person. Raises what `merging.merge` does and `TicketNotFound`.
    """
    ticket, into = await _both(unit, ticket_id, into_id)
    await check_version(unit, ticket, expected)
    clocks = await sla.list_clocks(unit.tx, [ticket_id, into_id])
    steps = merging.merge(
        ticket,
        into,
        caller.actor,
        unit.now,
        posts=[post["id"] for post in await tickets.list_mentions(unit.tx, ticket_id)],
        waiting=waiting_since(clocks.get(ticket_id, ())),
        waited=waiting_since(clocks.get(into_id, ())),
        confirmed=confirmed,
    )
    return (await record(unit, steps))[ticket_id]


async def unmerge(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, reason: str) -> Ticket:
    """The ticket as it was before it was merged, with all that came in its conversations since.

    Raises what `merging.unmerge` does and `NotMerged`.
    """
    into_id = check_merged(await tickets.get_ticket(unit.tx, ticket_id))
    ticket, into = await _both(unit, ticket_id, into_id)
    if check_merged(ticket) != into_id:
        raise ChangedMeanwhile("Somebody merged the ticket into another one at the same moment; read it again.")
    await check_version(unit, ticket, expected)
    history = await tickets.list_events(unit.tx, ticket_id)
    its_history = await tickets.list_events(unit.tx, into_id)
    joined = _last_merge(its_history, "from", ticket_id)
    own = await tickets.list_mentions(unit.tx, ticket_id)
    conversations = {post["conversation_id"] for post in own}
    steps = merging.unmerge(
        ticket,
        into,
        caller.actor,
        reason,
        unit.now,
        was=_just_before(ticket, history, _last_merge(history, "into", into_id)),
        joined=joined.event,
        since=[one.event for one in its_history if one.sequence > joined.sequence],
        own=[post["id"] for post in own],
        taken=[p["id"] for p in await tickets.list_mentions(unit.tx, into_id) if p["conversation_id"] in conversations],
    )
    return (await record(unit, steps))[ticket_id]


async def link(
    unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, other_id: UUID, kind: LinkKind
) -> Ticket:
    """Both tickets show each other; saying the same again changes nothing."""
    ticket, other = await _both(unit, ticket_id, other_id)
    await check_version(unit, ticket, expected)
    steps = merging.link(ticket, other, caller.actor, kind)
    if not await add_link(unit.tx, ticket_id, other_id, kind, caller.actor, unit.now):
        return ticket
    return (await record(unit, steps))[ticket_id]


async def unlink(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, other_id: UUID) -> Ticket:
    """Raises `TicketsNotLinked`."""
    ticket, other = await _both(unit, ticket_id, other_id)
    await check_version(unit, ticket, expected)
    await mark_unlinked(unit.tx, ticket_id, other_id)
    return (await record(unit, merging.unlink(ticket, other, caller.actor)))[ticket_id]


async def _both(unit: Unit, ticket_id: UUID, other_id: UUID) -> tuple[Ticket, Ticket]:
    found = await tickets.claim_tickets(unit.tx, [ticket_id, other_id])
    for asked in (ticket_id, other_id):
        if asked not in found:
            raise TicketNotFound(f"There is no ticket {asked} here.")
    return found[ticket_id], found[other_id]


def _last_merge(history: tuple[Numbered, ...], way: str, other_id: UUID) -> Numbered:
    merges = (one for one in reversed(history) if one.type == "ticket.merged" and one.data.get(way) == str(other_id))
    return next(merges)


def _just_before(ticket: Ticket, history: tuple[Numbered, ...], act: Numbered) -> Ticket:
    return replay(ticket, [one.changes for one in history if one.sequence < act.sequence and one.changes])
