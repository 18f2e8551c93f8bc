"""Tickets, their custody and their events in the database.

Knows how steps are written so that a stale writer loses, and which rows a caller may see. Refuses to know what an act
means and who else must be told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.kit.db import Reading, Records, Transaction
from app.kit.errors import Conflict, NotFound
from app.kit.ids import new_id
from app.mentions.tables import POST, author, mention
from app.tickets.custody import Custody, Holder
from app.tickets.hand_over import HandOver
from app.tickets.replay import PASSING, changes, kept_of
from app.tickets.signals import Signals
from app.tickets.tables import custody, event, ticket, ticket_mention
from app.tickets.ticket import Event, State, Step, Ticket
from app.tickets.urgency import Pressing, urgency


class TicketNotFound(NotFound):
    pass


class ChangedMeanwhile(Conflict):
    """Somebody else changed the ticket between reading and writing it."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event as it stands in the record; `sequence` counts per ticket from 1.

    `version` is the ticket's after the step that it belongs to. The first event of a step has its `changes`, as
    `app.tickets.replay` reads them; None: it changed nothing that lasts.
    `departments` are those whose ticket it was before or after; of what concerns one alone, that one.
    """

    id: UUID
    ticket_id: UUID
    sequence: int
    at: datetime
    event: Event
    version: int
    changes: Mapping[str, Any] | None
    departments: tuple[str, ...]

    @property
    def type(self) -> str:
        return self.event.type

    @property
    def actor(self) -> str:
        return self.event.actor

    @property
    def data(self) -> Mapping[str, Any]:
        return self.event.data

    @property
    def told(self) -> dict[str, Any]:
        """As somebody is told what changed meanwhile."""
        names = ("sequence", "type", "actor", "at", "data", "version", "changes")
        return {name: getattr(self, name) for name in names}


# What stands on a row as it stands on a ticket; the others are JSON, and `custody` is rows of its own.
_READ_APART = ("tags", "due", "signals", "escalated_for", "consulted")
_AS_IT_STANDS = tuple(f.name for f in fields(Ticket) if f.name not in {*_READ_APART, "custody"})
_values = attrgetter(*_AS_IT_STANDS)
_pressing = attrgetter(*Pressing._fields)
_PASSING_BY = ("id", "urgent_at", *sorted(PASSING - {"sequence", "version"}))
# Straight on the driver: every act and every answer begins with reading tickets.
_standing = itemgetter(*_AS_IT_STANDS)
_READ = f"SELECT {', '.join((*_AS_IT_STANDS, *_READ_APART))} FROM ticket t"  # noqa: S608 - our own names
_HELD = """SELECT ticket_id, holder, department, since FROM custody WHERE ticket_id = ANY($1)
    ORDER BY ticket_id, position"""
_POSTS = f"""SELECT {", ".join(f"m.{column.name}" for column in POST)}
    FROM ticket_mention JOIN mention m ON m.id = mention_id WHERE ticket_id = $1 ORDER BY m.posted_at, m.id"""  # noqa: S608
_PASSING = "ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED"
_OURS = "holder IN ('triage', 'webcare', 'department') AND state NOT IN ('resolved', 'closed')"
_OF_OUTAGE = "holder = 'outage'"
_OVER = """(state = 'resolved' AND close_at <= now() OR snoozed_until <= now() OR wait_until <= now()
    OR lease_until <= now() OR fall_back_at <= now())"""
_NUMBERS = "SELECT nextval('ticket_number_seq') FROM generate_series(1, $1)"
_EVER = """
    WITH RECURSIVE stood (id) AS (
        SELECT ticket_id FROM ticket_mention WHERE mention_id = $1 UNION
        SELECT (e.data ->> 'into')::uuid FROM stood JOIN event e ON e.ticket_id = stood.id
        WHERE e.type = 'ticket.merged' AND e.data ? 'into')
    SELECT id FROM stood"""


async def take_numbers(tx: Transaction, count: int) -> list[int]:
    """Readable numbers for new tickets. A unit that fails leaves gaps, which is what sequences do."""
    if not count:
        return []
    return [row["nextval"] for row in await tx.fetch(_NUMBERS, count)]


async def get_ticket(tx: Reading, ticket_id: UUID, *, department: str | None = None) -> Ticket:
    """Raises `TicketNotFound`, also when a `department` is given that may not read the ticket."""
    return await _one(tx, "WHERE id = $1", ticket_id, department)


async def claim_ticket(tx: Transaction, ticket_id: UUID, *, department: str | None = None) -> Ticket:
    """The ticket, locked until the commit. Raises as `get_ticket`."""
    return await _one(tx, "WHERE id = $1 FOR UPDATE", ticket_id, department)


async def claim_tickets(tx: Transaction, ticket_ids: Sequence[UUID]) -> dict[UUID, Ticket]:
    """The tickets that exist, locked in the order of their ids."""
    if not ticket_ids:
        return {}
    found = await list_chosen(tx, "WHERE id = ANY($1) ORDER BY id FOR UPDATE", ticket_ids)
    return {one.id: one for one in found}


async def claim_behind(tx: Transaction, after: UUID | None, limit: int) -> tuple[Ticket, ...]:
    """The next tickets in the order of their ids, closed ones too, locked; None: from the first on."""
    return await list_chosen(tx, "WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE", after or UUID(int=0), limit)


async def claim_standing(tx: Transaction, ticket_ids: Sequence[UUID]) -> dict[UUID, Ticket]:
    """The same by the ids that were asked; in the place of a ticket that was merged the one that it is part of."""
    found = await claim_tickets(tx, ticket_ids)
    while away := {one.merged_into_id for one in found.values() if one.merged_into_id} - found.keys():
        found |= await claim_tickets(tx, [*away])
    return {ticket_id: _going_on(found, ticket_id) for ticket_id in ticket_ids if ticket_id in found}


def _going_on(found: Mapping[UUID, Ticket], ticket_id: UUID) -> Ticket:
    one = found[ticket_id]
    return one if one.merged_into_id is None else _going_on(found, one.merged_into_id)


async def list_tickets(tx: Reading, ticket_ids: Sequence[UUID]) -> dict[UUID, Ticket]:
    """Those that there are, by their ids."""
    return {found.id: found for found in await list_chosen(tx, "WHERE id = ANY($1)", ticket_ids)}


async def list_latest(tx: Reading, conversation_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The id of each conversation's newest ticket; conversations without one are absent."""
    if not conversation_ids:
        return {}
    newest = (
        select(ticket.c.conversation_id, ticket.c.id)
        .where(ticket.c.conversation_id.in_(conversation_ids))
        .ext(distinct_on(ticket.c.conversation_id))
        .order_by(ticket.c.conversation_id, ticket.c.id.desc())
    )
    return {row.conversation_id: row.id for row in await tx.rows(newest)}


async def list_ids_of(tx: Reading, mention_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The id of the newest ticket that each mention stands on; mentions on no ticket are absent."""
    if not mention_ids:
        return {}
    link = ticket_mention.c
    newest = (
        select(link.mention_id, link.ticket_id)
        .where(link.mention_id.in_(mention_ids))
        .ext(distinct_on(link.mention_id))
        .order_by(link.mention_id, link.ticket_id.desc())
    )
    return {row.mention_id: row.ticket_id for row in await tx.rows(newest)}


async def list_ids_ever(tx: Reading, mention_id: UUID) -> list[UUID]:
    """Every ticket that a mention stands on, or stood on while another ticket was a part of that one."""
    return [row["id"] for row in await tx.fetch(_EVER, mention_id)]


async def claim_handed_over(tx: Transaction, ticket_ids: Sequence[UUID]) -> tuple[Ticket, ...]:
    """Those of these tickets whose hand-over is still on its way, locked in the order of their ids."""
    if not ticket_ids:
        return ()
    sent = "WHERE id = ANY($1) AND hand_over = $2 ORDER BY id FOR UPDATE"
    return await list_chosen(tx, sent, ticket_ids, HandOver.SENT)


async def claim_disconnected(tx: Transaction, down: Sequence[str], limit: int) -> tuple[Ticket, ...]:
    """Tickets whose ball one of us has though their channel is in `down`, or an outage has though it is not; locked.

    Those that others have locked are passed over.
    """
    if not down:
        return await list_chosen(tx, f"WHERE {_OF_OUTAGE} {_PASSING}", limit)
    moving = f"{_OURS} AND channel = ANY($2) OR {_OF_OUTAGE} AND channel <> ALL($2)"
    return await list_chosen(tx, f"WHERE {moving} {_PASSING}", limit, down)


async def claim_timed(tx: Transaction, limit: int) -> tuple[Ticket, ...]:
    """Tickets that something is over for by the database's clock, locked; those that others locked are passed over.

    That is a reopen window, a snooze, a lease, a wait for the customer or for a department.
    """
    return await list_chosen(tx, f"WHERE {_OVER} {_PASSING}", limit)


async def list_events(tx: Reading, ticket_id: UUID) -> tuple[Numbered, ...]:
    """Everything that happened to a ticket, in order."""
    rows = await tx.rows(select(event).where(event.c.ticket_id == ticket_id).order_by(event.c.sequence))
    return tuple(map(_numbered_row, rows))


async def list_events_since(tx: Reading, ticket_id: UUID, version: int, *, limit: int) -> tuple[Numbered, ...]:
    """What happened to a ticket after it stood at `version`: the newest of it, in order."""
    newest = select(event).where(event.c.ticket_id == ticket_id, event.c.version > version)
    rows = await tx.rows(newest.order_by(event.c.sequence.desc()).limit(limit))
    return tuple(map(_numbered_row, reversed(rows)))


async def list_mentions(tx: Reading, ticket_id: UUID) -> Records:
    """The customer's posts on a ticket, in the order in which they were posted: rows of `mention`."""
    return await tx.fetch(_POSTS, ticket_id)


async def list_latest_mentions(tx: Reading, ticket_ids: Sequence[UUID], *, merged: bool = True) -> dict[UUID, Row[Any]]:
    """Each ticket's newest post with its author: rows of `mention` and `author` columns prefixed `author_`.

    `merged` False: the newest in the ticket's own conversation, whatever was merged in.
    """
    profile = [author.c[name].label(f"author_{name}") for name in ("handle", "display_name", "followers", "verified")]
    on_ticket = ticket_mention.join(mention, mention.c.id == ticket_mention.c.mention_id).join(
        author, author.c.id == mention.c.author_id
    )
    newest = (
        select(ticket_mention.c.ticket_id, *POST, *profile)
        .select_from(on_ticket)
        .where(ticket_mention.c.ticket_id.in_(ticket_ids))
        .ext(distinct_on(ticket_mention.c.ticket_id))
        .order_by(ticket_mention.c.ticket_id, mention.c.posted_at.desc(), mention.c.id.desc())
    )
    if not merged:
        own = (ticket.c.id == ticket_mention.c.ticket_id) & (ticket.c.conversation_id == mention.c.conversation_id)
        newest = newest.where(select(ticket.c.id).where(own).exists())
    return {row.ticket_id: row for row in await tx.rows(newest)}


async def record_steps(tx: Transaction, steps: Sequence[Step], now: datetime) -> tuple[Numbered, ...]:
    """Write what steps made of tickets: the rows, the custody that was added, and the numbered events.

    The tickets of `steps` carry their new version and sequence already. Raises `ChangedMeanwhile`.
    """
    await tx.insert(ticket, [_row(step.ticket) for step in steps if step.before is None])
    standing = [step for step in steps if step.before is not None]
    changed = [_row(step.ticket) for step in standing if step.events]
    if await tx.update(ticket, changed, guard="version") < len(changed):
        raise ChangedMeanwhile("Somebody changed the ticket at the same moment; read it again.")
    await tx.update(ticket, [_passing(_row(step.ticket)) for step in standing if not step.events])
    for step in steps:
        await _take_away(tx, step)
    links = [{"ticket_id": step.ticket.id, "mention_id": on} for step in steps for on in step.mentions]
    await tx.insert(ticket_mention, links)
    await tx.insert(custody, [row for step in steps for row in _new_custody(step)])
    happened = [numbered for step in steps for numbered in _numbered(step, now)]
    await tx.insert(event, [_event_row(one) for one in happened])
    return tuple(happened)


def _numbered(step: Step, now: datetime) -> list[Numbered]:
    """The events of a step. One that changed a ticket for good without an event would be missing in its history."""
    after, events = step.ticket, step.events
    changed = changes(step.before, after) or None
    assert events or not changed, f"a step changed {sorted(changed or ())} and says nothing of it"
    first = after.sequence - len(events) + 1
    return [
        Numbered(
            id=new_id(),
            ticket_id=after.id,
            sequence=number,
            at=now,
            event=one,
            version=after.version,
            changes=changed if number == first else None,
            departments=step.departments(one),
        )
        for number, one in enumerate(events, start=first)
    ]


def _numbered_row(row: Row[Any]) -> Numbered:
    return Numbered(
        id=row.id,
        ticket_id=row.ticket_id,
        sequence=row.sequence,
        at=row.at,
        event=Event(row.type, row.actor, row.data),
        version=row.version,
        changes=row.changes,
        departments=tuple(row.departments),
    )


async def _take_away(tx: Transaction, step: Step) -> None:
    """The posts that left, and the custody that is not the beginning of what stands now: only merges have either."""
    if step.without:
        links = ticket_mention.c
        gone = (links.ticket_id == step.ticket.id) & links.mention_id.in_(step.without)
        await tx.execute(ticket_mention.delete().where(gone))
    if step.before and (kept := _kept(step)) < len(step.before.custody):
        gone = (custody.c.ticket_id == step.ticket.id) & (custody.c.position >= kept)
        await tx.execute(custody.delete().where(gone))


def _kept(step: Step) -> int:
    return kept_of(step.before.custody, step.ticket.custody) if step.before else 0


def _new_custody(step: Step) -> list[dict[str, Any]]:
    known = _kept(step)
    return [
        {
            "ticket_id": step.ticket.id,
            "position": position,
            "holder": entry.holder,
            "department": entry.department,
            "since": entry.since,
        }
        for position, entry in enumerate(step.ticket.custody)
        if position >= known
    ]


def _event_row(one: Numbered) -> dict[str, Any]:
    return {
        "ticket_id": one.ticket_id,
        "sequence": one.sequence,
        "id": one.id,
        "type": one.type,
        "actor": one.actor,
        "at": one.at,
        "data": one.data,
        "version": one.version,
        "changes": one.changes,
        "departments": one.departments,
    }


def _row(one: Ticket) -> dict[str, Any]:
    row = dict(zip(_AS_IT_STANDS, _values(one), strict=True))
    row["holder"] = one.holder
    row["urgent_at"] = urgency(Pressing(*_pressing(one))).at
    row["tags"] = one.tags
    row["due"] = one.due
    row["signals"] = one.signals
    row["escalated_for"] = one.escalated_for
    row["consulted"] = one.consulted
    return row


def _passing(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row what a step may change of which nothing is told; whoever changed the rest meanwhile loses nothing."""
    return {name: row[name] for name in _PASSING_BY}


async def list_chosen(tx: Reading, choice: str, *values: Any) -> tuple[Ticket, ...]:
    """Tickets with who had the ball on them; `choice` is what SQL says behind `FROM ticket t`, `values` its `$1`...

    Custody is read once the tickets are locked, where they are: who had one a moment ago may have handed it over.
    """
    rows = await tx.fetch(f"{_READ} {choice}", *values)
    if not rows:
        return ()
    held: dict[UUID, list[Custody]] = {row["id"]: [] for row in rows}
    for entry in await tx.fetch(_HELD, list(held)):
        held[entry["ticket_id"]].append(Custody(Holder(entry["holder"]), entry["department"], entry["since"]))
    return tuple(_ticket(row, tuple(held[row["id"]])) for row in rows)


async def _one(tx: Reading, choice: str, ticket_id: UUID, department: str | None) -> Ticket:
    found = await list_chosen(tx, choice, ticket_id)
    if not found or (department is not None and department not in found[0].readers):
        raise TicketNotFound(f"There is no ticket {ticket_id} here.")
    return found[0]


def _ticket(row: Mapping[str, Any], held: tuple[Custody, ...]) -> Ticket:
    facts = dict(zip(_AS_IT_STANDS, _standing(row), strict=True))
    due = {metric: datetime.fromisoformat(moment) for metric, moment in row["due"].items()}
    return Ticket(
        **{**facts, "state": State(row["state"])},
        tags=tuple(row["tags"]),
        due=due,
        custody=held,
        signals=Signals.kept(row["signals"]),
        escalated_for=tuple(row["escalated_for"]),
        consulted=tuple(row["consulted"]),
    )
