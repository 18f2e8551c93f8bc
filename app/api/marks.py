"""What PR's work leaves to be seen on a ticket: an embargo, and what was agreed for a crisis.

Knows the shape of these. Refuses to know who may set and lift them.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.api.fields import OutModel
from app.escalation.incidents.store import find_of_ticket
from app.escalation.statements.statement import Filling, filled
from app.kit.db import Reading
from app.runtime import Runtime
from app.tickets import store as tickets
from app.tickets.ticket import Ticket


class RiskPartOut(OutModel):
    """What one thing adds to a ticket's risk."""

    code: str = Field(description="reach, unanswered, growth, or the name of a risk or a tone", examples=["legal"])
    points: int = Field(examples=[35])
    text: str = Field(examples=["legal: phrase 'advocaat'"])
    figures: dict[str, Any] = Field(examples=[{"phrase": "advocaat"}])


class EmbargoOut(OutModel):
    """What may not be said in public, and until when."""

    scope: str = Field(description="ticket, topic or incident: how far it reaches", examples=["ticket"])
    until: datetime
    fallback_text: str | None = Field(description="What may be said from `until` on; null: everything")
    actor: str = Field(examples=["pr:eva"])
    set_at: datetime


class SpeakerOut(OutModel):
    """Who says what, agreed beforehand."""

    who: str = Field(description="webcare, department, pr or manager", examples=["webcare"])
    says: str
    where: tuple[str, ...] = Field(description="public, private or press")
    leaves: str = Field(description="What is somebody else's to say")


class CrisisOut(OutModel):
    """The open incident that the ticket belongs to, and what was agreed for its severity."""

    incident_id: UUID
    severity: str = Field(examples=["serious"])
    scope: str = Field(examples=["topic"])
    name: str = Field(examples=["outage"])
    opened_at: datetime
    lead: str = Field(description="Who decides", examples=["Manager webcare, met PR"])
    say: list[SpeakerOut]
    holding: str = Field(description="What may be said at once, filled in for this ticket")


async def crisis_of(tx: Reading, runtime: Runtime, ticket: Ticket) -> CrisisOut | None:
    """What was agreed for the incident of a ticket; None when it is in none that is open."""
    incident = await find_of_ticket(tx, ticket.id)
    agreed = runtime.rulebook.agreements.get(incident.severity) if incident else None
    if incident is None or agreed is None:
        return None
    newest = (await tickets.list_latest_mentions(tx, [ticket.id]))[ticket.id]
    topic = runtime.rulebook.topics.get(ticket.topic or "")
    name = newest.author_display_name or newest.author_handle
    return CrisisOut(
        incident_id=incident.id,
        severity=incident.severity,
        scope=incident.subject.scope,
        name=incident.subject.name,
        opened_at=incident.opened_at,
        lead=agreed.lead,
        say=[SpeakerOut.model_validate(speaker) for speaker in agreed.say],
        holding=filled(agreed.holding, Filling(ticket.language, name, ticket.number, topic.name if topic else {})),
    )
