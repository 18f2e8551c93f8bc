"""Tickets about the same thing become one and are taken apart again, or are only linked.

Knows what each of the two becomes, and how the life of the one goes on in the other. Refuses to know clocks, which read
custody and since when somebody waits. The ticket that is closed by it is `ticket`, the one that goes on is `into`: it
gets the posts, and the time before its own opening, so that the customer who asked first is not made to wait anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.kit.errors import Conflict, Invalid
from app.kit.wire import iso
from app.tickets.custody import Holder, hand_over
from app.tickets.legal import LEGAL, check_free, check_legal
from app.tickets.lifecycle import brought_back, found_again
from app.tickets.resolution import MERGED
from app.tickets.ticket import Event, State, Step, Ticket

# After one of these, what a ticket owes its customer is not only what a merge brought.
_OWES_ANEW = frozenset({"mention.received", "ticket.replied", "ticket.merged", "ticket.unmerged"})


class LinkKind(StrEnum):
    """What two tickets are to each other, in the words of who links them."""

    RELATED = "related"
    SAME_CUSTOMER = "same_customer"
    SAME_CAUSE = "same_cause"


class SameTicket(Invalid):
    """Two tickets are asked for, and one was named twice."""


class DifferentCustomers(Conflict):
    """Two authors, maybe one person: somebody has to say so."""


class UnderEmbargo(Conflict):
    """PR holds public replies on the ticket; within another one they would go out."""


class WithPr(Conflict):
    """PR was asked to look at the ticket; within another one nobody would know that it still does."""


class NotOpenToMerge(Conflict):
    """The other ticket is resolved or closed, so nothing can go on in it."""


class NotMerged(Conflict):
    pass


def merge(
    ticket: Ticket,
    into: Ticket,
    actor: str,
    now: datetime,
    *,
    posts: Sequence[UUID],
    waiting: datetime | None,
    waited: datetime | None,
    confirmed: bool,
) -> tuple[Step, Step]:
    """What becomes of both. `waiting` is since when the customer waits for a reply on `ticket`, `waited` on `into`.

    `posts` are those of `ticket`; `confirmed`: two authors are one person. Raises `SameTicket`,
    `DifferentCustomers`, `UnderEmbargo`, `WithPr`, `NotOpenToMerge`, `IllegalMove` and `ClaimedByAnother`.
    """
    _check_both(ticket, into, confirmed=confirmed)
    check_legal(ticket, "merge")
    check_free(ticket, actor, now)
    closed = replace(
        ticket,
        state=State.CLOSED,
        merged_into_id=into.id,
        resolution=MERGED,
        closed_at=now,
        assignee=None,
        lease_until=None,
        snoozed_until=None,
        wait_until=None,
        reply_until=None,
        custody=hand_over(ticket.custody, Holder.NOBODY, None, now),
    )
    told = (ticket.with_department,) if ticket.with_department else ()
    left = Event("ticket.merged", actor, {"into": str(into.id), "number": into.number}, departments=told)
    earlier = tuple(entry for entry in ticket.custody if entry.since < into.custody[0].since)
    asked_again = into.state is State.WAITING_CUSTOMER and ticket.state is not State.WAITING_CUSTOMER
    going_on = replace(
        brought_back(into, now) if asked_again else into,
        escalated_for=tuple(dict.fromkeys((*into.escalated_for, *ticket.escalated_for))),
        risk=max(into.risk, ticket.risk),
        signals=into.signals.with_(ticket.signals),
    )
    data = {
        "from": str(ticket.id),
        "number": ticket.number,
        "waiting_since": iso(waiting),
        "waited_since": iso(waited),
        "earlier": len(earlier),
    }
    joined = Event("ticket.merged", actor, data, counts_from=waiting)
    whole = replace(going_on, custody=(*earlier, *going_on.custody))
    return Step(ticket, closed, (left,)), Step(into, whole, (joined,), tuple(posts))


def unmerge(
    ticket: Ticket,
    into: Ticket,
    actor: str,
    reason: str,
    now: datetime,
    *,
    was: Ticket,
    joined: Event,
    since: Iterable[Event],
    own: Sequence[UUID],
    taken: Sequence[UUID],
) -> tuple[Step, Step]:
    """Both as two again. `was` is `ticket` just before, `joined` what the merge wrote on `into`, `since` came after it.

    `taken` are the posts that leave `into`; those in `own` never left `ticket`. What `into` owes goes back to what it
    was, unless something came since that it owes as well: then it stays with the sooner promise. Raises
    `NotOpenToMerge`.
    """
    if into.state is State.CLOSED:
        raise _not_open(into, "what was merged into it stays there")
    custody = hand_over(ticket.custody, was.holder, was.with_department, now)
    standing = {name: getattr(ticket, name) for name in ("signals", "sequence", "version")}  # of which no history tells
    restored = found_again(replace(was, **standing, custody=custody))
    left = [Event("ticket.unmerged", actor, {"into": str(into.id), "number": into.number, "reason": reason})]
    if restored.with_department is not None:
        facts = {name: getattr(restored, name) for name in ("topic", "department", "stage", "arm")}
        left.append(Event("ticket.routed", actor, {**facts, "reason": reason}))
    gone = {str(mention_id) for mention_id in taken}
    as_before = not any(event.type in _OWES_ANEW and event.data.get("mention_id") not in gone for event in since)
    data = {"from": str(ticket.id), "number": ticket.number, "reason": reason, "as_before": as_before}
    waited = joined.data["waited_since"]
    parted = Event(
        "ticket.unmerged", actor, data, counts_from=datetime.fromisoformat(waited) if as_before and waited else None
    )
    lone = replace(into, custody=into.custody[joined.data["earlier"] :]) if as_before else into
    came_later = tuple(mention_id for mention_id in taken if mention_id not in own)
    return Step(ticket, restored, tuple(left), came_later), Step(into, lone, (parted,), without=tuple(taken))


def link(ticket: Ticket, other: Ticket, actor: str, kind: LinkKind) -> tuple[Step, Step]:
    """Both say that they belong together. Raises `SameTicket`."""
    _check_two(ticket, other, "to")
    return _told(ticket, other, "ticket.linked", actor, kind=kind), _told(
        other, ticket, "ticket.linked", actor, kind=kind
    )


def unlink(ticket: Ticket, other: Ticket, actor: str) -> tuple[Step, Step]:
    return _told(ticket, other, "ticket.unlinked", actor), _told(other, ticket, "ticket.unlinked", actor)


def check_merged(ticket: Ticket) -> UUID:
    """The ticket that it is part of. Raises `NotMerged`."""
    if ticket.merged_into_id is None:
        raise NotMerged(f"Ticket {ticket.number} is not part of another one.")
    return ticket.merged_into_id


def _told(ticket: Ticket, other: Ticket, what: str, actor: str, **facts: str) -> Step:
    return Step(ticket, ticket, (Event(what, actor, {"ticket_id": str(other.id), "number": other.number, **facts}),))


def _check_two(ticket: Ticket, other: Ticket, field: str) -> None:
    if ticket.id == other.id:
        raise SameTicket(f"Ticket {ticket.number} was named twice; name the other one.", field=field)


def _check_both(ticket: Ticket, into: Ticket, *, confirmed: bool) -> None:
    _check_two(ticket, into, "into")
    if into.state not in LEGAL["merge"]:
        raise _not_open(into, "reopen it first, or merge into one that is at work")
    if ticket.embargoed:
        raise UnderEmbargo(f"Ticket {ticket.number} is under an embargo; PR releases it first.")
    if ticket.escalated:
        raise WithPr(
            f"PR looks at ticket {ticket.number}; merge the other one into it, or wait until PR closes the escalation."
        )
    if ticket.author_id != into.author_id and not confirmed:
        raise DifferentCustomers(
            f"Tickets {ticket.number} on {ticket.channel} and {into.number} on {into.channel} are of different authors;"
            " send `confirm: true` when they are one person.",
            channels=[ticket.channel, into.channel],
        )


def _not_open(into: Ticket, way_out: str) -> NotOpenToMerge:
    facts = {} if into.merged_into_id is None else {"merged_into": str(into.merged_into_id)}
    return NotOpenToMerge(f"Ticket {into.number} is {into.state}; {way_out}.", state=str(into.state), **facts)
