"""Secondary topics: what else a post is about, and who is asked for it.

Knows whom a part of a post that is about another topic concerns. Refuses to know how parts are found (topics) and what
becomes of a ticket (tickets.consulting).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from app.routing.ownership import Owned, Stage
from app.topics.weigh import Part


@dataclass(frozen=True, slots=True)
class Secondary:
    """A part of a post that is about another topic than its ticket. `consulted`: the topic's owner is asked for its
    part; one that has the ticket, or for which webcare answers, is not.
    """

    topic: str
    department: str
    part: str
    confidence: float
    consulted: bool


def of_another(part: Part, owner: Owned, of_ticket: Owned | None) -> Secondary:
    """A part whose topic has this `owner`, on a ticket that is `of_ticket`'s."""
    has_it = of_ticket is not None and owner.department == of_ticket.department
    return Secondary(
        part.topic, owner.department, part.text, part.confidence, not has_it and owner.stage is not Stage.CENTRAL
    )


def consults(secondary: Iterable[Secondary]) -> dict[str, list[str]]:
    """The topics on which each department is consulted."""
    asked: dict[str, list[str]] = {}
    for one in secondary:
        if one.consulted:
            asked.setdefault(one.department, []).append(one.topic)
    return asked
