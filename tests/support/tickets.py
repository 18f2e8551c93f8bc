"""Tickets as they come about: out of posts."""

from app.flows.receive import receive
from app.flows.settle import Received
from app.mentions.mention import Mention
from app.runtime import Runtime
from app.tickets.ticket import Ticket


async def ticket_of(runtime: Runtime, said: Mention) -> Ticket:
    """The ticket that a post opens or joins."""
    (received,) = await receive(runtime, [said])
    assert isinstance(received, Received)
    assert received.ticket is not None
    return received.ticket
