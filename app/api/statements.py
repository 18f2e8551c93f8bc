"""What is agreed to say: departments, PR and managers put it down, everybody who answers reads it.

Knows the wire form of these calls. Refuses to know what contradicts a statement.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from app.access.role import Caller, Permission
from app.answers.statements import store
from app.answers.statements.statement import Statement
from app.api.auth import allow
from app.api.fields import InModel, Instant, Name, OutModel, Text
from app.api.idempotency import Repeating
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.api.tickets import Reader
from app.flows import agree as agreeing

router = APIRouter(prefix="/api/v1", tags=["agents"])

Speaker = Annotated[Caller, allow(Permission.MAKE_STATEMENTS)]
Language = Annotated[str, StringConstraints(pattern="^(nl|en)$")]

_places = Places(UUID)


class StatementIn(InModel):
    topics: Annotated[list[Name], Field(min_length=1, max_length=50)] = Field(
        description="Slugs; a department names its own", examples=[["network_outage"]]
    )
    channels: Annotated[list[Name], Field(min_length=1, max_length=50)] | None = Field(
        None, description="Left out: on all", examples=[None]
    )
    texts: Annotated[dict[Language, Annotated[str, Text(10_000, 1)]], Field(min_length=1)] = Field(
        description="What is agreed to say, by language",
        examples=[{"nl": "We onderzoeken de storing en melden ons om 14:00.", "en": "We are looking into it."}],
    )
    never_say: Annotated[list[Annotated[str, Text(80, 1)]], Field(max_length=50)] = Field(
        default_factory=list,
        description="Phrases as in topics.yaml; a public reply with one of them is held while the statement holds",
        examples=[["compensatie", "opgelost om ... uur"]],
    )
    valid_from: Instant | None = Field(None, description="Left out: from now on", examples=[None])
    valid_until: Instant | None = Field(
        None, description="Left out: until it is withdrawn", examples=["2026-11-22T18:00:00Z"]
    )


class StatementOut(OutModel):
    id: UUID
    topics: tuple[str, ...]
    channels: tuple[str, ...] | None = Field(description="null: on all")
    texts: dict[str, str]
    never_say: tuple[str, ...]
    valid_from: datetime = Field(validation_alias="begins_at")
    valid_until: datetime | None = Field(description="null: until it is withdrawn")
    owner: str | None = Field(description="Slug of the department that made it; null: webcare, PR or a manager")
    actor: str
    made_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None


class StatementFilter(Paging):
    """Every filter that is given must hold."""

    topic: Name | None = Field(None, description="About this topic")
    channel: Name | None = Field(None, description="That holds on this channel")
    holding: bool = Field(True, description="Only what holds now; `false`: also what is over, or still to come")


@router.post("/statements", status_code=201, response_model=StatementOut, summary="Agree what is said")
async def make_statement(caller: Speaker, once: Repeating, asked: StatementIn) -> Response:
    """From then on a public reply on these topics that says what is never said is held for PR or a manager."""
    return await once.run(
        caller,
        201,
        _shown,
        agreeing.agree,
        caller,
        topics=asked.topics,
        channels=asked.channels,
        texts=asked.texts,
        never_say=asked.never_say,
        begins_at=asked.valid_from,
        valid_until=asked.valid_until,
    )


@router.get("/statements", summary="Read what is agreed to say")
async def read_statements(
    _: Reader, runtime: Serving, asked: Annotated[StatementFilter, Query()]
) -> Page[StatementOut]:
    """Newest first."""
    async with runtime.reading() as tx:
        found = await store.list_statements(
            tx,
            topic=asked.topic,
            channel=asked.channel,
            at=runtime.now() if asked.holding else None,
            after=_places.decode(asked.cursor),
            limit=asked.limit + 1,
        )
    shown, next_cursor = _places.cut(found, asked.limit, lambda one: one.id)
    return Page(items=[_shown(one) for one in shown], next_cursor=next_cursor)


@router.get("/statements/{statement_id}", summary="Read a statement")
async def read_statement(_: Reader, runtime: Serving, statement_id: UUID) -> StatementOut:
    """Also one that was withdrawn or has run out."""
    async with runtime.reading() as tx:
        return _shown(await store.get_statement(tx, statement_id))


@router.post("/statements/{statement_id}/withdraw", summary="Withdraw a statement")
async def withdraw_statement(caller: Speaker, runtime: Serving, statement_id: UUID) -> StatementOut:
    """It holds no longer. What it held back waits on: somebody still decides."""
    return _shown(await runtime.run(agreeing.withdraw, caller, statement_id))


def _shown(made: Statement) -> StatementOut:
    return StatementOut.model_validate(made)
