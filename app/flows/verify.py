"""Every ticket's clocks are read from scratch, beside what was kept of them.

Knows how the database is walked through in batches, and that whatever is mended is told on its ticket. Refuses to know
what a clock reads (sla).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.flows.record import record_one
from app.runtime import Unit
from app.sla import store as sla
from app.sla.audit import afresh, differences, is_past, unsound
from app.sla.business_time import NeverOpen
from app.sla.clock import Clock, UnknownCalendar
from app.sla.policy import PolicyUnreadable
from app.tickets import store as tickets
from app.tickets.ticket import Event, State, Step, Ticket


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not follow from custody: `what` in words, and whether it was mended."""

    number: int
    what: str
    mended: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """A batch: how many tickets and clocks were read, what was found, and the last ticket; None: there was none."""

    tickets: int
    clocks: int
    findings: tuple[Finding, ...]
    last: UUID | None


@dataclass(frozen=True, slots=True)
class _Unlike:
    """A clock that differs, as it was kept and as it reads; `read` None: it cannot be read."""

    kept: Clock
    read: Clock | None
    what: str


async def verify(unit: Unit, after: UUID | None, limit: int, *, repair: bool, past: bool) -> Verified:
    """Read the clocks of up to `limit` tickets behind `after`, which are locked meanwhile so that nothing moves.

    `repair` mends open clocks; with `past` also those that ended or were broken, which reports have counted.
    """
    standing = await tickets.claim_behind(unit.tx, after, limit)
    kept, findings = await _kept(unit, standing)
    for ticket in standing:
        if (wrong := unsound(ticket.custody, closed=ticket.state is State.CLOSED)) is not None:
            findings.append(Finding(ticket.number, wrong, mended=False))
            continue
        found = list(_compared(unit, ticket, kept.get(ticket.id, ())))
        mended = [one for one in found if repair and one.read is not None and (past or not is_past(one.kept))]
        if mended:
            await _mend(unit, ticket, mended)
        findings += [Finding(ticket.number, one.what, mended=one in mended) for one in found]
    last = standing[-1].id if standing else None
    return Verified(len(standing), sum(map(len, kept.values())), tuple(findings), last)


async def _kept(unit: Unit, standing: Sequence[Ticket]) -> tuple[dict[UUID, tuple[Clock, ...]], list[Finding]]:
    """The clocks of tickets as they were kept; when one cannot be read at all, each ticket's by itself."""
    try:
        return await sla.list_clocks(unit.tx, [ticket.id for ticket in standing]), []
    except PolicyUnreadable as error:
        if len(standing) == 1:
            return {}, [Finding(standing[0].number, error.message, mended=False)]
    kept: dict[UUID, tuple[Clock, ...]] = {}
    findings: list[Finding] = []
    for ticket in standing:
        clocks, unreadable = await _kept(unit, [ticket])
        kept |= clocks
        findings += unreadable
    return kept, findings


def _compared(unit: Unit, ticket: Ticket, clocks: Sequence[Clock]) -> Iterator[_Unlike]:
    rules = unit.rulebook
    for kept in clocks:
        name = f"{kept.metric} {kept.round}"
        try:
            read = afresh(kept, ticket.custody, unit.now, calendars=rules.calendars, ladders=rules.ladders)
        except (NeverOpen, UnknownCalendar) as error:
            yield _Unlike(kept, None, f"{name}: {error.message}")
        else:
            if unlike := differences(kept, read):
                yield _Unlike(kept, read, f"{name}: {_in_words(unlike)}")


def _in_words(unlike: Mapping[str, tuple[Any, Any]]) -> str:
    return ", ".join(f"{field} is {old or 'nothing'}, reads {new or 'nothing'}" for field, (old, new) in unlike.items())


async def _mend(unit: Unit, ticket: Ticket, unlike: Sequence[_Unlike]) -> None:
    """Clocks as they read, and the ticket's due moments with them; its history says so.

    Open clocks are read again by `record`, which tells what they came past.
    """
    past = [one.read for one in unlike if one.read is not None and is_past(one.kept)]
    await sla.mark_read(unit.tx, past)
    event = Event("sla.mended", "system", {"clocks": [one.what for one in unlike]})
    await record_one(unit, Step(ticket, ticket, (event,)))
