"""Broken promises one by one, over HTTP, with links. Knows the filters; refuses to know what breaks a promise."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from app.api.fields import Count, Instant, Name
from app.api.paging import Page, Paging, Places
from app.api.reports.asking import PREFIX, PeriodIn, Reader
from app.api.reports.standing import TicketLine, ticket_url
from app.api.serving import Serving
from app.reports.broken.store import list_broken
from app.reports.question import ASKABLE, Question
from app.reports.tally.fact import Measure
from app.reports.tally.keeping.store import get_tallied
from app.sla.policy import Metric

router = APIRouter(prefix=PREFIX)

_places = Places(tuple[Instant, UUID, Count])


class BreachFilter(Paging, PeriodIn):
    """Every filter that is given must hold, as the promise counts in `/reports/sla`."""

    metric: Metric | None = Field(None, description="Left out: all of them")
    topic: Name | None = Field(None, description="What the ticket is about")
    channel: Name | None = Field(None, description="Where the customer posted")
    account: Name | None = Field(None, description="Your profile that was written to")
    department: Name | None = Field(None, description="Who made the promise, else who owns the ticket")
    stage: Name | None = Field(None, description="Of ownership, as the ticket first got it")
    arm: Name | None = Field(None, description="Of a pilot, as the ticket first got it")
    priority: Name | None = Field(None, description="Of the ticket")
    agent: Name | None = Field(None, description="Who has the ticket")
    language: Name | None = Field(None, description="Of the ticket")
    team: Name | None = Field(None, description="Of the agent, as their profile says now")

    def question(self, department: str | None, now: datetime, zone: ZoneInfo) -> Question:
        """Raises `EmptyPeriod`."""
        only = {name: value for name in ASKABLE if (value := getattr(self, name)) is not None}
        return Question(*self.period(now, zone), department=department, only=only, zone=zone)


class BreachOut(TicketLine):
    """A promise that was broken, and the ticket as it stands."""

    at: AwareDatetime = Field(description="Its due moment")
    metric: str = Field(examples=["first_reply"])
    stage: str | None
    arm: str | None
    agent: str | None
    team: str | None = Field(description="Of the agent, as their profile says now")
    state: str
    business: float | None = Field(description="Seconds of business time that it took; null: it has not ended")
    calendar: float | None = Field(description="The same on the wall")
    late_by: float = Field(description="Seconds past its due moment, on the wall: at its end, or by now")


@router.get("/sla/breaches", summary="List broken promises")
async def read_breaches(caller: Reader, runtime: Serving, asked: Annotated[BreachFilter, Query()]) -> Page[BreachOut]:
    """Newest first: what stands behind `breached` in `/reports/sla`, counted within a second or two."""
    metric = None if asked.metric is None else Measure(asked.metric)
    now, after = runtime.now(), _places.decode(asked.cursor)
    async with runtime.reading(reports=True) as tx:
        question = asked.question(caller.department, now, (await get_tallied(tx)).zone)
        found = await list_broken(tx, question, metric, limit=asked.limit + 1, after=after)
    cut, next_cursor = _places.cut(found, asked.limit, lambda one: (one.at, one.ticket_id, one.place))
    url = runtime.knobs.public_url
    items = [
        BreachOut.model_validate(
            {
                **asdict(one),
                "url": ticket_url(url, one.ticket_id),
                "late_by": ((one.ended_at or now) - one.at).total_seconds(),
            }
        )
        for one in cut
    ]
    return Page(items=items, next_cursor=next_cursor)
