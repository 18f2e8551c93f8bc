"""Embargoes in the database: which are in force, and which tickets they reach.

Knows that there is one in force at a time for each ticket, topic and incident. Refuses to know what a ticket makes of
it (tickets.press).
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from app.escalation.embargoes.embargo import Embargo, Scope
from app.escalation.tables import embargo, incident_mention
from app.kit.db import Reading, Transaction
from app.tickets.tables import ticket
from app.tickets.ticket import OPEN

_COLUMNS = tuple(embargo.c[member.name] for member in fields(Embargo))
_IN_FORCE = embargo.c.released_at.is_(None)
# Whether an embargo reaches a ticket of the query around it.
_REACHES = """(embargo.ticket_id = ticket.id OR embargo.topic = ticket.topic OR embargo.incident_id IN (
    SELECT incident_id FROM incident_mention WHERE incident_mention.ticket_id = ticket.id))"""
_OVER = f"""
    SELECT {", ".join(map(str, _COLUMNS))} FROM embargo JOIN ticket ON {_REACHES}
    WHERE ticket.id = $1 AND embargo.released_at IS NULL AND (embargo.until > $2 OR embargo.fallback_text IS NOT NULL)
    ORDER BY embargo.until DESC, embargo.id LIMIT 1"""  # noqa: S608 - our own words
_CHANGES = ("until", "fallback_text", "actor", "set_at", "lapsed_at")


async def add_embargo(tx: Transaction, wanted: Embargo) -> Embargo:
    """Set an embargo, or change the one that is in force for the same ticket, topic or incident; as it stands then."""
    subject = next(embargo.c[name] for name in ("ticket_id", "topic", "incident_id") if getattr(wanted, name))
    added = insert(embargo).values(asdict(wanted))
    changed = added.on_conflict_do_update(
        index_elements=[subject], index_where=_IN_FORCE, set_={name: added.excluded[name] for name in _CHANGES}
    )
    row = await tx.first(changed.returning(*_COLUMNS))
    assert row is not None
    return _embargo(row)


async def find_embargo(tx: Reading, ticket_id: UUID, now: datetime) -> Embargo | None:
    """The embargo under which a ticket is at this moment: of several the one that lasts longest.

    One whose time ran out holds no longer what it has no fallback text for, also before that is noted.
    """
    for row in await tx.fetch(_OVER, ticket_id, now):
        return Embargo(**row)
    return None


async def list_embargoes(tx: Reading, escalation_ids: Sequence[UUID]) -> tuple[Embargo, ...]:
    """All that were ever set for these escalations, oldest first."""
    found = select(*_COLUMNS).where(embargo.c.escalation_id.in_(escalation_ids)).order_by(embargo.c.id)
    return tuple(_embargo(row) for row in await tx.rows(found))


async def list_in_force(tx: Reading) -> tuple[Embargo, ...]:
    """Few, and mostly none: ask for them before the tickets that they reach, which are many."""
    return tuple(_embargo(row) for row in await tx.rows(select(*_COLUMNS).where(_IN_FORCE).order_by(embargo.c.until)))


async def list_unmarked(
    tx: Reading, in_force: Sequence[Embargo], limit: int, also: Collection[UUID] = ()
) -> dict[UUID, Embargo]:
    """Tickets, open or `also` these, that one of these embargoes reaches and that are not marked so, each with it."""
    wanted = or_(ticket.c.state.in_(OPEN), ticket.c.id.in_(also)) if also else ticket.c.state.in_(OPEN)
    unmarked: dict[UUID, Embargo] = {}
    for one in in_force:
        reached = select(ticket.c.id).where(reached_by(one), ticket.c.embargoed.is_(False), wanted)
        rows = await tx.rows(reached.order_by(ticket.c.id).limit(limit))
        unmarked |= {row.id: one for row in rows}
    return dict(islice(unmarked.items(), limit))


def reached_by(one: Embargo) -> ColumnElement[bool]:
    """Whether an embargo reaches a row of `ticket`."""
    match one.scope:
        case Scope.TICKET:
            return ticket.c.id == one.ticket_id
        case Scope.TOPIC:
            return ticket.c.topic == one.topic
        case Scope.INCIDENT:
            of_incident = select(incident_mention.c.ticket_id).where(incident_mention.c.incident_id == one.incident_id)
            return ticket.c.id.in_(of_incident)


async def list_freed(tx: Reading, limit: int, also: Collection[UUID] = ()) -> dict[UUID, Embargo | None]:
    """Tickets, marked or `also` these, that no embargo in force reaches, each with the one that was released last.

    None where it left its topic or incident instead.
    """
    reached = select(embargo.c.id).where(_IN_FORCE, text(_REACHES)).exists()
    held = or_(ticket.c.embargoed, ticket.c.id.in_(also)) if also else ticket.c.embargoed
    ids = [
        row.id for row in await tx.rows(select(ticket.c.id).where(held, ~reached).order_by(ticket.c.id).limit(limit))
    ]
    latest = (
        select(ticket.c.id.label("reached_id"), *_COLUMNS)
        .select_from(embargo.join(ticket, text(_REACHES)))
        .where(ticket.c.id.in_(ids))
        .ext(distinct_on(ticket.c.id))
        .order_by(ticket.c.id, embargo.c.released_at.desc())
    )
    freed = {row.reached_id: _embargo(row) for row in await tx.rows(latest)} if ids else {}
    return {ticket_id: freed.get(ticket_id) for ticket_id in ids}


async def mark_released(
    tx: Transaction, escalation_id: UUID, actor: str, at: datetime, rejection: str | None = None
) -> tuple[Embargo, ...]:
    """End what is in force for an escalation, and with a `rejection` what waits for it; those that it ended."""
    ended = update(embargo).where(embargo.c.escalation_id == escalation_id, _IN_FORCE)
    rows = await tx.rows(ended.values(released_at=at, released_by=actor, rejection=rejection).returning(*_COLUMNS))
    return tuple(_embargo(row) for row in rows)


async def mark_lapsed(tx: Transaction) -> tuple[Embargo, ...]:
    """Those whose time ran out by the database's clock, once each; without a fallback text they end with it."""
    ends = embargo.c.fallback_text.is_(None)
    lapsed = (
        update(embargo)
        .where(_IN_FORCE, embargo.c.lapsed_at.is_(None), embargo.c.until <= func.now())
        .values(
            lapsed_at=embargo.c.until,
            released_at=case((ends, embargo.c.until)),
            released_by=case((ends, "system")),
        )
    )
    return tuple(_embargo(row) for row in await tx.rows(lapsed.returning(*_COLUMNS)))


def _embargo(row: Row[Any]) -> Embargo:
    facts = row._asdict()
    facts.pop("reached_id", None)
    return Embargo(**facts)
