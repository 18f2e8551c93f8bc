"""Before something is said: drafts, and who else is at the ticket.

Knows the wire form of these calls. Refuses to know who hears that somebody is there (stream).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.access.role import Caller, Permission
from app.answers.drafts import store as drafts
from app.answers.drafts.store import Kept
from app.api.acting import Acting
from app.api.auth import allow
from app.api.fields import Count, InModel, Instant, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.api.tickets import Reader
from app.flows import draft
from app.flows.admit import IdempotencyKeyInFlight
from app.kit.errors import Conflict, Invalid, Refused
from app.mentions.mention import Visibility
from app.tickets.presence.store import Doing

router = APIRouter(prefix="/api/v1", tags=["agents"])

Writer = Annotated[Caller, allow(Permission.SETTLE_TICKETS)]

_places = Places(tuple[Instant, UUID])


class DraftIn(InModel):
    text: Annotated[str, Text(10_000, 1)] = Field(
        description="As far as it is written", examples=["Dag Sara! Ik kijk even waar je pakket is en"]
    )
    visibility: Visibility | None = Field(None, description="Left out: as the customer asked")
    version: Annotated[Count, Field(ge=1, lt=2**31)] | None = Field(
        None, description="The ticket's that the writer saw; left out: as it stands now", examples=[3]
    )


class DraftOut(OutModel):
    """Words that only their writer sees."""

    ticket_id: UUID
    number: int = Field(description="The ticket's", examples=[1001])
    text: str
    visibility: str | None = Field(description="null: as the customer asked")
    version: int = Field(description="The ticket's that it is based on", examples=[3])
    changed: bool = Field(description="Whether the ticket changed since; its timeline says how", examples=[False])
    updated_at: datetime


class PresenceIn(InModel):
    doing: Doing = Field(description="What you do with the ticket at this moment", examples=["looking"])


@router.put("/tickets/{ticket_id}/draft", summary="Keep what you wrote so far")
async def put_draft(caller: Writer, runtime: Serving, ticket_id: UUID, written: DraftIn) -> DraftOut:
    """One for each person and ticket, in the place of the one before. Colleagues see that you type, and no words.

    It stays until you reply, delete it, or leave it alone for 30 days. It is kept whatever became of the ticket.
    """
    kept = await runtime.run(draft.keep, caller, ticket_id, written.text, written.visibility, written.version)
    return _shown(kept)


@router.get("/tickets/{ticket_id}/draft", summary="Read your draft")
async def read_draft(caller: Writer, runtime: Serving, ticket_id: UUID) -> DraftOut:
    """Your own words on this ticket that were not said; 404 when there are none."""
    async with runtime.reading() as tx:
        return _shown(await drafts.get_draft(tx, ticket_id, caller.actor))


@router.delete("/tickets/{ticket_id}/draft", status_code=204, response_class=Response, summary="Delete your draft")
async def delete_draft(caller: Writer, runtime: Serving, ticket_id: UUID) -> None:
    """Also when there is none."""
    await runtime.run(draft.drop, caller, ticket_id)


@router.get("/drafts", summary="List your drafts")
async def read_drafts(caller: Writer, runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[DraftOut]:
    """The newest first, also those on tickets that went elsewhere since: they are your words."""
    async with runtime.reading() as tx:
        after = _places.decode(asked.cursor)
        found = await drafts.list_own_drafts(tx, caller.actor, after=after, limit=asked.limit + 1)
    shown, next_cursor = _places.cut(found, asked.limit, lambda one: (one.draft.updated_at, one.draft.ticket_id))
    return Page(items=[_shown(one) for one in shown], next_cursor=next_cursor)


@router.post("/tickets/{ticket_id}/presence", status_code=204, response_class=Response, summary="Say that you are here")
async def say_presence(caller: Reader, runtime: Serving, ticket_id: UUID, seen: PresenceIn) -> None:
    """Whoever listens to `/stream` hears of it as `presence`; nothing keeps it. Say it again within a minute."""
    await runtime.run(draft.announce, caller, ticket_id, seen.doing)


@asynccontextmanager
async def never_lost(
    on: Acting, caller: Caller, text: str, visibility: Visibility | None = None
) -> AsyncIterator[None]:
    """What somebody wanted to say within the block is kept as a draft when it is refused; the problem says so.

    Not while the same call is still at work: what that says needs no draft.
    """
    try:
        yield
    except IdempotencyKeyInFlight:
        raise
    except (Conflict, Refused, Invalid) as refusal:
        if text.strip():
            await on.runtime.run(draft.keep, caller, on.ticket_id, text, visibility, on.expected)
            refusal.facts["draft_kept"] = True
        raise


def _shown(kept: Kept) -> DraftOut:
    known = kept.draft
    return DraftOut(
        ticket_id=known.ticket_id,
        number=kept.number,
        text=known.text,
        visibility=known.visibility,
        version=known.version,
        changed=known.version != kept.ticket_version,
        updated_at=known.updated_at,
    )
