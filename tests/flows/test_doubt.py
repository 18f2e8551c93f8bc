"""Where nobody saw the answer it is asked for, so that what was said once never stands there twice."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
import respx
from standardwebhooks.webhooks import Webhook

from app.access.role import Caller, Role
from app.answers.reply import Reply, ReplyInOtherState, ReplyState
from app.answers.store import add_replies, get_reply
from app.delivery import store as outbox
from app.delivery.envelope import Publication, Saying, publication
from app.delivery.repeating.store import DeliveryUnderWay
from app.delivery.store import DeliveryState
from app.flows.dispatch import dispatch
from app.flows.mend import Seen, retry, settle
from app.kit.db import Database
from app.kit.ids import new_id
from app.runtime import Runtime
from tests.conftest import PUBLISH_SECRET, PUBLISH_URL
from tests.support.clock import Clock
from tests.support.outbox import AN_HOUR, carry, put, wait
from tests.support.standing import add_ticket

ANNA = Caller(new_id(), "anna", Role.AGENT)
HERE = {"published": True, "external_id": "9001"}
NOT_HERE = httpx.Response(404, json={"published": False})


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    """Three attempts, five minutes apart."""
    schedule = (timedelta(0), timedelta(minutes=5), timedelta(minutes=5))
    return replace(runtime, knobs=runtime.knobs.model_copy(update={"webhook_schedule": schedule}))


async def replying(database: Database, text: str = "Hij komt morgen.", ticket_id: UUID | None = None) -> Reply:
    now = datetime.now(UTC)
    if ticket_id is None:
        ticket_id = (await database.transact(lambda tx: add_ticket(tx, now))).id
    said = Reply(new_id(), ticket_id, None, "agent:bram", None, text, "public", queued_at=now)
    await database.transact(lambda tx: add_replies(tx, [said]))
    words = Publication(Saying.REPLY, said.ticket_id, "x", "@poldermobiel", None, "77", "public", said.text)
    message = publication(new_id(), words, sequence=1, subject_id=said.id)
    await put(database, message)
    return said


async def standing(database: Database, said: Reply) -> Reply:
    async with database.reading() as tx:
        return await get_reply(tx, said.id)


async def carried(database: Database) -> list[DeliveryState]:
    async with database.reading() as tx:
        return [line.state for line in await outbox.list_deliveries(tx, departments=None)]


async def claimed(database: Database) -> None:
    lease = timedelta(seconds=30)
    await wait(database)
    await database.transact(lambda tx: outbox.claim_due(tx, limit=1, lease=lease, per_lane=1, publishing=True))


@dataclass
class Channel:
    """An adapter on a real socket that says it on the channel, and dies before it tells us so.

    `posts` is what customers read: one line for each time that it was said.
    """

    posts: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    deaths: int = 1

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/publish"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        assert is_signed(headers, body)
        method, key = request.split()[0], headers["webhook-id"]
        self.asked.append(method)
        if method == "POST":
            self.posts.append((key, json.loads(body)["text"]))
            if self.deaths:
                self.deaths -= 1
                writer.transport.abort()
                return
            answer: dict[str, object] = {"external_id": key}
        else:
            answer = {"published": True, "external_id": key} if key in dict(self.posts) else {"published": False}
        told = json.dumps(answer).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(told), told))
        await writer.drain()
        writer.close()


def is_signed(headers: Mapping[str, str], body: str) -> bool:
    """By the reference implementation, whatever time it is; a look-up signs an empty body."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    return Webhook(PUBLISH_SECRET).sign(headers["webhook-id"], at, body) == headers["webhook-signature"]


async def test_an_adapter_that_dies_after_it_said_it_is_asked_and_says_it_once(
    runtime: Runtime, database: Database
) -> None:
    channel = Channel()
    said = await replying(database)
    behind = await replying(database, "En anders bellen we je.", said.ticket_id)
    async with channel.serving() as url:
        runtime = replace(runtime, knobs=runtime.knobs.model_copy(update={"publish_url": url}))
        await dispatch(runtime, 10)
        unknown = await standing(database, said)
        await carry(runtime, AN_HOUR)

    published = await standing(database, said)
    assert (unknown.state, unknown.reason) == (ReplyState.UNKNOWN, "connection broken")
    assert (published.state, published.reason) == (ReplyState.PUBLISHED, None)
    assert published.external_id == channel.posts[0][0]
    assert [text for _, text in channel.posts] == [said.text, behind.text]
    assert channel.asked == ["POST", "GET", "POST"]


@respx.mock
async def test_what_did_not_arrive_is_sent_again_under_its_id_without_using_up_the_schedule(
    runtime: Runtime, database: Database
) -> None:
    post = respx.post(PUBLISH_URL).mock(side_effect=[httpx.Response(502), httpx.Response(504), httpx.Response(200)])
    get = respx.get(PUBLISH_URL).mock(return_value=NOT_HERE)
    said = await replying(database)
    await dispatch(runtime, 10)
    await carry(runtime, AN_HOUR)  # it is not there
    await carry(runtime)  # sent again at once
    unknown = await standing(database, said)
    await carry(runtime, AN_HOUR)

    assert (unknown.state, unknown.reason) == ("unknown", "answered 504")
    assert (await standing(database, said)).state is ReplyState.PUBLISHED
    assert (post.call_count, get.call_count) == (3, 2)
    assert len({call.request.headers["webhook-id"] for call in respx.calls}) == 1


@respx.mock
async def test_a_process_that_dies_between_send_and_record_asks_before_it_sends_again(
    runtime: Runtime, database: Database
) -> None:
    post = respx.post(PUBLISH_URL).respond(200)
    respx.get(PUBLISH_URL).respond(200, json=HERE)
    said = await replying(database)
    await claimed(database)  # and then there was silence

    await carry(runtime, AN_HOUR)

    published = await standing(database, said)
    assert (published.state, published.external_id) == (ReplyState.PUBLISHED, "9001")
    assert not post.called


@respx.mock
async def test_while_nobody_tells_it_is_asked_again_on_the_schedule_and_never_sent(
    runtime: Runtime, database: Database
) -> None:
    post = respx.post(PUBLISH_URL).respond(500)
    get = respx.get(PUBLISH_URL).respond(404, text="Cannot GET /publish")
    said = await replying(database)
    await dispatch(runtime, 10)
    for _ in range(3):
        await carry(runtime, AN_HOUR)

    left = await standing(database, said)
    assert (left.state, left.reason) == (ReplyState.UNKNOWN, "answered 404")
    assert (post.call_count, get.call_count) == (1, 2)
    assert await carried(database) == [DeliveryState.DEAD]


@respx.mock
@pytest.mark.parametrize("status", [405, 501])
async def test_an_adapter_that_cannot_look_up_leaves_it_to_a_person(
    runtime: Runtime, database: Database, status: int
) -> None:
    post = respx.post(PUBLISH_URL).mock(side_effect=httpx.ReadTimeout("no answer"))
    respx.get(PUBLISH_URL).respond(status)
    said = await replying(database)
    await dispatch(runtime, 10)
    await carry(runtime, AN_HOUR)
    await runtime.run(retry, ANNA, said.id)  # it asks once more, and still does not send
    await carry(runtime)

    left = await standing(database, said)
    assert (left.state, post.call_count) == (ReplyState.UNKNOWN, 1)
    assert left.reason == "the channel adapter cannot look it up: look on the channel, and settle it"


async def unknown(runtime: Runtime, ticket_id: UUID | None = None) -> Reply:
    respx.post(PUBLISH_URL).mock(side_effect=[httpx.Response(500), httpx.Response(200, json={"external_id": "9002"})])
    respx.get(PUBLISH_URL).respond(405)
    said = await replying(runtime.database, ticket_id=ticket_id)
    await dispatch(runtime, 10)
    await carry(runtime, AN_HOUR)
    return said


@respx.mock
async def test_what_a_person_saw_on_the_channel_is_published_and_what_waited_behind_it_goes(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    said = await unknown(runtime)
    behind = await replying(database, "En nog iets.", said.ticket_id)

    _, seen = await runtime.run(settle, ANNA, said.id, Seen.PUBLISHED, "9001")
    await carry(runtime)

    assert (seen.state, seen.external_id, seen.published_at) == (ReplyState.PUBLISHED, "9001", clock())
    assert (await standing(database, behind)).external_id == "9002"
    with pytest.raises(ReplyInOtherState):
        await runtime.run(settle, ANNA, said.id, Seen.FAILED, None)


@respx.mock
async def test_what_a_person_did_not_see_has_failed_and_may_be_sent_again(runtime: Runtime, database: Database) -> None:
    said = await unknown(runtime)

    _, failed = await runtime.run(settle, ANNA, said.id, Seen.FAILED, None)
    await carry(runtime, AN_HOUR)  # nothing is sent by itself
    quiet = await standing(database, said)
    _, queued = await runtime.run(retry, ANNA, said.id)
    await carry(runtime)

    assert (failed.state, failed.reason) == ("failed", "agent:anna looked, and it is not on the channel")
    assert (quiet.state, queued.state) == (ReplyState.FAILED, ReplyState.QUEUED)
    assert (await standing(database, said)).external_id == "9002"


@respx.mock
async def test_what_is_being_looked_up_now_is_not_settled_beside_it(runtime: Runtime, database: Database) -> None:
    said = await unknown(runtime)
    await runtime.run(retry, ANNA, said.id)
    await claimed(database)

    with pytest.raises(DeliveryUnderWay):
        await runtime.run(settle, ANNA, said.id, Seen.FAILED, None)
