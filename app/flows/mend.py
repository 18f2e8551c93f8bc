"""A person decides about a reply that did not reach its channel, or of which nobody knows whether it did.

Knows that trying again never posts twice, and that what a person saw on the channel beats what is thought here. Refuses
to know how anything is looked up (dispatch).
"""

from enum import StrEnum
from uuid import UUID

from app.access.role import Caller, role_of
from app.answers import store as answers
from app.answers.reply import Reply, ReplyState, check_state
from app.delivery.repeating.store import mark_retried, mark_settled
from app.delivery.store import get_publication
from app.flows.record import record_one
from app.flows.review import check_lifts, take_reply
from app.flows.say import barred, open_window
from app.mentions.mention import Visibility
from app.mentions.store import get_thread, record_own_post
from app.runtime import Unit
from app.tickets import lifecycle
from app.tickets.ticket import Ticket

BY_EYE = "{actor} looked, and it is not on the channel"


class Seen(StrEnum):
    """What somebody saw on the channel: the reply, or that it is not there."""

    PUBLISHED = "published"
    FAILED = "failed"


async def retry(unit: Unit, caller: Caller, reply_id: UUID) -> tuple[Ticket, Reply]:
    """Try again now: a failed one is sent, an unknown one is looked up first and sent when it is not there.

    Raises `ReplyInOtherState`, `DeliveryUnderWay`, `DeliveryFinished`, `Forbidden` when it would be held now, and
    `ReplyWindowClosed` for a failed one.
    """
    ticket, reply = await take_reply(unit, caller, reply_id)
    check_state(reply, "retry", ReplyState.FAILED, ReplyState.UNKNOWN)
    barring = await barred(unit, ticket, Visibility(reply.visibility), reply.text, role_of(reply.actor))
    check_lifts(caller, barring.holds)
    if reply.state is ReplyState.FAILED:
        await open_window(unit, ticket, reply.visibility)
    carried = await get_publication(unit.tx, ticket.id, reply.id)
    await mark_retried(unit.tx, carried.id)
    await answers.mark_requeued(unit.tx, reply.id)
    facts = {"reply_id": str(reply.id), "was": str(reply.state)}
    after = await record_one(unit, lifecycle.decide_reply(ticket, caller.actor, "retried", facts))
    return after, await answers.get_reply(unit.tx, reply.id)


async def settle(
    unit: Unit, caller: Caller, reply_id: UUID, seen: Seen, external_id: str | None
) -> tuple[Ticket, Reply]:
    """Say what is so: the reply stands on the channel, as `external_id` where that is known, or it does not.

    Nothing is sent or looked up after that, unless somebody tries a failed one again. Raises as `retry`.
    """
    ticket, reply = await take_reply(unit, caller, reply_id)
    check_state(reply, "settle", ReplyState.UNKNOWN, ReplyState.FAILED)
    carried = await get_publication(unit.tx, ticket.id, reply.id)
    await mark_settled(unit.tx, carried.id, arrived=seen is Seen.PUBLISHED)
    if seen is Seen.PUBLISHED:
        await answers.mark_published(unit.tx, reply.id, external_id, unit.now)
        if external_id is not None:
            thread = await get_thread(unit.tx, ticket.conversation_id)
            await record_own_post(unit.tx, ticket.channel, external_id, thread)
    else:
        await answers.mark_failed(unit.tx, reply.id, BY_EYE.format(actor=caller.actor))
    facts = {"reply_id": str(reply.id), "was": str(reply.state), "seen": str(seen), "external_id": external_id}
    after = await record_one(unit, lifecycle.decide_reply(ticket, caller.actor, "settled", facts))
    return after, await answers.get_reply(unit.tx, reply.id)
