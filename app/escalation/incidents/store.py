"""Incidents in the database, and their posts.

Knows that a subject has one open incident. Refuses to know when an incident
opens and ends (incident).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.dialects.postgresql import insert

from app.escalation.incidents.incident import Incident, IncidentState, Scope, Subject
from app.escalation.tables import incident, incident_mention, incident_saying, incident_statement
from app.kit.db import Reading, Transaction
from app.kit.errors import NotFound
from app.kit.ids import first_id_at
from app.tickets.tables import ticket


class IncidentNotFound(NotFound):
    pass


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an incident goes: its posts and tickets, and on how many of these the newest statement was said."""

    mentions: int
    tickets: int
    told: int


@dataclass(frozen=True, slots=True)
class Attached:
    """One post of an incident; `proves` when it was there as the incident opened."""

    mention_id: UUID
    ticket_id: UUID
    proves: bool
    attached_at: datetime


_OWN = tuple(column for column in incident.c)

# The posts about a subject, of tickets as they are now; each by its newest ticket.
_ATTACH = """
    INSERT INTO incident_mention (incident_id, mention_id, ticket_id, proves, attached_at)
    SELECT DISTINCT ON (m.id) $1::uuid, m.id, t.id, $2::boolean, $3::timestamptz
    FROM mention m JOIN ticket_mention link ON link.mention_id = m.id JOIN ticket t ON t.id = link.ticket_id
    WHERE m.id >= $4 AND m.id < $5 AND m.posted_at >= $6
      AND CASE $7 WHEN 'topic' THEN t.topic = $8 WHEN 'area' THEN m.area = $8
                  ELSE t.channel || '/' || t.account = $8 END
    ORDER BY m.id, t.id DESC
    ON CONFLICT DO NOTHING RETURNING ticket_id"""

_OF_TICKET = f"""
    SELECT {", ".join(column.name for column in _OWN)} FROM incident WHERE state = 'open'
        AND id IN (SELECT incident_id FROM incident_mention WHERE ticket_id = $1)
    ORDER BY id DESC LIMIT 1"""  # noqa: S608 - our own names


async def add_incident(tx: Transaction, opened: Incident) -> bool:
    """False when its subject has an open incident already, and then nothing is changed."""
    added = insert(incident).values(_row(opened)).on_conflict_do_nothing().returning(incident.c.id)
    return await tx.first(added) is not None


async def get_incident(tx: Reading, incident_id: UUID) -> Incident:
    """Raises `IncidentNotFound`."""
    return _one(await tx.first(select(*_OWN).where(incident.c.id == incident_id)), incident_id)


async def claim_incident(tx: Transaction, incident_id: UUID) -> Incident:
    """The same, locked until the commit. Raises `IncidentNotFound`."""
    return _one(await tx.first(select(*_OWN).where(incident.c.id == incident_id).with_for_update()), incident_id)


async def claim_open(tx: Transaction) -> dict[Subject, Incident]:
    """Every open incident by its subject, locked."""
    rows = await tx.rows(select(*_OWN).where(_is_open()).order_by(incident.c.id).with_for_update())
    return {one.subject: one for one in (_incident(row._asdict()) for row in rows)}


async def find_of_ticket(tx: Reading, ticket_id: UUID) -> Incident | None:
    """The open incident that a ticket belongs to: of several the latest."""
    for row in await tx.fetch(_OF_TICKET, ticket_id):
        return _incident(dict(row))
    return None


async def list_closed_since(tx: Reading, since: datetime) -> dict[Subject, datetime]:
    """When the last incident of each subject ended, of those that ended since then."""
    ended = (
        select(incident.c.scope, incident.c.name, func.max(incident.c.closed_at).label("closed_at"))
        .where(incident.c.closed_at >= since)
        .group_by(incident.c.scope, incident.c.name)
    )
    return {Subject(Scope(row.scope), row.name): row.closed_at for row in await tx.rows(ended)}


async def list_incidents(
    tx: Reading, *, state: IncidentState | None, limit: int, before: UUID | None = None
) -> tuple[Incident, ...]:
    """Newest first; `before` is the id of the last one seen."""
    asked = [] if state is None else [incident.c.state == state]
    asked += [] if before is None else [incident.c.id < before]
    rows = await tx.rows(select(*_OWN).where(*asked).order_by(incident.c.id.desc()).limit(limit))
    return tuple(_incident(row._asdict()) for row in rows)


async def list_lessons(tx: Reading, since: datetime, until: datetime) -> tuple[Incident, ...]:
    """Those that ended within [since, until) and from which something was learned, in the order in which they ended."""
    ended = (incident.c.closed_at >= since, incident.c.closed_at < until, incident.c.lesson.is_not(None))
    rows = await tx.rows(select(*_OWN).where(*ended).order_by(incident.c.closed_at, incident.c.id))
    return tuple(_incident(row._asdict()) for row in rows)


async def list_attached(
    tx: Reading, incident_id: UUID, *, proves: bool | None = None, limit: int, after: UUID | None = None
) -> tuple[Attached, ...]:
    """Posts of an incident in the order in which they came in; `after` is the mention of the last one seen."""
    names = (incident_mention.c[name] for name in ("mention_id", "ticket_id", "proves", "attached_at"))
    asked = [incident_mention.c.incident_id == incident_id]
    asked += [] if proves is None else [incident_mention.c.proves == proves]
    asked += [] if after is None else [incident_mention.c.mention_id > after]
    rows = await tx.rows(select(*names).where(*asked).order_by(incident_mention.c.mention_id).limit(limit))
    return tuple(Attached(**row._asdict()) for row in rows)


async def list_reaches(tx: Reading, incident_ids: Sequence[UUID]) -> dict[UUID, Reach]:
    """How far each incident goes."""
    if not incident_ids:
        return {}
    of = incident_mention.c.incident_id
    newest = (
        select(incident_statement.c.id)
        .where(incident_statement.c.incident_id == of)
        .order_by(incident_statement.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    told = incident_mention.outerjoin(
        incident_saying,
        and_(
            incident_saying.c.ticket_id == incident_mention.c.ticket_id,
            incident_saying.c.statement_id == newest,
            incident_saying.c.reply_id.is_not(None),
        ),
    )
    counted = (
        select(
            of,
            func.count().label("mentions"),
            func.count(incident_mention.c.ticket_id.distinct()).label("tickets"),
            func.count(incident_saying.c.ticket_id.distinct()).label("told"),
        )
        .select_from(told)
        .where(of.in_(incident_ids))
        .group_by(of)
    )
    found = {row.incident_id: Reach(row.mentions, row.tickets, row.told) for row in await tx.rows(counted)}
    return {one: found.get(one, Reach(0, 0, 0)) for one in incident_ids}


async def list_departments(tx: Reading, incident_id: UUID) -> tuple[str, ...]:
    """Who owns the tickets of an incident, the owner of most of them first."""
    owned = (
        select(ticket.c.department)
        .join(incident_mention, incident_mention.c.ticket_id == ticket.c.id)
        .where(incident_mention.c.incident_id == incident_id, ticket.c.department.is_not(None))
        .group_by(ticket.c.department)
        .order_by(func.count().desc(), ticket.c.department)
    )
    return tuple(row.department for row in await tx.rows(owned))


async def record_attached(
    tx: Transaction,
    one: Incident,
    *,
    since: datetime,
    until: datetime,
    posted_since: datetime,
    proves: bool,
    at: datetime,
) -> int:
    """Put the subject's posts that came in within [since, until) on an incident; returns how many were new to it."""
    names = (one.subject.scope, one.subject.name)
    rows = await tx.fetch(_ATTACH, one.id, proves, at, first_id_at(since), first_id_at(until), posted_since, *names)
    return len(rows)


async def mark_followed(tx: Transaction, changed: Iterable[Incident]) -> None:
    """Write what open incidents, which are locked, became."""
    await tx.update(incident, [_row(one) for one in changed])


def _is_open() -> ColumnElement[bool]:
    return incident.c.state == IncidentState.OPEN


def _one(row: Row[Any] | None, incident_id: UUID) -> Incident:
    if row is None:
        raise IncidentNotFound(f"There is no incident {incident_id}.")
    return _incident(row._asdict())


def _incident(facts: dict[str, Any]) -> Incident:
    subject = Subject(Scope(facts.pop("scope")), facts.pop("name"))
    return Incident(**facts | {"state": IncidentState(facts["state"])}, subject=subject)


def _row(one: Incident) -> dict[str, Any]:
    facts = {member.name: getattr(one, member.name) for member in fields(Incident) if member.name != "subject"}
    return {**facts, "scope": one.subject.scope, "name": one.subject.name}
