"""What the document says of webhooks is what they are."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.access.role import Role
from app.api.event_details import DETAILS, TICKETLESS
from app.api.webhooks import body_of
from app.delivery.event_type import AUDIBLE
from app.delivery.tables import message
from app.flows.receive import receive
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.mentions import mention
from tests.support.tickets import ticket_of


async def test_every_event_that_an_endpoint_may_hear_is_described_with_its_body(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert document["webhooks"].keys() == AUDIBLE.keys()
    for event_type, operations in document["webhooks"].items():
        (operation,) = operations.values()
        named = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        body = schemas[named]["properties"]
        assert body["type"]["const"] == event_type
        assert {"id", "timestamp", "sequence", "data"} <= body.keys()
    assert DETAILS.keys() == AUDIBLE.keys()


ACTS: list[tuple[str, str, dict[str, Any]]] = [
    ("els", "accept", {}),
    ("els", "ask", {"question": "Welk adres?", "of": "webcare"}),
    ("agent", "inform", {"text": "Dorpsstraat 1"}),
    ("els", "handback", {"reason": "niet van ons", "code": "wrong_department", "department": "billing"}),
    ("agent", "reroute", {"department": "supply_chain", "reason": "toch wel"}),
    ("els", "answer", {"text": "Komt morgen.", "publish": False}),
    ("agent", "claim", {}),
    ("agent", "reply", {"text": "Komt morgen."}),
    ("agent", "wait", {"for": "customer", "until": "2026-11-19T10:00:00Z"}),
    ("agent", "resolve", {"code": "solved"}),
    ("agent", "reopen", {"reason": "nog een vraag"}),
    ("agent", "snooze", {"until": "2026-11-19T10:00:00Z"}),
    ("agent", "escalate", {"to": "pr", "reason": "dreigt met de krant"}),
]


def told_and_described(kind: str, body: str) -> tuple[set[str], set[str]]:
    """The names in the details of a body, and those that its description has. Raises where a described one is wrong."""
    sent = body_of(kind).model_validate_json(body).model_dump()["data"]
    return set(sent if kind.startswith(TICKETLESS) else sent["details"]), set(DETAILS[kind])


async def test_what_is_sent_has_the_form_that_is_described(client: httpx.AsyncClient, runtime: Runtime) -> None:
    callers = {
        "els": await token_for(runtime, Role.DEPARTMENT, "supply_chain", name="els"),
        "agent": await token_for(runtime, Role.AGENT),
        "admin": await token_for(runtime, Role.ADMIN),
    }
    asked = {"url": "https://hooks.example/in", "payload": "full"}
    endpoint = (await client.post("/api/v1/endpoints", json=asked, headers=callers["els"])).json()
    opened = await ticket_of(runtime, mention(channel="forum", conversation_id="c-1"))
    for who, act, said in ACTS:
        answer = await client.post(f"/api/v1/tickets/{opened.id}/{act}", json=said, headers=callers[who])
        assert answer.is_success, (act, answer.text)
    at = f"/api/v1/tickets/{opened.id}"
    assert (await client.patch(at, json={"priority": "high"}, headers=callers["agent"])).is_success
    await receive(runtime, [mention("En nu?", channel="forum", conversation_id="c-1")])
    other = await ticket_of(runtime, mention(channel="forum", conversation_id="c-2"))
    second = f"/api/v1/tickets/{other.id}"
    for act, said in (
        ("links", {"to": str(opened.id)}),
        ("merge", {"into": str(opened.id)}),
        ("unmerge", {"reason": "toch iets anders"}),
    ):
        assert (await client.post(f"{second}/{act}", json=said, headers=callers["agent"])).is_success, act
    step = {"topic": "delivery_delay", "channels": ["forum"], "direction": "back", "note": "even wachten"}
    assert (await client.post("/api/v1/ownership/step", json=step, headers=callers["admin"])).is_success
    assert (await client.post(f"/api/v1/endpoints/{endpoint['id']}/ping", headers=callers["els"])).is_success

    async with runtime.reading() as tx:
        sent = [(row.type, row.body) for row in await tx.rows(select(message.c.type, message.c.body))]
    told = {kind for kind, _ in sent}
    for kind, body in sent:
        if kind in AUDIBLE:
            names, described = told_and_described(kind, body)
            assert names <= described, (kind, names - described)
    assert {kind for kind in told if kind.startswith("ticket.")} >= {
        f"ticket.{done}"
        for done in ("opened", "routed", "accepted", "asked", "informed", "handed_back", "answered", "replied")
    } | {f"ticket.{done}" for done in ("waiting", "resolved", "reopened", "snoozed", "updated", "customer_replied")}
    assert {f"ticket.{done}" for done in ("linked", "merged", "unmerged", "reassigned")} <= told
    assert {"mention.received", "escalation.raised", "endpoint.pinged", "sla.met", "ownership.stepped"} <= told


@pytest.mark.parametrize("missing", ["ticket_id", "due", "details"])
def test_a_body_that_lacks_what_is_described_is_not_one(missing: str) -> None:
    assert missing in body_of("ticket.routed").model_json_schema()["$defs"]["TicketRoutedData"]["required"]
