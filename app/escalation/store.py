"""Escalations in the database, with the reasons for which PR was asked.

Knows that a subject has one open escalation, and the order in which PR sees them. Refuses to know when PR is asked
(risk, incidents) and what a ticket makes of it (tickets.press).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, update

from app.escalation.tables import escalation, escalation_reason
from app.kit.db import Reading, Transaction
from app.kit.errors import Conflict, NotFound


class EscalationNotFound(NotFound):
    pass


class EscalationMovedOn(Conflict):
    """It was acknowledged or closed before."""


class EscalationState(StrEnum):
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Given:
    """A reason for which PR was asked. `subject_id` is the ticket or the incident, `figures` what led to it."""

    subject_id: UUID
    code: str
    escalation_id: UUID
    actor: str
    text: str
    figures: Mapping[str, Any]
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Escalation:
    """PR is asked to look at a ticket or an incident, one of the two. By `due_at` it is to have acknowledged."""

    id: UUID
    ticket_id: UUID | None
    incident_id: UUID | None
    state: EscalationState
    raised_at: datetime
    due_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    lesson: str | None = None
    reasons: tuple[Given, ...] = field(default=())

    @property
    def subject_id(self) -> UUID:
        subject = self.ticket_id or self.incident_id
        assert subject is not None
        return subject


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which escalations somebody asks for; None asks nothing. `overdue`: raised, and past due at this moment."""

    state: EscalationState | None = None
    reason: str | None = None
    overdue_at: datetime | None = None
    ticket_id: UUID | None = None


_OWN = tuple(escalation.c[member.name] for member in fields(Escalation) if member.name != "reasons")
_IS_OPEN = escalation.c.state != EscalationState.CLOSED


async def add_escalations(tx: Transaction, raised: Sequence[Escalation], given: Sequence[Given]) -> None:
    """New escalations, and reasons of these or of others that are open. Their subjects are locked or new."""
    rows = [asdict(one) for one in raised]
    for row in rows:
        del row["reasons"]
    await tx.insert(escalation, rows)
    await tx.insert(escalation_reason, [asdict(one) for one in given])


async def list_open(tx: Reading, ticket_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The id of the open escalation of each ticket; tickets without one are absent."""
    if not ticket_ids:
        return {}
    found = select(escalation.c.ticket_id, escalation.c.id).where(escalation.c.ticket_id.in_(ticket_ids), _IS_OPEN)
    return {row.ticket_id: row.id for row in await tx.rows(found)}


async def find_open(tx: Reading, subject_id: UUID) -> UUID | None:
    """The id of the open escalation of a ticket or an incident."""
    of_subject = or_(escalation.c.ticket_id == subject_id, escalation.c.incident_id == subject_id)
    found: UUID | None = await tx.scalar(select(escalation.c.id).where(of_subject, _IS_OPEN))
    return found


async def list_tickets(tx: Reading, escalation_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The ticket of each escalation; those of incidents are absent."""
    if not escalation_ids:
        return {}
    of_tickets = (escalation.c.id.in_(escalation_ids), escalation.c.ticket_id.is_not(None))
    rows = await tx.rows(select(escalation.c.id, escalation.c.ticket_id).where(*of_tickets))
    return {row.id: row.ticket_id for row in rows}


async def get_escalation(tx: Reading, escalation_id: UUID) -> Escalation:
    """With its reasons. Raises `EscalationNotFound`."""
    return await _one(tx, select(*_OWN).where(escalation.c.id == escalation_id), escalation_id)


async def claim_escalation(tx: Transaction, escalation_id: UUID) -> Escalation:
    """The same, locked until the commit. Lock its ticket first. Raises `EscalationNotFound`."""
    found = select(*_OWN).where(escalation.c.id == escalation_id).with_for_update()
    return await _one(tx, found, escalation_id)


async def list_escalations(
    tx: Reading, wanted: Wanted, *, limit: int, after: UUID | None = None
) -> tuple[Escalation, ...]:
    """Oldest first, with their reasons; `after` is the id of the last one seen."""
    page = select(*_OWN).where(*_fits(wanted)).order_by(escalation.c.id).limit(limit)
    return await _escalations(tx, page if after is None else page.where(escalation.c.id > after))


async def mark_acknowledged(tx: Transaction, escalation_id: UUID, actor: str, at: datetime) -> None:
    """Raises `EscalationMovedOn` when it was acknowledged or closed before."""
    facts = {"state": EscalationState.ACKNOWLEDGED, "acknowledged_at": at, "acknowledged_by": actor}
    await _mark(tx, escalation_id, (EscalationState.RAISED,), facts)


async def mark_closed(tx: Transaction, escalation_id: UUID, actor: str, lesson: str, at: datetime) -> None:
    """Raises `EscalationMovedOn` when it was closed before."""
    facts = {"state": EscalationState.CLOSED, "closed_at": at, "closed_by": actor, "lesson": lesson}
    await _mark(tx, escalation_id, (EscalationState.RAISED, EscalationState.ACKNOWLEDGED), facts)


async def _mark(
    tx: Transaction, escalation_id: UUID, before: Iterable[EscalationState], facts: Mapping[str, Any]
) -> None:
    changed = update(escalation).where(escalation.c.id == escalation_id, escalation.c.state.in_(list(before)))
    if (await tx.execute(changed.values(**facts))).rowcount == 0:
        standing = await get_escalation(tx, escalation_id)
        raise EscalationMovedOn(f"This escalation is {standing.state} already.", state=str(standing.state))


def _fits(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        asked.append(escalation.c.state == wanted.state)
    if wanted.ticket_id is not None:
        asked.append(escalation.c.ticket_id == wanted.ticket_id)
    if wanted.overdue_at is not None:
        asked += [escalation.c.state == EscalationState.RAISED, escalation.c.due_at < wanted.overdue_at]
    if wanted.reason is not None:
        told = escalation_reason.c.escalation_id == escalation.c.id
        # A reason of a person carries more behind its name: by_hand:4f2a09.
        named = func.split_part(escalation_reason.c.code, ":", 1) == wanted.reason
        asked.append(select(escalation_reason.c.code).where(told, named).exists())
    return asked


async def _one(tx: Reading, found: Select[Any], escalation_id: UUID) -> Escalation:
    escalations = await _escalations(tx, found)
    if not escalations:
        raise EscalationNotFound(f"There is no escalation {escalation_id}.")
    return escalations[0]


async def _escalations(tx: Reading, found: Select[Any]) -> tuple[Escalation, ...]:
    rows = await tx.rows(found)
    if not rows:
        return ()
    given = await tx.rows(
        select(escalation_reason)
        .where(escalation_reason.c.escalation_id.in_([row.id for row in rows]))
        .order_by(escalation_reason.c.given_at, escalation_reason.c.code)
    )
    reasons: dict[UUID, list[Given]] = {row.id: [] for row in rows}
    for one in given:
        reasons[one.escalation_id].append(Given(**one._asdict()))
    return tuple(_escalation(row, reasons[row.id]) for row in rows)


def _escalation(row: Row[Any], reasons: Sequence[Given]) -> Escalation:
    return Escalation(**row._asdict() | {"state": EscalationState(row.state)}, reasons=tuple(reasons))
