"""What is our own fault ends as well: a delivery that cannot be sent, or whose outcome cannot be recorded."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx

from app.access.role import Caller, Role
from app.answers.reply import Reply, ReplyState
from app.answers.store import add_replies, get_reply
from app.delivery import store
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, EndpointState, Payload
from app.delivery.envelope import Kind, Message, Publication, Saying, publication
from app.delivery.signing import secret_from
from app.delivery.store import DeliveryLine, DeliveryState
from app.flows.dispatch import dispatch
from app.flows.subscribe import retry
from app.kit.db import Database, Transaction
from app.kit.ids import new_id
from app.runtime import InForce, Runtime
from app.tickets.custody import Custody, Holder
from app.tickets.hand_over import HandOver
from app.tickets.store import get_ticket
from app.tickets.ticket import Ticket
from tests.conftest import PUBLISH_URL
from tests.support.outbox import AN_HOUR, carry, put
from tests.support.standing import add_ticket

HOOK, OTHER = "https://hooks.example/in", "https://other.example/in"
ROOT = Caller(new_id(), "root", Role.ADMIN)


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    """Two attempts, five minutes apart."""
    schedule = (timedelta(0), timedelta(minutes=5))
    return replace(runtime, knobs=runtime.knobs.model_copy(update={"webhook_schedule": schedule}))


async def listening(runtime: Runtime, url: str = HOOK, department: str = "billing", **facts: Any) -> Endpoint:
    now, secret = datetime.now(UTC), runtime.sealer.seal(secret_from(bytes(32)))
    one = Endpoint(new_id(), department, url, None, Payload.THIN, secret, created_at=now, updated_at=now, **facts)
    await runtime.database.transact(lambda tx: endpoints.add_endpoint(tx, one))
    return one


async def with_unknown_department(database: Database) -> Ticket:
    """It was handed over to a department that the rules know no more: what its arrival means cannot be said."""
    now = datetime.now(UTC)
    custody = (Custody(Holder.DEPARTMENT, "gone", now),)
    return await database.transact(
        lambda tx: add_ticket(tx, now, department="gone", stage="live", custody=custody, hand_over=HandOver.SENT)
    )


def about(ticket: Ticket, event_type: str, sequence: int, to: Endpoint) -> Message:
    return Message(new_id(), Kind.WEBHOOK, event_type, ticket.id, sequence, "{}", endpoint_ids=(to.id,))


async def lines(database: Database) -> dict[UUID, DeliveryLine]:
    async with database.reading() as tx:
        return {line.message_id: line for line in await store.list_deliveries(tx, departments=None)}


@respx.mock
async def test_what_can_never_be_recorded_ends_with_its_schedule_and_lets_by_what_waits_behind_it(
    runtime: Runtime, database: Database
) -> None:
    route = respx.post(HOOK).respond(200)
    one, ticket = await listening(runtime, department="gone"), await with_unknown_department(database)
    first, behind = about(ticket, "ticket.routed", 1, one), about(ticket, "ticket.resolved", 2, one)
    await put(database, first, behind)

    assert await carry(runtime) == 1
    assert await carry(runtime, runtime.knobs.webhook_lease) == 0  # not with every lease, but as scheduled
    assert await carry(runtime, AN_HOUR) == 2  # the last attempt, and what waited for it

    lost, passed = (await lines(database))[first.id], (await lines(database))[behind.id]
    assert (lost.state, lost.attempts, lost.last_status, lost.last_error) == ("dead", 2, None, "fault_of_ours")
    assert (passed.state, passed.attempts) == ("done", 1)
    assert route.call_count == 3
    async with database.reading() as tx:
        assert (await endpoints.get_endpoint(tx, one.id)).state is EndpointState.OK  # it took everything


@respx.mock
async def test_what_was_lost_is_sent_again_by_hand_and_recorded_when_the_fault_was_mended(
    runtime: Runtime, database: Database
) -> None:
    respx.post(HOOK).respond(200)
    one, ticket = await listening(runtime, department="gone"), await with_unknown_department(database)
    await put(database, about(ticket, "ticket.routed", 1, one))
    await carry(runtime)
    await carry(runtime, AN_HOUR)
    [lost] = (await lines(database)).values()

    known = {**runtime.rulebook.departments, "gone": runtime.rulebook.departments["billing"]}
    mended = replace(runtime, rules=InForce(replace(runtime.rulebook, departments=known)))
    await mended.run(retry, ROOT, lost.id)
    await carry(mended)

    assert [(line.state, line.last_status) for line in (await lines(database)).values()] == [("done", 200)]
    async with database.reading() as tx:
        assert (await get_ticket(tx, ticket.id)).hand_over == "arrived"


@respx.mock
async def test_a_reply_of_which_nothing_could_be_recorded_is_looked_up_and_never_said_twice(
    runtime: Runtime, database: Database
) -> None:
    said = respx.post(PUBLISH_URL).respond(200, json={"external_id": "9001"})
    asked = respx.get(PUBLISH_URL).respond(200, json={"published": True, "external_id": "9001"})
    now, missing = datetime.now(UTC), new_id()
    ticket = await database.transact(lambda tx: add_ticket(tx, now))
    reply = Reply(new_id(), ticket.id, None, "agent:anna", None, "Hij komt morgen.", "public", queued_at=now)
    await database.transact(lambda tx: add_replies(tx, [reply]))
    words = Publication(Saying.REPLY, missing, "x", None, None, "77", "public", reply.text)
    message = publication(new_id(), words, sequence=1, subject_id=reply.id)
    await put(database, message)

    async def standing() -> tuple[str, str | None]:
        async with database.reading() as tx:
            found = await get_reply(tx, reply.id)
        return found.state, found.reason

    await carry(runtime)
    assert await standing() == (ReplyState.UNKNOWN, "fault of ours")
    await carry(runtime, AN_HOUR)
    lost = (await lines(database))[message.id]
    assert (lost.state, lost.attempts, lost.last_error) == (DeliveryState.DEAD, 2, "fault_of_ours")

    await database.transact(lambda tx: add_ticket(tx, now, ticket_id=missing))  # what was missing is there after all
    await runtime.run(retry, ROOT, lost.id)
    await carry(runtime)
    assert await standing() == (ReplyState.PUBLISHED, None)
    assert (said.call_count, asked.call_count) == (1, 2)


@respx.mock
async def test_what_we_cannot_send_is_an_attempt_like_any_other(runtime: Runtime, database: Database) -> None:
    never = respx.post(HOOK).respond(200)
    respx.post(OTHER).respond(200)
    one, other = await listening(runtime, headers_sealed={"X-Api-Key": 5}), await listening(runtime, OTHER)
    ticket = await database.transact(lambda tx: add_ticket(tx, datetime.now(UTC)))
    broken, whole = about(ticket, "ticket.routed", 1, one), about(ticket, "ticket.routed", 1, other)
    await put(database, broken, whole)
    await carry(runtime)
    first = (await lines(database))[broken.id]
    await carry(runtime, AN_HOUR)

    left = await lines(database)
    assert (first.state, first.attempts, first.last_error) == (DeliveryState.OPEN, 1, "fault_of_ours")
    assert (left[broken.id].state, left[broken.id].attempts) == (DeliveryState.DEAD, 2)
    assert left[whole.id].state is DeliveryState.DONE
    assert not never.called


@respx.mock
async def test_what_the_database_is_too_busy_for_waits_for_its_lease_and_is_no_fault(
    runtime: Runtime, database: Database, database_url: str
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def be_busy(tx: Transaction) -> None:
        await endpoints.claim_endpoint(tx, one.id)
        begun.set()
        await ended.wait()

    async def answer(_: httpx.Request) -> httpx.Response:
        busy.append(asyncio.create_task(database.transact(be_busy)))
        await begun.wait()
        return httpx.Response(200)

    busy: list[asyncio.Task[None]] = []
    route = respx.post(HOOK).mock(side_effect=answer)
    one = await listening(runtime, failures=1)  # who takes it is to stand with none again
    ticket = await database.transact(lambda tx: add_ticket(tx, datetime.now(UTC)))
    await put(database, about(ticket, "ticket.resolved", 1, one))
    impatient = Database(database_url, lock_timeout=0.05)
    await dispatch(replace(runtime, database=impatient), 10)
    await impatient.close()
    [left] = (await lines(database)).values()
    ended.set()
    await asyncio.gather(*busy)
    async with database.reading() as tx:
        assert await store.list_attempts(tx, left.id) == ()
    assert (left.state, left.attempts) == (DeliveryState.OPEN, 1)

    route.respond(200)
    await carry(runtime, runtime.knobs.webhook_lease)
    assert [(line.state, line.attempts) for line in (await lines(database)).values()] == [("done", 2)]
