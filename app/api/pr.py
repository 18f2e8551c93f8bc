"""PR's calls: what it was asked to look at, and what it makes of that.

Knows the wire form of escalations. Refuses to know when PR is asked and what an act leads to.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import Flag, InModel, Name, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.escalation import store as escalations
from app.escalation.store import Escalation, State, Wanted
from app.flows import press

router = APIRouter(prefix="/api/v1", tags=["pr"])

Reader = Annotated[Caller, allow(Permission.READ_ESCALATIONS)]
Handler = Annotated[Caller, allow(Permission.HANDLE_ESCALATIONS)]
Lesson = Annotated[str, Text(5000, 1)]

_places = Places(UUID)


class EscalationFilter(Paging):
    """Every filter that is given must hold."""

    state: State | None = Field(None, description="Left out: all")
    reason: Name | None = Field(None, description="Asked for this, among others", examples=["legal"])
    overdue: bool = Field(False, description="Only those that nobody acknowledged in time")
    ticket_id: UUID | None = Field(None, description="Of this ticket")


class ReasonOut(OutModel):
    """Why PR is asked, and the figures that led to it."""

    code: str = Field(description="reach, mood, unanswered, growth, spike, the name of a risk, ...", examples=["legal"])
    text: str = Field(examples=["legal: phrase 'advocaat'"])
    figures: dict[str, Any] = Field(examples=[{"phrase": "advocaat", "points": 35}])
    actor: str = Field(examples=["system"])
    given_at: datetime


class EscalationOut(OutModel):
    """One of `ticket_id` and `incident_id` is given."""

    id: UUID
    ticket_id: UUID | None
    incident_id: UUID | None
    state: State
    reasons: tuple[ReasonOut, ...]
    raised_at: datetime
    due_at: datetime = Field(description="By then somebody of PR is to have acknowledged it")
    overdue: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    lesson: str | None


class AcknowledgeIn(InModel):
    take_over: Flag = Field(False, description="The ticket is PR's from now on, and PR has the ball")


class CloseIn(InModel):
    lesson: Lesson = Field(
        description="What was learned, for colleagues", examples=["Bij een storing eerst de statuspagina bijwerken."]
    )


@router.get("/escalations", summary="List what PR is asked to look at")
async def read_escalations(
    _: Reader, runtime: Serving, asked: Annotated[EscalationFilter, Query()]
) -> Page[EscalationOut]:
    """Oldest first."""
    now = runtime.now()
    wanted = Wanted(asked.state, asked.reason, now if asked.overdue else None, asked.ticket_id)
    async with runtime.reading() as tx:
        after = _places.decode(asked.cursor)
        found = await escalations.list_escalations(tx, wanted, limit=asked.limit + 1, after=after)
    cut, next_cursor = _places.cut(found, asked.limit, lambda one: one.id)
    return Page(items=[_shown(one, now) for one in cut], next_cursor=next_cursor)


@router.get("/escalations/{escalation_id}", summary="Read an escalation")
async def read_escalation(_: Reader, runtime: Serving, escalation_id: UUID) -> EscalationOut:
    async with runtime.reading() as tx:
        return _shown(await escalations.get_escalation(tx, escalation_id), runtime.now())


@router.post("/escalations/{escalation_id}/acknowledge", summary="Say that PR looks at it")
async def acknowledge(
    caller: Handler, runtime: Serving, escalation_id: UUID, asked: AcknowledgeIn | None = None
) -> EscalationOut:
    """Stops PR's own clock. Without taking over the ball stays where it is."""
    take_over = asked.take_over if asked else False
    done = await runtime.run(press.acknowledge, caller, escalation_id, take_over=take_over)
    return _shown(done, runtime.now())


@router.post("/escalations/{escalation_id}/close", summary="Be done with an escalation")
async def close(caller: Handler, runtime: Serving, escalation_id: UUID, asked: CloseIn) -> EscalationOut:
    """What PR holds goes back to who had it. No reason that stands on it escalates the ticket again."""
    return _shown(await runtime.run(press.close, caller, escalation_id, asked.lesson), runtime.now())


def _shown(one: Escalation, now: datetime) -> EscalationOut:
    overdue = one.state is State.RAISED and one.due_at < now
    return EscalationOut.model_validate(
        {
            **{name: getattr(one, name) for name in EscalationOut.model_fields if name not in {"overdue", "reasons"}},
            "reasons": [ReasonOut.model_validate(reason) for reason in one.reasons],
            "overdue": overdue,
        }
    )
