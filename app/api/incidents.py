"""Incidents: what many customers report at once, the posts that prove it, and what PR says about it to all of them.

Knows the wire form of these calls. Refuses to know when an incident opens and ends.
"""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.api.fields import InModel, OutModel
from app.api.idempotency import Repeating
from app.api.marks import SpeakerOut
from app.api.paging import Page, Paging, Places
from app.api.pr import Handler, Lesson, Reader, Words
from app.api.serving import Serving
from app.escalation.incidents import store as incidents
from app.escalation.incidents.incident import Incident, IncidentState
from app.escalation.incidents.store import Reach
from app.escalation.statements import store as statements
from app.flows import state as stating
from app.runtime import Runtime

router = APIRouter(prefix="/api/v1", tags=["pr"])

_places = Places(UUID)


class IncidentFilter(Paging):
    state: IncidentState | None = Field(None, description="open or closed; left out: both")


class PostFilter(Paging):
    proves: bool | None = Field(
        None, description="True: those that were there when it opened; false: those that followed"
    )


class IncidentLine(OutModel):
    """More posts about `name` than the past makes likely; at its height `observed` in an hour."""

    id: UUID
    scope: str = Field(description="topic, account or area: what `name` is", examples=["topic"])
    name: str = Field(description="A topic's slug, channel/account, or the area", examples=["outage"])
    department: str | None = Field(description="Slug of who owns most of its tickets", examples=["network"])
    state: IncidentState
    severity: str = Field(description="As crisis.yaml names it", examples=["serious"])
    observed: int = Field(description="Posts in the hour so far, at its height", examples=[64])
    expected: float = Field(description="How many are usual then", examples=[5.2])
    chance: float = Field(description="How likely so many were", examples=[3.1e-12])
    mentions: int = Field(description="Posts on it")
    tickets: int
    told: int = Field(description="Tickets on which the newest statement was said")
    opened_at: datetime
    quiet_since: datetime | None = Field(description="Since when it is calm; it ends when that lasts")
    closed_at: datetime | None
    closed_by: str | None = Field(description="`system` when it ended by itself")
    lesson: str | None


class IncidentStatementOut(OutModel):
    id: UUID
    text: dict[str, str] = Field(description="By language, with merge fields")
    actor: str
    approved_at: datetime


class IncidentOut(IncidentLine):
    """`lead` and `say` are what crisis.yaml has for its severity, `holding` what may be said before a statement."""

    statements: list[IncidentStatementOut] = Field(
        description="Newest first; the first is said on tickets that still join"
    )
    lead: str | None
    say: list[SpeakerOut]
    holding: dict[str, str]


class PostOut(OutModel):
    mention_id: UUID
    ticket_id: UUID
    proves: bool
    attached_at: datetime


class TextIn(InModel):
    """In the order of preference for customers of other languages."""

    nl: Words | None = Field(None, description="In Dutch", examples=["De storing is om 14:00 verholpen."])
    en: Words | None = Field(None, description="In English", examples=["The outage was solved at 14:00."])

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.nl is None and self.en is None:
            raise PydanticCustomError("no_language", "Write the text in at least one language, nl or en.")
        return self


class IncidentStatementIn(InModel):
    text: TextIn = Field(
        description="At least one language. Merge fields, as in macros: {customer_name}, {ticket_number}, {topic}",
        examples=[{"nl": "Dag {customer_name}, de storing is verholpen. Werkt het nog niet? Laat het hier weten."}],
    )


class LearnIn(InModel):
    lesson: Lesson = Field(
        description="What was learned", examples=["Bij een storing eerst de statuspagina bijwerken."]
    )


@router.get("/incidents", summary="List incidents")
async def read_incidents(_: Reader, runtime: Serving, asked: Annotated[IncidentFilter, Query()]) -> Page[IncidentLine]:
    """Newest first."""
    async with runtime.reading() as tx:
        before = _places.decode(asked.cursor)
        found = await incidents.list_incidents(tx, state=asked.state, limit=asked.limit + 1, before=before)
        cut, next_cursor = _places.cut(found, asked.limit, lambda one: one.id)
        reaches = await incidents.list_reaches(tx, [one.id for one in cut])
    return Page(
        items=[IncidentLine.model_validate(_line(one, reaches[one.id])) for one in cut], next_cursor=next_cursor
    )


@router.get("/incidents/{incident_id}", summary="Read an incident")
async def read_incident(_: Reader, runtime: Serving, incident_id: UUID) -> IncidentOut:
    """With what was agreed for its severity, and what is said about it."""
    return await _read(runtime, incident_id)


@router.get("/incidents/{incident_id}/mentions", summary="List the posts of an incident")
async def read_incident_mentions(
    _: Reader, runtime: Serving, incident_id: UUID, asked: Annotated[PostFilter, Query()]
) -> Page[PostOut]:
    """In the order in which they came in."""
    async with runtime.reading() as tx:
        await incidents.get_incident(tx, incident_id)
        after = _places.decode(asked.cursor)
        found = await incidents.list_attached(tx, incident_id, proves=asked.proves, limit=asked.limit + 1, after=after)
    cut, next_cursor = _places.cut(found, asked.limit, lambda one: one.mention_id)
    return Page(items=[PostOut.model_validate(one) for one in cut], next_cursor=next_cursor)


@router.post(
    "/incidents/{incident_id}/statement",
    status_code=201,
    response_model=IncidentStatementOut,
    summary="Say something on every ticket of an incident",
)
async def approve_statement(
    caller: Handler, incident_id: UUID, asked: IncidentStatementIn, once: Repeating
) -> Response:
    """Said within seconds, once on each open ticket, and on those that join while the incident is open.

    It counts as a reply. It waits for no embargo and no review: you approve it here.
    """
    texts = asked.text.model_dump(exclude_none=True)
    return await once.run(caller, 201, _statement, stating.approve, caller, incident_id, texts)


@router.post("/incidents/{incident_id}/close", summary="Be done with an incident")
async def close_incident(caller: Handler, runtime: Serving, incident_id: UUID, asked: LearnIn) -> IncidentOut:
    """With a lesson, also when it ended by itself. Its escalation is closed with it."""
    closed = await runtime.run(stating.close, caller, incident_id, asked.lesson)
    return await _read(runtime, closed.id)


async def _read(runtime: Runtime, incident_id: UUID) -> IncidentOut:
    async with runtime.reading() as tx:
        one = await incidents.get_incident(tx, incident_id)
        reaches = await incidents.list_reaches(tx, [incident_id])
        said = await statements.list_statements(tx, incident_id)
    agreed = runtime.rulebook.agreements.get(one.severity)
    return IncidentOut.model_validate(
        {
            **_line(one, reaches[incident_id]),
            "statements": [_statement(each) for each in said],
            "lead": agreed.lead if agreed else None,
            "say": [SpeakerOut.model_validate(speaker) for speaker in agreed.say] if agreed else [],
            "holding": dict(agreed.holding) if agreed else {},
        }
    )


def _line(one: Incident, reach: Reach) -> dict[str, object]:
    facts = {name: getattr(one, name) for name in IncidentLine.model_fields if hasattr(one, name)}
    named = {"scope": one.subject.scope, "name": one.subject.name}
    return {**facts, **named, "mentions": reach.mentions, "tickets": reach.tickets, "told": reach.told}


def _statement(one: statements.Statement) -> IncidentStatementOut:
    return IncidentStatementOut(id=one.id, text=dict(one.texts), actor=one.actor, approved_at=one.approved_at)
