"""Where departments listen, and what became of every delivery: register, try out, look, repeat.

Knows the wire form of these calls. Refuses to know how anything is signed and sent. A department sees its own
endpoints and deliveries, an admin those of all; secrets are shown when they are made and never again.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator, Field, WithJsonSchema

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import Flag, InModel, Instant, Name, OutModel, Text
from app.api.idempotency import Repeating
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.delivery import store as outbox
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import EndpointState, Payload
from app.delivery.envelope import Kind
from app.delivery.event_type import AUDIBLE
from app.delivery.store import AttemptLine, DeliveryState
from app.flows import subscribe
from app.flows.subscribe import Changes, Disclosed

router = APIRouter(prefix="/api/v1", tags=["departments"])

Listener = Annotated[Caller, allow(Permission.MANAGE_ENDPOINTS)]
Url = Annotated[str, Text(2000, 1)]
Secret = Annotated[str, Text(200, 1)]
EventType = Annotated[str, Text(100, 1), WithJsonSchema({"type": "string", "enum": list(AUDIBLE)})]
EventTypes = Annotated[frozenset[EventType], Field(min_length=1, max_length=len(AUDIBLE))]

HEARD = "null: every type, also those to come.\n\n" + "\n".join(f"- `{name}`: {said}" for name, said in AUDIBLE.items())
CHOSEN = "`whsec_` and the base64 of 24 to 64 random bytes; left out: one is made"

_places = Places(UUID)


OWN_HEADERS = (
    "Headers of your own for every message, such as the key of your gateway; at most 10. Kept sealed: only their names"
    " are shown again"
)


class EndpointIn(InModel):
    department: Name | None = Field(None, description="Slug. A department's own token may leave it out")
    url: Url = Field(
        description="http or https, without user name or fragment, at a public address",
        examples=["https://supply-chain.example/webcare"],
    )
    event_types: EventTypes | None = Field(None, description=HEARD, examples=[["ticket.routed", "sla.warning"]])
    payload: Payload = Field(Payload.THIN, description="`full` adds the customer's words and name to every event")
    secret: Secret | None = Field(None, description=CHOSEN)
    headers: dict[str, str] | None = Field(None, description=OWN_HEADERS, examples=[{"X-Api-Key": "k-123"}])


class EndpointPatchIn(InModel):
    """What is left out stays as it is."""

    url: Url | None = Field(
        None, description="As when it was registered", examples=["https://supply-chain.example/webcare"]
    )
    event_types: EventTypes | None = Field(None, description=HEARD)
    payload: Payload | None = Field(
        None, description="`thin`, or `full` with the customer's words and name", examples=["full"]
    )
    headers: dict[str, str] | None = Field(
        None, description=f"{OWN_HEADERS}. These take the place of all", examples=[{"X-Api-Key": "k-456"}]
    )
    enabled: Flag | None = Field(None, description="False: nothing is sent, and what is open waits until it is true")

    def changes(self) -> Changes:
        """What was sent; null means something for `event_types` only."""
        sent = self.model_dump(exclude_unset=True).items()
        return cast("Changes", {name: value for name, value in sent if value is not None or name == "event_types"})


class RotateIn(InModel):
    secret: Secret | None = Field(None, description=CHOSEN)


class ReplayIn(InModel):
    """A period of at most 31 days, with at most 10,000 deliveries to send again."""

    since: Instant = Field(description="Included", examples=["2026-11-22T08:00:00Z"])
    until: Instant | None = Field(
        None, description="Not included; left out: up to now", examples=["2026-11-22T12:00:00Z"]
    )
    event_types: EventTypes | None = Field(
        None, description="Only these; left out: every type", examples=[["ticket.routed"]]
    )
    delivered: Flag = Field(
        False, description="True: also what arrived, for a receiver that lost it; the same `webhook-id` as before"
    )


class EndpointOut(OutModel):
    id: UUID
    department: str
    url: str
    event_types: Annotated[list[str] | None, BeforeValidator(lambda types: types and sorted(types))]
    payload: Payload
    header_names: list[str] = Field(description="Of your own headers; their values are not shown")
    state: EndpointState = Field(description="`failing`: several attempts in a row failed; it goes on by itself")
    failures: int = Field(description="How many attempts in a row failed, up to the last one")
    disabled_reason: str | None
    throttled_until: datetime | None = Field(
        description="The receiver was overloaded, or not there, and gets nothing until then"
    )
    previous_until: datetime | None = Field(description="Until then the secret before this one signs as well")
    created_at: datetime
    updated_at: datetime


class DisclosedOut(EndpointOut):
    secret: str = Field(description="What to verify signatures with. It is shown here, once")


class PingedOut(OutModel):
    message_id: UUID = Field(description="The `webhook-id` that the test arrives under")


class ReplayedOut(OutModel):
    replayed: int = Field(description="How many deliveries are tried again, in the order of their ticket's events")


class DeliveryOut(OutModel):
    """A message on its way to one receiver. `endpoint_id` None: the channel adapter."""

    id: UUID
    message_id: UUID = Field(description="The `webhook-id`, the same in every attempt")
    kind: Kind
    type: str
    endpoint_id: UUID | None
    ticket_id: UUID | None
    sequence: int
    state: DeliveryState = Field(description="`dead`: the schedule was used up, or the receiver answered 410")
    attempts: int
    due_at: datetime = Field(description="Of an open one: when it is tried next")
    created_at: datetime
    finished_at: datetime | None
    last_status: int | None
    last_error: str | None = Field(
        description="Why there was no answer, such as timed_out; `fault_of_ours`: webcare failed, its log says where"
    )


class AttemptOut(OutModel):
    number: int
    started_at: datetime
    seconds: float
    status: int | None
    error: str | None
    answer: str = Field(description="Its first 4 kB")


class DeliveryWhole(DeliveryOut):
    history: list[AttemptOut] = Field(description="Every attempt, the first one first")


class DeliveryFilter(Paging):
    """Every filter that is given must hold."""

    endpoint_id: UUID | None = Field(None, description="Sent there")
    ticket_id: UUID | None = Field(None, description="About this ticket")
    state: DeliveryState | None = Field(None, description="`dead` ones wait for a retry or a replay")


@router.post("/endpoints", status_code=201, response_model=DisclosedOut, summary="Register an endpoint")
async def create_endpoint(caller: Listener, runtime: Serving, once: Repeating, asked: EndpointIn) -> Response:
    """From now on the events of the department's tickets are posted there, signed by Standard Webhooks."""
    return await once.run(
        caller,
        201,
        _disclosed,
        subscribe.register,
        caller,
        runtime.sealer,
        department=asked.department,
        url=asked.url,
        event_types=asked.event_types,
        payload=asked.payload,
        secret=asked.secret,
        headers=asked.headers,
    )


@router.get("/endpoints", summary="List endpoints")
async def read_endpoints(caller: Listener, runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[EndpointOut]:
    """Oldest first, without removed ones."""
    after = _places.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await endpoints.list_endpoints(tx, _scope(caller))
    rest = [endpoint for endpoint in found if after is None or endpoint.id > after]
    shown, next_cursor = _places.cut(rest, asked.limit, lambda endpoint: endpoint.id)
    return Page(items=[EndpointOut.model_validate(endpoint) for endpoint in shown], next_cursor=next_cursor)


@router.get("/endpoints/{endpoint_id}", summary="Read an endpoint")
async def read_endpoint(caller: Listener, runtime: Serving, endpoint_id: UUID) -> EndpointOut:
    """With its health; its secret was shown once, when it was made."""
    async with runtime.reading() as tx:
        found = await endpoints.get_endpoint(tx, endpoint_id, department=caller.department)
    return EndpointOut.model_validate(found)


@router.patch("/endpoints/{endpoint_id}", summary="Change, disable or enable an endpoint")
async def change_endpoint(caller: Listener, runtime: Serving, endpoint_id: UUID, asked: EndpointPatchIn) -> EndpointOut:
    """What is under way goes to the new URL from its next attempt on; events of new types come from now on."""
    return EndpointOut.model_validate(
        await runtime.run(subscribe.change, caller, runtime.sealer, endpoint_id, asked.changes())
    )


@router.delete("/endpoints/{endpoint_id}", status_code=204, summary="Remove an endpoint")
async def remove_endpoint(caller: Listener, runtime: Serving, endpoint_id: UUID) -> None:
    """Also what waits for it is not sent any more. Its deliveries stay to be read."""
    await runtime.run(subscribe.remove, caller, endpoint_id)


@router.post("/endpoints/{endpoint_id}/rotate", response_model=DisclosedOut, summary="Change the secret")
async def rotate_endpoint(
    caller: Listener, runtime: Serving, once: Repeating, endpoint_id: UUID, asked: RotateIn | None = None
) -> Response:
    """For 24 hours everything is signed with both secrets, so that nothing is refused while receivers change over."""
    secret = asked.secret if asked else None
    return await once.run(caller, 200, _disclosed, subscribe.rotate, caller, runtime.sealer, endpoint_id, secret)


@router.post("/endpoints/{endpoint_id}/ping", status_code=202, response_model=PingedOut, summary="Send a test")
async def ping_endpoint(caller: Listener, once: Repeating, endpoint_id: UUID) -> Response:
    """An `endpoint.pinged` to this endpoint alone, on the way that every event takes; `/deliveries` tells its fate."""
    return await once.run(caller, 202, _pinged, subscribe.ping, caller, endpoint_id)


@router.post(
    "/endpoints/{endpoint_id}/replay",
    status_code=202,
    response_model=ReplayedOut,
    summary="Send again what died, or arrived",
)
async def replay_endpoint(caller: Listener, once: Repeating, endpoint_id: UUID, asked: ReplayIn) -> Response:
    """Every dead delivery of the events that happened in the period; with `delivered` also those that arrived.

    Each ticket's come in their order, under the `webhook-id` that they had, without using up the schedule. Later ones
    may have arrived before: look at `sequence`.
    """
    return await once.run(
        caller,
        202,
        _replayed,
        subscribe.replay,
        caller,
        endpoint_id,
        asked.since,
        asked.until,
        event_types=asked.event_types,
        delivered=asked.delivered,
    )


@router.get("/deliveries", summary="List deliveries")
async def read_deliveries(
    caller: Listener, runtime: Serving, asked: Annotated[DeliveryFilter, Query()]
) -> Page[DeliveryOut]:
    """Newest first. An admin sees what is published on channels as well."""
    after = _places.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await outbox.list_deliveries(
            tx,
            departments=_scope(caller),
            endpoint_id=asked.endpoint_id,
            ticket_id=asked.ticket_id,
            state=asked.state,
            after=after,
            limit=asked.limit + 1,
        )
    shown, next_cursor = _places.cut(found, asked.limit, lambda delivery: delivery.id)
    return Page(items=[DeliveryOut.model_validate(delivery) for delivery in shown], next_cursor=next_cursor)


@router.get("/deliveries/{delivery_id}", summary="Read a delivery with its attempts")
async def read_delivery(caller: Listener, runtime: Serving, delivery_id: UUID) -> DeliveryWhole:
    """Each attempt with its status, error, duration and the beginning of the answer."""
    async with runtime.reading() as tx:
        found = await outbox.get_delivery(tx, delivery_id, department=caller.department)
        attempts = await outbox.list_attempts(tx, delivery_id)
    known = DeliveryOut.model_validate(found)
    return DeliveryWhole(**known.model_dump(), history=[_attempt(attempt) for attempt in attempts])


@router.post("/deliveries/{delivery_id}/retry", status_code=202, summary="Try a delivery again now")
async def retry_delivery(caller: Listener, runtime: Serving, delivery_id: UUID) -> DeliveryOut:
    """An open or dead one, without using up its schedule. Asking twice tries it once."""
    return DeliveryOut.model_validate(await runtime.run(subscribe.retry, caller, delivery_id))


def _scope(caller: Caller) -> Collection[str] | None:
    return None if caller.department is None else {caller.department}


def _disclosed(made: Disclosed) -> DisclosedOut:
    known = EndpointOut.model_validate(made.endpoint)
    return DisclosedOut(**known.model_dump(), secret=made.secret)


def _pinged(message_id: UUID) -> PingedOut:
    return PingedOut(message_id=message_id)


def _replayed(count: int) -> ReplayedOut:
    return ReplayedOut(replayed=count)


def _attempt(made: AttemptLine) -> AttemptOut:
    return AttemptOut(
        number=made.number,
        started_at=made.started_at,
        seconds=made.duration.total_seconds(),
        status=made.status,
        error=made.error,
        answer=made.answer,
    )
