"""What is said, and taken back, in a conversation whose ticket goes on as a part of another."""

from typing import Any

import pytest
from sqlalchemy import select

from app.channels.platform import ReplyWindowClosed
from app.delivery.endpoints.endpoint import Endpoint, Payload
from app.delivery.endpoints.store import add_endpoint
from app.delivery.tables import message
from app.flows.answer import reply
from app.flows.receive import withdraw
from app.flows.say import Speech
from app.kit.ids import new_id
from app.mentions.mention import Visibility
from app.runtime import Runtime
from tests.flows.test_combine import ANNA, merge, opened, post, stands, unmerge
from tests.support.clock import Clock
from tests.support.mentions import LATE_PARCEL, mention
from tests.support.tickets import ticket_of


async def test_no_platform_takes_replies_longer_for_what_was_merged_in(runtime: Runtime, clock: Clock) -> None:
    """WhatsApp does for a day after a post there; Facebook does for a week, but knows of its own posts only."""
    privately: dict[str, Any] = {"visibility": Visibility.PRIVATE, "at": clock()}
    into = await opened(runtime, "b", channel="whatsapp", **privately)
    other = await opened(runtime, "a", channel="facebook", **privately)
    await merge(runtime, other, into, confirmed=True)
    clock.pass_(hours=25)
    await post(runtime, "a", channel="facebook", **{**privately, "at": clock()})

    with pytest.raises(ReplyWindowClosed):
        await runtime.run(reply, ANNA, into.id, None, Speech("Dag!"))

    assert (await stands(runtime, into)).reply_until == into.reply_until


@pytest.mark.parametrize("apart", [False, True], ids=["still merged", "taken apart"])
async def test_of_a_post_that_its_author_deletes_no_receiver_of_either_ticket_is_sent_a_word(
    runtime: Runtime, clock: Clock, *, apart: bool
) -> None:
    hook = Endpoint(
        new_id(), "supply_chain", "https://hook.test/", None, Payload.FULL, b"", created_at=clock(), updated_at=clock()
    )
    await runtime.database.transact(lambda tx: add_endpoint(tx, hook))
    into = await opened(runtime, "b", "Waar blijft mijn bestelling", channel="forum")
    said = mention(LATE_PARCEL, conversation_id="a", channel="forum", at=clock())
    first = await ticket_of(runtime, said)
    await merge(runtime, first, into)
    if apart:
        await unmerge(runtime, first)

    await runtime.run(withdraw, said.key)

    async with runtime.reading() as tx:
        sent = await tx.rows(select(message.c.ticket_id, message.c.body))
    assert {row.ticket_id for row in sent} == {first.id, into.id}
    assert not [row.body for row in sent if "pakketje" in row.body]
