"""An answer leaves somebody's hands: it is held where somebody else looks first, or put on its way to the customer.

Knows what holds a reply back and how a reply becomes a publication. Refuses to know who may speak (answer), who lets a
held reply go (review) and how anything is published (dispatch).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.access.role import Caller, Role
from app.answers import store as answers
from app.answers.answer import Answer, check_use, share_edited
from app.answers.guard import Finding, check_public
from app.answers.reply import LIFTED_BY, Held, Hold, Reply, ReplyState
from app.answers.statements.statement import contradiction
from app.answers.statements.store import list_holding
from app.channels.platform import check_text, check_window
from app.delivery import store as delivery
from app.delivery.envelope import Publication, Saying, publication
from app.escalation.embargoes.store import find_embargo
from app.flows.work import keep
from app.kit.ids import new_id
from app.mentions import store as mentions
from app.mentions.mention import Visibility, named_conversation
from app.runtime import Unit
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.ticket import Ticket

NO_CHANNEL = "no channel adapter is configured: set WEBCARE_PUBLISH_URL and it is published then"


@dataclass(frozen=True, slots=True)
class Speech:
    """What is to be said. `visibility` None: as the customer asked. `attachments` are `{url, type, description}`.

    `confirm` names the kinds or ids of personal data that may be public all the same; `answer_id` the department's
    answer that it says and `macro_id` the macro that gave the text, as it is or in other words.
    """

    text: str
    visibility: Visibility | None = None
    attachments: tuple[Mapping[str, Any], ...] = ()
    confirm: frozenset[str] = frozenset()
    answer_id: UUID | None = None
    macro_id: UUID | None = None


async def say(
    unit: Unit, caller: Caller, ticket: Ticket, speech: Speech, *, department: str | None = None
) -> tuple[Ticket, Reply]:
    """Say something to the customer of a ticket that is locked; `department` when it answers first-hand.

    It counts from now, or from when the last of its holds is lifted. Raises what `check_words`, `open_window` and
    `check_use` raise.
    """
    posts = await tickets.list_mentions(unit.tx, ticket.id)
    newest = next(
        post for post in reversed(posts) if post["conversation_id"] == ticket.conversation_id
    )  # others merged in
    visibility = speech.visibility or Visibility(ticket.visibility)
    confirmed = check_words(unit, ticket, replace(speech, visibility=visibility))
    await open_window(unit, ticket, visibility)
    answer = await _answer(unit, ticket, speech.answer_id, visibility)
    held = await _held(unit, caller, ticket, visibility, speech.text)
    said = Reply(
        id=new_id(),
        ticket_id=ticket.id,
        mention_id=newest["id"],
        actor=caller.actor,
        department=department,
        text=speech.text,
        visibility=visibility,
        queued_at=unit.now,
        state=ReplyState.HELD if held.holds else ReplyState.QUEUED,
        reason=held.reason or why_waiting(unit),
        held_for=held.holds,
        statement_id=held.contradicts.statement_id if held.contradicts else None,
        confirmed=confirmed,
        attachments=speech.attachments,
        answer_id=speech.answer_id,
        edited=share_edited(answer.text, speech.text) if answer else None,
    )
    data: dict[str, Any] = {"reply_id": str(said.id), "visibility": visibility, "department": department}
    if confirmed:
        data["confirmed"] = confirmed
    if speech.macro_id is not None:
        data["macro_id"] = str(speech.macro_id)
    if held.holds:
        step = lifecycle.hold_reply(ticket, caller.actor, {**data, "held_for": held.holds}, unit.now)
        after = await keep(unit, caller, step)
        await answers.add_replies(unit.tx, [said])
        return after, said
    after = await keep(unit, caller, lifecycle.reply(ticket, caller.actor, data, unit.now))
    await answers.add_replies(unit.tx, [said])
    await send(unit, [(after, said)])
    return after, said


async def _answer(unit: Unit, ticket: Ticket, answer_id: UUID | None, visibility: Visibility) -> Answer | None:
    if answer_id is None:
        return None
    answer = await answers.get_answer(unit.tx, answer_id)
    check_use(answer, ticket.id, public=visibility is Visibility.PUBLIC, now=unit.now)
    return answer


def check_words(unit: Unit, ticket: Ticket, speech: Speech) -> tuple[str, ...]:
    """Whether the platform takes this, and whether everybody may read it; the kinds of what was confirmed.

    What attachments are described with is read by everybody too. Raises `ReplyDoesNotFit`, `TooManyAttachments`,
    `NoPrivateReplies`, `PersonalDataFound`.
    """
    platform, visibility = unit.rulebook.platform(ticket.channel), Visibility(speech.visibility or ticket.visibility)
    check_text(platform, visibility, speech.text, len(speech.attachments))
    if not platform.is_public(visibility):
        return ()
    found = findings(unit, speech)
    for field, listed in found.items():
        check_public(listed, speech.confirm, field=field)
    return tuple(sorted({one.kind for listed in found.values() for one in listed}))


def findings(unit: Unit, speech: Speech) -> dict[str, tuple[Finding, ...]]:
    """What is personal in it, by the field in which it stands."""
    texts = {"text": speech.text}
    texts |= {f"attachments.{n}.description": one.get("description", "") for n, one in enumerate(speech.attachments)}
    return {field: unit.rulebook.guard.find(text) for field, text in texts.items()}


async def _held(unit: Unit, caller: Caller, ticket: Ticket, visibility: Visibility, text: str) -> Held:
    """What holds a reply of this caller back."""
    held = await barred(unit, ticket, visibility, text, caller.role)
    holds = held.holds
    if caller.profile.needs_review or unit.rulebook.needs_review(ticket.channel, ticket.account):
        holds = (Hold.REVIEW, *holds)
    return replace(held, holds=holds)


async def barred(unit: Unit, ticket: Ticket, visibility: Visibility, text: str, written_by: Role | None) -> Held:
    """What holds such a reply on this ticket back as things stand now, but for a review by a colleague.

    Nobody's words wait for what they could let go themselves.
    """
    if not unit.rulebook.platform(ticket.channel).is_public(visibility):
        return Held()
    embargo = await find_embargo(unit.tx, ticket.id, unit.now)
    contradicts = None
    if ticket.topic is not None:
        agreed = await list_holding(unit.tx, ticket.topic, ticket.channel, unit.now)
        contradicts = contradiction(text, agreed)
    holds = {
        Hold.STATEMENT: contradicts is not None,
        Hold.EMBARGO: embargo is not None and not embargo.allows(text, unit.now),
    }
    applying = (hold for hold, applies in holds.items() if applies and written_by not in LIFTED_BY[hold])
    return Held(tuple(applying), contradicts)


async def open_window(unit: Unit, ticket: Ticket, visibility: str) -> str | None:
    """The platform's window in which such a reply is taken now; None where there are none.

    Raises `ReplyWindowClosed`, `NoPrivateReplies`.
    """
    platform, seen = unit.rulebook.platform(ticket.channel), Visibility(visibility)
    if not platform.manner(seen).windows:
        return None
    posts = [
        (Visibility(one["visibility"]), one["posted_at"])
        for one in await tickets.list_mentions(unit.tx, ticket.id)
        if one["conversation_id"] == ticket.conversation_id  # a platform knows nothing of what was merged in
    ]
    return check_window(platform, seen, posts, unit.now)


def why_waiting(unit: Unit) -> str | None:
    """Why what is queued now is not under way."""
    return None if unit.knobs.publish_url else NO_CHANNEL


async def send(unit: Unit, replies: Sequence[tuple[Ticket, Reply]], saying: Saying = Saying.REPLY) -> None:
    """Put replies into the outbox, with their tickets as they are written. Raises `ReplyWindowClosed`."""
    places = await mentions.list_places(unit.tx, [reply.mention_id for _, reply in replies if reply.mention_id])
    messages = []
    for ticket, reply in replies:
        place = places.get(reply.mention_id) if reply.mention_id else None
        said = Publication(
            type=saying,
            ticket_id=ticket.id,
            channel=ticket.channel,
            account=ticket.account,
            conversation_id=named_conversation(place.thread) if place else None,
            in_reply_to=place.external_id if place else None,
            visibility=reply.visibility,
            text=reply.text,
            attachments=reply.attachments,
            reply_window=await open_window(unit, ticket, reply.visibility),
        )
        messages.append(publication(new_id(), said, sequence=ticket.sequence, subject_id=reply.id))
    await delivery.add_messages(unit.tx, messages)
