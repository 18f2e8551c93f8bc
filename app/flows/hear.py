"""The customer answers the question, on the page or by a reply, changes the answer, or does not want to be asked.

Knows what is kept of it and who is told. Refuses to know what makes an answer (feedback.answering, feedback.spoken) and
what the page looks like.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.feedback import store
from app.feedback.answering import Answer, LinkNotFound
from app.feedback.follow_ups.store import FollowUp, add_follow_up, mark_changed
from app.feedback.invitation import OPT_OUT_TAG
from app.feedback.nps import is_detractor
from app.feedback.spoken import Declined, Spoken, read_reply
from app.feedback.store import Asked
from app.flows.record import record_one
from app.kit.ids import digest
from app.mentions.mention import Mention
from app.routing.ownership import WEBCARE
from app.rulebook import Rulebook
from app.runtime import Unit
from app.sla.business_time import add
from app.tickets.store import claim_ticket
from app.tickets.ticket import Event, State, Step, Ticket

FOLLOW_UP_TAG = "follow_up"
_SETTLED = frozenset({State.RESOLVED, State.CLOSED})  # what was said last is our question


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply that reads as an answer: what was asked, about which ticket, what it says, and which post it is."""

    asked: Asked
    ticket: Ticket
    said: Spoken | Declined
    mention_id: UUID

    def answers(self, reply: Mention, standing: Ticket | None) -> bool:
        """Whether it is said where, and when, the question was asked.

        `standing` is the ticket of the reply's conversation. Below the settled ticket, or in a private conversation of
        its own that nothing else is going on in: there an invitation arrives that belongs to a public post.
        """
        due_at = self.asked.invitation.due_at
        if self.ticket.state not in _SETTLED or due_at is None or reply.posted_at < due_at:
            return False
        if standing is not None and standing.id == self.ticket.id:
            return True
        return reply.is_private and (standing is None or standing.state is State.CLOSED)


async def answer(unit: Unit, token: str, given: Answer) -> None:
    """Take the answer to a link, or another one in its place. Raises `LinkNotFound`."""
    asked, ticket = await _claim(unit, token)
    if given == asked.given:
        return  # the same form, sent twice
    await record_one(unit, received(unit.rulebook, ticket, asked, given, unit.now))
    await _keep(unit, asked, given, None)


async def decline(unit: Unit, token: str) -> None:
    """The person behind a link is never asked again. Raises `LinkNotFound`."""
    asked, ticket = await _claim(unit, token)
    await record_one(unit, declined(ticket, asked))
    await store.mark_declined(unit.tx, asked.invitation.id)


def list_spoken(replies: Mapping[UUID, Mention]) -> dict[UUID, Spoken | Declined]:
    """Those of the posts that read as an answer, whether or not anything was asked."""
    read = {mention_id: read_reply(said.words) for mention_id, said in replies.items()}
    return {mention_id: said for mention_id, said in read.items() if said is not None}


async def keep_heard(unit: Unit, heard: Sequence[Heard]) -> None:
    """Keep what replies said, after their steps were recorded."""
    for one in heard:
        if isinstance(one.said, Declined):
            await store.mark_declined(unit.tx, one.asked.invitation.id)
        else:
            await _keep(unit, one.asked, answer_of(one.asked, one.said), one.mention_id)


def answer_of(asked: Asked, said: Spoken) -> Answer:
    """A reply says nothing about effort: what was said of it on the page stands."""
    return Answer(said.score, said.comment, asked.given.effort if asked.given else None)


def received(rules: Rulebook, ticket: Ticket, asked: Asked, given: Answer, now: datetime) -> Step:
    """The owner at the time of the resolution hears of it, whoever has the ticket now."""
    invitation = asked.invitation
    follows = is_detractor(given.score)
    tags = ticket.tags
    if follows and FOLLOW_UP_TAG not in tags:
        tags = (*tags, FOLLOW_UP_TAG)
    elif not follows and asked.given and is_detractor(asked.given.score):
        tags = tuple(tag for tag in tags if tag != FOLLOW_UP_TAG)
    facts = {
        "invitation_id": str(invitation.id),
        "score": given.score,
        "follow_up": follows,
        "follow_up_due_at": _due_at(rules, invitation.department, now) if follows else None,
        **({"score_before": asked.given.score} if asked.given else {}),
    }
    event = Event("feedback.received", "customer", facts, departments=tuple(filter(None, [invitation.department])))
    return Step(ticket, replace(ticket, tags=tags), (event,))


def declined(ticket: Ticket, asked: Asked) -> Step:
    tags = ticket.tags if OPT_OUT_TAG in ticket.tags else (*ticket.tags, OPT_OUT_TAG)
    event = Event("feedback.declined", "customer", {"invitation_id": str(asked.invitation.id)})
    return Step(ticket, replace(ticket, tags=tags), (event,))


async def _claim(unit: Unit, token: str) -> tuple[Asked, Ticket]:
    """What may be answered, with its ticket locked: read again then, as somebody may have been faster."""
    changeable = unit.rulebook.feedback.changeable
    asked = await store.find_open(unit.tx, digest(token), unit.now, changeable)
    if asked is not None:
        ticket = await claim_ticket(unit.tx, asked.invitation.ticket_id)
        asked = await store.find_open(unit.tx, digest(token), unit.now, changeable)
        if asked is not None:
            return asked, ticket
    raise LinkNotFound("This link is not, or no longer, good.")


async def _keep(unit: Unit, asked: Asked, given: Answer, mention_id: UUID | None) -> None:
    invitation = asked.invitation
    await store.mark_answered(unit.tx, invitation.id, unit.now)
    verbatim = unit.rulebook.guard.mask(given.comment) if given.comment else None
    await store.record_response(unit.tx, invitation.id, given, unit.now, verbatim, mention_id)
    if is_detractor(given.score):
        due_at = _due_at(unit.rulebook, invitation.department, unit.now)
        department = invitation.department or WEBCARE
        await add_follow_up(unit.tx, FollowUp(invitation.id, invitation.ticket_id, department, unit.now, due_at))
    else:
        await mark_changed(unit.tx, invitation.id, unit.now)


def _due_at(rules: Rulebook, department: str | None, now: datetime) -> datetime:
    """By when somebody gets back to the customer, in the department's own hours."""
    owner = rules.departments.get(department or WEBCARE) or rules.departments.get(WEBCARE)
    if owner is None:
        return now + rules.feedback.follow_up
    return add(rules.calendars[owner.calendar], now, rules.feedback.follow_up)
