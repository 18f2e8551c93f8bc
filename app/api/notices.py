"""Who was told, or is to be told, of which promises that were about to break or did.

Knows the wire form of notices. Refuses to know when somebody is told (ladders in sla.yaml).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import OutModel
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.sla import store as sla

router = APIRouter(prefix="/api/v1", tags=["managers"])

Reader = Annotated[Caller, allow(Permission.READ_TICKETS)]

_places = Places(UUID)


class Whom(StrEnum):
    DEPARTMENT = "department"
    LEAD = "lead"
    MANAGER = "manager"


class NoticeFilter(Paging):
    """Every filter that is given must hold."""

    to: Whom | None = Field(None, description="Who is told")
    ticket_id: UUID | None = Field(None, description="Of this ticket")


class NoticeOut(OutModel):
    """One rung of a ladder that tells somebody."""

    id: UUID
    to: Whom = Field(validation_alias="aim", description="Who is told")
    ticket_id: UUID
    number: int = Field(description="Of the ticket, for people to say to each other", examples=[1001])
    department: str | None = Field(description="Who owns the ticket", examples=["billing"])
    metric: str = Field(description="Of which promise", examples=["first_reply"])
    round: int = Field(description="Counts from 1 where a metric starts anew", examples=[1])
    reached_at: datetime = Field(description="When the rung was reached, which may have been at night")
    tell_at: datetime | None = Field(description="When people are told; null: that was done, or is not needed")
    outcome: str | None = Field(
        description="told, settled (the promise had ended by then) or nobody (no department owns it); null: not yet",
        examples=["told"],
    )
    done_at: datetime | None = Field(description="When that was so")


@router.get("/notices", summary="List who was told of which promises")
async def read_notices(caller: Reader, runtime: Serving, asked: Annotated[NoticeFilter, Query()]) -> Page[NoticeOut]:
    """Newest first. A department sees those of its own tickets."""
    async with runtime.reading() as tx:
        found = await sla.list_notices(
            tx,
            aim=asked.to,
            department=caller.department,
            ticket_id=asked.ticket_id,
            limit=asked.limit + 1,
            before=_places.decode(asked.cursor),
        )
    cut, next_cursor = _places.cut(found, asked.limit, lambda row: row.id)
    return Page(items=[NoticeOut.model_validate(row) for row in cut], next_cursor=next_cursor)
