"""What is said, and taken back, in a conversation whose ticket goes on as a part of another."""

from typing import Any

import pytest

from app.channels.platform import ReplyWindowClosed
from app.flows.answer import reply
from app.flows.say import Speech
from app.mentions.mention import Visibility
from app.runtime import Runtime
from tests.flows.test_combine import ANNA, merge, opened, post, stands
from tests.support.clock import Clock


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
