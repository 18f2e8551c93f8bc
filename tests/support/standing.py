"""Rows that other rows stand on: an author, a conversation and a ticket in it."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kit.db import Transaction
from app.kit.ids import new_id
from app.mentions.tables import author, conversation
from app.tickets.custody import Custody, Holder
from app.tickets.store import record_steps, take_numbers
from app.tickets.ticket import Event, State, Step, Ticket


async def add_ticket(
    tx: Transaction, opened_at: datetime, ticket_id: UUID | None = None, author_id: UUID | None = None, **facts: Any
) -> Ticket:
    """A ticket about an invoice, which webcare has since it was opened, but for `facts`; without clocks and mentions.

    An `author_id` is that of somebody who has a ticket already.
    """
    conversation_id = new_id()
    if author_id is None:
        author_id = new_id()
        profile = {"id": author_id, "channel": "x", "key": f"id:{author_id}", "handle": "jan", "verified": False}
        await tx.insert(author, [profile | {"first_seen_at": opened_at}])
    thread = {"id": conversation_id, "channel": "x", "thread": str(conversation_id), "author_id": author_id}
    await tx.insert(conversation, [thread])
    [number] = await take_numbers(tx, 1)
    ticket = Ticket(
        id=ticket_id or new_id(),
        number=number,
        conversation_id=conversation_id,
        author_id=author_id,
        channel="x",
        account="@poldermobiel",
        language="nl",
        visibility="public",
        state=State.ROUTED,
        topic="invoice_question",
        confidence=0.9,
        department="billing",
        stage="central",
        arm=None,
        priority="normal",
        tags=(),
        opened_at=opened_at,
        custody=(Custody(Holder.WEBCARE, None, opened_at),),
    )
    opened = replace(ticket, version=1, sequence=1, **facts)
    await record_steps(tx, [Step(None, opened, (Event("ticket.opened", "system"),))], opened_at)
    return opened
