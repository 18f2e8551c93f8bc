"""A channel goes down and comes back, and the ball of its tickets goes to the outage and back.

Knows that the state of a channel is one row, and that tickets follow in batches, each at the moment at which it is
done: what was recorded before stays true. Refuses to know how an adapter notices.
"""

from datetime import datetime

from app.access.role import Caller
from app.channels import store as channels
from app.channels.store import Outage
from app.flows.readable import record_readable
from app.kit.errors import NotFound
from app.kit.ids import new_id
from app.runtime import Unit
from app.tickets import store as tickets
from app.tickets.custody import Holder
from app.tickets.outage import cut_off, reconnect
from app.tickets.ticket import Step, Ticket


class ChannelNotFound(NotFound):
    pass


async def go_down(unit: Unit, caller: Caller, channel: str, reason: str | None) -> Outage:
    """The outage that lasts now; one that was told before goes on. Raises `ChannelNotFound`."""
    _check(unit, channel)
    begun = Outage(new_id(), channel, unit.now, None, caller.actor, reason)
    if await channels.add_outage(unit.tx, begun):
        return begun
    return await channels.find_lasting(unit.tx, channel) or begun


async def come_back(unit: Unit, channel: str) -> None:
    """A channel that is up stays so. Raises `ChannelNotFound`."""
    _check(unit, channel)
    await channels.mark_over(unit.tx, channel, unit.now)


async def follow_channels(unit: Unit, limit: int = 200) -> int:
    """Pass on the ball of tickets whose channel is down, or up again; returns how many."""
    down = await channels.list_down(unit.tx)
    moving = await tickets.claim_disconnected(unit.tx, down, limit)
    return len(await record_readable(unit, [_passed(ticket, unit.now) for ticket in moving]))


def _passed(ticket: Ticket, now: datetime) -> Step:
    return reconnect(ticket, now) if ticket.holder is Holder.OUTAGE else cut_off(ticket, now)


def _check(unit: Unit, channel: str) -> None:
    known = unit.rulebook.accounts
    if channel not in known:
        raise ChannelNotFound(f"There is no channel {channel!r} here; there are: {', '.join(known)}.")
