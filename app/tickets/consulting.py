"""Consulting: departments that do not have a ticket are asked for their part of it.

Knows what becomes of the ticket (nothing: its owner and clocks stay) and that who is consulted may read it and add its
part. Refuses to know which part that is (routing) and how an answer is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.kit.errors import Conflict
from app.tickets.ticket import Event, Step, Ticket


class OnlyConsulted(Conflict):
    """The ticket is another department's; who is consulted reads it and answers its part."""


def consult(ticket: Ticket, topics: Mapping[str, Sequence[str]]) -> Step:
    """Ask departments for their part; `topics` has the slugs that each is asked about. Who was asked stays so."""
    asked = tuple(topics)
    consulted = tuple(dict.fromkeys((*ticket.consulted, *asked)))
    said = Event("ticket.consulted", "system", {"topics": dict(topics)}, departments=asked)
    return Step(ticket, replace(ticket, consulted=consulted), (said,))


def contributed(ticket: Ticket, actor: str, department: str, data: Mapping[str, Any]) -> Step:
    """A consulted department gave its part: who has the ticket goes on, and sees it."""
    said = Event("ticket.contributed", actor, {**data, "department": department}, departments=(department,))
    return Step(ticket, ticket, (said,))


def is_consulted(ticket: Ticket, department: str | None) -> bool:
    """Whether this is all that the department has to do with the ticket."""
    return department in ticket.consulted and department not in {ticket.department, ticket.with_department}


def check_owner(ticket: Ticket, department: str | None) -> None:
    """Raises `OnlyConsulted`."""
    if is_consulted(ticket, department):
        raise OnlyConsulted(
            "This ticket is not yours: you are consulted. Read it, and give your part with POST /answer.",
            department=ticket.department,
        )
