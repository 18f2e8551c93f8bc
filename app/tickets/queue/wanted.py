"""What somebody asks of the queue: values that a ticket may have, in one dimension or in several.

Knows the dimensions by which tickets are told apart. Refuses to know how they are looked up (store) and who may see
what.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from app.tickets.custody import Holder
from app.tickets.ticket import State

Values = tuple[str | None, ...]

SETTLED_STATES: frozenset[str | None] = frozenset({State.RESOLVED, State.CLOSED})
OURS: Values = (Holder.TRIAGE, Holder.WEBCARE)  # who has the ball of what an agent takes next


@dataclass(frozen=True, slots=True)
class Wanted:
    """Every dimension that is asked about must hold, with any one of its values; an empty tuple asks nothing.

    A value None stands for what is missing: nobody assigned, no topic yet. `department` is who owns a ticket, `holder`
    who has the ball; one of `tag` is enough. `overdue` compares the soonest promise to the customer with now,
    `due_before` with a moment; `text` is words of the customer as web search engines read them. What is snoozed is out
    of sight, or with `snoozed` alone in sight. `within` is no question but a limit: the department that asks sees no
    ticket of another.
    """

    department: Values = ()
    topic: Values = ()
    channel: Values = ()
    account: Values = ()
    language: Values = ()
    state: Values = ()
    priority: Values = ()
    assignee: Values = ()
    holder: Values = ()
    tag: Values = ()
    overdue: bool | None = None
    due_before: datetime | None = None
    text: str | None = None
    snoozed: bool = False
    within: str | None = None

    def asks(self, dimension: str) -> bool:
        return getattr(self, dimension) not in {(), None}

    def regardless_of(self, dimension: str) -> "Wanted":
        """The same without what is asked about one dimension."""
        nothing: dict[str, Any] = {dimension: None if dimension == "overdue" else ()}
        return replace(self, **nothing)


# What tickets are counted by.
DIMENSIONS = tuple(
    field.name for field in fields(Wanted) if field.name not in {"due_before", "text", "snoozed", "within"}
)
