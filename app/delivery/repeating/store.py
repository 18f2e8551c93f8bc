"""Deliveries that are tried again, or no more, because somebody asked: one by one, or all of a period.

Knows how a finished delivery is opened again without using up its schedule, and how one that waits is called off.
Refuses to know who may ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, literal_column, or_, select, update
from sqlalchemy.sql import ColumnElement

from app.delivery.store import DeliveryNotFound, DeliveryState, of_ticket, to_departments
from app.delivery.tables import delivery, message
from app.kit.db import Transaction
from app.kit.errors import Conflict
from app.kit.ids import first_id_at

_APART = timedelta(hours=1)  # more than the clock that made an id and that of the database may differ


class DeliveryFinished(Conflict):
    pass


class DeliveryUnderWay(Conflict):
    pass


_TAKE_BACK = """
    UPDATE delivery d SET state = 'cancelled', finished_at = now() FROM message m
    WHERE m.id = d.message_id AND m.ticket_id = ANY($1) AND m.subject_id = ANY($2)
        AND d.state = 'open' AND d.lease_token IS NULL AND NOT d.in_doubt
    RETURNING m.subject_id"""


@dataclass(frozen=True, slots=True)
class Replay:
    """What an endpoint is to get again: of these types, made in [since, until), and finished in one of these states.

    `event_types` None: every type.
    """

    endpoint_id: UUID
    since: datetime
    until: datetime
    event_types: frozenset[str] | None
    states: frozenset[DeliveryState]


async def mark_retried(tx: Transaction, delivery_id: UUID, *, department: str | None = None) -> None:
    """Try an open or dead delivery again now, without using up its schedule; one that is due already stays as it is.

    What was only put off with it, for the same ticket and destination, is due as well and waits for its turn.
    Raises `DeliveryNotFound`, also when a `department` is given that it does not go to; `DeliveryFinished` when it is
    done or cancelled; `DeliveryUnderWay` when it is being sent.
    """
    row = await _claim_unfinished(tx, delivery_id, to_departments(department and {department}))
    if row.state == DeliveryState.DEAD or row.later:
        await _reopen(tx, delivery.c.id == delivery_id)
    await _hurry_next(tx, row)


async def mark_settled(tx: Transaction, delivery_id: UUID, *, arrived: bool) -> None:
    """A person saw whether a publication is on its channel; it is sent again only when somebody asks.

    What waits behind it has its turn. Raises as `mark_retried`.
    """
    row = await _claim_unfinished(tx, delivery_id, [])
    state = DeliveryState.DONE if arrived else DeliveryState.DEAD
    settled = update(delivery).where(delivery.c.id == delivery_id)
    await tx.execute(settled.values(state=state, in_doubt=False, lease_token=None, finished_at=func.now()))
    await _hurry_next(tx, row)


async def mark_taken_back(tx: Transaction, ticket_ids: Sequence[UUID], subject_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Send these replies about these tickets no more; the subjects of those that had not left, nor may have."""
    return frozenset(row["subject_id"] for row in await tx.fetch(_TAKE_BACK, ticket_ids, subject_ids))


async def _claim_unfinished(tx: Transaction, delivery_id: UUID, which: Sequence[ColumnElement[bool]]) -> Row[Any]:
    later = delivery.c.due_at > func.now()
    row = await tx.first(
        select(*delivery.c["state", "lease_token", "ticket_id", "lane"], later.label("later"))
        .where(delivery.c.id == delivery_id, *which)
        .with_for_update()
    )
    if row is None:
        raise DeliveryNotFound("There is no such delivery.")
    if row.state not in (DeliveryState.OPEN, DeliveryState.DEAD):
        raise DeliveryFinished(f"This delivery is {row.state}; only an open or dead one can be tried again.")
    if row.lease_token and row.later:
        raise DeliveryUnderWay("This delivery is being sent at this moment.")
    return row


async def _hurry_next(tx: Transaction, row: Row[Any]) -> None:
    """What was put off with a delivery, for the same ticket and destination, is due now and waits for its turn."""
    if row.ticket_id is not None:
        untried = and_(of_ticket(row.ticket_id, row.lane), delivery.c.attempt == 0, delivery.c.due_at > func.now())
        await tx.execute(update(delivery).where(untried).values(due_at=func.now()))


async def mark_replayed(tx: Transaction, again: Replay, *, limit: int) -> int | None:
    """Try again what this asks for; how many deliveries those are. None: more than `limit`, and nothing is done."""
    found = await tx.rows(_asked_for(again).limit(limit + 1))
    if len(found) > limit:
        return None
    return await _reopen(tx, delivery.c.id.in_([row.id for row in found]), delivery.c.state.in_(again.states))


def _asked_for(again: Replay) -> Select[Any]:
    """The ids of deliveries sort by the moment of their making: the index need not be read before and after it."""
    found = (
        select(delivery.c.id)
        .join(message, message.c.id == delivery.c.message_id)
        .where(
            delivery.c.endpoint_id == again.endpoint_id,
            delivery.c.id.between(first_id_at(again.since - _APART), first_id_at(again.until + _APART)),
            or_(*(delivery.c.state == literal_column(f"'{state}'") for state in again.states)),
            message.c.created_at >= again.since,
            message.c.created_at < again.until,
        )
    )
    return found if again.event_types is None else found.where(message.c.type.in_(again.event_types))


async def _reopen(tx: Transaction, *which: ColumnElement[bool]) -> int:
    again = {"state": DeliveryState.OPEN, "by_hand": delivery.c.by_hand + 1, "due_at": func.now()}
    done = await tx.execute(update(delivery).where(*which).values(**again, lease_token=None, finished_at=None))
    return done.rowcount
