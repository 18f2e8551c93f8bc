"""Which acts a ticket's state and holder allow, and how an act that they do not allow is refused.

Knows the whole table of moves, leases and who has the ball. Refuses to know what an act makes of a ticket (lifecycle).
"""

from datetime import datetime

from app.kit.errors import Conflict, Invalid
from app.kit.wire import iso
from app.tickets.custody import Holder
from app.tickets.ticket import State, Ticket

_UNRESOLVED = frozenset({State.TRIAGE, State.ROUTED, State.WORKING, State.WAITING_CUSTOMER})
_AT_WORK = frozenset({State.TRIAGE, State.ROUTED, State.WORKING})

# The whole table of legal moves; 409 answers quote it.
LEGAL: dict[str, frozenset[State]] = {
    "claim": _UNRESOLVED,
    "assign": _UNRESOLVED,
    "release": frozenset({State.WORKING}),
    "lease": frozenset({State.WORKING}),
    "note": frozenset(State),
    "escalate": _UNRESOLVED | {State.RESOLVED},
    "update": _UNRESOLVED | {State.RESOLVED},
    "reply": _UNRESOLVED | {State.RESOLVED},
    "reroute": _UNRESOLVED,
    "wait": _AT_WORK,
    "snooze": _UNRESOLVED,
    "resolve": _UNRESOLVED,
    "reopen": frozenset({State.RESOLVED}),
    "merge": _UNRESOLVED,
    "accept": frozenset({State.ROUTED, State.WORKING}),
    "ask": frozenset({State.ROUTED, State.WORKING}),
    "inform": frozenset({State.ROUTED, State.WORKING, State.WAITING_CUSTOMER}),
    "answer": frozenset({State.ROUTED, State.WORKING}),
    "handback": frozenset({State.ROUTED, State.WORKING}),
}


class IllegalMove(Conflict):
    pass


class ClaimedByAnother(Conflict):
    pass


class HeldElsewhere(Conflict):
    pass


class NotInFuture(Invalid):
    pass


def legal_moves(ticket: Ticket) -> list[str]:
    """The acts that a ticket's state allows, by the alphabet; what is a part of another can become one of its own."""
    merged = ["unmerge"] if ticket.merged_into_id else []
    return sorted([act for act, states in LEGAL.items() if ticket.state in states] + merged)


def check_legal(ticket: Ticket, act: str) -> None:
    """Raises `IllegalMove` with the acts that would have been legal."""
    if ticket.state not in LEGAL[act]:
        legal = legal_moves(ticket)
        raise IllegalMove(
            f"A ticket that is {ticket.state} cannot be moved by '{act}'; legal are: {', '.join(legal)}.",
            state=str(ticket.state),
            legal=legal,
        )


def check_free(ticket: Ticket, actor: str, now: datetime) -> None:
    """Raises `ClaimedByAnother` while a colleague's lease lasts, or PR keeps what it took over, which has no lease."""
    if ticket.assignee in {None, actor}:
        return
    if ticket.holder is Holder.PR and ticket.with_department is None and ticket.lease_until is None:
        raise ClaimedByAnother(f"{ticket.assignee} took this ticket over and gives it back.", by=ticket.assignee)
    if ticket.lease_until is not None and ticket.lease_until > now:
        raise ClaimedByAnother(
            f"{ticket.assignee} has this ticket until {iso(ticket.lease_until)}.",
            by=ticket.assignee,
            until=iso(ticket.lease_until),
        )


def department_at_work(ticket: Ticket, act: str) -> str:
    """The department that has the ball, or for which an embargo has it, for what only it may do.

    Raises `IllegalMove`, `HeldElsewhere`.
    """
    check_legal(ticket, act)
    department = ticket.with_department
    if department is None:
        raise HeldElsewhere(f"The ball is with {ticket.holder}, not with a department.", holder=str(ticket.holder))
    return department


def check_future(field: str, moment: datetime | None, now: datetime) -> None:
    """Raises `NotInFuture` about `field`."""
    if moment is not None and moment <= now:
        raise NotInFuture("Choose a moment in the future.", field=field)
