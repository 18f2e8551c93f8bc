"""Something is said to the customer, or ready to be said: agents reply, departments answer or hand back.

Knows who may speak and what follows for the ticket. Refuses to know what holds a reply back (say) and how it is
published (dispatch).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.access.role import Caller
from app.answers import store as answers
from app.answers.answer import Answer
from app.answers.drafts.store import drop_draft
from app.answers.reply import Reply, ReplyState
from app.flows import compose, label, survey
from app.flows.record import record_one
from app.flows.say import Speech, say
from app.flows.work import take
from app.kit.ids import new_id
from app.mentions.mention import Visibility
from app.routing import by_hand
from app.runtime import Unit
from app.tickets import asking, lifecycle
from app.tickets import store as tickets
from app.tickets.bounce import HandBackCode
from app.tickets.consulting import contributed, is_consulted
from app.tickets.legal import NotInFuture, check_legal, department_at_work
from app.tickets.resolution import ANSWERED
from app.tickets.ticket import Ticket

_TRIED = ("code", "reason", "topic", "department", "by")  # of an earlier hand-back


class Asked(StrEnum):
    """Of whom a department wants to know more."""

    WEBCARE = "webcare"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a department's answer led to: a reply on its way, or a draft that webcare publishes."""

    ticket: Ticket
    answer: Answer
    reply: Reply | None


@dataclass(frozen=True, slots=True)
class Terms:
    """On what an answer rests and what may be done with it, as `Answer` has them."""

    facts: Mapping[str, str] = field(default_factory=dict)
    valid_until: datetime | None = None
    may_publish: bool = True
    reusable: bool = False


async def reply(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    speech: Speech,
) -> tuple[Ticket, Reply]:
    """Say something to the customer. It is published as soon as nothing holds it and the channel takes it."""
    ticket = await take(unit, caller, ticket_id, expected)
    await drop_draft(unit.tx, ticket_id, caller.actor)
    said = await say(unit, caller, ticket, speech)
    if speech.macro_id is not None:
        await compose.use(unit, speech.macro_id, speech.text)
    return said


async def answer(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    speech: Speech,
    *,
    publish: bool,
    resolve: bool,
    terms: Terms,
) -> Answered:
    """A department answers: first-hand where its stage lets it, else as a draft that goes to webcare.

    One that is only consulted gives its part: an answer to nobody but who has the ticket, which stays where it is.
    `publish` False keeps an answer that could go first-hand a draft; `resolve` settles a ticket that was answered
    first-hand, unless the answer is held: then its customer still waits. Raises `NotInFuture`, `AnswerNotPublic`.
    """
    if terms.valid_until is not None and terms.valid_until <= unit.now:
        raise NotInFuture(
            "An answer that may not be used any more is none; choose a moment to come.", field="valid_until"
        )
    ticket = await take(unit, caller, ticket_id, expected, for_a_part=True)
    await drop_draft(unit.tx, ticket_id, caller.actor)
    part = caller.department if is_consulted(ticket, caller.department) else None
    if part is not None:
        check_legal(ticket, "update")
    department = part or department_at_work(ticket, "answer")
    given = Answer(
        id=new_id(),
        ticket_id=ticket.id,
        department=department,
        actor=caller.actor,
        text=speech.text,
        first_hand=part is None and publish and ticket.answered_first_hand,
        valid_until=terms.valid_until,
        given_at=unit.now,
        version=1 + len(await answers.list_answers(unit.tx, ticket.id)),
        facts=terms.facts,
        may_publish=terms.may_publish,
        reusable=terms.reusable and part is None,
        topic=ticket.topic if part is None else None,
    )
    await answers.add_answer(unit.tx, given)
    if part is not None:
        data = {"answer_id": str(given.id), "version": given.version}
        return Answered(await record_one(unit, contributed(ticket, caller.actor, part, data)), given, None)
    if not given.first_hand:
        drafted = lifecycle.answered(
            ticket, caller.actor, {"answer_id": str(given.id), "version": given.version}, unit.now
        )
        return Answered(await record_one(unit, drafted), given, None)
    visibility = speech.visibility if terms.may_publish else Visibility.PRIVATE
    words = replace(speech, answer_id=given.id, visibility=visibility)
    said, sent = await say(unit, caller, ticket, words, department=department)
    if resolve and sent.state is not ReplyState.HELD:
        said = await record_one(unit, lifecycle.resolve(said, caller.actor, ANSWERED, None, unit.now))
        await survey.invite(unit, [said])
    return Answered(said, given, sent)


async def accept(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None) -> Ticket:
    ticket = await take(unit, caller, ticket_id, expected)
    return await record_one(unit, lifecycle.accept(ticket, caller.actor))


async def ask(
    unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, question: str, of: Asked
) -> tuple[Ticket, Reply | None]:
    """A department needs to know more before it can answer.

    Where it answers first-hand it asks the customer itself, in public or private as the customer did, and has the ball
    again when the customer posts. Every other question is webcare's to answer, or to ask.
    """
    ticket = await take(unit, caller, ticket_id, expected)
    department = department_at_work(ticket, "ask")
    if of is Asked.WEBCARE or not ticket.answered_first_hand:
        return await record_one(unit, asking.ask(ticket, caller.actor, question, of=of, now=unit.now)), None
    said, sent = await say(unit, caller, ticket, Speech(question), department=department)
    if sent.state is not ReplyState.HELD:
        said = await record_one(unit, lifecycle.wait(said, caller.actor, None, unit.now))
    return said, sent


async def inform(unit: Unit, caller: Caller, ticket_id: UUID, expected: int | None, text: str) -> Ticket:
    """Tell a department what it asked, and give it the ball back. Raises `NothingAsked`."""
    ticket = await take(unit, caller, ticket_id, expected)
    return await record_one(unit, asking.inform(ticket, caller.actor, text, unit.now))


async def hand_back(
    unit: Unit,
    caller: Caller,
    ticket_id: UUID,
    expected: int | None,
    reason: str,
    *,
    code: HandBackCode,
    topic: str | None,
    department: str | None,
    note: str | None,
) -> Ticket:
    """Not ours: back to a person in triage, with the department's suggestion. Raises `UnknownTopic` and the like.

    The event tells how long it was in the wrong hands. From the third time on the ticket is tagged, and the event
    brings the earlier ones: whoever looks then sees what was tried. What it says about the topic teaches the model.
    """
    ticket = await take(unit, caller, ticket_id, expected)
    by_hand.check_names(unit.rulebook.routing, topic, department, topics=unit.rulebook.topics)
    data = {
        "code": code,
        "reason": reason,
        "topic": topic,
        "department": department,
        "note": note,
        "by": ticket.with_department,
        "held_seconds": (unit.now - ticket.custody[-1].since).total_seconds(),
    }
    before = [one for one in await tickets.list_events(unit.tx, ticket.id) if one.type == "ticket.handed_back"]
    tried = [{"at": one.at, "actor": one.actor, **{name: one.data.get(name) for name in _TRIED}} for one in before]
    step = lifecycle.hand_back(ticket, caller.actor, data, unit.now, tried)
    await label.hand_back(unit, ticket, topic, code, caller.actor)
    return await record_one(unit, step)
