"""Webhooks as the OpenAPI document tells them: one entry for each type of event, with the schema of its body.

Knows the wire form of what is sent. Refuses to know who hears of what; the bodies are made in `app.delivery.envelope`.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, create_model
from starlette.routing import BaseRoute

from app.api.event_details import DETAILS, TICKETLESS
from app.delivery.event_type import AUDIBLE


class TicketData(BaseModel):
    """The ticket as it stands after the event. `text`, `author` and `mention` come with a `full` payload only."""

    model_config = ConfigDict(extra="allow")

    ticket_id: UUID
    number: int = Field(examples=[1001])
    state: str = Field(examples=["routed"])
    channel: str = Field(examples=["forum"])
    topic: str | None = Field(examples=["delivery_delay"])
    department: str | None = Field(description="Slug of the owner", examples=["supply_chain"])
    stage: str | None = Field(description="central, advise, pilot or live", examples=["live"])
    priority: str = Field(examples=["normal"])
    due: dict[str, datetime] = Field(
        description="The due moment of each running clock", examples=[{"acceptance": "2026-11-22T11:31:24Z"}]
    )
    url: str = Field(
        description="The ticket in the API", examples=["https://webcare.example/api/v1/tickets/01a20261-a8af"]
    )
    text: str | None = Field(None, description="What the customer said last")
    author: dict[str, Any] | None = Field(None, description="handle, display_name, followers, verified")
    mention: dict[str, Any] | None = Field(
        None, description="mention_id, external_id, kind, url, posted_at, title of that post"
    )


def body_of(event_type: str) -> type[BaseModel]:
    """The body of a webhook of this type."""
    name = "".join(part.capitalize() for part in event_type.replace(".", "_").split("_"))
    said: Any = DETAILS[event_type]
    kind: Any = Literal[event_type]
    details = create_model(f"{name}Details", __config__=ConfigDict(extra="allow"), **said)
    data: type[BaseModel] = details
    if not event_type.startswith(TICKETLESS):
        data = create_model(
            f"{name}Data",
            __base__=TicketData,
            details=(details, Field(description="What this type of event says besides the ticket")),
        )
    return create_model(
        f"{name}Webhook",
        type=(kind, ...),
        id=(UUID, Field(description="The `webhook-id`: the same in every attempt, for you to know doubles by")),
        timestamp=(datetime, Field(description="When it happened")),
        sequence=(int, Field(description="Grows with the events of one ticket; gaps are events that are not told")),
        data=(data, ...),
    )


@cache
def routes() -> Sequence[BaseRoute]:
    """The webhooks as routes that nobody calls here: what the document is made from."""
    router = APIRouter(tags=["webhooks"], generate_unique_id_function=lambda route: route.name)
    for event_type, said in AUDIBLE.items():
        router.add_api_route(
            event_type,
            _receiver(body_of(event_type)),
            methods=["POST"],
            name=event_type,
            summary=said,
            status_code=204,
            response_class=Response,
            response_description="You have it; any other 2xx says the same",
            responses={
                410: {"description": "Nothing more is sent to this endpoint"},
                "4XX": {"description": "Tried again later, as after no answer and any other status"},
            },
        )
    return router.routes


def _receiver(body: type[BaseModel]) -> Callable[..., Awaitable[None]]:
    async def receive(told: Any) -> None:
        """Signed by Standard Webhooks 1.0. Any 2xx says that you have it; see docs/receiving.md."""

    receive.__annotations__["told"] = body
    return receive
