"""How topics change, for managers: their weeks side by side, and the alarms that stand.

Knows the wire form. Refuses to know what is unusual (reports.drift).
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import InModel, Name, OutModel
from app.api.serving import Serving
from app.reports.drift import store as drift
from app.reports.drift.alarm import SHARES, Drift
from app.reports.drift.store import Alarm
from app.reports.drift.week import WEEK, Counts
from app.reports.question import midnight
from app.reports.tally.keeping.store import get_tallied

router = APIRouter(prefix="/api/v1/topics", tags=["managers"])

Reader = Annotated[Caller, allow(Permission.READ_REPORTS)]

_WORDS = {
    Drift.GROWS: "{n} posts in a week, where {usual:.0f} are usual",
    Drift.UNSURE: "of {of} posts {n} came into triage first, where {usual:.1f} are usual",
    Drift.CORRECTED: "of {of} posts that were taken for it {n} were about something else, where {usual:.1f} are usual",
    Drift.HANDED_BACK: "of {of} tickets departments gave {n} back, where {usual:.1f} are usual",
    Drift.SOUR: "of {of} posts {n} were in words that weigh below zero, where {usual:.1f} are usual",
    Drift.DETRACTORS: "of {of} customers {n} scored 6 or lower, where {usual:.1f} are usual",
}


class DriftFilter(InModel):
    topic: Annotated[list[Name], Field(max_length=50)] = Field(
        [], description="Slugs; left out: all", examples=[["delivery_delay"]]
    )


class TopicWeekOut(OutModel):
    """Seven days; `start` is midnight where the days of reports begin. A share of nothing is null."""

    start: datetime
    posts: int = Field(description="That turned out to be about the topic", examples=[42])
    unsure: float | None = Field(description="Share of these that came into triage first", examples=[0.12])
    corrected: float | None = Field(
        description="Share of what was taken for it that was about something else", examples=[0.05]
    )
    handed_back: float | None = Field(description="Share of what departments were handed that came back")
    sour: float | None = Field(
        description="Share of what was decided without a person whose words weigh below zero, as tones.yaml has it",
        examples=[0.35],
    )
    detractors: float | None = Field(description="Share of scores of 6 or lower")
    confidence: float | None = Field(description="Mean of what was decided without a person", examples=[0.83])


class TopicAlarmOut(OutModel):
    """It resolves itself when the week is usual again, and is shown for 30 days more."""

    id: UUID
    topic: str = Field(examples=["delivery_delay"])
    kind: Drift
    text: str = Field(examples=["of 80 tickets departments gave 14 back, where 2.5 are usual"])
    n: int
    of: int | None = Field(description="null: of any number")
    usual: float
    chance: float = Field(description="Of so many or more, if nothing had changed", examples=[1.2e-6])
    raised_at: datetime
    seen_at: datetime = Field(description="The last look at which it was still unusual")
    resolved_at: datetime | None


class TopicDriftOut(OutModel):
    topic: str = Field(examples=["delivery_delay"])
    weeks: list[TopicWeekOut] = Field(description="Oldest first; the last ends with the last whole day")


class DriftOut(OutModel):
    alarms: list[TopicAlarmOut] = Field(description="Newest first")
    items: list[TopicDriftOut] = Field(description="Topics with anything to tell, by slug")


@router.get("/drift", summary="Read how topics change")
async def read_drift(caller: Reader, runtime: Serving, asked: Annotated[DriftFilter, Query()]) -> DriftOut:
    """Nine weeks of each topic, and where the last one is unusual. A department reads about what it owns."""
    now = runtime.now()
    async with runtime.reading(reports=True) as tx:
        zone = (await get_tallied(tx)).zone
        until = now.astimezone(zone).date()
        weeks = await drift.list_weeks(tx, until, zone)
        alarms = await drift.list_alarms(tx, now)
    lines = runtime.rulebook.routing.ownerships
    own = {line.topic for line in lines if caller.department in (None, line.department)}
    seen = own if caller.department else own | weeks.keys() | {one.topic for one in alarms}
    if asked.topic:
        seen &= set(asked.topic)
    return DriftOut(
        alarms=[_alarm(one) for one in alarms if one.topic in seen],
        items=[
            TopicDriftOut(topic=topic, weeks=_weeks(found, until, zone))
            for topic, found in weeks.items()
            if topic in seen
        ],
    )


def _weeks(counted: Sequence[Counts], until: date, zone: ZoneInfo) -> list[TopicWeekOut]:
    first = until - len(counted) * WEEK
    return [_week(midnight(first + place * WEEK, zone), one) for place, one in enumerate(counted)]


def _week(start: datetime, counted: Counts) -> TopicWeekOut:
    shares = {kind.value: _share(getattr(counted, n), getattr(counted, of)) for kind, (n, of) in SHARES.items()}
    return TopicWeekOut(start=start, posts=counted.posts, confidence=_share(counted.sure, counted.decided), **shares)


def _share(part: float, whole: int) -> float | None:
    return round(min(part / whole, 1.0), 4) if whole else None


def _alarm(one: Alarm) -> TopicAlarmOut:
    return TopicAlarmOut(
        id=one.id,
        topic=one.topic,
        kind=one.kind,
        text=_WORDS[one.kind].format(**one.figures),
        raised_at=one.raised_at,
        seen_at=one.seen_at,
        resolved_at=one.resolved_at,
        **one.figures,
    )
