"""A webcare agent's calls: every act on a ticket.

Knows the wire form of each act. Refuses to know which acts are legal and what they lead to. Every act answers with the
ticket as it stands then, and its `ETag`.
"""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.acting import OneTicket, shown
from app.api.auth import allow
from app.api.fields import InModel, Instant, Name, Text
from app.api.idempotency import Repeating
from app.api.replies import Attachments, references
from app.api.tickets import TicketLine
from app.flows import work
from app.routing.decision import Priority
from app.tickets.resolution import SOLVED
from app.tickets.tagging import AT_MOST, Tagging

router = APIRouter(prefix="/api/v1", tags=["agents"])

Agent = Annotated[Caller, allow(Permission.WORK_TICKETS)]
Escalator = Annotated[Caller, allow(Permission.ESCALATE_TICKETS)]
Lead = Annotated[Caller, allow(Permission.ASSIGN_TICKETS)]
Settler = Annotated[Caller, allow(Permission.SETTLE_TICKETS)]
Words = Annotated[str, Text(10_000, 1)]
Tags = Annotated[list[Annotated[str, Text(50, 1)]], Field(max_length=AT_MOST)]


class NoteIn(InModel):
    text: Words = Field(description="For colleagues only", examples=["Belde vanmorgen ook al met de winkel."])
    attachments: Attachments = Field(default_factory=list, description="References for colleagues")


class PatchIn(InModel):
    """What is left out stays as it is."""

    priority: Priority | None = Field(None, description="How urgent it is from now on", examples=["high"])
    tags: Tags | None = Field(None, description="All of its tags from now on", examples=[["vip", "winkel"]])
    add_tags: Tags = Field(default_factory=list, description="Besides those that stand", examples=[["storing"]])
    remove_tags: Tags = Field(default_factory=list, description="Of those that stand", examples=[["winkel"]])

    def tagging(self) -> Tagging:
        return Tagging(None if self.tags is None else tuple(self.tags), tuple(self.add_tags), tuple(self.remove_tags))


class AssignIn(InModel):
    to: Name | None = Field(description="Name of an agent's token; null: nobody", examples=["anna"])
    reason: Annotated[str, Text(1000, 1)] | None = Field(
        None, description="For who gets it", examples=["Jij sprak deze klant gisteren ook"]
    )


class RerouteIn(InModel):
    """A topic, whose owner gets the ticket, or a department."""

    topic: Name | None = Field(None, description="Slug of the right topic", examples=["invoice_wrong"])
    department: Name | None = Field(None, description="Slug, instead of a topic", examples=[None])  # one of the two
    reason: Annotated[str, Text(1000, 1)] = Field(
        description="Kept with the decision, for who gets the ticket", examples=["Gaat over een dubbele afschrijving"]
    )


class WaitIn(InModel):
    for_: Annotated[str, Field(alias="for", pattern="^customer$")] = Field("customer", description="Always `customer`")
    until: Instant | None = Field(
        None,
        description="When the ticket comes back if the customer does not post; left out: only a post brings it back",
        examples=["2026-11-25T08:00:00Z"],
    )


class SnoozeIn(InModel):
    until: Instant = Field(description="When it stands in the queue again", examples=["2026-11-23T08:00:00Z"])


class ResolveIn(InModel):
    code: Name = Field(SOLVED, description="How it ended: one of those that `/rules` lists", examples=["explained"])
    note: Annotated[str, Text(10_000)] | None = Field(
        None, description="For colleagues only", examples=["Pakket is vanmorgen bezorgd."]
    )


class ReopenIn(InModel):
    reason: Annotated[str, Text(1000, 1)] = Field(
        description="Kept in the timeline", examples=["Het pakket was toch het verkeerde"]
    )


class EscalateIn(InModel):
    to: Annotated[str, Field(pattern="^pr$")] = Field("pr", description="Always `pr`")
    reason: Annotated[str, Text(1000, 1)] = Field(
        description="What PR reads first", examples=["Deze klant heeft een programma op tv en filmt mee"]
    )


class Nothing(InModel):
    """An empty object, or no body at all."""


@router.post("/tickets/{ticket_id}/claim", summary="Take a ticket")
async def claim(caller: Agent, on: OneTicket, _: Nothing | None = None) -> TicketLine:
    """With a lease of ten minutes. 409 says who has it.

    Taking one that a department or PR has brings it back to webcare; under an embargo PR keeps the ball.
    """
    return await on.run(work.claim, caller)


@router.post("/tickets/{ticket_id}/release", summary="Let a ticket go")
async def release(caller: Agent, on: OneTicket, _: Nothing | None = None) -> TicketLine:
    """It goes back into the queue, where its urgency puts it; the lease ends."""
    return await on.run(work.release, caller)


@router.post("/tickets/{ticket_id}/assign", summary="Give a ticket to an agent")
async def assign(caller: Lead, on: OneTicket, asked: AssignIn) -> TicketLine:
    """Whoever has it now. It stands with the agent for eight hours, longer with every act of theirs; null lets it go.

    Agents take tickets themselves with `claim`.
    """
    return await on.run(work.assign, caller, asked.to, asked.reason)


@router.post("/tickets/{ticket_id}/lease", summary="Keep a ticket for longer")
async def renew(caller: Agent, on: OneTicket, _: Nothing | None = None) -> TicketLine:
    """Ten minutes of working time from now. Any other act on it does the same."""
    return await on.run(work.renew, caller)


@router.post("/tickets/{ticket_id}/note", status_code=201, response_model=TicketLine, summary="Write a note")
async def note(caller: Settler, on: OneTicket, once: Repeating, said: NoteIn) -> Response:
    """For colleagues; no customer and no webhook ever sees it."""
    return await once.run(
        caller, 201, shown, work.note, caller, on.ticket_id, on.expected, said.text, references(said.attachments)
    )


@router.patch("/tickets/{ticket_id}", summary="Change priority or tags")
async def update(caller: Agent, on: OneTicket, asked: PatchIn) -> TicketLine:
    """Another priority chooses the promises anew; what was breached stays breached."""
    return await on.run(work.update, caller, priority=asked.priority, tags=asked.tagging())


@router.post("/tickets/{ticket_id}/reroute", summary="Give a ticket another topic or department")
async def reroute(caller: Agent, on: OneTicket, asked: RerouteIn) -> TicketLine:
    """It goes where the other topic belongs, or straight to the department. Naming a topic also teaches."""
    return await on.run(work.reroute, caller, topic=asked.topic, department=asked.department, reason=asked.reason)


@router.post("/tickets/{ticket_id}/wait", summary="Wait for the customer")
async def wait(caller: Settler, on: OneTicket, asked: WaitIn) -> TicketLine:
    """The customer has the ball and no promise runs; a new post, or the moment `until`, brings the ticket back."""
    return await on.run(work.wait, caller, asked.until)


@router.post("/tickets/{ticket_id}/snooze", summary="Put a ticket out of sight for a while")
async def snooze(caller: Agent, on: OneTicket, asked: SnoozeIn) -> TicketLine:
    """No clock stops for it: the customer waits all the same."""
    return await on.run(work.snooze, caller, asked.until)


@router.post("/tickets/{ticket_id}/resolve", summary="Settle a ticket")
async def resolve(caller: Settler, on: OneTicket, asked: ResolveIn | None = None) -> TicketLine:
    """The customer may then be asked for a score; a new post within seven days reopens the ticket."""
    settled = asked or ResolveIn()
    return await on.run(work.resolve, caller, settled.code, settled.note)


@router.post("/tickets/{ticket_id}/reopen", summary="Reopen a resolved ticket")
async def reopen(caller: Settler, on: OneTicket, asked: ReopenIn) -> TicketLine:
    """Its promises go on as their policies say. Closed stays closed: a new post opens another ticket, linked to it."""
    return await on.run(work.reopen, caller, asked.reason)


@router.post("/tickets/{ticket_id}/escalate", summary="Ask PR to look at a ticket")
async def escalate(caller: Escalator, on: OneTicket, asked: EscalateIn) -> TicketLine:
    """The ball stays where it is until PR takes over. The same words a second time add nothing; other words do."""
    return await on.run(work.escalate, caller, asked.reason)
