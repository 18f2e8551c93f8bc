"""Something is said to the customer, or ready to be said: agents reply, departments answer or hand back.

Knows who may speak and what follows for the ticket. Refuses to know what holds a reply back (say) and how it is
published (dispatch).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.access.role import Caller
from app.answers import store as answers
from app.answers.reply import Reply, ReplyState
from app.answers.store import Answer
from app.flows import survey
from app.flows.record import record_one
from app.flows.say import Speech, say
from app.flows.work import take
from app.kit.ids import new_id
from app.routing import by_hand
from app.runtime import Unit
from app.tickets import lifecycle
from app.tickets.legal import NotInFuture, department_at_work
from app.tickets.resolution import ANSWERED
from app.tickets.ticket import Ticket


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
    speech: Speech,
) -> tuple[Ticket, Reply]:
    """Say something to the customer. It is published as soon as nothing holds it and the channel takes it."""
    ticket = await take(unit, caller, ticket_id, expected)
    return await say(unit, caller, ticket, speech)


async def answer(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    speech: Speech,
    *,
    publish: bool,
    resolve: bool,
    valid_until: datetime | None,
) -> Answered:
    """A department answers: first-hand where its stage lets it, else as a draft that goes to webcare.

    `publish` False keeps an answer that could go first-hand a draft; `resolve` settles a ticket that was answered
    first-hand, unless the answer is held: then its customer still waits. Raises `NotInFuture`.
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
        text=speech.text,
        first_hand=publish and ticket.answered_first_hand,
        valid_until=valid_until,
        given_at=unit.now,
    )
    await answers.add_answer(unit.tx, given)
    if not given.first_hand:
        drafted = lifecycle.answered(ticket, caller.actor, {"answer_id": str(given.id)}, unit.now)
        return Answered(await record_one(unit, drafted), given, None)
    said, sent = await say(unit, caller, ticket, speech, department=department)
    if resolve and sent.state is not ReplyState.HELD:
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
