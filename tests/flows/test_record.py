"""Who hears of what a step recorded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.role import Caller, Role
from app.delivery.endpoints.endpoint import Endpoint, Payload
from app.delivery.endpoints.store import add_endpoint
from app.delivery.tables import delivery, message
from app.flows import answer, work
from app.kit.ids import new_id
from app.runtime import Runtime
from app.tickets.queue.wanted import Wanted
from app.tickets.store import list_events
from app.tickets.tagging import Tagging
from app.tickets.ticket import Ticket
from tests.support.mentions import mention
from tests.support.tickets import ticket_of

ANNA = Caller(new_id(), "anna", Role.AGENT)
ELS = Caller(new_id(), "els", Role.DEPARTMENT, "supply_chain")


async def listening(runtime: Runtime, department: str) -> UUID:
    now = runtime.now()
    hook = Endpoint(new_id(), department, "https://hook.test/", None, Payload.THIN, b"", created_at=now, updated_at=now)
    await runtime.database.transact(lambda tx: add_endpoint(tx, hook))
    return hook.id


async def heard(runtime: Runtime, endpoint_id: UUID) -> list[tuple[str, str]]:
    """(type, body) of what was written for an endpoint, in order."""
    found = select(message.c.type, message.c.body).join(delivery, delivery.c.message_id == message.c.id)
    async with runtime.reading() as tx:
        rows = await tx.rows(found.where(delivery.c.endpoint_id == endpoint_id).order_by(delivery.c.sequence))
    return [(row.type, row.body) for row in rows]


async def opened(runtime: Runtime) -> Ticket:
    return await ticket_of(runtime, mention(channel="forum", conversation_id="c-1"))


async def test_a_departments_own_clocks_are_told_to_it_alone(runtime: Runtime) -> None:
    first, second = await listening(runtime, "supply_chain"), await listening(runtime, "billing")
    ticket = await opened(runtime)
    await runtime.run(answer.accept, ELS, ticket.id, None)

    await runtime.run(
        work.reroute, ANNA, ticket.id, None, topic=None, department="billing", reason="it is about the invoice"
    )

    assert "sla.met" in [kind for kind, _ in await heard(runtime, first)]
    assert "sla.met" not in [kind for kind, _ in await heard(runtime, second)]
    assert "ticket.routed" in [kind for kind, _ in await heard(runtime, second)]


async def test_no_webhook_carries_what_colleagues_write_to_each_other(runtime: Runtime) -> None:
    hook = await listening(runtime, "supply_chain")
    ticket = await opened(runtime)

    await runtime.run(work.note, ANNA, ticket.id, None, "belde gisteren ook al")
    await runtime.run(work.resolve, ANNA, ticket.id, None, "solved", "klant was erg boos")

    told = str(await heard(runtime, hook))
    assert "ticket.resolved" in told
    assert "gisteren" not in told
    assert "boos" not in told


async def test_a_ticket_that_came_back_from_waiting_can_be_taken_by_anybody(runtime: Runtime) -> None:
    ticket = await opened(runtime)
    await runtime.run(work.claim, ANNA, ticket.id, None)
    await runtime.run(work.wait, ANNA, ticket.id, None, None)
    await opened(runtime)  # the customer posts again

    bram = Caller(new_id(), "bram", Role.AGENT)
    taken = await runtime.run(work.claim_next, bram, Wanted())

    assert taken is not None
    assert (taken.id, taken.assignee) == (ticket.id, "agent:bram")


async def test_what_a_department_accepted_is_nobodys_next_ticket(runtime: Runtime) -> None:
    ticket = await opened(runtime)
    await runtime.run(answer.accept, ELS, ticket.id, None)

    assert await runtime.run(work.claim_next, ANNA, Wanted()) is None


async def changes(runtime: Runtime, ticket: Ticket) -> list[Mapping[str, Any]]:
    async with runtime.reading() as tx:
        events = await list_events(tx, ticket.id)
    return [event.data for event in events if event.type == "sla.changed"]


async def test_another_owner_brings_another_promise_and_says_why(runtime: Runtime) -> None:
    """Orders are promised to be resolved within 28 hours, all else within 24: of webcare's time, since the post."""
    ticket = await opened(runtime)

    moved = await runtime.run(
        work.reroute, ANNA, ticket.id, None, topic=None, department="billing", reason="it is about the invoice"
    )

    [told] = await changes(runtime, ticket)
    assert (told["metric"], told["because"]["department"]) == (
        "resolution",
        {"from": "supply_chain", "to": "billing"},
    )
    assert (told["from"]["policy"], told["from"]["target_seconds"]) == ("resolution_of_orders", 28 * 3600)
    assert (told["to"]["policy"], told["to"]["target_seconds"]) == ("resolution", 24 * 3600)
    assert datetime.fromisoformat(told["to"]["due_at"]) == moved.due["resolution"] < ticket.due["resolution"]


async def test_another_priority_brings_other_promises_and_other_tags_none(runtime: Runtime) -> None:
    ticket = await opened(runtime)

    await runtime.run(work.update, ANNA, ticket.id, None, tags=Tagging(("vip",)))
    assert await changes(runtime, ticket) == []

    await runtime.run(work.update, ANNA, ticket.id, None, priority="urgent")
    assert {told["metric"]: told["because"] for told in await changes(runtime, ticket)} == {
        metric: {"priority": {"from": "normal", "to": "urgent"}}
        for metric in ("first_reply", "resolution", "acceptance", "ownership")
    }
