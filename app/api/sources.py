"""Partners that push mentions: registered by an admin, believed by their signature.

Knows the wire form of these calls. Refuses to know what becomes of a mention (ingest) and how a signature is checked.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from app.access.role import Caller, Permission
from app.access.sources import store as sources
from app.api.auth import allow
from app.api.endpoints import CHOSEN, Secret
from app.api.fields import InModel, Name, OutModel
from app.api.idempotency import Repeating
from app.api.ingest import BatchIn, BatchOut, Channel, body_of, listed, parse_json, take_in
from app.api.metrics import Metrics
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.delivery.signing import SignatureRefused
from app.flows import push
from app.flows.push import SourceMade

router = APIRouter(prefix="/api/v1", tags=["admin"])
door = APIRouter(tags=["ingest"])

Admin = Annotated[Caller, allow(Permission.MANAGE_TOKENS)]

_places = Places(UUID)


class SourceIn(InModel):
    name: Name = Field(description="Who pushes", examples=["Reviewhuis"])
    channel: Channel = Field(description="What it brings; mentions of other channels are refused", examples=["reviews"])
    account: Name | None = Field(
        None, description="The profile of ours that it is for; left out: all of the channel", examples=["poldermobiel"]
    )
    secret: Secret | None = Field(None, description=CHOSEN)


class SourceOut(OutModel):
    """A new secret is a new source: both work until one is removed."""

    id: UUID
    name: str
    channel: str
    account: str | None
    created_at: datetime


class SourceMadeOut(SourceOut):
    secret: str = Field(description="What to sign with. It is shown here, once")
    path: str = Field(description="Where to push", examples=["/in/01a20261-9b4a-7c0e-8f57-3d2b6a1c9e40"])


@router.post("/sources", status_code=201, response_model=SourceMadeOut, summary="Register a partner that pushes")
async def create_source(caller: Admin, runtime: Serving, once: Repeating, asked: SourceIn) -> Response:
    """The answer holds the address to push to and the secret to sign with, which is shown this once."""
    return await once.run(
        caller,
        201,
        _made,
        push.register,
        caller,
        runtime.sealer,
        name=asked.name,
        channel=asked.channel,
        account=asked.account,
        secret=asked.secret,
    )


@router.get("/sources", summary="List partners that push")
async def read_sources(_: Admin, runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[SourceOut]:
    """Oldest first."""
    after = _places.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await sources.list_sources(tx)
    rest = [source for source in found if after is None or source.id > after]
    page, next_cursor = _places.cut(rest, asked.limit, lambda source: source.id)
    return Page(items=[SourceOut.model_validate(source) for source in page], next_cursor=next_cursor)


@router.delete("/sources/{source_id}", status_code=204, summary="Take nothing more from a partner")
async def remove_source(caller: Admin, runtime: Serving, source_id: UUID) -> None:
    """What it pushes from now on is refused; what it pushed stays."""
    await runtime.run(push.remove, caller, source_id)


@door.post(
    "/in/{source_id}",
    responses={200: {"model": BatchOut}},
    response_class=Response,
    openapi_extra=body_of(BatchIn),
    summary="Push up to 1,000 mentions, signed",
)
async def push_mentions(
    request: Request, runtime: Serving, source_id: Annotated[UUID, Path(description="Of the partner's source")]
) -> Response:
    """Signed by Standard Webhooks 1.0 instead of a token; `channel` and `account` are the source's and may be left out.
    A body is 1 MiB at most: it is read whole before anybody knows whose it is.

    A result or a problem for each mention, as `POST /mentions/batch` gives them. When no answer came, sign and send
    again: what was taken in is known.
    """
    body = await request.body()
    try:
        source = await runtime.run_idempotent(push.believe, runtime.sealer, source_id, request.headers.raw, body)
    except SignatureRefused:
        metrics: Metrics = request.app.state.metrics
        metrics.count_refused_signature()
        raise
    return await take_in(request, listed(parse_json(body)), source.complete)


def _made(made: SourceMade) -> SourceMadeOut:
    known = SourceOut.model_validate(made.source)
    return SourceMadeOut(**known.model_dump(), secret=made.secret, path=f"/in/{made.source.id}")
