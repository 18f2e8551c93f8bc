"""Tickets that were resolved, and the questions about them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, update

from app.access.role import Caller, Role
from app.delivery.tables import message
from app.feedback import store
from app.feedback.invitation import State
from app.feedback.store import Feedback, Invitation, add_invitations, mark_queued
from app.feedback.tables import invitation
from app.flows import survey, work
from app.flows.record import record
from app.kit.db import Transaction
from app.kit.ids import digest, new_id
from app.runtime import Runtime, Unit
from app.tickets import lifecycle
from app.tickets.store import claim_tickets, list_events
from app.tickets.ticket import Ticket
from tests.support.clock import AN_HOUR_AGO
from tests.support.mentions import mention
from tests.support.standing import add_ticket
from tests.support.tickets import ticket_of

ANNA = Caller(new_id(), "anna", Role.AGENT)


async def opened(runtime: Runtime, by: str = "sanne", **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(by=by, **facts))


async def resolved(runtime: Runtime, by: str = "sanne", code: str = "solved", **facts: Any) -> Ticket:
    ticket = await opened(runtime, by, **facts)
    return await runtime.run(work.resolve, ANNA, ticket.id, None, code, None)


async def feedback_of(runtime: Runtime, ticket: Ticket) -> Feedback:
    async with runtime.reading() as tx:
        found = await store.find_feedback(tx, ticket.id)
    assert found is not None
    return found


async def events_of(runtime: Runtime, ticket: Ticket) -> dict[str, Mapping[str, Any]]:
    async with runtime.reading() as tx:
        return {event.type: event.data for event in await list_events(tx, ticket.id)}


async def close(unit: Unit, ticket_id: UUID) -> None:
    (ticket,) = (await claim_tickets(unit.tx, [ticket_id])).values()
    await record(unit, [lifecycle.close(ticket, unit.now)])


async def only_invitation(runtime: Runtime) -> UUID:
    async with runtime.reading() as tx:
        (row,) = await tx.rows(select(invitation.c.id))
    invitation_id: UUID = row.id
    return invitation_id


async def make_due(runtime: Runtime) -> None:
    """The sweep goes by the database's clock, which tests cannot set."""
    await runtime.database.transact(lambda tx: tx.execute(update(invitation).values(due_at=AN_HOUR_AGO)))


async def asked(runtime: Runtime) -> dict[str, Any]:
    """Send the one question that waits; what the channel is asked to say."""
    await make_due(runtime)
    assert await runtime.run(survey.send_due, 10) == 1
    async with runtime.reading() as tx:
        newest = select(message.c.body).where(message.c.type == "survey").order_by(message.c.id.desc())
        body: dict[str, Any] = orjson.loads(await tx.scalar(newest))
    return body


def token_of(body: dict[str, Any]) -> str:
    return str(body["link"]).rpartition("/s/")[2]


async def put_in_hand(tx: Transaction, token: str, now: datetime) -> Ticket:
    """A Dutch customer has the link with this token; it works for another day."""
    ticket = await add_ticket(tx, now)
    invitation = Invitation(
        id=new_id(),
        ticket_id=ticket.id,
        resolved_at=now,
        author_id=ticket.author_id,
        state=State.WAITING,
        reason=None,
        language="nl",
        channel="x",
        account=None,
        topic="delivery_delay",
        department="billing",
        stage="central",
        arm=None,
        priority="normal",
        agent=None,
        due_at=now,
    )
    await add_invitations(tx, [invitation])
    await mark_queued(tx, {invitation.id: digest(token)}, expires_at=now + timedelta(days=1))
    return ticket
