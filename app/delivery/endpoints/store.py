"""Endpoints in PostgreSQL.

Knows how an endpoint is kept, found, slowed and disabled. Refuses to know why: it is told.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, insert, literal_column, or_, select, update

from app.delivery.endpoints.endpoint import Endpoint, EndpointState, Payload
from app.delivery.tables import delivery, endpoint
from app.kit.db import Reading, Transaction
from app.kit.errors import NotFound

_ACTIVE = (EndpointState.OK, EndpointState.FAILING)
# Runs for every mention.
_ACTIVE_ENDPOINTS = """
    SELECT * FROM endpoint
    WHERE state IN ('ok', 'failing') AND ($1::text[] IS NULL OR department = ANY ($1)) ORDER BY id"""


class EndpointNotFound(NotFound):
    pass


async def add_endpoint(tx: Transaction, new: Endpoint) -> None:
    await tx.execute(insert(endpoint).values(**_values(new)))


async def get_endpoint(tx: Reading, endpoint_id: UUID, *, department: str | None = None) -> Endpoint:
    """Raises `EndpointNotFound`, also when a `department` is given that it does not belong to."""
    return await _one_endpoint(tx, select(endpoint), endpoint_id, department)


async def claim_endpoint(tx: Transaction, endpoint_id: UUID, *, department: str | None = None) -> Endpoint:
    """The endpoint, locked until the commit. Raises as `get_endpoint`."""
    return await _one_endpoint(tx, select(endpoint).with_for_update(key_share=True), endpoint_id, department)


async def list_endpoints(tx: Reading, departments: Collection[str] | None) -> tuple[Endpoint, ...]:
    """Those that are not removed, oldest first; `departments` None shows all."""
    found = select(endpoint).where(endpoint.c.state != EndpointState.REMOVED).order_by(endpoint.c.id)
    if departments is not None:
        found = found.where(endpoint.c.department.in_(departments))
    return tuple(_endpoint(row._asdict()) for row in await tx.rows(found))


async def claim_ready(tx: Transaction) -> tuple[Endpoint, ...]:
    """Those that may be sent to now and have something due, locked until the commit; others' are passed over."""
    due = exists().where(
        delivery.c.lane == endpoint.c.id, delivery.c.state == literal_column("'open'"), delivery.c.due_at <= func.now()
    )
    rested = or_(endpoint.c.throttled_until.is_(None), endpoint.c.throttled_until <= func.now())
    ready = select(endpoint).where(endpoint.c.state.in_(_ACTIVE), rested, due)
    rows = await tx.rows(ready.with_for_update(key_share=True, skip_locked=True))
    return tuple(_endpoint(row._asdict()) for row in rows)


async def list_active_endpoints(tx: Reading, departments: Collection[str] | None = None) -> tuple[Endpoint, ...]:
    """Those that new events go to; `departments` None gives all."""
    asked = None if departments is None else list(departments)
    return tuple(_endpoint(dict(row)) for row in await tx.fetch_standing(_ACTIVE_ENDPOINTS, asked))


async def mark_changed(tx: Transaction, changed: Endpoint) -> None:
    """Write an endpoint that was claimed."""
    await tx.execute(update(endpoint).where(endpoint.c.id == changed.id).values(**_values(changed)))


async def mark_ok(tx: Transaction, endpoint_id: UUID) -> bool:
    """It took a message after failures; whether it had been failing."""
    of_it = endpoint.c.id == endpoint_id
    failing = of_it & (endpoint.c.state == EndpointState.FAILING)
    recovered = await tx.execute(update(endpoint).where(failing).values(state=EndpointState.OK, failures=0))
    if recovered.rowcount == 0:
        await tx.execute(update(endpoint).where(of_it).values(failures=0))
    return recovered.rowcount == 1


async def mark_failed(tx: Transaction, endpoint_id: UUID, *, failing_from: int) -> bool:
    """One more attempt in a row failed; whether that was the `failing_from`-th, which makes it failing."""
    failures = await tx.scalar(
        update(endpoint)
        .where(endpoint.c.id == endpoint_id)
        .values(failures=endpoint.c.failures + 1)
        .returning(endpoint.c.failures)
    )
    if failures is None or failures < failing_from:
        return False
    came_to_fail = await tx.execute(
        update(endpoint)
        .where(endpoint.c.id == endpoint_id, endpoint.c.state == EndpointState.OK)
        .values(state=EndpointState.FAILING)
    )
    return came_to_fail.rowcount == 1


async def mark_throttled(tx: Transaction, endpoint_id: UUID, rest: timedelta) -> None:
    """It gets nothing for `rest`, unless it already asked for longer."""
    until = func.now() + rest
    await tx.execute(
        update(endpoint)
        .where(
            endpoint.c.id == endpoint_id,
            or_(endpoint.c.throttled_until.is_(None), endpoint.c.throttled_until < until),
        )
        .values(throttled_until=until)
    )


async def mark_disabled(tx: Transaction, endpoint_id: UUID, reason: str) -> bool:
    """It gets nothing until somebody enables it; its open deliveries wait. Whether it was active before."""
    done = await tx.execute(
        update(endpoint)
        .where(endpoint.c.id == endpoint_id, endpoint.c.state.in_(_ACTIVE))
        .values(state=EndpointState.DISABLED, disabled_reason=reason, updated_at=func.now())
    )
    return done.rowcount == 1


async def _one_endpoint(tx: Reading, found: Select[Any], endpoint_id: UUID, department: str | None) -> Endpoint:
    row = await tx.first(found.where(endpoint.c.id == endpoint_id, endpoint.c.state != EndpointState.REMOVED))
    if row is None or (department is not None and row.department != department):
        raise EndpointNotFound("There is no such endpoint.")
    return _endpoint(row._asdict())


def _endpoint(row: Mapping[str, Any]) -> Endpoint:
    types = row["event_types"]
    return Endpoint(
        **{
            **row,
            "event_types": None if types is None else frozenset(types),
            "payload": Payload(row["payload"]),
            "state": EndpointState(row["state"]),
        }
    )


def _values(kept: Endpoint) -> dict[str, Any]:
    types = kept.event_types
    return {**asdict(kept), "event_types": None if types is None else sorted(types)}
