"""Webhooks as the OpenAPI document tells them: one entry for each type of event, with the schema of its body.

Knows the wire form of what is sent. Refuses to know who hears of what; the bodies are made in `app.delivery.envelope`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, create_model
from starlette.routing import BaseRoute

from app.delivery.event_type import AUDIBLE

Fields = Mapping[str, tuple[Any, Any]]


class TicketData(BaseModel):
    """The ticket as it stands after the event. `text`, `author` and `mention` come with a `full` payload only."""

    model_config = ConfigDict(extra="forbid")

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


def _fact(kind: Any, description: str, *, optional: bool = False) -> tuple[Any, Any]:
    return (kind | None, Field(None, description=description)) if optional else (kind, Field(description=description))


_MENTION = {"mention_id": _fact(UUID, "The post")}
_POST = {
    **_MENTION,
    "external_id": _fact(str, "The channel's id of it"),
    "kind": _fact(str, "mention, reply, comment, dm, review, ..."),
}
_PLACE = {
    "topic": _fact(str | None, "Slug"),
    "department": _fact(str | None, "Slug of the owner"),
    "stage": _fact(str | None, "central, advise, pilot or live"),
    "arm": _fact(str | None, "Of a pilot: first_hand or control"),
    "rule": _fact(str, "What placed it"),
}
_WHY = {"reason": _fact(str, "In words")}
_REPLY = {"reply_id": _fact(UUID, "The reply")}
_SPOKEN = {
    **_REPLY,
    "visibility": _fact(str, "public or private"),
    "department": _fact(str | None, "Slug, when it answered first-hand"),
}
_PROMISE = {
    "metric": _fact(str, "first_reply, next_reply, resolution, acceptance or ownership"),
    "round": _fact(int, "Numbers the clocks of a metric on a ticket from 1"),
    "department": _fact(str | None, "Slug, of a department's own clock"),
}
_PASSED = {**_PROMISE, "at": _fact(datetime, "When it happened, not when it was noticed")}
_ENDPOINT = {
    "endpoint_id": _fact(UUID, "The endpoint that it is about"),
    "url": _fact(str, "Where it listens"),
    "reason": _fact(str, "What its receiver answered"),
}
_EMBARGO = {
    "embargo_id": _fact(UUID, "The embargo"),
    "scope": _fact(str, "ticket, topic or incident: how far it reaches"),
    "until": _fact(datetime, "From then on the fallback text may be said"),
    "fallback_text": _fact(str | None, "null: from `until` on everything may be said"),
}
_INCIDENT = {
    "incident_id": _fact(UUID, "The incident"),
    "scope": _fact(str, "topic, account or area: what `name` is"),
    "name": _fact(str, "A topic's slug, channel/account, or the area"),
    "severity": _fact(str, "As crisis.yaml names it"),
    "observed": _fact(int, "Posts in the hour so far, at its height"),
    "expected": _fact(float, "How many are usual then"),
    "chance": _fact(float, "How likely so many were"),
    "url": _fact(str, "Leads to the incident"),
}
# What an event says besides the ticket. More may be added; what is here stays.
DETAILS: Mapping[str, Fields] = {
    "mention.received": _POST,
    "mention.edited": _MENTION,
    "mention.deleted": _MENTION,
    "mention.taken_up": {**_MENTION, "per_hour": _fact(float, "Likes, reposts and the like, as weighed")},
    "ticket.opened": {"number": _fact(int, "The ticket's"), "topic": _fact(str | None, "Slug; null: none is sure")},
    "ticket.routed": {**_PLACE, "reason": _fact(str, "Of who moved it by hand", optional=True)},
    "ticket.fell_back": {
        "reason": _fact(str, "not_delivered, not_accepted or not_answered"),
        "department": _fact(str | None, "Slug of who had it"),
    },
    "ticket.consulted": {"topics": _fact(dict[str, list[str]], "By department: what it is asked about")},
    "ticket.contributed": {
        "answer_id": _fact(UUID, "What it said, for who has the ticket"),
        "version": _fact(int, "Counts a ticket's answers"),
        "department": _fact(str, "Slug of who said it"),
    },
    "ticket.asked": {"of": _fact(str, "webcare or customer; the question stands on the ticket's timeline")},
    "ticket.answered": {"answer_id": _fact(UUID, "The draft"), "version": _fact(int, "Counts a ticket's answers")},
    "ticket.handed_back": {
        "code": _fact(str, "What was wrong, in a word that is counted"),
        "reason": _fact(str, "The same for people"),
        "topic": _fact(str | None, "The slug that fits better"),
        "department": _fact(str | None, "Slug of whose it may be"),
        "by": _fact(str | None, "Slug of who handed it back"),
        "bounces": _fact(int, "How often it was handed back"),
        "held_seconds": _fact(float, "How long it was in the wrong hands"),
    },
    "ticket.replied": _SPOKEN,
    "ticket.reply_held": {**_SPOKEN, "held_for": _fact(list[str], "review, statement, embargo")},
    "ticket.reply_approved": _REPLY,
    "ticket.reply_rejected": _REPLY,
    "ticket.reply_settled": _REPLY,
    "ticket.reply_retried": _REPLY,
    "ticket.customer_replied": _POST,
    "ticket.waiting": {"for": _fact(str, "customer"), "until": _fact(datetime | None, "Then it comes back")},
    "ticket.snoozed": {"until": _fact(datetime, "Then it is in sight again")},
    "ticket.resumed": _WHY,
    "ticket.updated": {
        "priority": _fact(dict[str, str], "from, to", optional=True),
        "tags": _fact(dict[str, list[str]], "from, to", optional=True),
    },
    "ticket.resolved": {"code": _fact(str, "How it ended")},
    "ticket.reopened": _WHY,
    "sla.warning": _PASSED,
    "sla.breached": _PASSED,
    "sla.met": _PASSED,
    "sla.changed": _PROMISE,
    "sla.notified": {**_PROMISE, "to": _fact(str, "department, lead or manager")},
    "escalation.raised": {"reasons": _fact(list[dict[str, Any]], "Each with code, text and figures")},
    "escalation.acknowledged": {"take_over": _fact(bool, "Whether the ticket is PR's from now on")},
    "escalation.embargoed": _EMBARGO,
    "escalation.lapsed": _EMBARGO,
    "escalation.closed": {"lesson": _fact(str, "What was learned")},
    "incident.opened": _INCIDENT,
    "incident.closed": _INCIDENT,
    "endpoint.failing": _ENDPOINT,
    "endpoint.recovered": _ENDPOINT,
    "endpoint.disabled": _ENDPOINT,
    "endpoint.pinged": {
        "endpoint_id": _fact(UUID, "The endpoint that is tested"),
        "department": _fact(str, "Slug of whose it is"),
    },
}


def body_of(event_type: str) -> type[BaseModel]:
    """The body of a webhook of this type."""
    name = "".join(part.capitalize() for part in event_type.replace(".", "_").split("_"))
    said: Any = dict(DETAILS.get(event_type, {}))
    kind: Any = Literal[event_type]
    details = create_model(f"{name}Details", __config__=ConfigDict(extra="allow"), **said)
    data: type[BaseModel] = details
    if not event_type.startswith(("endpoint.", "incident.")):
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
