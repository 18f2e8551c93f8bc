"""The outbox in PostgreSQL: messages, their deliveries and every attempt.

Knows how deliveries are added, claimed under a lease and finished behind a fence. Refuses to know what a body says,
whether an attempt succeeded and when the next one is due: it is told.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, and_, bindparam, func, literal_column, select, text, update
from sqlalchemy.sql import ColumnElement

from app.delivery.endpoints.endpoint import Endpoint
from app.delivery.endpoints.store import claim_ready
from app.delivery.envelope import Kind, Message
from app.delivery.retrying import Outcome
from app.delivery.tables import ADAPTER, attempt, delivery, endpoint, message
from app.kit.db import OnConflict, Reading, Transaction
from app.kit.errors import NotFound
from app.kit.ids import new_id

_OF_MESSAGE = ("id", "kind", "type", "ticket_id", "sequence", "subject_id", "body")
IS_OPEN = delivery.c.state == literal_column("'open'")  # a literal, so that plans may use the partial indexes

_FORGET_WORDS = """
    UPDATE message SET body = (body::jsonb #- '{data,text}' #- '{data,mention,title}')::text
    WHERE ticket_id = ANY($1) AND kind = 'webhook' AND body::jsonb #>> '{data,mention,mention_id}' = $2"""

_FINISH = """
    UPDATE delivery d SET state = $3, in_doubt = $4, lease_token = NULL, finished_at = now()
    FROM unnest($1::uuid[], $2::uuid[]) AS held (id, lease_token)
    WHERE d.id = held.id AND d.lease_token = held.lease_token AND d.state = 'open'
    RETURNING d.id"""

_LINES = (
    select(
        *delivery.c["id", "message_id", "endpoint_id", "ticket_id", "sequence", "state", "due_at", "finished_at"],
        delivery.c.attempt.label("attempts"),
        *message.c["kind", "type", "subject_id", "created_at"],
        attempt.c.status.label("last_status"),
        attempt.c.error.label("last_error"),
    )
    .join(message, message.c.id == delivery.c.message_id)
    .outerjoin(attempt, and_(attempt.c.delivery_id == delivery.c.id, attempt.c.number == delivery.c.attempt))
)


class DeliveryState(StrEnum):
    """`dead`: tried until the schedule was used up, or the receiver wants nothing more. `cancelled`: nobody waits."""

    OPEN = "open"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class DeliveryNotFound(NotFound):
    pass


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until its lease ends. `used` is its place in the schedule, from 1.

    `in_doubt`: a publication that an attempt before may have brought to its channel.
    """

    id: UUID
    lane: UUID
    lease_token: UUID
    number: int
    used: int
    message_id: UUID
    kind: Kind
    type: str
    ticket_id: UUID | None
    subject_id: UUID | None
    body: str
    endpoint: Endpoint | None
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A delivery as lists show it, with its last attempt."""

    id: UUID
    message_id: UUID
    kind: Kind
    type: str
    subject_id: UUID | None
    endpoint_id: UUID | None
    ticket_id: UUID | None
    sequence: int
    state: DeliveryState
    attempts: int
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    last_status: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class AttemptLine:
    number: int
    started_at: datetime
    duration: timedelta
    status: int | None
    error: str | None
    answer: str


async def add_messages(tx: Transaction, messages: Sequence[Message]) -> None:
    """Put messages and one delivery for each of their destinations into the outbox, due now."""
    await tx.insert(message, [{name: getattr(m, name) for name in _OF_MESSAGE} for m in messages])
    await tx.insert(
        delivery,
        [
            {"id": new_id(), "message_id": m.id, "endpoint_id": to, "ticket_id": m.ticket_id, "sequence": m.sequence}
            for m in messages
            for to in ((None,) if m.kind is Kind.PUBLICATION else m.endpoint_ids)
        ],
    )


# Lanes are looked at one by one, so that the backlog of a receiver that hangs is never read to find another's work.
# The lane with the fewest in flight comes first: however many receivers are dead, they cannot take every slot.
# A publication that is claimed is in doubt from then on until its outcome is recorded, also when we die before that.
_CLAIM = text("""
with lane as materialized (
    select wanted.id, :per_lane - (
        select count(*) from delivery f where f.lane = wanted.id and f.lease_token is not null and f.due_at > now()
    ) as slots
    from unnest(:lanes) as wanted (id)
), due as materialized (
    select first.id, first.in_doubt from lane cross join lateral (
        select d.id, d.due_at, d.in_doubt from delivery d
        where d.state = 'open' and d.lane = lane.id and d.due_at <= now() and not exists (
            select from delivery e
            where e.state = 'open' and e.ticket_id = d.ticket_id and e.lane = d.lane
            and (e.sequence, e.id) < (d.sequence, d.id)
        )
        order by d.due_at, d.id
        limit greatest(lane.slots, 0)
        for update skip locked
    ) first
    order by row_number() over (partition by lane.id order by first.due_at, first.id) - lane.slots,
        first.due_at, first.id
    limit :limit
)
update delivery d
set attempt = attempt + 1, lease_token = gen_random_uuid(), due_at = now() + :lease, in_doubt = d.endpoint_id is null
from due where d.id = due.id
returning d.id, due.in_doubt
""").bindparams(bindparam("lanes", type_=ARRAY(Uuid)))


async def claim_due(
    tx: Transaction, *, limit: int, lease: timedelta, per_lane: int, publishing: bool
) -> tuple[Claimed, ...]:
    """Take due deliveries for as long as `lease`: oldest first of each destination, which take turns.

    Of one ticket and one destination only the earliest open delivery is taken, and of one endpoint no more than
    `per_lane` are ever in flight. Without `publishing` the channel adapter's deliveries stay where they are; it has no
    row to lock, and processes that claim for it in the same instant may exceed its cap by one claim.
    """
    # The locks come in a statement of their own, so that the next one counts what the last holder of them claimed.
    endpoints = {ready.id: ready for ready in await claim_ready(tx)}
    lanes = [*endpoints, *([ADAPTER] if publishing else [])]
    claimed = await tx.rows(_CLAIM, {"limit": limit, "lease": lease, "per_lane": per_lane, "lanes": lanes})
    if not claimed:
        return ()
    in_doubt = {row.id: row.in_doubt for row in claimed}
    rows = await tx.rows(
        select(delivery, message.c.kind, message.c.type, message.c.subject_id, message.c.body)
        .join(message, message.c.id == delivery.c.message_id)
        .where(delivery.c.id.in_(in_doubt))
        .order_by(delivery.c.id)
    )
    return tuple(
        Claimed(
            id=row.id,
            lane=row.lane,
            lease_token=row.lease_token,
            number=row.attempt,
            used=row.attempt - row.by_hand,
            message_id=row.message_id,
            kind=Kind(row.kind),
            type=row.type,
            ticket_id=row.ticket_id,
            subject_id=row.subject_id,
            body=row.body,
            endpoint=endpoints.get(row.endpoint_id),
            in_doubt=in_doubt[row.id],
        )
        for row in rows
    )


async def mark_done(tx: Transaction, claimed: Sequence[Claimed]) -> frozenset[UUID]:
    """Finish deliveries; the ids of those whose lease was still ours. The others are left as they are."""
    return await _finish(tx, claimed, DeliveryState.DONE, in_doubt=False)


async def mark_dead(tx: Transaction, claimed: Sequence[Claimed], *, in_doubt: bool = False) -> frozenset[UUID]:
    """Give deliveries up; the ids of those whose lease was still ours. The others are left as they are."""
    return await _finish(tx, claimed, DeliveryState.DEAD, in_doubt=in_doubt)


async def mark_retry(
    tx: Transaction, claimed: Claimed, delay: timedelta, *, in_doubt: bool = False, uncounted: bool = False
) -> bool:
    """Have a delivery tried again after `delay`; False when the lease is no longer ours, and then nothing is changed.

    An `uncounted` attempt uses up no place in the schedule.

    What waits behind it for the same ticket and destination is put off with it: claims need not look at it meanwhile.
    """
    due_at = await tx.scalar(
        update(delivery)
        .where(_held(claimed))
        .values(
            due_at=func.now() + delay, lease_token=None, in_doubt=in_doubt, by_hand=delivery.c.by_hand + int(uncounted)
        )
        .returning(delivery.c.due_at)
    )
    if due_at is None:
        return False
    if claimed.ticket_id is not None:
        behind = of_ticket(claimed.ticket_id, claimed.lane)
        await tx.execute(update(delivery).where(behind, delivery.c.due_at < due_at).values(due_at=due_at))
    return True


async def record_attempts(tx: Transaction, made: Sequence[tuple[Claimed, Outcome, datetime]]) -> None:
    """Keep outcomes and when the attempts began, also where the lease was lost: the POST was sent all the same.

    Safe to repeat.
    """
    rows = [
        {
            "delivery_id": claimed.id,
            "number": claimed.number,
            "started_at": started_at,
            "duration": outcome.duration,
            "status": outcome.status,
            "error": outcome.fault,
            "answer": outcome.answer,
        }
        for claimed, outcome, started_at in made
    ]
    await tx.insert(attempt, rows, on_conflict=OnConflict.IGNORE)


async def mark_cancelled(tx: Transaction, endpoint_id: UUID) -> None:
    """Nothing more goes to this endpoint; what is being sent at this moment can't be called back."""
    await tx.execute(
        update(delivery)
        .where(delivery.c.endpoint_id == endpoint_id, IS_OPEN)
        .values(state=DeliveryState.CANCELLED, lease_token=None, finished_at=func.now())
    )


async def get_delivery(tx: Reading, delivery_id: UUID, *, department: str | None = None) -> DeliveryLine:
    """Raises `DeliveryNotFound`, also when a `department` is given that it does not go to."""
    row = await tx.first(_LINES.where(delivery.c.id == delivery_id, *to_departments(department and {department})))
    if row is None:
        raise DeliveryNotFound("There is no such delivery.")
    return _line(row)


async def get_publication(tx: Reading, ticket_id: UUID, subject_id: UUID) -> DeliveryLine:
    """The last delivery that carries this reply, survey or statement about a ticket. Raises `DeliveryNotFound`."""
    carried = _LINES.where(message.c.ticket_id == ticket_id, message.c.subject_id == subject_id)
    row = await tx.first(carried.order_by(delivery.c.id.desc()).limit(1))
    if row is None:
        raise DeliveryNotFound("This was never put on its way.")
    return _line(row)


async def record_deletion(tx: Transaction, ticket_ids: Sequence[UUID], mention_id: UUID) -> None:
    """A post was deleted: its words go from the bodies about these tickets that carry them, also from those that are
    still to be sent.
    """
    await tx.fetch(_FORGET_WORDS, ticket_ids, str(mention_id))


async def list_deliveries(
    tx: Reading,
    *,
    departments: Collection[str] | None,
    endpoint_id: UUID | None = None,
    ticket_id: UUID | None = None,
    state: DeliveryState | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> tuple[DeliveryLine, ...]:
    """Newest first; `after` is the id of the last line of the page before.

    `departments` None shows everything, publications too; else only what goes to endpoints of these.
    """
    asked = {delivery.c.endpoint_id: endpoint_id, message.c.ticket_id: ticket_id, delivery.c.state: state}
    wanted = [column == value for column, value in asked.items() if value is not None]
    if after is not None:
        wanted.append(delivery.c.id < after)
    found = _LINES.where(*to_departments(departments), *wanted).order_by(delivery.c.id.desc()).limit(limit)
    return tuple(_line(row) for row in await tx.rows(found))


async def list_open(tx: Reading, ticket_ids: Sequence[UUID], event_type: str) -> frozenset[UUID]:
    """Those of these tickets of which a message of this type still goes out to somebody."""
    found = (
        select(delivery.c.ticket_id)
        .join(message, message.c.id == delivery.c.message_id)
        .where(IS_OPEN, delivery.c.ticket_id.in_(ticket_ids), message.c.type == event_type)
    )
    return frozenset(row.ticket_id for row in await tx.rows(found))


async def list_attempts(tx: Reading, delivery_id: UUID) -> tuple[AttemptLine, ...]:
    columns = [column for column in attempt.c if column is not attempt.c.delivery_id]
    rows = await tx.rows(select(*columns).where(attempt.c.delivery_id == delivery_id).order_by(attempt.c.number))
    return tuple(AttemptLine(**row._asdict()) for row in rows)


def _line(row: Row[Any]) -> DeliveryLine:
    return DeliveryLine(**row._asdict() | {"kind": Kind(row.kind), "state": DeliveryState(row.state)})


def to_departments(departments: Collection[str] | None) -> list[ColumnElement[bool]]:
    if departments is None:
        return []
    return [delivery.c.endpoint_id.in_(select(endpoint.c.id).where(endpoint.c.department.in_(departments)))]


def _held(claimed: Claimed) -> ColumnElement[bool]:
    return and_(
        delivery.c.id == claimed.id,
        delivery.c.lease_token == claimed.lease_token,
        IS_OPEN,
    )


def of_ticket(ticket_id: UUID, lane: UUID) -> ColumnElement[bool]:
    """The open deliveries of one ticket to one destination, of which only the earliest is ever sent."""
    return and_(IS_OPEN, delivery.c.ticket_id == ticket_id, delivery.c.lane == lane)


async def _finish(
    tx: Transaction, claimed: Sequence[Claimed], state: DeliveryState, *, in_doubt: bool
) -> frozenset[UUID]:
    if not claimed:
        return frozenset()
    leases = [one.id for one in claimed], [one.lease_token for one in claimed]
    return frozenset(row["id"] for row in await tx.fetch(_FINISH, *leases, state, in_doubt))
