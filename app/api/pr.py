"""PR's calls: what it was asked to look at, and what it makes of that.

Knows the wire form of escalations. Refuses to know when PR is asked and what an act leads to.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import Flag, InModel, Instant, Name, OutModel, Text
from app.api.marks import EmbargoOut
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.escalation import store as escalations
from app.escalation.embargoes import store as embargoes
from app.escalation.embargoes.embargo import LONGEST, Embargo, Scope
from app.escalation.store import Escalation, EscalationState, Wanted
from app.flows import press
from app.runtime import Runtime

router = APIRouter(prefix="/api/v1", tags=["pr"])

Reader = Annotated[Caller, allow(Permission.READ_ESCALATIONS)]
Handler = Annotated[Caller, allow(Permission.HANDLE_ESCALATIONS)]
Lesson = Annotated[str, Text(5000, 1)]
Words = Annotated[str, Text(10_000, 1)]

_places = Places(UUID)


class EscalationFilter(Paging):
    """Every filter that is given must hold."""

    state: EscalationState | None = Field(None, description="Left out: all")
    reason: Name | None = Field(None, description="Asked for this, among others", examples=["legal"])
    overdue: bool = Field(False, description="Only those that nobody acknowledged in time")
    ticket_id: UUID | None = Field(None, description="Of this ticket")


class EscalationReasonOut(OutModel):
    """Why PR is asked, and the figures that led to it."""

    code: str = Field(description="reach, mood, unanswered, growth, spike, the name of a risk, ...", examples=["legal"])
    text: str = Field(examples=["legal: phrase 'advocaat'"])
    figures: dict[str, Any] = Field(examples=[{"phrase": "advocaat", "points": 35}])
    actor: str = Field(examples=["system"])
    given_at: datetime


class EmbargoLine(EmbargoOut):
    """In force until `released_at`."""

    id: UUID
    ticket_id: UUID | None
    topic: str | None
    incident_id: UUID | None
    lapsed_at: datetime | None = Field(description="When its time ran out without a release")
    released_at: datetime | None
    released_by: str | None
    rejection: str | None = Field(description="Why replies that waited were not said after all")


class EscalationOut(OutModel):
    """One of `ticket_id` and `incident_id` is given."""

    id: UUID
    ticket_id: UUID | None
    incident_id: UUID | None
    state: EscalationState
    reasons: tuple[EscalationReasonOut, ...]
    raised_at: datetime
    due_at: datetime = Field(description="By then somebody of PR is to have acknowledged it")
    overdue: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    lesson: str | None
    embargoes: list[EmbargoLine]


class AcknowledgeIn(InModel):
    take_over: Flag = Field(False, description="The ticket is PR's from now on, and PR has the ball")


class EmbargoIn(InModel):
    """A time box: nobody's customer waits for ever."""

    until: Instant = Field(
        description=f"At most {LONGEST.days} days from now; from then on the fallback text may be said",
        examples=["2026-11-22T15:00:00Z"],
    )
    fallback_text: Words | None = Field(
        None,
        description="All that may be said in public from `until` on, until you release. Left out: at `until` the "
        "embargo is over, and replies that waited are published",
        examples=["We weten dat er een storing is en werken eraan. Zodra we meer weten, laten we het je hier weten."],
    )
    scope: Scope = Field(Scope.TICKET, description="The ticket, every ticket of its topic, or of its incident")


class ReleaseIn(InModel):
    """An empty object, or no body at all, lets go what waited."""

    reject: Lesson | None = Field(
        None, description="Why replies that waited are not said after all; left out: they are published"
    )


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
        held = await embargoes.list_embargoes(tx, [one.id for one in cut])
    return Page(items=[_shown(one, held, now) for one in cut], next_cursor=next_cursor)


@router.get("/escalations/{escalation_id}", summary="Read an escalation")
async def read_escalation(_: Reader, runtime: Serving, escalation_id: UUID) -> EscalationOut:
    """With every reason and its figures, and the embargoes that were set for it."""
    return await _read(runtime, escalation_id)


@router.post("/escalations/{escalation_id}/acknowledge", summary="Say that PR looks at it")
async def acknowledge_escalation(
    caller: Handler, runtime: Serving, escalation_id: UUID, asked: AcknowledgeIn | None = None
) -> EscalationOut:
    """Stops PR's own clock. Without taking over the ball stays where it is."""
    take_over = asked.take_over if asked else False
    seen = await runtime.run(press.acknowledge, caller, escalation_id, take_over=take_over)
    return await _read(runtime, seen.id)


@router.post("/escalations/{escalation_id}/embargo", summary="Keep public replies back")
async def set_embargo(caller: Handler, runtime: Serving, escalation_id: UUID, asked: EmbargoIn) -> EscalationOut:
    """From now on public replies wait for your release; private work goes on, and no promise to the customer pauses.

    One that stands for the same scope is changed. Agents and departments see it on their tickets.
    """
    held = await runtime.run(press.embargo, caller, escalation_id, asked.scope, asked.until, asked.fallback_text)
    return await _read(runtime, held.id)


@router.post("/escalations/{escalation_id}/release", summary="Let public replies go again")
async def release_embargo(
    caller: Handler, runtime: Serving, escalation_id: UUID, asked: ReleaseIn | None = None
) -> EscalationOut:
    """Replies that waited for this alone are published, or rejected; one at a time you decide under `/replies`."""
    freed = await runtime.run(press.release, caller, escalation_id, asked.reject if asked else None)
    return await _read(runtime, freed.id)


@router.post("/escalations/{escalation_id}/close", summary="Be done with an escalation")
async def close_escalation(caller: Handler, runtime: Serving, escalation_id: UUID, asked: CloseIn) -> EscalationOut:
    """What PR holds goes back to who had it. No reason that stands on it escalates the ticket again."""
    closed = await runtime.run(press.close, caller, escalation_id, asked.lesson)
    return await _read(runtime, closed.id)


async def _read(runtime: Runtime, escalation_id: UUID) -> EscalationOut:
    async with runtime.reading() as tx:
        one = await escalations.get_escalation(tx, escalation_id)
        return _shown(one, await embargoes.list_embargoes(tx, [one.id]), runtime.now())


def _shown(one: Escalation, held: Sequence[Embargo], now: datetime) -> EscalationOut:
    read_apart = {"overdue", "reasons", "embargoes"}
    return EscalationOut.model_validate(
        {
            **{name: getattr(one, name) for name in EscalationOut.model_fields if name not in read_apart},
            "reasons": [EscalationReasonOut.model_validate(reason) for reason in one.reasons],
            "overdue": one.state is EscalationState.RAISED and one.due_at < now,
            "embargoes": [EmbargoLine.model_validate(other) for other in held if other.escalation_id == one.id],
        }
    )
