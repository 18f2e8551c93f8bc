"""Something is said to the customer, or ready to be said: agents reply, departments answer or hand back.

Knows that what is said is first a row in the outbox. Refuses to know how it is published (dispatch).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.access.role import Caller
from app.answers import store as answers
from app.answers.store import Answer, Reply
from app.delivery import store as delivery
from app.delivery.envelope import Publication, Saying, publication
from app.flows import survey
from app.flows.record import record_one
from app.flows.work import take
from app.kit.ids import new_id
from app.mentions.mention import named_conversation
from app.mentions.store import get_thread
from app.routing import by_hand
from app.runtime import Unit
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.legal import NotInFuture, department_at_work
from app.tickets.ticket import Ticket

NO_CHANNEL = "no channel adapter is configured: set WEBCARE_PUBLISH_URL and it is published then"
ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a department's answer led to: a reply on its way, or a draft that webcare publishes."""

    ticket: Ticket
    answer: Answer
    reply: Reply | None


async def reply(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    text: str,
    visibility: str | None,
) -> tuple[Ticket, Reply]:
    """Say something to the customer, as public or private as the customer asked when `visibility` is None.

    It counts from now, and is published as soon as the channel takes it.
    """
    ticket = await take(unit, caller, ticket_id, expected)
    return await _say(unit, caller, ticket, text, visibility or ticket.visibility)


async def answer(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    text: str,
    *,
    publish: bool,
    resolve: bool,
    valid_until: datetime | None,
) -> Answered:
    """A department answers: first-hand where its stage lets it, else as a draft that goes to webcare.

    `publish` False keeps an answer that could go first-hand a draft; `resolve` settles a ticket that was answered
    first-hand. Raises `NotInFuture`.
    """
    if valid_until is not None and valid_until <= unit.now:
        raise NotInFuture(
            "An answer that may not be used any more is none; choose a moment to come.", field="valid_until"
        )
    ticket = await take(unit, caller, ticket_id, expected)
    department = department_at_work(ticket, "answer")
    given = Answer(
        id=new_id(),
        ticket_id=ticket.id,
        department=department,
        actor=caller.actor,
        text=text,
        first_hand=publish and ticket.answered_first_hand,
        valid_until=valid_until,
        given_at=unit.now,
    )
    await answers.add_answer(unit.tx, given)
    if not given.first_hand:
        drafted = lifecycle.answered(ticket, caller.actor, {"answer_id": str(given.id)}, unit.now)
        return Answered(await record_one(unit, drafted), given, None)
    said, sent = await _say(unit, caller, ticket, text, ticket.visibility, department=department)
    if resolve:
        said = await record_one(unit, lifecycle.resolve(said, caller.actor, ANSWERED, None, unit.now))
        await survey.invite(unit, [said])
    return Answered(said, given, sent)


async def accept(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    return await record_one(unit, lifecycle.accept(ticket, caller.actor))


async def hand_back(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    reason: str,
    *,
    topic: str | None,
    department: str | None,
    note: str | None,
) -> Ticket:
    """Not ours: back to a person in triage, with the department's suggestion. Raises `UnknownTopic` and the like."""
    ticket = await take(unit, caller, ticket_id, expected)
    by_hand.check_names(unit.rulebook.routing, topic, department, topics=unit.rulebook.topics)
    data = {"reason": reason, "topic": topic, "department": department, "note": note, "by": ticket.with_department}
    return await record_one(unit, lifecycle.hand_back(ticket, caller.actor, data, unit.now))


async def _say(
    unit: Unit, caller: Caller, ticket: Ticket, text: str, visibility: str, *, department: str | None = None
) -> tuple[Ticket, Reply]:
    posts = await tickets.list_mentions(unit.tx, ticket.id)
    newest = posts[-1]
    said = Reply(
        id=new_id(),
        ticket_id=ticket.id,
        mention_id=newest.id,
        actor=caller.actor,
        department=department,
        text=text,
        visibility=visibility,
        queued_at=unit.now,
        reason=None if unit.knobs.publish_url else NO_CHANNEL,
    )
    data = {"reply_id": str(said.id), "visibility": visibility, "department": department}
    after = await record_one(unit, lifecycle.reply(ticket, caller.actor, data, unit.now))
    await answers.add_replies(unit.tx, [said])
    words = Publication(
        type=Saying.REPLY,
        ticket_id=ticket.id,
        channel=ticket.channel,
        account=ticket.account,
        conversation_id=named_conversation(await get_thread(unit.tx, ticket.conversation_id)),
        in_reply_to=newest.external_id,
        visibility=visibility,
        text=text,
    )
    message = publication(new_id(), words, sequence=after.sequence, subject_id=said.id)
    await delivery.add_messages(unit.tx, [message])
    return after, said
