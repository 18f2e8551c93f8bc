"""What is said to customers goes through the channel adapter, and whoever said it learns what became of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook

from app.access.role import Caller, Role
from app.answers.reply import Reply
from app.answers.store import add_replies, list_replies, mark_failed
from app.delivery import store
from app.delivery.envelope import Publication, Saying, publication
from app.delivery.store import DeliveryLine, DeliveryState
from app.feedback.invitation import State as InvitationState
from app.feedback.store import Invitation, add_invitations, find_feedback
from app.flows.dispatch import dispatch
from app.flows.subscribe import retry
from app.kit.db import Database
from app.kit.ids import new_id
from app.mentions.tables import mention_key
from app.runtime import Runtime
from tests.conftest import PUBLISH_SECRET, PUBLISH_URL
from tests.support.clock import Clock
from tests.support.outbox import AN_HOUR, carry, put
from tests.support.standing import add_ticket


async def lines(database: Database) -> tuple[DeliveryLine, ...]:
    async with database.reading() as tx:
        return await store.list_deliveries(tx, departments=None)


async def replying(database: Database) -> Reply:
    now = datetime.now(UTC)
    ticket = await database.transact(lambda tx: add_ticket(tx, now))
    said = Reply(new_id(), ticket.id, None, "agent:anna", None, "Hij komt morgen.", "public", queued_at=now)
    await database.transact(lambda tx: add_replies(tx, [said]))
    words = Publication(Saying.REPLY, ticket.id, "x", "@poldermobiel", None, "77", "public", said.text)
    await put(database, publication(new_id(), words, sequence=1, subject_id=said.id))
    return said


async def reply_now(database: Database, said: Reply) -> Reply:
    async with database.reading() as tx:
        (one,) = await list_replies(tx, said.ticket_id)
    return one


@respx.mock
async def test_a_reply_is_published_signed_and_its_echo_will_be_known(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    clock.at = datetime.now(UTC)  # the reference implementation reads the clock on the wall
    route = respx.post(PUBLISH_URL).respond(201, json={"external_id": "9001"})
    said = await replying(database)
    await dispatch(runtime, 10)
    request = route.calls.last.request
    assert Webhook(PUBLISH_SECRET).verify(request.content, dict(request.headers))["text"] == "Hij komt morgen."
    published = await reply_now(database, said)
    assert (published.state, published.external_id) == ("published", "9001")
    assert [line.state for line in await lines(database)] == [DeliveryState.DONE]
    async with database.reading() as tx:
        (own,) = await tx.rows(select(mention_key))
    assert (own.channel, own.external_id, own.mention_id) == ("x", "9001", None)


@respx.mock
async def test_a_reply_that_the_channel_does_not_take_says_why(runtime: Runtime, database: Database) -> None:
    respx.post(PUBLISH_URL).respond(422)
    schedule = {"webhook_schedule": (timedelta(0), timedelta(minutes=5))}
    twice = replace(runtime, knobs=runtime.knobs.model_copy(update=schedule))
    said = await replying(database)
    await dispatch(twice, 10)
    delayed = await reply_now(database, said)
    assert (delayed.state, delayed.reason) == ("queued", "answered 422")
    await carry(twice, AN_HOUR)
    assert (await reply_now(database, said)).state == "failed"


@respx.mock
async def test_a_reply_that_was_given_up_and_is_tried_again_by_hand_is_published(
    runtime: Runtime, database: Database
) -> None:
    respx.post(PUBLISH_URL).mock(side_effect=[httpx.Response(410), httpx.Response(200, json={"external_id": "9001"})])
    said = await replying(database)
    await dispatch(runtime, 10)
    failed = await reply_now(database, said)
    [line] = await lines(database)
    await runtime.run(retry, Caller(new_id(), "root", Role.ADMIN), line.id)
    again = await reply_now(database, said)
    await carry(runtime)
    published = await reply_now(database, said)
    assert [(one.state, one.reason) for one in (failed, again, published)] == [
        ("failed", "answered 410"),
        ("queued", "answered 410"),
        ("published", None),
    ]
    assert published.external_id == "9001"


@respx.mock
async def test_what_the_channel_has_is_published_whatever_was_thought_of_it(
    runtime: Runtime, database: Database
) -> None:
    respx.post(PUBLISH_URL).respond(200)
    said = await replying(database)
    await database.transact(lambda tx: mark_failed(tx, said.id, "timed_out"))
    await dispatch(runtime, 10)
    assert (await reply_now(database, said)).state == "published"


async def test_without_an_adapter_a_reply_stays_queued(runtime: Runtime, database: Database) -> None:
    said = await replying(database)
    knobs = runtime.knobs.model_copy(update={"publish_url": None})
    assert await dispatch(replace(runtime, knobs=knobs), 10) == 0
    assert (await reply_now(database, said)).state == "queued"


@respx.mock
@pytest.mark.parametrize(("status", "becomes"), [(200, InvitationState.SENT), (410, InvitationState.FAILED)])
async def test_a_survey_learns_whether_the_channel_took_it(
    runtime: Runtime, database: Database, status: int, becomes: InvitationState
) -> None:
    respx.post(PUBLISH_URL).respond(status)
    now = datetime.now(UTC)
    ticket = await database.transact(lambda tx: add_ticket(tx, now))
    same: dict[str, Any] = {
        name: getattr(ticket, name)
        for name in ("author_id", "channel", "account", "topic", "department", "stage", "arm", "priority")
    }
    asked = Invitation(
        id=new_id(),
        ticket_id=ticket.id,
        resolved_at=now,
        state=InvitationState.QUEUED,
        reason=None,
        language="nl",
        agent=None,
        due_at=now,
        **same,
    )
    await database.transact(lambda tx: add_invitations(tx, [asked]))
    words = Publication(Saying.SURVEY, ticket.id, "x", None, None, "77", "private", "Hoe ging het?", "https://w/s/1")
    await put(database, publication(new_id(), words, sequence=1, subject_id=asked.id))
    await dispatch(runtime, 10)
    async with database.reading() as tx:
        feedback = await find_feedback(tx, ticket.id)
    assert feedback is not None
    assert feedback.state is becomes
