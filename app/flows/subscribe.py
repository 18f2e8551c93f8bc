"""Departments say where they listen and what they want to hear, try it out, and ask again for what they missed.

Knows whose endpoint is whose and what may be asked of it. Refuses to know how anything is sent (dispatch) and which
events there will be. Another department's endpoints and deliveries read as not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import TypedDict
from uuid import UUID

from app.access.role import Caller, Forbidden, Role
from app.answers import store as answers
from app.delivery import store as outbox
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, EndpointState, Payload
from app.delivery.endpoints.headers import check_headers
from app.delivery.envelope import Happening, Saying, webhook
from app.delivery.event_type import check_audible
from app.delivery.repeating.store import Replay, mark_replayed, mark_retried
from app.delivery.signing import key_of, secret_from
from app.delivery.store import DeliveryLine, DeliveryState
from app.kit import logs
from app.kit.errors import Conflict, Invalid
from app.kit.http import Reach
from app.kit.ids import new_id
from app.kit.sealing import Sealer
from app.routing.by_hand import check_names
from app.runtime import Unit

LONGEST_REPLAY = timedelta(days=31)
LARGEST_REPLAY = 10_000  # deliveries; they are claimed again as fast as they were made
_KEY_BYTES = 32


class DepartmentMissing(Invalid):
    """Somebody who belongs to no department did not say whose endpoint it is to be."""


class EndpointDisabled(Conflict):
    """Nothing can be sent to it until it is enabled."""


class PeriodNotReplayable(Invalid):
    pass


class ReplayTooLarge(Invalid):
    """More than one call tries again; a shorter period or fewer types are less."""


class SurveyGivenUp(Conflict):
    """Sent after all, it could ask somebody twice: the cool-down does not count what never arrived."""


class Changes(TypedDict, total=False):
    """What is to be different; what is not in it stays as it is. `event_types` None: from now on every type."""

    url: str
    event_types: frozenset[str] | None
    payload: Payload
    headers: Mapping[str, str]
    enabled: bool


@dataclass(frozen=True, slots=True)
class Disclosed:
    """An endpoint and its new secret, which nobody is ever told again."""

    endpoint: Endpoint
    secret: str = field(repr=False)


def signing_secret(given: str | None) -> str:
    """What was given, or a new one. Raises `SecretUnusable`."""
    if given is None:
        return secret_from(token_bytes(_KEY_BYTES))
    key_of(given)
    return given


async def register(
    unit: Unit,
    caller: Caller,
    sealer: Sealer,
    *,
    department: str | None,
    url: str,
    event_types: frozenset[str] | None,
    payload: Payload,
    secret: str | None,
    headers: Mapping[str, str] | None = None,
) -> Disclosed:
    """A new endpoint. A department's caller may leave the department out; a secret that is not given is made.

    Raises `Forbidden`, `DepartmentMissing`, `UnknownDepartment`, `UrlRefused`, `UnknownEventType`, `HeaderRefused`,
    `SecretUnusable`.
    """
    owner = _owner(unit, caller, department)
    _check_url(unit, url)
    check_audible(event_types or ())
    check_headers(headers or {})
    shared = signing_secret(secret)
    endpoint = Endpoint(
        id=new_id(),
        department=owner,
        url=url,
        event_types=event_types,
        payload=payload,
        secret_sealed=sealer.seal(shared),
        headers_sealed=_sealed(sealer, headers or {}),
        created_at=unit.now,
        updated_at=unit.now,
    )
    await endpoints.add_endpoint(unit.tx, endpoint)
    _log("registered", endpoint, caller)
    return Disclosed(endpoint, shared)


async def change(unit: Unit, caller: Caller, sealer: Sealer, endpoint_id: UUID, changes: Changes) -> Endpoint:
    """Headers that are given take the place of all. Raises `EndpointNotFound`, `UrlRefused`, `UnknownEventType`,
    `HeaderRefused`.
    """
    endpoint = await endpoints.claim_endpoint(unit.tx, endpoint_id, department=caller.department)
    if "url" in changes:
        _check_url(unit, changes["url"])
    check_audible(changes.get("event_types") or ())
    check_headers(changes.get("headers", {}))
    changed = replace(
        endpoint,
        url=changes.get("url", endpoint.url),
        event_types=changes.get("event_types", endpoint.event_types),
        payload=changes.get("payload", endpoint.payload),
        headers_sealed=_sealed(sealer, changes["headers"]) if "headers" in changes else endpoint.headers_sealed,
        updated_at=unit.now,
    )
    if "enabled" in changes:
        changed = _switched(changed, changes["enabled"], caller)
    await endpoints.mark_changed(unit.tx, changed)
    _log("changed", changed, caller)
    return changed


async def rotate(unit: Unit, caller: Caller, sealer: Sealer, endpoint_id: UUID, secret: str | None) -> Disclosed:
    """A new secret; the present one signs beside it for a day. Raises `EndpointNotFound`, `SecretUnusable`."""
    endpoint = await endpoints.claim_endpoint(unit.tx, endpoint_id, department=caller.department)
    shared = signing_secret(secret)
    rotated = endpoint.rotated(sealer.seal(shared), unit.now)
    await endpoints.mark_changed(unit.tx, rotated)
    _log("rotated", rotated, caller)
    return Disclosed(rotated, shared)


async def remove(unit: Unit, caller: Caller, endpoint_id: UUID) -> None:
    """Nothing more goes there, also not what waited; its deliveries stay to be read. Raises `EndpointNotFound`."""
    endpoint = await endpoints.claim_endpoint(unit.tx, endpoint_id, department=caller.department)
    await endpoints.mark_changed(unit.tx, replace(endpoint, state=EndpointState.REMOVED, updated_at=unit.now))
    await outbox.mark_cancelled(unit.tx, endpoint_id)
    _log("removed", endpoint, caller)


async def ping(unit: Unit, caller: Caller, endpoint_id: UUID) -> UUID:
    """Send a test on the way that every event takes; returns its `webhook-id`.

    Raises `EndpointNotFound`, `EndpointDisabled`.
    """
    endpoint = await _listening(unit, caller, endpoint_id)
    pinged = Happening(
        type="endpoint.pinged",
        at=unit.now,
        departments=frozenset({endpoint.department}),
        details={"endpoint_id": endpoint.id, "department": endpoint.department},
    )
    message = webhook(new_id(), pinged, endpoint.payload, (endpoint.id,))
    await outbox.add_messages(unit.tx, [message])
    return message.id


async def replay(
    unit: Unit,
    caller: Caller,
    endpoint_id: UUID,
    since: datetime,
    until: datetime | None = None,
    *,
    event_types: frozenset[str] | None = None,
    delivered: bool = False,
) -> int:
    """Try again what died of the events that happened in [since, until), or since then; returns how many there are.

    `delivered` asks for what arrived as well, `event_types` for these alone. Raises `EndpointNotFound`,
    `EndpointDisabled`, `UnknownEventType`, `PeriodNotReplayable`, `ReplayTooLarge`.
    """
    endpoint = await _listening(unit, caller, endpoint_id)
    check_audible(event_types or ())
    until = until or unit.now
    if not timedelta(0) < until - since <= LONGEST_REPLAY:
        raise PeriodNotReplayable(
            f"`since` lies before `until`, which is now when it is left out, by at most {LONGEST_REPLAY.days} days.",
            field="since",
            longest_days=LONGEST_REPLAY.days,
        )
    states = {DeliveryState.DEAD, DeliveryState.DONE} if delivered else {DeliveryState.DEAD}
    asked = Replay(endpoint_id, since, until, event_types, frozenset(states))
    replayed = await mark_replayed(unit.tx, asked, limit=LARGEST_REPLAY)
    if replayed is None:
        raise ReplayTooLarge(
            f"More than {LARGEST_REPLAY} deliveries are too many at once; ask for a shorter period or fewer types.",
            field="until",
            most=LARGEST_REPLAY,
        )
    _log("replayed", endpoint, caller)
    return replayed


async def retry(unit: Unit, caller: Caller, delivery_id: UUID) -> DeliveryLine:
    """Try one delivery again now, however often it was tried; returns it as it stands then.

    A reply that its ticket shows as failed is queued again. Raises `DeliveryNotFound`, `DeliveryFinished`,
    `DeliveryUnderWay`, `EndpointNotFound`, `EndpointDisabled`, `SurveyGivenUp`.
    """
    line = await outbox.get_delivery(unit.tx, delivery_id, department=caller.department)
    if line.endpoint_id is not None:
        await _listening(unit, caller, line.endpoint_id)
    if line.type == Saying.SURVEY and line.state is DeliveryState.DEAD:
        raise SurveyGivenUp("This survey was given up; its customer is asked again after the next resolution.")
    await mark_retried(unit.tx, delivery_id, department=caller.department)
    if line.type in {Saying.REPLY, Saying.STATEMENT} and line.subject_id is not None:
        await answers.mark_requeued(unit.tx, line.subject_id)
    return await outbox.get_delivery(unit.tx, delivery_id, department=caller.department)


def _owner(unit: Unit, caller: Caller, department: str | None) -> str:
    if caller.department is not None:
        if department not in {None, caller.department}:
            raise Forbidden(
                f"Your token is for {caller.department}; leave `department` out.",
                field="department",
                roles=[Role.ADMIN],
            )
        return caller.department
    if department is None:
        known = ", ".join(unit.rulebook.departments)
        raise DepartmentMissing(f"Say whose endpoint it is; there are: {known}.", field="department")
    check_names(unit.rulebook.routing, None, department, topics={})
    return department


def _check_url(unit: Unit, url: str) -> None:
    Reach(unit.knobs.webhook_allow_cidrs, unit.knobs.webhook_ports).check(url)


def _sealed(sealer: Sealer, headers: Mapping[str, str]) -> dict[str, str]:
    return {name: sealer.seal(value).decode() for name, value in headers.items()}


def _switched(endpoint: Endpoint, on: bool, caller: Caller) -> Endpoint:
    """What is on already keeps its state: that it is failing is for the next attempt to change."""
    if on is not (endpoint.state is EndpointState.DISABLED):
        return endpoint
    if on:
        return replace(endpoint, state=EndpointState.OK, disabled_reason=None, throttled_until=None, failures=0)
    return replace(endpoint, state=EndpointState.DISABLED, disabled_reason=f"by {caller.actor}")


async def _listening(unit: Unit, caller: Caller, endpoint_id: UUID) -> Endpoint:
    endpoint = await endpoints.get_endpoint(unit.tx, endpoint_id, department=caller.department)
    if endpoint.state is EndpointState.DISABLED:
        raise EndpointDisabled(f"This endpoint gets nothing ({endpoint.disabled_reason}); enable it first.")
    return endpoint


def _log(done: str, endpoint: Endpoint, caller: Caller) -> None:
    logs.transition(f"endpoint.{done}", endpoint=str(endpoint.id), department=endpoint.department, actor=caller.actor)
