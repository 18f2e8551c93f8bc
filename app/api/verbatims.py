"""What customers wrote beside their scores, over HTTP: searched, and the most telling of each topic.

Knows the wire form. Refuses to know what is told of whom: personal data was taken out when the answer came in.
"""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller
from app.api.fields import DayOrInstant, Instant, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.reports.answering import Figure
from app.api.reports.asking import PeriodIn, Reader
from app.api.serving import Serving
from app.feedback.nps import Band
from app.feedback.verbatims.store import Wanted, list_efforts, list_telling, list_verbatims
from app.kit.db import Reading
from app.reports.question import EmptyPeriod
from app.reports.tally.keeping.store import get_tallied

router = APIRouter(prefix="/api/v1/feedback", tags=["managers"])

Slug = Annotated[str, Text(100)]

USUAL_PERIOD = timedelta(days=90)
WEEK = timedelta(weeks=1)

_places = Places(tuple[Instant, UUID])


class Filter(PeriodIn):
    """Every filter that is given must hold. The period is that in which comments were received."""

    from_: DayOrInstant | None = Field(None, alias="from", description="Left out: 90 days before `to`")
    topic: Slug | None = Field(None, description="What the ticket was about", examples=["delivery_delay"])
    department: Slug | None = Field(
        None, description="Who owned the ticket; a department reads its own whatever stands here", examples=["billing"]
    )
    channel: Slug | None = Field(None, description="Where the customer posted", examples=["x"])
    band: Band | None = Field(None, description="promoter (9, 10), passive (7, 8) or detractor (0 to 6)")

    async def wanted(self, tx: Reading, caller: Caller, now: datetime, usual: timedelta = USUAL_PERIOD) -> Wanted:
        """Raises `EmptyPeriod`."""
        since, until = self.period(now, (await get_tallied(tx)).zone, usual)
        if since >= until:
            raise EmptyPeriod("`from` must lie before `to`.", field="from")
        department = caller.department or self.department
        return Wanted(since, until, None, self.topic, department, self.channel, self.band)


class VerbatimFilter(Filter, Paging):
    q: Annotated[str, Text(200)] | None = Field(
        None, description='Words that all occur, "a phrase", one or another, -without', examples=["wachtrij -winkel"]
    )


class TellingFilter(Filter):
    from_: DayOrInstant | None = Field(None, alias="from", description="Left out: a week before `to`")
    per_topic: int = Field(3, ge=1, le=20, description="At most so many comments of each topic")


class VerbatimOut(OutModel):
    """A comment without personal data: `[phone]` stands where a number stood."""

    id: UUID
    ticket_id: UUID
    number: int = Field(description="Of the ticket", examples=[1001])
    received_at: datetime
    score: int = Field(examples=[9])
    effort: int | None = Field(description="The second question, from 1 (hard) to 7 (easy)", examples=[6])
    text: str = Field(examples=["Snel geholpen, bel me gerust op [phone]."])
    topic: str | None = Field(description="This and what follows as it was when the ticket was resolved")
    channel: str
    department: str | None
    stage: str | None
    language: str


class EffortLine(OutModel):
    topic: str | None = Field(examples=["number_porting"])
    n: int = Field(description="Answers to the second question", examples=[42])
    mean: Figure | None = Field(description="From 1 (hard) to 7 (easy); null below 10 answers", examples=[5.4])
    easy_share: Figure | None = Field(description="Share of 5, 6 and 7; null below 10 answers", examples=[0.81])


class EffortOut(OutModel):
    items: list[EffortLine] = Field(description="By topic")


class ToldTopicOut(OutModel):
    topic: str | None
    items: list[VerbatimOut] = Field(description="The most telling first")


class TellingOut(OutModel):
    items: list[ToldTopicOut] = Field(description="By topic; what has none last")


@router.get("/verbatims", summary="Read what customers wrote")
async def read_verbatims(
    caller: Reader, runtime: Serving, asked: Annotated[VerbatimFilter, Query()]
) -> Page[VerbatimOut]:
    """Newest first, without personal data. Words are found by their stems."""
    async with runtime.reading(reports=True) as tx:
        wanted = await asked.wanted(tx, caller, runtime.now())
        found = await list_verbatims(
            tx, replace(wanted, text=asked.q or None), limit=asked.limit + 1, before=_places.decode(asked.cursor)
        )
    cut, next_cursor = _places.cut(found, asked.limit, lambda one: (one.received_at, one.id))
    return Page(items=[VerbatimOut.model_validate(one) for one in cut], next_cursor=next_cursor)


@router.get("/verbatims/telling", summary="Read what tells most about each topic")
async def read_telling(caller: Reader, runtime: Serving, asked: Annotated[TellingFilter, Query()]) -> TellingOut:
    """Comments with the words that set their topic apart and a score far from the middle; docs/feedback.md has the
    formula. Of more than 5,000 comments the newest are weighed.
    """
    async with runtime.reading(reports=True) as tx:
        wanted = await asked.wanted(tx, caller, runtime.now(), WEEK)
        found = await list_telling(tx, wanted, per_topic=asked.per_topic)
    topics = sorted(found, key=lambda topic: (topic is None, topic))
    return TellingOut(
        items=[
            ToldTopicOut(topic=topic, items=[VerbatimOut.model_validate(one) for one in found[topic]])
            for topic in topics
        ]
    )


@router.get("/effort", summary="Read how easy it was")
async def read_effort(caller: Reader, runtime: Serving, asked: Annotated[Filter, Query()]) -> EffortOut:
    """What the second question comes to, by topic: only topics under `effort` in feedback.yaml ask it."""
    async with runtime.reading(reports=True) as tx:
        wanted = await asked.wanted(tx, caller, runtime.now())
        found = await list_efforts(tx, wanted)
    topics = sorted(found, key=lambda topic: (topic is None, topic))
    return EffortOut(items=[EffortLine(topic=topic, **asdict(found[topic])) for topic in topics])
