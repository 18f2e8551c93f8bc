"""What is said to customers: a reply is given, and what waits for somebody else is approved or rejected.

Knows the wire form of these calls. Refuses to know what holds a reply back, and who may let it go.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.access.role import Caller, Permission
from app.answers import store as answers
from app.answers.reply import Reply, ReplyState
from app.api.acting import OneTicket
from app.api.auth import allow
from app.api.drafts import never_lost
from app.api.fields import Flag, InModel, Name, OutModel, Text
from app.api.idempotency import Repeating
from app.api.ingest import AttachmentIn
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.api.tickets import Reader, ReplyOut
from app.flows import answer as speaking
from app.flows import mend, review
from app.flows.mend import Seen
from app.flows.say import Speech
from app.mentions.mention import Visibility
from app.tickets.ticket import Ticket

router = APIRouter(prefix="/api/v1", tags=["agents"])

Agent = Annotated[Caller, allow(Permission.WORK_TICKETS)]
Approver = Annotated[Caller, allow(Permission.APPROVE_REPLIES)]
Words = Annotated[str, Text(10_000, 1)]
Attachments = Annotated[list[AttachmentIn], Field(max_length=20)]

Confirmed = Annotated[frozenset[Name], Field(max_length=50)]

CONFIRM = "Personal data that may be public all the same: kinds (`phone`) or ids, as `personal_data_found` lists them"

_places = Places(UUID)


class ReplyIn(InModel):
    text: Annotated[str, Text(10_000)] = Field(
        description="What the customer reads, word for word; as long as the platform takes",
        examples=["Dag Sara! Kies bij het bestellen voor nummerbehoud en vul je 06-nummer in."],
    )
    visibility: Visibility | None = Field(None, description="Left out: as the customer asked")
    attachments: Attachments = Field(default_factory=list, description="As many as the platform takes with one reply")
    answer_id: UUID | None = Field(
        None,
        description="The department's answer that this says, as it is or in other words; `GET /answers` lists those of"
        " other tickets that may be used again",
        examples=["01a20262-5c11-7d3e-9b6a-2f0c5a7e1d44"],
    )
    confirm: Confirmed = Field(default_factory=frozenset, description=CONFIRM, examples=[[]])
    macro_id: UUID | None = Field(None, description="The macro that gave the text, so that its use is counted")

    def speech(self) -> Speech:
        return Speech(
            self.text,
            self.visibility,
            references(self.attachments),
            self.confirm,
            answer_id=self.answer_id,
            macro_id=self.macro_id,
        )


class ReplyQueued(OutModel):
    """What became of it. `reason` says why it is held, or why it is not under way."""

    reply_id: UUID
    state: str = Field(description="queued, or held until somebody else lets it go", examples=["queued"])
    reason: str | None
    held_for: tuple[str, ...] = Field(description="review, statement, embargo", examples=[[]])


class ApproveIn(InModel):
    """Nothing at all lets it go as it is."""

    text: Words | None = Field(
        None, description="Other words in place of those written, which are kept beside them", examples=["Dag Sara!"]
    )
    confirm: Confirmed = Field(default_factory=frozenset, description=CONFIRM, examples=[[]])
    despite: Flag = Field(False, description="Also when the customer posted since it was written")


class RejectIn(InModel):
    reason: Annotated[str, Text(1000, 1)] = Field(
        description="For who wrote it", examples=["We noemen nog geen datum."]
    )


class SettleIn(InModel):
    seen: Seen = Field(description="What somebody saw on the channel: `published`, or `failed`: it is not there")
    external_id: Name | None = Field(
        None, description="The channel's id of it, so that its echo is known", examples=["1859201"]
    )


class ReplyFilter(Paging):
    """Every filter that is given must hold."""

    state: ReplyState | None = Field(None, description="`held` ones wait for you, `unknown` ones for a look")
    ticket_id: UUID | None = Field(None, description="On this ticket")


@router.post("/tickets/{ticket_id}/reply", status_code=202, response_model=ReplyQueued, summary="Reply to the customer")
async def reply(caller: Agent, on: OneTicket, once: Repeating, said: ReplyIn) -> Response:
    """Kept at once and published through the channel adapter; its state stands on the ticket.

    It is `held` when somebody else must look first, and counts as an answer from when it is let go. One that is refused
    stays as your draft.
    """
    async with never_lost(on, caller, said.text, said.visibility):
        return await once.run(caller, 202, _given, speaking.reply, caller, on.ticket_id, on.expected, said.speech())


@router.get("/replies", summary="List replies")
async def read_replies(caller: Reader, runtime: Serving, asked: Annotated[ReplyFilter, Query()]) -> Page[ReplyOut]:
    """Newest first. A department sees those on its own tickets."""
    async with runtime.reading() as tx:
        found = await answers.list_newest_replies(
            tx,
            state=asked.state,
            ticket_id=asked.ticket_id,
            department=caller.department,
            after=_places.decode(asked.cursor),
            limit=asked.limit + 1,
        )
    shown, next_cursor = _places.cut(found, asked.limit, lambda one: one.id)
    return Page(items=[ReplyOut.model_validate(one) for one in shown], next_cursor=next_cursor)


@router.get("/replies/{reply_id}", summary="Read a reply")
async def read_reply(caller: Reader, runtime: Serving, reply_id: UUID) -> ReplyOut:
    """404 when it is on another department's ticket."""
    async with runtime.reading() as tx:
        found = await answers.get_reply(tx, reply_id, department=caller.department)
    return ReplyOut.model_validate(found)


@router.post("/replies/{reply_id}/approve", summary="Let a held reply go")
async def approve(caller: Approver, runtime: Serving, reply_id: UUID, asked: ApproveIn | None = None) -> ReplyOut:
    """Not by who wrote it. 409 with the newer posts when the customer posted since it was written.

    What waits for somebody else still stays held and says for whom.
    """
    given = asked or ApproveIn()
    approved = await runtime.run(
        review.approve, caller, reply_id, text=given.text, confirm=given.confirm, despite=given.despite
    )
    return _shown(approved)


@router.post("/replies/{reply_id}/reject", summary="Reject a held reply")
async def reject(caller: Approver, runtime: Serving, reply_id: UUID, asked: RejectIn) -> ReplyOut:
    """It is not given; its writer may withdraw it so."""
    return _shown(await runtime.run(review.reject, caller, reply_id, asked.reason))


@router.post("/replies/{reply_id}/retry", summary="Try a reply again that did not arrive")
async def retry(caller: Approver, runtime: Serving, reply_id: UUID) -> ReplyOut:
    """A failed one is sent again. One of which nobody knows is looked up first, so that it never stands there twice."""
    return _shown(await runtime.run(mend.retry, caller, reply_id))


@router.post("/replies/{reply_id}/settle", summary="Say whether a reply is on the channel")
async def settle(caller: Approver, runtime: Serving, reply_id: UUID, asked: SettleIn) -> ReplyOut:
    """For an `unknown` one that nobody but a person can look up. A failed one may then be tried again."""
    return _shown(await runtime.run(mend.settle, caller, reply_id, asked.seen, asked.external_id))


def references(attachments: Sequence[AttachmentIn]) -> tuple[dict[str, str], ...]:
    return tuple(one.model_dump(exclude_none=True) for one in attachments)


def queued(said: Reply) -> ReplyQueued:
    return ReplyQueued(reply_id=said.id, state=said.state, reason=said.reason, held_for=said.held_for)


def _given(given: tuple[Ticket, Reply]) -> ReplyQueued:
    return queued(given[1])


def _shown(decided: tuple[Ticket, Reply]) -> ReplyOut:
    return ReplyOut.model_validate(decided[1])
