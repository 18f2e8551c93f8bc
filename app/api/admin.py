"""For admins: who has which token.

Knows the shape of these answers. Refuses to know how tokens are made (flows.admit).
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from app.access.role import Caller, Permission, Role
from app.access.store import list_tokens
from app.api.auth import allow
from app.api.fields import InModel, Instant, Name, OutModel
from app.api.idempotency import Repeating
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.flows.admit import Issued, issue, revoke

router = APIRouter(prefix="/api/v1", tags=["admin"])

Admin = Annotated[Caller, allow(Permission.MANAGE_TOKENS)]

_places = Places(UUID)


class TokenIn(InModel):
    role: Role
    name: Name = Field(description="Whose it is, as history will name them", examples=["anna"])
    department: Name | None = Field(None, description="Slug, for the role department only", examples=["billing"])
    expires_at: Instant | None = Field(None, description="From then on it is not accepted; left out: never")


class TokenOut(OutModel):
    id: UUID
    name: str
    role: Role
    department: str | None
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class NewTokenOut(TokenOut):
    token: str = Field(description="The token itself. It is shown here, once, and kept nowhere")


@router.post("/tokens", status_code=201, response_model=NewTokenOut, summary="Give out a token")
async def create_token(caller: Admin, asked: TokenIn, once: Repeating) -> Response:
    """The answer is the only place where the token itself is ever shown."""
    return await once.run(caller, 201, _new_token, issue, asked.role, asked.name, asked.department, asked.expires_at)


@router.get("/tokens", summary="List tokens")
async def read_tokens(_: Admin, runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[TokenOut]:
    """Oldest first; revoked and expired ones stay in the list, as history names them."""
    async with runtime.reading() as tx:
        tokens = await list_tokens(tx, after=_places.decode(asked.cursor), limit=asked.limit + 1)
    items, next_cursor = _places.cut(tokens, asked.limit, lambda token: token.id)
    return Page(items=[TokenOut.model_validate(token) for token in items], next_cursor=next_cursor)


@router.delete("/tokens/{token_id}", status_code=204, summary="Revoke a token")
async def revoke_token(_: Admin, runtime: Serving, token_id: UUID) -> None:
    """Every process refuses it within a second. Revoking again changes nothing."""
    await runtime.run(revoke, token_id)


def _new_token(issued: Issued) -> NewTokenOut:
    known = TokenOut.model_validate(issued.token)
    return NewTokenOut(**known.model_dump(), token=issued.secret)
