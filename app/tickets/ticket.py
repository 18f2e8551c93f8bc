"""A ticket as facts, and a step: what one act made of it.

Knows what stands on a ticket and how steps follow each other. Refuses to know which moves are legal (lifecycle) and
how anything is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.tickets.custody import Custody, Holder
from app.tickets.signals import Signals


class State(StrEnum):
    TRIAGE = "triage"
    ROUTED = "routed"
    WORKING = "working"
    WAITING_CUSTOMER = "waiting_customer"
    RESOLVED = "resolved"
    CLOSED = "closed"


CALM = Signals()
OPEN = (State.TRIAGE, State.ROUTED, State.WORKING, State.WAITING_CUSTOMER)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Our unit of work on one conversation.

    `due` maps each running metric to its due moment; `next_due_at` is the soonest promise to the customer. `version`
    grows with every step that its history tells of and is the ETag; what passes without a word, such as a lease that
    is renewed, leaves it alone. `sequence` is the number of the last event. `risk` is 0 to 100; until
    `reply_until` the platform takes replies; `embargoed` says that public ones wait for PR; `helped_by` is the agent
    who helped this customer last. `escalated` says that PR is asked to look, `escalated_for` for which
    reasons it ever was. `signals` are what the risk is read from. `asked_by` is the department that waits for
    webcare to tell it something, `consulted` are those that are asked for a part of it (`app.tickets.consulting`).
    `hand_over` says whether the department that has the ball heard of it (`app.tickets.hand_over`); at `fall_back_at`
    webcare has it again.
    """

    id: UUID
    number: int
    conversation_id: UUID
    author_id: UUID
    channel: str
    account: str | None
    language: str | None
    visibility: str
    state: State
    topic: str | None
    confidence: float
    department: str | None
    stage: str | None
    arm: str | None
    priority: str
    tags: tuple[str, ...]
    opened_at: datetime
    custody: tuple[Custody, ...]
    previous_id: UUID | None = None
    merged_into_id: UUID | None = None
    assignee: str | None = None
    lease_until: datetime | None = None
    snoozed_until: datetime | None = None
    wait_until: datetime | None = None
    resolved_at: datetime | None = None
    resolution: str | None = None
    close_at: datetime | None = None
    closed_at: datetime | None = None
    escalated: bool = False
    embargoed: bool = False
    escalated_for: tuple[str, ...] = ()
    signals: Signals = CALM
    risk: int = 0
    reply_until: datetime | None = None
    helped_by: str | None = None
    asked_by: str | None = None
    consulted: tuple[str, ...] = ()
    hand_over: str | None = None
    fall_back_at: datetime | None = None
    due: Mapping[str, datetime] = field(default_factory=dict)
    next_due_at: datetime | None = None
    sequence: int = 0
    version: int = 0

    @property
    def holder(self) -> Holder:
        return self.custody[-1].holder

    @property
    def with_department(self) -> str | None:
        """The department that has the ball now, or for which an embargo or an outage has it."""
        return self.custody[-1].department

    @property
    def readers(self) -> frozenset[str | None]:
        """The departments that may read it: the owner, who has the ball, and who is consulted."""
        return frozenset({self.department, self.with_department, *self.consulted})

    @property
    def listening_owner(self) -> str | None:
        """The owner, where it hears of its tickets: one by name alone, where webcare answers centrally, does not."""
        return None if self.stage == "central" else self.department

    @property
    def answered_first_hand(self) -> bool:
        """Whether the department's answer goes to the customer as it is (the oil stain's last two stages)."""
        return self.stage == "live" or (self.stage == "pilot" and self.arm == "first_hand")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `counts_from` is the customer's own moment where a clock counts from that.

    `departments` are told of it besides those that own the ticket or have the ball; `only_for` names the one
    department that it concerns alone, such as a clock of its own.
    """

    type: str
    actor: str
    data: Mapping[str, Any] = field(default_factory=dict)
    counts_from: datetime | None = None
    departments: tuple[str, ...] = ()
    only_for: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What an act made of a ticket: `before` is None for a ticket that it opened.

    `mentions` are the posts that it put on the ticket, `without` those that it took away.
    """

    before: Ticket | None
    ticket: Ticket
    events: tuple[Event, ...]
    mentions: tuple[UUID, ...] = ()
    without: tuple[UUID, ...] = ()

    def departments(self, event: Event) -> tuple[str, ...]:
        """Those whose ticket it was before or after the step, and who else is told; or the one that it concerns."""
        if event.only_for is not None:
            return (event.only_for,)
        owners = {
            department
            for ticket in (self.before, self.ticket)
            if ticket is not None
            for department in (ticket.department, ticket.with_department)
            if department is not None
        }
        return tuple(sorted(owners.union(event.departments)))

    def then(self, later: "Step") -> "Step":
        """Both steps as one; `later` began where this one ended."""
        return Step(
            self.before,
            later.ticket,
            self.events + later.events,
            self.mentions + later.mentions,
            self.without + later.without,
        )
