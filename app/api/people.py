"""Who is the same person on several channels.

Knows the wire form. Refuses to know what follows from it. A ticket's `author_id` names its author.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import InModel, OutModel
from app.api.serving import Serving
from app.flows import know
from app.mentions.people.store import Known, list_known

router = APIRouter(prefix="/api/v1/authors", tags=["agents"])

Agent = Annotated[Caller, allow(Permission.WORK_TICKETS)]


class SamePersonIn(InModel):
    author_id: UUID = Field(
        description="Who is the same person, by a ticket's `author_id`",
        examples=["019ab8f0-2c41-7d52-9a3e-5f1c7b20d4aa"],
    )


class KnownOut(OutModel):
    author_id: UUID
    channel: str = Field(examples=["whatsapp"])
    handle: str | None = Field(examples=["sanne"])
    display_name: str | None = Field(examples=["Sanne de Boer"])
    told_by: str | None = Field(
        description="Who said so: a colleague, or `channel` where the customer's number came with a post",
        examples=["agent:anna"],
    )
    told_at: datetime | None


class PersonOut(OutModel):
    items: list[KnownOut] = Field(
        description="The author that was asked about, then the others that are the same person"
    )


@router.get("/{author_id}/links", summary="Read who else a customer is")
async def read_person(_: Agent, runtime: Serving, author_id: UUID) -> PersonOut:
    """What we were told, by a colleague or by the customer's number; nobody is guessed from a name."""
    async with runtime.reading() as tx:
        return _shown(await list_known(tx, author_id))


@router.post("/{author_id}/links", summary="Say that two customers are one")
async def link_person(caller: Agent, runtime: Serving, author_id: UUID, asked: SamePersonIn) -> PersonOut:
    """Sending it again changes nothing. 409 where both have a customer's number, and not the same."""
    return _shown(await runtime.run(know.link, caller, author_id, asked.author_id))


@router.delete("/{author_id}/links", summary="Say that a customer is nobody else")
async def part_person(_: Agent, runtime: Serving, author_id: UUID) -> PersonOut:
    """Takes this author out; the others stay together. A customer's number that comes with a later post counts."""
    return _shown(await runtime.run(know.part, author_id))


def _shown(known: tuple[Known, ...]) -> PersonOut:
    return PersonOut(items=[KnownOut.model_validate(one) for one in known])
