"""Macros: texts that are agreed and ready to be said, found for a ticket and filled in.

Knows the wire form of these calls. Refuses to know what a text may hold (answers/macros) and who may write whose
(compose).
"""

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.access.role import Caller, Permission
from app.answers.macros import store as macros
from app.answers.macros.macro import VARIABLES, Language, Macro
from app.answers.macros.store import Suiting
from app.api.auth import allow
from app.api.etag import ExpectedVersion, etag
from app.api.fields import InModel, Instant, Name, OutModel, Text
from app.api.idempotency import Repeating
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.api.tickets import Reader
from app.flows import compose
from app.flows.compose import Changes, Rendered
from app.tickets import store as tickets

router = APIRouter(prefix="/api/v1", tags=["agents"])

Writer = Annotated[Caller, allow(Permission.MANAGE_MACROS)]
Texts = Annotated[dict[Language, Annotated[str, Text(10_000, 1)]], Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(max_length=50)]

ANY_TOPIC = ""  # of no topic: only what suits all of them suits a ticket without one

_places = Places(tuple[Name, UUID])

_EXAMPLE = {
    "nl": "Dag {customer_name}, vervelend dat je pakket er nog niet is! Stuur je je bestelnummer in een privébericht?",
    "en": "Hi {customer_name}, sorry that your parcel is late! Please send us your order number in a private message.",
}
SAYS = "By language, `nl`, `en` or both. Variables:\n\n" + "\n".join(
    f"- `{{{name}}}`: {meaning}" for name, meaning in VARIABLES.items()
)
SUITS = "Left out or empty: all of them"
UNTIL = "Not included; null: until further notice"


class MacroIn(InModel):
    name: Name = Field(description="What agents look it up by", examples=["Pakket te laat"])
    texts: Texts = Field(description=SAYS, examples=[_EXAMPLE])
    owner: Name | None = Field(
        None,
        description="Slug of the department that answers for it; left out: your own, or webcare",
        examples=["supply_chain"],
    )
    topics: Names = Field((), description=SUITS, examples=[["delivery_delay"]])
    channels: Names = Field((), description=SUITS, examples=[[]])
    valid_from: Instant | None = Field(None, description="Left out: now", examples=["2026-11-22T08:00:00Z"])
    valid_until: Instant | None = Field(None, description=UNTIL, examples=["2027-01-31T23:00:00Z"])


class MacroPatchIn(InModel):
    """What is left out stays as it is."""

    name: Name | None = Field(None, description="What agents look it up by")
    texts: Texts | None = Field(None, description="All of its texts from now on", examples=[_EXAMPLE])
    owner: Name | None = Field(None, description="Slug of the department that answers for it from now on")
    topics: Names | None = Field(None, description="Empty: all of them", examples=[["delivery_delay"]])
    channels: Names | None = Field(None, description="Empty: all of them", examples=[["x"]])
    valid_from: Instant | None = Field(None, description="May be used from then on")
    valid_until: Instant | None = Field(None, description=UNTIL)


class MacroOut(OutModel):
    """`version` is its ETag."""

    id: UUID
    name: str = Field(examples=["Pakket te laat"])
    owner: str = Field(description="The department that answers for what it says", examples=["supply_chain"])
    texts: dict[str, str] = Field(examples=[_EXAMPLE])
    topics: tuple[str, ...] = Field(description="Empty: it suits all", examples=[["delivery_delay"]])
    channels: tuple[str, ...] = Field(description="Empty: it suits all", examples=[[]])
    valid: bool = Field(description="Whether it may be used now")
    valid_from: datetime
    valid_until: datetime | None = Field(description=UNTIL)
    used: int = Field(description="How many replies were given with it", examples=[112])
    last_used_at: datetime | None
    updated_at: datetime
    updated_by: str = Field(examples=["manager:eva"])
    version: int


class MacroVersionOut(OutModel):
    """What it said since `updated_at`."""

    version: int
    name: str
    texts: dict[str, str]
    valid_from: datetime
    valid_until: datetime | None
    updated_at: datetime
    updated_by: str


class MacroWhole(MacroOut):
    versions: list[MacroVersionOut] = Field(description="Every one that there was, the present one first")


class RenderIn(InModel):
    ticket_id: UUID = Field(description="Whom it is for", examples=["01a20313-8b59-7000-8000-5a1f6c0e8d11"])
    language: Language | None = Field(
        None, description="Left out: the customer's, else Dutch, as far as it is written in them", examples=["nl"]
    )


class RenderedOut(OutModel):
    """A text for a person to read, change where needed, and send as a reply with `macro_id`."""

    macro_id: UUID
    version: int
    language: Language
    text: str = Field(examples=["Dag Sanne, vervelend dat je pakket er nog niet is! ..."])
    missing: tuple[str, ...] = Field(
        description="Variables of which nothing is known; they still stand in the text, in braces", examples=[[]]
    )


class MacroFilter(Paging):
    """Every filter that is given must hold."""

    ticket_id: UUID | None = Field(
        None, description="Valid now, and for this ticket's topic and channel, in place of others"
    )
    owner: Name | None = Field(None, description="Slug of a department")
    topic: Name | None = Field(None, description="For this topic; those for all topics too")
    channel: Name | None = Field(None, description="For this channel; those for all channels too")


@router.get("/macros", summary="List macros")
async def read_macros(caller: Reader, runtime: Serving, asked: Annotated[MacroFilter, Query()]) -> Page[MacroOut]:
    """By name. With `ticket_id` those that an agent can use there; otherwise those that are not valid as well."""
    now = runtime.now()
    async with runtime.reading() as tx:
        suiting = Suiting(asked.owner, asked.topic, asked.channel)
        if asked.ticket_id is not None:
            ticket = await tickets.get_ticket(tx, asked.ticket_id, department=caller.department)
            suiting = Suiting(asked.owner, ticket.topic or ANY_TOPIC, ticket.channel, now)
        found = await macros.list_macros(tx, suiting, limit=asked.limit + 1, after=_places.decode(asked.cursor))
    shown, next_cursor = _places.cut(found, asked.limit, lambda macro: (macro.name, macro.id))
    return Page(items=[_shown(macro, now) for macro in shown], next_cursor=next_cursor)


@router.post("/macros", status_code=201, response_model=MacroOut, summary="Write a macro")
async def create_macro(caller: Writer, runtime: Serving, once: Repeating, asked: MacroIn) -> Response:
    """For managers and admins, and for a department its own."""
    facts = asked.model_dump(exclude={"name", "texts"}, exclude_none=True)
    return await once.run(
        caller,
        201,
        lambda macro: _shown(macro, runtime.now()),
        compose.write,
        caller,
        name=asked.name,
        texts=asked.texts,
        facts=cast("Changes", facts),
    )


@router.get("/macros/{macro_id}", summary="Read a macro")
async def read_macro(_: Reader, runtime: Serving, macro_id: UUID, response: Response) -> MacroWhole:
    """With all its earlier versions, newest first."""
    async with runtime.reading() as tx:
        macro = await macros.get_macro(tx, macro_id)
        versions = await macros.list_versions(tx, macro_id)
    response.headers["ETag"] = etag(macro.version)
    known = _shown(macro, runtime.now()).model_dump()
    return MacroWhole(**known, versions=[MacroVersionOut.model_validate(version) for version in versions])


@router.patch("/macros/{macro_id}", summary="Change a macro")
async def change_macro(
    caller: Writer,
    runtime: Serving,
    macro_id: UUID,
    expected: ExpectedVersion,
    asked: MacroPatchIn,
    response: Response,
) -> MacroOut:
    """What it said before stays to be read."""
    sent = asked.model_dump(exclude_unset=True).items()
    changes = {name: value for name, value in sent if value is not None or name == "valid_until"}
    macro = await runtime.run(compose.change, caller, macro_id, expected, cast("Changes", changes))
    response.headers["ETag"] = etag(macro.version)
    return _shown(macro, runtime.now())


@router.delete("/macros/{macro_id}", status_code=204, summary="Remove a macro")
async def remove_macro(caller: Writer, runtime: Serving, macro_id: UUID, expected: ExpectedVersion) -> None:
    """To keep it for later, let it end instead: `valid_until`."""
    await runtime.run(compose.remove, caller, macro_id, expected)


@router.post("/macros/{macro_id}/render", summary="Fill a macro in for a ticket")
async def render_macro(caller: Reader, runtime: Serving, macro_id: UUID, asked: RenderIn) -> RenderedOut:
    """Nothing is sent. 409 with its owner when it is not valid now."""
    rendered = await runtime.run(compose.render, caller, macro_id, asked.ticket_id, asked.language)
    return _rendered(rendered)


def _shown(macro: Macro, now: datetime) -> MacroOut:
    facts = {name: getattr(macro, name) for name in MacroOut.model_fields if name != "valid"}
    return MacroOut.model_validate({**facts, "valid": macro.is_valid(now)})


def _rendered(made: Rendered) -> RenderedOut:
    return RenderedOut(
        macro_id=made.macro.id,
        version=made.macro.version,
        language=made.language,
        text=made.filled.text,
        missing=made.filled.missing,
    )
