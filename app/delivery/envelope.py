"""The bodies of what leaves the building, and who is to get them.

Knows the shapes that receivers rely on: webhook bodies and publications. Refuses to know tickets, replies and surveys:
it is given their facts. A body is serialised once; the characters made here are stored, signed and sent.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from app.delivery.endpoints.endpoint import Endpoint, Payload
from app.kit.wire import dump


class Kind(StrEnum):
    WEBHOOK = "webhook"
    PUBLICATION = "publication"


class Saying(StrEnum):
    """What a publication says on a channel."""

    REPLY = "reply"
    SURVEY = "survey"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """A ticket as every webhook about it shows it. `due` maps a clock's metric to its moment; `url` leads to the
    ticket.
    """

    ticket_id: UUID
    number: int
    state: str
    channel: str
    topic: str | None
    department: str | None
    stage: str | None
    priority: str
    due: Mapping[str, datetime]
    url: str


@dataclass(frozen=True, slots=True)
class CustomerWords:
    """What only a full payload carries: the customer's text, and JSON-ready facts of the author and the mention."""

    text: str
    author: Mapping[str, Any]
    mention: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as departments are told of it.

    `departments` may hear of it. `details` are JSON-ready facts of this type of event, never the customer's words.
    `sequence` counts the events of one ticket; what is about no ticket has `ticket` None and sequence 0.
    """

    type: str
    at: datetime
    departments: frozenset[str]
    ticket: TicketFacts | None = None
    sequence: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
    words: CustomerWords | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """Something to be said on a channel. `conversation_id` and `in_reply_to` are the channel's own ids.

    `attachments` are `{url, type, description?}`; `reply_window` is the name under which the platform takes it now,
    where it takes replies for a while only.
    """

    type: Saying
    ticket_id: UUID
    channel: str
    account: str | None
    conversation_id: str | None
    in_reply_to: str | None
    visibility: str
    text: str
    link: str | None = None
    attachments: tuple[Mapping[str, Any], ...] = ()
    reply_window: str | None = None


_LONGEST_ID = 500  # characters, as of any post
_OPTIONAL = frozenset({"link", "attachments", "reply_window"})


@dataclass(frozen=True, slots=True)
class Message:
    """One body and its destinations: endpoints of departments, or none: the channel adapter.

    `id` is the `webhook-id`, the same in every attempt. `subject_id` is the reply or invitation of a publication.
    """

    id: UUID
    kind: Kind
    type: str
    ticket_id: UUID | None
    sequence: int
    body: str
    subject_id: UUID | None = None
    endpoint_ids: tuple[UUID, ...] = ()


def webhooks(happening: Happening, endpoints: Iterable[Endpoint], new_id: Callable[[], UUID]) -> list[Message]:
    """What each of these endpoints that wants to hear of this is sent: one message for each payload asked for."""
    listening = [e for e in endpoints if e.department in happening.departments and e.wants(happening.type)]
    asked = {payload: tuple(e.id for e in listening if e.payload is payload) for payload in Payload}
    return [webhook(new_id(), happening, payload, to) for payload, to in asked.items() if to]


def webhook(message_id: UUID, happening: Happening, payload: Payload, endpoint_ids: tuple[UUID, ...]) -> Message:
    """`{type, id, timestamp, sequence, data: {..ticket, details}}`; `full` adds `text`, `author` and `mention`.

    Details stand apart, as they have names of their own: the department that hands back suggests another department.
    What is about no ticket has its details alone as `data`.
    """
    ticket = happening.ticket
    data = {**_members(ticket), "details": happening.details} if ticket else {**happening.details}
    if payload is Payload.FULL and happening.words:
        data |= _members(happening.words)
    body = {
        "type": happening.type,
        "id": message_id,
        "timestamp": happening.at,
        "sequence": happening.sequence,
        "data": data,
    }
    return Message(
        id=message_id,
        kind=Kind.WEBHOOK,
        type=happening.type,
        ticket_id=ticket.ticket_id if ticket else None,
        sequence=happening.sequence,
        body=_serialised(body),
        endpoint_ids=endpoint_ids,
    )


def publication(message_id: UUID, said: Publication, *, sequence: int, subject_id: UUID) -> Message:
    """What the channel adapter is asked to say; `link`, `attachments` and `reply_window` only when there are any.

    `sequence` keeps the publications of a ticket in the order in which they were decided: pass that of the ticket.
    """
    body = {name: value for name, value in _members(said).items() if value or name not in _OPTIONAL}
    return Message(
        id=message_id,
        kind=Kind.PUBLICATION,
        type=said.type,
        ticket_id=said.ticket_id,
        sequence=sequence,
        body=_serialised(body),
        subject_id=subject_id,
    )


def external_id(answer: str) -> str | None:
    """The channel's id of what was published, when the adapter's answer `{external_id?}` names one that can be kept."""
    try:
        told = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None
    named = told.get("external_id") if isinstance(told, dict) else None
    return named if isinstance(named, str) and 0 < len(named) <= _LONGEST_ID and "\0" not in named else None


def _members(facts: TicketFacts | CustomerWords | Publication) -> dict[str, Any]:
    """Shallow, unlike `dataclasses.asdict`, whose deep copies would take most of the time of a webhook's making."""
    return {member.name: getattr(facts, member.name) for member in fields(facts)}


def _serialised(body: Mapping[str, Any]) -> str:
    return dump(body).decode()
