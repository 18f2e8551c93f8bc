"""Placement: where routing puts a ticket.

Knows what a place means to the ticket and to custody. Refuses to know how it was found (routing) and what follows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.tickets.custody import Custody, Holder, hand_over
from app.tickets.ticket import State


@dataclass(frozen=True, slots=True)
class Placement:
    """Where routing puts a ticket. `department` None: triage."""

    topic: str | None
    confidence: float
    department: str | None
    stage: str | None
    arm: str | None
    rule: str

    @property
    def holder(self) -> Holder:
        """A department that only advises still has the ball: its answer is what everybody waits for."""
        if self.department is None:
            return Holder.TRIAGE
        return Holder.WEBCARE if self.stage == "central" else Holder.DEPARTMENT

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "department": self.department,
            "stage": self.stage,
            "arm": self.arm,
            "rule": self.rule,
        }

    def on(self, custody: tuple[Custody, ...], now: datetime) -> dict[str, Any]:
        """What it says of a ticket with this custody, by field; the ball goes to whoever it names."""
        return {
            "state": State.TRIAGE if self.department is None else State.ROUTED,
            "topic": self.topic,
            "confidence": self.confidence,
            "department": self.department,
            "stage": self.stage,
            "arm": self.arm,
            "custody": hand_over(
                custody, self.holder, self.department if self.holder is Holder.DEPARTMENT else None, now
            ),
        }
