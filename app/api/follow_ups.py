"""Customers who are not content, and who gets back to them.

Knows the wire form. Refuses to know who is not content and by when somebody gets back (flows.hear).
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.etag import ExpectedVersion
from app.api.fields import InModel, Instant, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.feedback.follow_ups.store import FollowUp, Line, Outcome, Standing, list_follow_ups
from app.flows.follow_up import follow_up

router = APIRouter(prefix="/api/v1", tags=["departments"])

Reader = Annotated[Caller, allow(Permission.READ_TICKETS)]
Settler = Annotated[Caller, allow(Permission.SETTLE_TICKETS)]

_places = Places(tuple[Instant, UUID])


class FollowUpFilter(Paging):
    standing: Standing = Field(Standing.OPEN, description="Which of them; what is overdue is open as well")
    department: Annotated[str, Text(100)] | None = Field(
        None, description="Whose; a department sees its own whatever stands here", examples=["billing"]
    )


class FollowUpIn(InModel):
    outcome: Literal["settled", "spoken", "not_reached"] = Field(
        description="The customer is content now, was spoken to, or could not be reached", examples=["settled"]
    )
    note: Annotated[str, Text(2000)] | None = Field(
        None, description="For colleagues", examples=["Gebeld; de dubbele afschrijving is terugbetaald."]
    )


class FollowUpOut(OutModel):
    """Open until `done_at`; due in the department's own hours."""

    ticket_id: UUID
    department: str = Field(description="The owner when the ticket was resolved", examples=["billing"])
    opened_at: datetime
    due_at: datetime
    overdue_at: datetime | None = Field(description="Its due moment, once that passed")
    done_at: datetime | None
    done_by: str | None = Field(description="`customer`: gave a better score after all", examples=["agent:anna"])
    outcome: Outcome | None
    note: str | None


class FollowUpLine(FollowUpOut):
    number: int = Field(description="Of the ticket", examples=[1001])
    score: int = Field(description="What the customer gave", examples=[3])
    verbatim: str | None = Field(description="What the customer said, without personal data")


@router.get("/feedback/follow-ups", summary="List customers who are not content")
async def read_follow_ups(
    caller: Reader, runtime: Serving, asked: Annotated[FollowUpFilter, Query()]
) -> Page[FollowUpLine]:
    """In the order in which somebody has to get back to them."""
    async with runtime.reading() as tx:
        found = await list_follow_ups(
            tx,
            asked.standing,
            runtime.now(),
            department=caller.department or asked.department,
            limit=asked.limit + 1,
            after=_places.decode(asked.cursor),
        )
    cut, next_cursor = _places.cut(found, asked.limit, lambda one: (one.follow_up.due_at, one.follow_up.invitation_id))
    return Page(items=[_shown(one) for one in cut], next_cursor=next_cursor)


@router.post("/tickets/{ticket_id}/follow-up", summary="Say that somebody got back to the customer")
async def close_follow_up(
    caller: Settler, runtime: Serving, ticket_id: UUID, expected: ExpectedVersion, told: FollowUpIn
) -> FollowUpOut:
    """Ends what the customer's score of 6 or less began. The ticket may be closed, and another department's by now."""
    done: FollowUp = await runtime.run(follow_up, caller, ticket_id, expected, Outcome(told.outcome), told.note)
    return FollowUpOut.model_validate(done)


def _shown(line: Line) -> FollowUpLine:
    return FollowUpLine(
        **FollowUpOut.plain(line.follow_up), number=line.number, score=line.score, verbatim=line.verbatim
    )
