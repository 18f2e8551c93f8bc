"""An embargo reaches its tickets and lets them go: marks, custody and held replies follow what is in force.

Knows that the embargo itself is what holds a reply, from the moment at which it is set; the marks on its tickets
follow, many at a time. Refuses to know why PR wants one (press) and what is said under it (say).
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.answers import store as answers
from app.escalation import store as escalations
from app.escalation.embargoes import store as embargoes
from app.escalation.embargoes.embargo import Embargo
from app.flows import review
from app.flows.readable import record_readable
from app.runtime import Unit
from app.tickets import press
from app.tickets import store as tickets
from app.tickets.ticket import Event, Step, Ticket


async def follow_embargoes(unit: Unit, limit: int) -> int:
    """Note what lapsed, and mark and free tickets by what is in force now; returns how many changed."""
    lapsed = await embargoes.mark_lapsed(unit.tx)
    await _tell_lapsed(unit, lapsed)
    return await mark_reached(unit, limit) + await free(unit, limit)


async def mark_reached(unit: Unit, limit: int) -> int:
    """Also tickets that are settled, where something that was said in public on them did not leave yet."""
    in_force = await embargoes.list_in_force(unit.tx)
    settled = await answers.list_queued_unmarked(unit.tx, in_force, limit)
    reached = await embargoes.list_unmarked(unit.tx, in_force, limit, settled)
    standing = await tickets.claim_tickets(unit.tx, list(reached))
    steps = [
        press.embargo(ticket, reached[ticket.id].actor, reached[ticket.id].facts, unit.now)
        for ticket in standing.values()
        if not ticket.embargoed
    ]
    after = await record_readable(unit, steps)
    await review.hold_queued(unit, list(after.values()))
    return len(after)


async def free(unit: Unit, limit: int) -> int:
    """Replies that waited for PR alone are on their way with it, or rejected where PR said so.

    One may wait for an embargo that was over before it marked the ticket.
    """
    freed = await embargoes.list_freed(unit.tx, limit, await answers.list_held_unmarked(unit.tx, limit))
    standing = await tickets.claim_tickets(unit.tx, list(freed))
    after = await record_readable(unit, [_released(one, freed[one.id], unit) for one in standing.values()])
    for (actor, rejection), together in _alike(after, freed).items():
        if rejection is None:
            await review.release_held(unit, actor, together)
        else:
            await review.reject_held(unit, actor, together, rejection)
    return len(after)


async def _tell_lapsed(unit: Unit, lapsed: Sequence[Embargo]) -> None:
    """The ticket that PR was asked to look at tells whose time ran out; what ended with it is told as a release."""
    of_escalation = {one.escalation_id: one for one in lapsed if one.fallback_text is not None}
    escalated = await escalations.list_tickets(unit.tx, list(of_escalation))
    standing = await tickets.claim_tickets(unit.tx, list(escalated.values()))
    by_ticket = {ticket_id: of_escalation[escalation_id] for escalation_id, ticket_id in escalated.items()}
    told = [(ticket, by_ticket[ticket.id].facts) for ticket in standing.values()]
    await record_readable(unit, [Step(one, one, (Event("escalation.lapsed", "system", facts),)) for one, facts in told])


def _released(ticket: Ticket, ended: Embargo | None, unit: Unit) -> Step:
    if not ticket.embargoed:
        return Step(ticket, ticket, ())
    facts = {} if ended is None else {**ended.facts, "lapsed": ended.lapsed_at is not None}
    return press.release(ticket, _actor(ended), facts, unit.now)


def _actor(ended: Embargo | None) -> str:
    return "system" if ended is None or ended.released_by is None else ended.released_by


def _alike(
    after: Mapping[UUID, Ticket], freed: Mapping[UUID, Embargo | None]
) -> dict[tuple[str, str | None], list[Ticket]]:
    """Tickets by who freed them, and why what waited on them is rejected, if it is."""
    alike: dict[tuple[str, str | None], list[Ticket]] = {}
    for ticket_id, ticket in after.items():
        ended = freed[ticket_id]
        rejection = ended.rejection if ended else None
        alike.setdefault((_actor(ended), rejection), []).append(ticket)
    return alike
