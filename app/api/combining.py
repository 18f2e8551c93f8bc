"""An agent's calls about two tickets: merged into one, taken apart again, linked.

Knows their wire form. Refuses to know what becomes of either. Every act answers with the ticket in the path as it
stands then, and its `ETag`.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.api.acting import OneTicket
from app.api.agents import Agent
from app.api.fields import Flag, InModel, Text
from app.api.tickets import TicketLine
from app.flows import combine
from app.tickets.merging import LinkKind

router = APIRouter(prefix="/api/v1", tags=["agents"])

OTHER = "019ab8f0-2c41-7d52-9a3e-5f1c7b20d4aa"


class MergeIn(InModel):
    into: UUID = Field(description="The ticket that goes on, which must not be resolved", examples=[OTHER])
    confirm: Flag = Field(False, description="The authors of both are one person, on two channels or under two names")


class UnmergeIn(InModel):
    reason: Annotated[str, Text(1000, 1)] = Field(
        description="Kept in both timelines", examples=["Gaat toch over een andere bestelling"]
    )


class LinkIn(InModel):
    to: UUID = Field(description="The other ticket", examples=[OTHER])
    kind: LinkKind = Field(LinkKind.RELATED, description="What the two are to each other", examples=["same_cause"])


@router.post("/tickets/{ticket_id}/merge", summary="Let a ticket go on as a part of another")
async def merge(caller: Agent, on: OneTicket, asked: MergeIn) -> TicketLine:
    """It is closed; its posts, and whatever comes next in its conversation, stand on the other one.

    That one also gets the time that the customer has waited already: of all that is promised, the soonest counts.
    """
    return await on.run(combine.merge, caller, asked.into, confirmed=asked.confirm)


@router.post("/tickets/{ticket_id}/unmerge", summary="Make a merged ticket one of its own again")
async def unmerge(caller: Agent, on: OneTicket, asked: UnmergeIn) -> TicketLine:
    """As it was before it was merged. What came in its conversations since goes with it."""
    return await on.run(combine.unmerge, caller, asked.reason)


@router.post("/tickets/{ticket_id}/links", summary="Link two tickets")
async def link(caller: Agent, on: OneTicket, asked: LinkIn) -> TicketLine:
    """Both show each other from then on. Linking them again says anew what they are to each other."""
    return await on.run(combine.link, caller, asked.to, asked.kind)


@router.delete("/tickets/{ticket_id}/links/{other_id}", summary="Take a link between two tickets away")
async def unlink(caller: Agent, on: OneTicket, other_id: UUID) -> TicketLine:
    """Both tickets forget it; a link that there is not is answered by 404."""
    return await on.run(combine.unlink, caller, other_id)
