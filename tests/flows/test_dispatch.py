"""From outbox to receiver: signed, recorded, repeated, told to whoever waits for it; also when the process dies."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
import respx
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook

from app.delivery import store
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, EndpointState, Payload
from app.delivery.envelope import Happening, Message, Publication, Saying, publication, webhook
from app.delivery.sender import Sender
from app.delivery.signing import secret_from
from app.delivery.store import DeliveryState
from app.flows.dispatch import dispatch
from app.kit.db import Database
from app.kit.ids import new_id
from app.kit.sealing import Sealer
from app.rulebook import Rulebook, load
from app.runtime import InForce, Runtime
from app.settings import Settings
from tests.support.outbox import AN_HOUR, carry, put, wait
from tests.support.patience import PATIENCE, PATIENT

SECRET, OLD, PUBLISH = (secret_from(bytes([n]) * 32) for n in (1, 2, 3))
SEALER = Sealer(KEY := Fernet.generate_key().decode())
HOOK, ADAPTER = "https://hooks.example/in", "https://adapter.example/publish"
Answering = Callable[[httpx.Request], Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(Settings().rules_dir)


@pytest.fixture
async def runtime(database: Database, rulebook: Rulebook) -> AsyncIterator[Runtime]:
    knobs = Settings(
        publish_url=ADAPTER,
        publish_secret=SecretStr(PUBLISH),
        webhook_schedule=(timedelta(0), timedelta(minutes=5)),
        webhook_deadline=PATIENT,
        webhook_lease=2 * PATIENT,
        poll_interval=timedelta(milliseconds=20),
    )
    sender = Sender(httpx.AsyncClient(timeout=PATIENCE), deadline=knobs.webhook_deadline)
    yield Runtime(database, InForce(rulebook), knobs, SEALER, sender, sender, sender)
    await sender.close()


async def listening(database: Database, url: str = HOOK, department: str = "billing", secret: str = SECRET) -> Endpoint:
    now = datetime.now(UTC)
    one = Endpoint(new_id(), department, url, None, Payload.THIN, SEALER.seal(secret), created_at=now, updated_at=now)
    await database.transact(lambda tx: endpoints.add_endpoint(tx, one))
    return one


def routed(*to: Endpoint) -> Message:
    happening = Happening("ticket.routed", datetime.now(UTC), frozenset({"billing"}), details={"note": "é"})
    return webhook(new_id(), happening, Payload.THIN, tuple(one.id for one in to))


async def states(database: Database) -> dict[UUID, DeliveryState]:
    async with database.reading() as tx:
        return {line.message_id: line.state for line in await store.list_deliveries(tx, departments=None)}


async def state_of(database: Database, one: Endpoint) -> EndpointState:
    async with database.reading() as tx:
        return (await endpoints.get_endpoint(tx, one.id)).state


@respx.mock
async def test_a_webhook_arrives_signed_and_its_attempt_is_kept(runtime: Runtime, database: Database) -> None:
    route = respx.post(HOOK).respond(202, text="thanks")
    message = routed(await listening(database))
    await put(database, message)
    assert await dispatch(runtime, 10) == 1
    request = route.calls.last.request
    assert request.content.decode() == message.body
    assert Webhook(SECRET).verify(request.content, dict(request.headers))["id"] == str(message.id)
    assert request.headers["webhook-id"] == str(message.id)
    async with database.reading() as tx:
        (line,) = await store.list_deliveries(tx, departments=None)
        (attempt,) = await store.list_attempts(tx, line.id)
    assert (line.state, attempt.number, attempt.status, attempt.answer) == (DeliveryState.DONE, 1, 202, "thanks")
    assert await dispatch(runtime, 10) == 0


@respx.mock
async def test_a_rotated_endpoint_gets_both_signatures(runtime: Runtime, database: Database) -> None:
    route = respx.post(HOOK).respond(200)
    one = await listening(database, secret=OLD)
    rotated = one.rotated(SEALER.seal(SECRET), datetime.now(UTC))
    await database.transact(lambda tx: endpoints.mark_changed(tx, rotated))
    await put(database, routed(one))
    await dispatch(runtime, 10)
    for secret in (SECRET, OLD):
        request = route.calls.last.request
        assert Webhook(secret).verify(request.content, dict(request.headers))


@respx.mock
async def test_a_failure_is_repeated_under_the_same_id_until_it_arrives(runtime: Runtime, database: Database) -> None:
    route = respx.post(HOOK).mock(side_effect=[httpx.Response(500), httpx.Response(200)])
    one = await listening(database)
    message = routed(one)
    await put(database, message)
    assert await dispatch(runtime, 10) == 1
    assert await states(database) == {message.id: DeliveryState.OPEN}
    await carry(runtime, AN_HOUR)
    assert await states(database) == {message.id: DeliveryState.DONE}
    assert await state_of(database, one) is EndpointState.OK
    assert [call.request.headers["webhook-id"] for call in route.calls] == [str(message.id)] * 2
    assert len({call.request.content for call in route.calls}) == 1


@respx.mock
async def test_when_the_schedule_is_used_up_the_delivery_is_dead(runtime: Runtime, database: Database) -> None:
    respx.post(HOOK).mock(side_effect=httpx.ReadError("broken"))
    message = routed(await listening(database))
    await put(database, message)
    for _ in runtime.knobs.webhook_schedule:
        await carry(runtime, AN_HOUR)
    assert await states(database) == {message.id: DeliveryState.DEAD}
    async with database.reading() as tx:
        (line,) = await store.list_deliveries(tx, departments=None)
    assert (line.attempts, line.last_error) == (2, "connection_broken")


@respx.mock
async def test_410_disables_an_endpoint_and_the_others_of_its_department_hear_of_it(
    runtime: Runtime, database: Database
) -> None:
    gone, other = await listening(database), await listening(database, "https://other.example/")
    await listening(database, "https://sales.example/", "sales")
    respx.post(HOOK).respond(410)
    heard = respx.post("https://other.example/").respond(200)
    message = routed(gone)
    await put(database, message)
    assert await carry(runtime) + await carry(runtime) == 2
    assert (await states(database))[message.id] is DeliveryState.DEAD
    assert await state_of(database, gone) is EndpointState.DISABLED
    assert await state_of(database, other) is EndpointState.OK
    told = json.loads(heard.calls.last.request.content)
    assert (told["type"], told["data"]["endpoint_id"]) == ("endpoint.disabled", str(gone.id))


@respx.mock
async def test_others_hear_once_that_an_endpoint_fails_and_once_that_it_recovered(
    runtime: Runtime, database: Database
) -> None:
    route = respx.post(HOOK).respond(500)
    heard = respx.post("https://other.example/").respond(200)
    failing, other = await listening(database), await listening(database, "https://other.example/")
    for _ in range(4):
        await put(database, routed(failing))
    await carry(runtime)
    await carry(runtime)
    assert (await state_of(database, failing), await state_of(database, other)) == ("failing", "ok")
    route.respond(204)
    await carry(runtime, AN_HOUR)
    await carry(runtime)
    assert await state_of(database, failing) is EndpointState.OK
    told = [json.loads(call.request.content) for call in heard.calls]
    assert [(one["type"], one["data"]["reason"]) for one in told] == [
        ("endpoint.failing", "answered 500"),
        ("endpoint.recovered", "answered 204"),
    ]
    assert {one["data"]["endpoint_id"] for one in told} == {str(failing.id)}
    assert {json.loads(call.request.content)["type"] for call in route.calls} == {"ticket.routed"}


@respx.mock
async def test_an_endpoint_that_is_too_busy_is_left_alone(runtime: Runtime, database: Database) -> None:
    route = respx.post(HOOK).respond(429, headers={"Retry-After": "60"})
    one = await listening(database)
    await put(database, routed(one))
    await dispatch(runtime, 10)
    await put(database, routed(one))
    assert await carry(runtime, AN_HOUR) == 0
    assert route.call_count == 1


@respx.mock
async def test_a_secret_that_cannot_be_opened_sends_nothing_and_says_so(runtime: Runtime, database: Database) -> None:
    route = respx.post(HOOK).respond(200)
    await put(database, routed(await listening(database)))
    await dispatch(replace(runtime, sealer=Sealer(Fernet.generate_key().decode())), 10)
    async with database.reading() as tx:
        (line,) = await store.list_deliveries(tx, departments=None)
    assert (line.state, line.last_error) == (DeliveryState.OPEN, "secret_unreadable")
    assert not route.called


@respx.mock
async def test_a_hanging_receiver_holds_up_nobody_and_no_transaction(runtime: Runtime, database: Database) -> None:
    release, arrived = asyncio.Event(), asyncio.Event()
    in_transaction = text(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'"
    )

    async def look() -> int:
        async with database.reading() as tx:  # one transaction sees the same activity however often it looks
            return int(await tx.scalar(in_transaction))

    async def hang(_: httpx.Request) -> httpx.Response:
        await release.wait()
        return httpx.Response(200)

    async def arrive(_: httpx.Request) -> httpx.Response:
        arrived.set()
        return httpx.Response(200)

    respx.post(HOOK).mock(side_effect=hang)
    respx.post("https://quick.example/").mock(side_effect=arrive)
    slow, quick = await listening(database), await listening(database, "https://quick.example/")
    await put(database, routed(slow))
    dispatching = asyncio.create_task(dispatch(runtime, 2))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(PATIENCE):
        while await look():  # a claim may be under way; one that is held open would stay
            await asyncio.sleep(0.02)
    await put(database, routed(quick))
    async with asyncio.timeout(PATIENCE):
        await arrived.wait()
        release.set()
        assert await dispatching == 2
    assert set((await states(database)).values()) == {DeliveryState.DONE}


@respx.mock
async def test_when_the_end_comes_what_is_under_way_is_finished_and_the_rest_left(
    runtime: Runtime, database: Database
) -> None:
    ending = asyncio.Event()

    async def end(_: httpx.Request) -> httpx.Response:
        ending.set()
        return httpx.Response(200)

    respx.post(HOOK).mock(side_effect=end)
    one = await listening(database)
    for _ in range(3):
        await put(database, routed(one))
    assert await dispatch(runtime, 1, ending) == 1
    assert sorted((await states(database)).values()) == [DeliveryState.DONE, DeliveryState.OPEN, DeliveryState.OPEN]


@respx.mock
async def test_an_outcome_that_comes_after_the_lease_was_taken_over_has_no_effect(
    runtime: Runtime, database: Database
) -> None:
    async def answer_too_late(_: httpx.Request) -> httpx.Response:
        await wait(database, AN_HOUR)
        lease = timedelta(minutes=1)
        assert await database.transact(
            lambda tx: store.claim_due(tx, limit=1, lease=lease, per_lane=1, publishing=False)
        )
        return httpx.Response(410)

    respx.post(HOOK).mock(side_effect=answer_too_late)
    one = await listening(database)
    message = routed(one)
    await put(database, message)
    await dispatch(runtime, 10)
    assert await states(database) == {message.id: DeliveryState.OPEN}
    assert await state_of(database, one) is EndpointState.OK


@respx.mock
async def test_what_cannot_be_recorded_harms_nothing_that_was_sent_beside_it(
    runtime: Runtime, database: Database
) -> None:
    respx.post(HOOK).respond(200)
    respx.post(ADAPTER).respond(200, json={"external_id": "1"})
    words = Publication(Saying.REPLY, new_id(), "x", None, None, "77", "public", "Of a ticket that is not there.")
    broken = publication(new_id(), words, sequence=1, subject_id=new_id())
    message = routed(await listening(database))
    await put(database, broken, message)
    await dispatch(runtime, 10)
    assert await states(database) == {broken.id: DeliveryState.OPEN, message.id: DeliveryState.DONE}


DISPATCH = """
import asyncio, sys
from app.flows.dispatch import dispatch
from app.runtime import build_runtime
from app.settings import Settings
async def main():
    async with build_runtime(Settings(), database_url=sys.argv[1]) as runtime:
        await dispatch(runtime, 4)
asyncio.run(main())
"""


async def test_a_process_killed_between_send_and_record_loses_nothing_and_repeats_the_id(
    runtime: Runtime, database: Database, database_url: str
) -> None:
    received: list[str] = []
    process: asyncio.subprocess.Process | None = None

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.lower().split("\r\n") if ": " in line)
        await reader.readexactly(int(headers["content-length"]))  # what is closed with something unread is reset
        received.append(headers["webhook-id"])
        if process is not None and len(received) == 6:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(receive, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        one = await listening(database, f"http://127.0.0.1:{port}/")
        messages = [routed(one) for _ in range(12)]
        await put(database, *messages)
        environment = {
            **os.environ,
            "WEBCARE_SECRET_KEY": KEY,
            "WEBCARE_WEBHOOK_ALLOW_CIDRS": "127.0.0.1/32",
            "WEBCARE_WEBHOOK_DEADLINE": str(PATIENCE),
            "WEBCARE_WEBHOOK_LEASE": str(2 * PATIENCE),
            "WEBCARE_LOG_LEVEL": "ERROR",
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", DISPATCH, database_url, env=environment)
        async with asyncio.timeout(PATIENCE):
            await process.wait()
        assert process.returncode == -signal.SIGKILL
        left = [state for state in (await states(database)).values() if state is DeliveryState.OPEN]
        assert left
        process = None
        await carry(runtime, AN_HOUR)  # the leases of the dead run out
    assert set((await states(database)).values()) == {DeliveryState.DONE}
    assert set(received) == {str(message.id) for message in messages}
    assert len(received) > len(messages)
