"""A department's calls about its tickets: accept, ask, answer, hand back; and the answers that others may use again.

Knows the wire form of these. Refuses to know whether an answer goes first-hand: the ownership's stage tells.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.access.role import Caller, Permission
from app.answers import store as answers
from app.answers.reply import Reply
from app.api.acting import OneTicket, shown
from app.api.auth import allow
from app.api.drafts import never_lost
from app.api.fields import Flag, InModel, Instant, Name, OutModel, Text
from app.api.idempotency import Repeating
from app.api.paging import Page, Paging, Places
from app.api.replies import CONFIRM, Confirmed, ReplyQueued, Words, queued
from app.api.serving import Serving
from app.api.tickets import AnswerOut, Reader, TicketLine
from app.flows import answer as speaking
from app.flows.answer import Answered, Asked, Terms
from app.flows.say import Speech
from app.tickets.bounce import HandBackCode
from app.tickets.ticket import Ticket

_places = Places(UUID)

Fact = Annotated[str, Text(1000)]

router = APIRouter(prefix="/api/v1", tags=["departments"])

Agent = Annotated[Caller, allow(Permission.WORK_TICKETS)]
Owner = Annotated[Caller, allow(Permission.ANSWER_TICKETS)]


class AcceptIn(InModel):
    """An empty object, or no body at all."""


class AnswerIn(InModel):
    text: Words = Field(
        description="What the customer is to read, word for word",
        examples=["Dag Jan, je pakket ligt bij het depot in Utrecht en komt morgen voor 12 uur."],
    )
    confirm: Confirmed = Field(default_factory=frozenset, description=CONFIRM, examples=[[]])
    publish: Flag = Field(True, description="False keeps an answer that could go first-hand a draft for webcare")
    resolve: Flag = Field(False, description="Settle the ticket when the answer goes first-hand")
    valid_until: Instant | None = Field(
        None, description="Until when the answer may be used", examples=["2026-11-25T08:00:00Z"]
    )
    facts: Annotated[dict[Name, Fact], Field(max_length=50)] = Field(
        default_factory=dict,
        description="What the answer rests on, by names of your own; for webcare, not for the customer",
        examples=[{"order": "90817263", "status": "at the depot in Utrecht"}],
    )
    may_publish: Flag = Field(
        True, description="False: it may be said to this customer in private only, by whoever says it"
    )
    reuse: Flag = Field(
        False, description="True: it also answers others who ask about the same topic, as long as it is valid"
    )

    def terms(self) -> Terms:
        return Terms(self.facts, self.valid_until, self.may_publish, self.reuse)


class AnsweredOut(OutModel):
    """`first_hand` false: webcare has the ticket now, with the answer as a draft; a part moves nothing."""

    answer_id: UUID
    version: int = Field(description="Counts the answers of one ticket from 1; the newest holds")
    first_hand: bool
    reply: ReplyQueued | None
    ticket: TicketLine


class AskIn(InModel):
    question: Words = Field(
        description="As whom it is for is to read it", examples=["Op welk adres had het pakket bezorgd moeten worden?"]
    )
    of: Asked = Field(description="Who knows: `webcare`, or the `customer`", examples=["customer"])


class AskedOut(OutModel):
    """`reply` null: webcare has the ball, with the question."""

    reply: ReplyQueued | None
    ticket: TicketLine


class InformIn(InModel):
    text: Words = Field(description="What the department wanted to know", examples=["Dorpsstraat 1, Utrecht."])


class HandBackIn(InModel):
    """Why it is not yours, and whose you think it is."""

    reason: Annotated[str, Text(1000, 1)] = Field(
        description="Read by the person who places it anew", examples=["Gaat over de factuur, niet over de levering"]
    )
    code: HandBackCode = Field(
        HandBackCode.OTHER,
        description="What was wrong, in a word that is counted: the rules are mended where it happens often",
        examples=["wrong_topic"],
    )
    topic: Name | None = Field(None, description="Slug of the topic that fits better", examples=["invoice_wrong"])
    department: Name | None = Field(None, description="Slug of whose you think it is", examples=["billing"])
    note: Annotated[str, Text(10_000)] | None = Field(
        None, description="What else helps", examples=["Wij hebben het pakket op 20 november bezorgd."]
    )


class ReusableOut(AnswerOut):
    """An answer for everybody who asks about its topic."""

    ticket_id: UUID = Field(description="Where it was given")
    topic: str | None = Field(examples=["delivery_delay"])


class AnswerFilter(Paging):
    """Every filter that is given must hold."""

    topic: Name | None = Field(None, description="Slug of what it is about")
    department: Name | None = Field(None, description="Slug of who gave it")


@router.get("/answers", summary="List answers that may be used again")
async def read_answers(caller: Reader, runtime: Serving, asked: Annotated[AnswerFilter, Query()]) -> Page[ReusableOut]:
    """Those that are still valid, newest first. A department sees its own."""
    after = _places.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await answers.list_reusable(
            tx,
            topic=asked.topic,
            department=caller.department or asked.department,
            now=runtime.now(),
            after=after,
            limit=asked.limit + 1,
        )
    page, next_cursor = _places.cut(found, asked.limit, lambda answer: answer.id)
    return Page(items=[ReusableOut.model_validate(one) for one in page], next_cursor=next_cursor)


@router.post("/tickets/{ticket_id}/accept", summary="Accept a ticket")
async def accept(caller: Owner, on: OneTicket, _: AcceptIn | None = None) -> TicketLine:
    """Stops the acceptance clock."""
    return await on.run(speaking.accept, caller)


@router.post("/tickets/{ticket_id}/answer", status_code=202, response_model=AnsweredOut, summary="Answer a ticket")
async def answer(caller: Owner, on: OneTicket, once: Repeating, given: AnswerIn) -> Response:
    """Published first-hand where the stage of your ownership says so; else webcare gets it as a draft.

    Where you are only consulted it is your part: who has the ticket sees it among `answers`, and goes on.
    """
    async with never_lost(on, caller, given.text):
        return await once.run(
            caller,
            202,
            _answered,
            speaking.answer,
            caller,
            on.ticket_id,
            on.expected,
            Speech(given.text, confirm=given.confirm),
            publish=given.publish,
            resolve=given.resolve,
            terms=given.terms(),
        )


@router.post("/tickets/{ticket_id}/ask", status_code=202, response_model=AskedOut, summary="Ask for more")
async def ask(caller: Owner, on: OneTicket, once: Repeating, asked: AskIn) -> Response:
    """Webcare has the ball until it tells you, or the customer until a post comes; your ownership clock stands still.

    A question for the customer is published first-hand where your answers are; else webcare asks it.
    """
    return await once.run(
        caller, 202, _asked, speaking.ask, caller, on.ticket_id, on.expected, asked.question, asked.of
    )


@router.post("/tickets/{ticket_id}/inform", summary="Tell a department what it asked", tags=["agents"])
async def inform(caller: Agent, on: OneTicket, told: InformIn) -> TicketLine:
    """It has the ball again, and hears by `ticket.informed`."""
    return await on.run(speaking.inform, caller, told.text)


@router.post("/tickets/{ticket_id}/handback", summary="Hand a ticket back")
async def hand_back(caller: Owner, on: OneTicket, asked: HandBackIn) -> TicketLine:
    """To a person in triage, with your reason and suggestion. Your clocks stop; the customer's do not.

    From the third time on the ticket is tagged `bounced`, and its event brings what was tried before.
    """
    return await on.run(
        speaking.hand_back,
        caller,
        asked.reason,
        code=asked.code,
        topic=asked.topic,
        department=asked.department,
        note=asked.note,
    )


def _asked(done: tuple[Ticket, Reply | None]) -> AskedOut:
    ticket, sent = done
    return AskedOut(reply=queued(sent) if sent else None, ticket=shown(ticket))


def _answered(done: Answered) -> AnsweredOut:
    sent = done.reply
    return AnsweredOut(
        answer_id=done.answer.id,
        version=done.answer.version,
        first_hand=done.answer.first_hand,
        reply=queued(sent) if sent else None,
        ticket=shown(done.ticket),
    )
