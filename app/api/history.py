"""A ticket as a story: what happened to it, what was said, and its number that people say to each other.

Knows the shape of these answers, which are written without the framework's models: a timeline is long, and read often.
Refuses to know what any event means.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from app.answers.history.store import get_id, list_conversation, list_timeline
from app.api.fields import Instant, OutModel
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.api.tickets import Reader, TicketOut, view
from app.kit.wire import dump

router = APIRouter(prefix="/api/v1", tags=["agents"])

_events = Places(int)
_sayings = Places(tuple[Instant, UUID])
_EVENT = ("ticket_id", "sequence", "id", "type", "actor", "at", "version")
_SAID = ("id", "at", "said_by", "name", "channel", "visibility", "kind", "title", "text", "url", "external_id")


class StoryPaging(Paging):
    limit: int = Field(200, ge=1, le=200, description="Items per page")


class EventOut(OutModel):
    """One thing that happened. Posts, replies and answers stand in `data` with their words."""

    ticket_id: UUID = Field(description="Another than the one that was asked: it was merged into that")
    sequence: int = Field(description="Counts the events of `ticket_id` from 1", examples=[7])
    id: UUID
    type: str = Field(examples=["ticket.updated"])
    actor: str = Field(description="Who did it: a role and a name, customer or system", examples=["agent:anna"])
    at: datetime
    version: int = Field(description="The ticket's after it", examples=[4])
    data: dict[str, Any] = Field(examples=[{"priority": {"from": "normal", "to": "high"}}])
    changes: dict[str, Any] | None = Field(
        description="What the act of which this is the first event changed on the ticket, with the new values",
        examples=[{"priority": "high"}],
    )


class SaidOut(OutModel):
    """Something that stands in the conversation. Deleted posts have no words any more."""

    id: UUID
    at: datetime
    said_by: str = Field(description="customer or company", examples=["customer"])
    name: str | None = Field(description="The customer's handle; the department, or webcare", examples=["sanne"])
    channel: str = Field(examples=["x"])
    visibility: str = Field(description="public or private", examples=["public"])
    kind: str = Field(examples=["mention"])
    title: str | None
    text: str
    url: str | None
    external_id: str | None = Field(description="The channel's own id of it")
    attachments: list[dict[str, Any]]
    edited: bool
    deleted_at: datetime | None


@router.get(
    "/tickets/{ticket_id}/timeline",
    responses={200: {"model": Page[EventOut]}},
    response_class=Response,
    summary="Read what happened to a ticket",
)
async def read_timeline(
    caller: Reader, runtime: Serving, ticket_id: UUID, asked: Annotated[StoryPaging, Query()]
) -> Response:
    """Everything in order, with what happened to the tickets that were merged into it."""
    after = _events.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await list_timeline(tx, ticket_id, department=caller.department, after=after, limit=asked.limit + 1)
    shown, next_cursor = _events.cut(found, asked.limit, lambda row: row["place"])
    return _page([_told(row) for row in shown], next_cursor)


@router.get(
    "/tickets/{ticket_id}/conversation",
    responses={200: {"model": Page[SaidOut]}},
    response_class=Response,
    summary="Read a conversation as the customer sees it",
)
async def read_conversation(
    caller: Reader, runtime: Serving, ticket_id: UUID, asked: Annotated[StoryPaging, Query()]
) -> Response:
    """Posts and published replies, public and private, in the order in which they stand there.

    The whole thread, whatever tickets it was to us; a department reads what stands on its own ticket.
    """
    after = _sayings.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await list_conversation(tx, ticket_id, department=caller.department, after=after, limit=asked.limit + 1)
    shown, next_cursor = _sayings.cut(found, asked.limit, lambda row: (row["at"], row["id"]))
    return _page([_said(row) for row in shown], next_cursor)


@router.get(
    "/tickets/by-number/{number}",
    responses={200: {"model": TicketOut}},
    response_class=Response,
    summary="Read a ticket by its number",
)
async def read_numbered(
    caller: Reader,
    runtime: Serving,
    number: Annotated[int, Path(ge=1, lt=2**63, description="As people say it", examples=[1001])],
) -> Response:
    """The same as by its id."""
    async with runtime.reading() as tx:
        return await view(tx, runtime, await get_id(tx, number), caller.department)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    changes = row["changes"]
    return {
        **{name: row[name] for name in _EVENT},
        "data": orjson.Fragment(row["data"]),
        "changes": changes and orjson.Fragment(changes),
    }


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _SAID},
        "attachments": orjson.Fragment(row["attachments"]),
        "edited": row["edited"],
        "deleted_at": row["deleted_at"],
    }


def _page(items: list[dict[str, Any]], next_cursor: str | None) -> Response:
    return Response(dump({"items": items, "next_cursor": next_cursor}), media_type="application/json")
