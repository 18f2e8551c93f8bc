"""Bodies: the very shapes that receivers rely on, and who gets which."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.delivery.endpoints.endpoint import Endpoint, Payload
from app.delivery.envelope import (
    CustomerWords,
    Happening,
    Kind,
    Publication,
    Saying,
    TicketFacts,
    external_id,
    publication,
    webhook,
    webhooks,
)

AT = datetime(2026, 7, 27, 9, 30, tzinfo=UTC)
TICKET = UUID("0197f3c1-0000-7000-8000-000000000001")
MESSAGE = UUID("0197f3c1-0000-7000-8000-000000000002")
SUBJECT = UUID("0197f3c1-0000-7000-8000-000000000003")
ENDPOINTS = [UUID(int=n) for n in range(4)]

ROUTED = Happening(
    type="ticket.routed",
    at=AT,
    departments=frozenset({"supply_chain"}),
    sequence=2,
    ticket=TicketFacts(
        ticket_id=TICKET,
        number=1042,
        state="routed",
        channel="x",
        topic="order_status",
        department="supply_chain",
        stage="pilot",
        priority="high",
        due={"first_reply": AT + timedelta(hours=1)},
        url="https://webcare.example/api/v1/tickets/1",
    ),
    details={"reason": "owner of the topic", "department": "billing"},  # which is not the ticket's
    words=CustomerWords(
        text="Waar blijft mijn pakketje? 📦",
        author={"handle": "sanne", "followers": 120},
        mention={"external_id": "77", "url": "https://x.example/77"},
    ),
)


def endpoint(n: int, payload: Payload, department: str = "supply_chain", *types: str) -> Endpoint:
    return Endpoint(
        id=ENDPOINTS[n],
        department=department,
        url="https://hooks.example/in",
        event_types=frozenset(types) or None,
        payload=payload,
        secret_sealed=b"new",
        created_at=AT,
        updated_at=AT,
    )


def test_a_thin_webhook_carries_ids_deadlines_and_a_link_but_not_a_word_of_the_customer() -> None:
    message = webhook(MESSAGE, ROUTED, Payload.THIN, (ENDPOINTS[0],))
    assert json.loads(message.body) == {
        "type": "ticket.routed",
        "id": str(MESSAGE),
        "timestamp": "2026-07-27T09:30:00Z",
        "sequence": 2,
        "data": {
            "ticket_id": str(TICKET),
            "number": 1042,
            "state": "routed",
            "channel": "x",
            "topic": "order_status",
            "department": "supply_chain",
            "stage": "pilot",
            "priority": "high",
            "due": {"first_reply": "2026-07-27T10:30:00Z"},
            "url": "https://webcare.example/api/v1/tickets/1",
            "details": {"reason": "owner of the topic", "department": "billing"},
        },
    }
    assert (message.kind, message.ticket_id, message.sequence) == (Kind.WEBHOOK, TICKET, 2)


def test_a_full_webhook_adds_text_author_and_mention() -> None:
    thin = json.loads(webhook(MESSAGE, ROUTED, Payload.THIN, ()).body)["data"]
    full = json.loads(webhook(MESSAGE, ROUTED, Payload.FULL, ()).body)["data"]
    assert full == thin | {
        "text": "Waar blijft mijn pakketje? 📦",
        "author": {"handle": "sanne", "followers": 120},
        "mention": {"external_id": "77", "url": "https://x.example/77"},
    }


def test_what_is_about_no_ticket_has_its_details_alone() -> None:
    disabled = Happening("endpoint.disabled", AT, frozenset({"billing"}), details={"endpoint_id": "e"})
    message = webhook(MESSAGE, disabled, Payload.FULL, ())
    assert json.loads(message.body)["data"] == {"endpoint_id": "e"}
    assert message.ticket_id is None


def test_an_event_goes_to_those_of_its_departments_who_asked_for_its_type_in_the_payload_they_chose() -> None:
    endpoints = [
        endpoint(0, Payload.FULL),
        endpoint(1, Payload.THIN, "supply_chain", "ticket.routed", "ticket.closed"),
        endpoint(2, Payload.THIN, "supply_chain", "ticket.closed"),
        endpoint(3, Payload.THIN, "billing"),
    ]
    assert webhooks(ROUTED, endpoints, lambda: MESSAGE) == [
        webhook(MESSAGE, ROUTED, Payload.THIN, (ENDPOINTS[1],)),
        webhook(MESSAGE, ROUTED, Payload.FULL, (ENDPOINTS[0],)),
    ]
    assert webhooks(ROUTED, endpoints[2:], lambda: MESSAGE) == []


class DriversUuid(UUID):
    """asyncpg's ids are such a kind of UUID."""


def test_ids_as_a_driver_hands_them_out_are_ids() -> None:
    assert ROUTED.ticket is not None
    read = replace(ROUTED, ticket=replace(ROUTED.ticket, ticket_id=DriversUuid(TICKET.hex)))
    assert webhook(MESSAGE, read, Payload.THIN, ()).body == webhook(MESSAGE, ROUTED, Payload.THIN, ()).body


def test_what_is_no_json_is_refused_and_not_guessed_at() -> None:
    with pytest.raises(TypeError):
        webhook(MESSAGE, replace(ROUTED, details={"tags": {"a"}}), Payload.THIN, ())


REPLY = Publication(
    type=Saying.REPLY,
    ticket_id=TICKET,
    channel="x",
    account="poldermobiel",
    conversation_id="c1",
    in_reply_to="77",
    visibility="public",
    text="Goed nieuws: hij komt morgen.",
)


def test_a_publication_says_what_where_and_to_whom() -> None:
    message = publication(MESSAGE, REPLY, sequence=7, subject_id=SUBJECT)
    assert json.loads(message.body) == {
        "type": "reply",
        "ticket_id": str(TICKET),
        "channel": "x",
        "account": "poldermobiel",
        "conversation_id": "c1",
        "in_reply_to": "77",
        "visibility": "public",
        "text": "Goed nieuws: hij komt morgen.",
    }
    assert (message.kind, message.subject_id, message.sequence, message.endpoint_ids) == (
        Kind.PUBLICATION,
        SUBJECT,
        7,
        (),
    )


def test_a_publication_brings_what_goes_along_and_the_window_that_it_is_given_in() -> None:
    photo = {"url": "https://poldermobiel.example/simkaart.png", "type": "image/png"}
    said = replace(REPLY, attachments=(photo,), reply_window="human_agent")
    body = json.loads(publication(MESSAGE, said, sequence=7, subject_id=SUBJECT).body)
    assert (body["attachments"], body["reply_window"]) == ([photo], "human_agent")


def test_a_survey_brings_its_link() -> None:
    survey = replace(REPLY, type=Saying.SURVEY, link="https://webcare.example/s/1")
    message = publication(MESSAGE, survey, sequence=8, subject_id=SUBJECT)
    assert json.loads(message.body)["link"] == "https://webcare.example/s/1"


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ('{"external_id": "99"}', "99"),
        ('{"external_id": ""}', None),
        ('{"external_id": 99}', None),
        (json.dumps({"external_id": "9" * 500}), "9" * 500),
        (json.dumps({"external_id": "9" * 501}), None),
        (json.dumps({"external_id": "9\0"}), None),
        ('["99"]', None),
        ('{"external_id": "9', None),
        ("", None),
    ],
)
def test_the_adapter_may_name_what_it_published(answer: str, named: str | None) -> None:
    assert external_id(answer) == named


def test_a_rotated_secret_signs_for_another_day() -> None:
    rotated = replace(endpoint(0, Payload.THIN), secret_sealed=b"old").rotated(b"new", AT)
    assert rotated.secrets_sealed(AT + timedelta(hours=23, minutes=59)) == (b"new", b"old")
    assert rotated.secrets_sealed(AT + timedelta(hours=24)) == (b"new",)
