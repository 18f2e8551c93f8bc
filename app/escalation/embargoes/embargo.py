"""An embargo: public replies wait for PR's release, in a time box, so that no customer waits for ever.

Knows what may be said under it and when its time is over. Refuses to know who wants to say it and what becomes of
replies that are held.

    until `until`       nothing is said in public
    from then on        with a fallback text that text alone; without one the embargo is over by itself
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.kit.errors import Conflict, Invalid
from app.kit.wire import iso

LONGEST = timedelta(days=31)  # a slip of the pen keeps nobody waiting for years; who needs longer sets it again


class EmbargoTooLong(Invalid):
    """The customer would wait for longer than anybody looks ahead."""


class NothingToHold(Invalid):
    """The escalation is not about such a thing: a ticket without a topic, or in no incident."""


class NothingToRelease(Conflict):
    """No embargo is in force for it."""


class Scope(StrEnum):
    """How far an embargo reaches: one ticket, every ticket of its topic, or every ticket of an incident."""

    TICKET = "ticket"
    TOPIC = "topic"
    INCIDENT = "incident"


def check_length(until: datetime, now: datetime) -> None:
    """Raises `EmbargoTooLong`."""
    if until - now > LONGEST:
        raise EmbargoTooLong(
            f"An embargo lasts at most {LONGEST.days} days at once; choose an earlier end, and set it again then.",
            field="until",
            longest_days=LONGEST.days,
        )


@dataclass(frozen=True, slots=True)
class Embargo:
    """One of `ticket_id`, `topic`, `incident_id` is given. `lapsed_at` is when its time ran out without a release.

    A `rejection` is why the replies that waited are not said after all.
    """

    id: UUID
    escalation_id: UUID
    ticket_id: UUID | None
    topic: str | None
    incident_id: UUID | None
    until: datetime
    fallback_text: str | None
    actor: str
    set_at: datetime
    lapsed_at: datetime | None = None
    released_at: datetime | None = None
    released_by: str | None = None
    rejection: str | None = None

    @property
    def scope(self) -> Scope:
        if self.ticket_id is not None:
            return Scope.TICKET
        return Scope.INCIDENT if self.topic is None else Scope.TOPIC

    @property
    def facts(self) -> dict[str, Any]:
        """What events tell of it."""
        return {
            "embargo_id": str(self.id),
            "scope": self.scope,
            "until": iso(self.until),
            "fallback_text": self.fallback_text,
        }

    def allows(self, text: str, now: datetime) -> bool:
        """Whether this may be said in public at that moment."""
        if now < self.until:
            return False
        return self.fallback_text is None or text.strip() == self.fallback_text.strip()
