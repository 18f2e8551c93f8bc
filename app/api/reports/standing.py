"""What must be done now, over HTTP: promises at risk, tickets that are late, what is open by holder, owner and age.

Knows the members of the answers. Refuses to know when a promise is at risk (reports.standing).
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.fields import Instant, OutModel
from app.api.paging import Page, Paging, Places
from app.api.reports.asking import PREFIX, Reader
from app.api.serving import Serving
from app.reports.standing.age import BANDS
from app.reports.standing.store import list_aged, list_at_risk, list_late

router = APIRouter(prefix=PREFIX)

_places = Places(tuple[Instant, UUID])


class AtRiskFilter(Paging):
    within_hours: int = Field(4, ge=1, le=168, description="Due within so many hours, or past their warning")


class TicketLine(OutModel):
    """A ticket as reports list it."""

    ticket_id: UUID
    number: int = Field(description="For people to say to each other", examples=[1001])
    url: str = Field(description="Where it is read", examples=["http://127.0.0.1:8080/api/v1/tickets/..."])
    department: str | None
    topic: str | None
    channel: str
    account: str | None
    priority: str
    holder: str = Field(description="Who has the ball", examples=["webcare"])
    assignee: str | None


class AtRiskOut(TicketLine):
    """A promise that runs and is kept so far."""

    metric: str = Field(examples=["first_reply"])
    round: int = Field(description="Counts from 1 where a metric starts anew")
    department: str | None = Field(description="Whose promise it is: of a department, else of the owner")
    due_at: datetime
    warned_at: datetime | None = Field(description="When its warning came; null: it has not come yet")


class BrokenOut(OutModel):
    """A promise that was not kept in time and is owed still."""

    metric: str = Field(examples=["first_reply"])
    due_at: datetime
    late_by: float = Field(description="Seconds since then, on the wall", examples=[5400.0])


class LateOut(TicketLine):
    """An open ticket that is past its soonest promise to the customer."""

    due_at: datetime = Field(description="When that was due")
    broken: list[BrokenOut] = Field(description="Soonest first; also what a department promised us")


class AgedOut(OutModel):
    holder: str = Field(description="Who has the ball", examples=["department"])
    department: str | None = Field(description="Who owns the tickets")
    age: str = Field(description=f"Since they were opened: {', '.join(BANDS)}", examples=["under_1d"])
    n: int
    late: int = Field(description="Of these past their soonest promise to the customer: `/reports/sla/late`")


class StandingOut(OutModel):
    """What is open at one moment. Only lines that there is something for; `n` and `late` are of all of them."""

    at: datetime
    n: int
    late: int
    items: list[AgedOut]


@router.get("/sla/at-risk", summary="List promises that will be broken unless somebody acts")
async def read_at_risk(caller: Reader, runtime: Serving, asked: Annotated[AtRiskFilter, Query()]) -> Page[AtRiskOut]:
    """Soonest first. The database's present state, not the reports' replica: who acts must see what is done already."""
    now = runtime.now()
    until = now + timedelta(hours=asked.within_hours)
    after = _places.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await list_at_risk(tx, caller.department, now, until, limit=asked.limit + 1, after=after)
    cut, next_cursor = _places.cut(found, asked.limit, lambda one: (one.due_at, one.id))
    url = runtime.knobs.public_url
    items = [AtRiskOut.model_validate({**asdict(one), "url": ticket_url(url, one.ticket_id)}) for one in cut]
    return Page(items=items, next_cursor=next_cursor)


@router.get("/sla/late", summary="List tickets that are late, and by how much")
async def read_late(caller: Reader, runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[LateOut]:
    """The latest first, as they stand: `/reports/sla/breaches` has all promises that were ever broken."""
    now = runtime.now()
    after = _places.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await list_late(tx, caller.department, now, limit=asked.limit + 1, after=after)
    cut, next_cursor = _places.cut(found, asked.limit, lambda one: (one.due_at, one.ticket_id))
    items = [
        LateOut.model_validate(
            {
                **asdict(one),
                "url": ticket_url(runtime.knobs.public_url, one.ticket_id),
                "broken": [
                    BrokenOut(metric=metric, due_at=at, late_by=(now - at).total_seconds())
                    for metric, at in one.broken.items()
                ],
            }
        )
        for one in cut
    ]
    return Page(items=items, next_cursor=next_cursor)


@router.get("/backlog/now", summary="Read what is open at this moment")
async def read_standing(caller: Reader, runtime: Serving) -> StandingOut:
    """By who has the ball, who owns it and how old it is."""
    now = runtime.now()
    async with runtime.reading() as tx:
        aged = await list_aged(tx, caller.department, now)
    items = [AgedOut.model_validate(one) for one in aged]
    return StandingOut(at=now, n=sum(one.n for one in aged), late=sum(one.late for one in aged), items=items)


def ticket_url(public_url: str, ticket_id: UUID) -> str:
    """Where a ticket is read."""
    return f"{public_url}/api/v1/tickets/{ticket_id}"
