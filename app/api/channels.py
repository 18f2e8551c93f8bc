"""Whether channels can be reached: adapters tell, everybody may look.

Knows the wire form of outages. Refuses to know what becomes of tickets meanwhile (flows/outage).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import InModel, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.channels import store as channels
from app.flows import outage

router = APIRouter(prefix="/api/v1", tags=["ingest"])

Adapter = Annotated[Caller, allow(Permission.POST_MENTIONS)]

_places = Places(UUID)


class Reach(StrEnum):
    DOWN = "down"
    UP = "up"


class StateIn(InModel):
    state: Reach
    reason: Annotated[str, Text(500, 1)] | None = Field(
        None, description="For people, of an outage", examples=["The platform answers 503"]
    )


class StateOut(OutModel):
    channel: str = Field(examples=["x"])
    state: Reach
    since: datetime | None = Field(description="Since when it is down; null: it is up")
    reason: str | None


class OutageOut(OutModel):
    """From `since` until just before `until` nobody could act on the channel's tickets; null: it lasts."""

    id: UUID
    channel: str = Field(examples=["x"])
    since: datetime
    until: datetime | None
    told_by: str = Field(examples=["ingest:x-adapter"])
    reason: str | None


@router.put("/channels/{channel}/state", summary="Tell whether a channel can be reached")
async def put_state(caller: Adapter, runtime: Serving, channel: str, told: StateIn) -> StateOut:
    """Say it as often as you like. Within seconds the outage has the ball of the channel's open tickets, and its time
    is shown apart; when the channel is up again, who had the ball has it.
    """
    if told.state is Reach.UP:
        await runtime.run(outage.come_back, channel)
        return StateOut(channel=channel, state=Reach.UP, since=None, reason=None)
    lasting = await runtime.run(outage.go_down, caller, channel, told.reason)
    return StateOut(channel=channel, state=Reach.DOWN, since=lasting.since, reason=lasting.reason)


@router.get(
    "/outages", dependencies=[allow(Permission.READ_TICKETS)], summary="List when channels could not be reached"
)
async def read_outages(runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[OutageOut]:
    """Newest first."""
    async with runtime.reading() as tx:
        found = await channels.list_outages(tx, limit=asked.limit + 1, before=_places.decode(asked.cursor))
    cut, next_cursor = _places.cut(found, asked.limit, lambda one: one.id)
    return Page(items=[OutageOut.model_validate(one) for one in cut], next_cursor=next_cursor)
