"""Time passes: promises come due, people are told, tickets wake and close.

Knows what is due to be looked at. Refuses to know what a breach means (record), what is done about it (climb) and when
to look (worker).
"""

from dataclasses import replace
from datetime import datetime

from app.flows.climb import climb, list_climbs, told
from app.flows.readable import record_readable
from app.runtime import Unit
from app.sla import store as sla
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.hand_over import FellBack, HandOver
from app.tickets.ticket import Step, Ticket


async def watch(unit: Unit, limit: int = 200) -> int:
    """Record the warnings and breaches that have come, each at its own moment; returns how many clocks were due.

    The database's clock says what is due, so this unit's clock may not be behind it.
    """
    due = await sla.claim_due(unit.tx, limit)
    if due is None:
        return 0
    at_least = replace(unit, now=max(unit.now, due.now))
    standing = await tickets.claim_tickets(unit.tx, due.ticket_ids)
    climbs = await list_climbs(at_least, due.ticket_ids)
    steps = [Step(ticket, ticket, ()) for ticket in standing.values()]
    recorded = await record_readable(at_least, steps, climbed={one.clock.id: one.level for one in climbs})
    await climb(at_least, recorded, climbs)
    await sla.mark_put_off(unit.tx, due)
    return len(due.clocks)


async def tell(unit: Unit, limit: int = 200) -> int:
    """Tell people of promises that are, or were, about to break, now that it is their time of day. How many."""
    untold = await sla.claim_untold(unit.tx, limit)
    standing = await tickets.claim_tickets(unit.tx, [one.ticket_id for one in untold])
    steps, outcomes = told(standing, untold)
    recorded = await record_readable(unit, steps)
    unread = {step.ticket.id for step in steps} - recorded.keys()
    done = {one.id: outcomes[one.id] for one in untold if one.ticket_id not in unread}
    await sla.mark_told(unit.tx, done, unit.now)
    return len(untold)


async def pass_time(unit: Unit, limit: int = 200) -> int:
    """Close what was not reopened in time, wake what snoozed or waited long enough, put back what lies, take back what
    a department did not get or not accept. How many.
    """
    over = await tickets.claim_timed(unit.tx, limit)
    return len(await record_readable(unit, [_passed(ticket, unit.now) for ticket in over]))


def _passed(ticket: Ticket, now: datetime) -> Step:
    """What the first of the ticket's moments has to say; the database's clock said that one is over."""
    if ticket.resolved_at is not None:
        return lifecycle.close(ticket, now)
    if ticket.lease_until is not None:
        return lifecycle.expire(ticket)
    waits = (moment for moment in (ticket.snoozed_until, ticket.wait_until) if moment is not None)
    if ticket.fall_back_at is None or ticket.fall_back_at > min(waits, default=ticket.fall_back_at):
        return lifecycle.wake(ticket, now)
    sent = ticket.hand_over == HandOver.SENT
    return lifecycle.fall_back(ticket, FellBack.NOT_DELIVERED if sent else FellBack.NOT_ACCEPTED, now)
