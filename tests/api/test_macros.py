"""Macros over HTTP: who writes whose, what a ticket is offered, how a text is made ready, and what its use counts."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.mentions.mention import Author
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import LATE_PARCEL, mention
from tests.support.tickets import ticket_of

Headers = dict[str, str]
TEXTS = {"nl": "Dag {customer_name}, hier {agent_name} over {topic}.", "en": "Hi {customer_name}, #{ticket_number}."}


@pytest.fixture
async def eva(runtime: Runtime) -> Headers:
    return await token_for(runtime, Role.MANAGER, name="eva")


@pytest.fixture
async def parcels(runtime: Runtime) -> Headers:
    return await token_for(runtime, Role.DEPARTMENT, "supply_chain", name="pim")


async def opened(runtime: Runtime, text: str = LATE_PARCEL, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


async def written(client: httpx.AsyncClient, caller: Headers, **facts: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/macros", json={"name": "Pakket", "texts": TEXTS, **facts}, headers=caller)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def names(client: httpx.AsyncClient, caller: Headers, **asked: Any) -> list[str]:
    answer = await client.get("/api/v1/macros", params=asked, headers=caller)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


async def test_what_is_written_is_read_by_everybody_who_reads_tickets(
    client: httpx.AsyncClient, anna: Headers, eva: Headers, clock: Clock
) -> None:
    made = await written(client, eva, owner="billing", topics=["invoice_wrong"], channels=["x"])
    read = await client.get(f"/api/v1/macros/{made['id']}", headers=anna)
    assert read.headers["etag"] == '"1"'
    assert read.json() == made | {"versions": read.json()["versions"]}
    assert made["texts"] == TEXTS
    assert (made["owner"], made["topics"], made["channels"]) == ("billing", ["invoice_wrong"], ["x"])
    assert (made["valid"], made["valid_until"], made["used"], made["updated_by"]) == (True, None, 0, "manager:eva")


async def test_a_department_writes_its_own_and_nobody_elses(
    client: httpx.AsyncClient, parcels: Headers, eva: Headers, anna: Headers
) -> None:
    assert (await written(client, parcels))["owner"] == "supply_chain"
    theirs = await written(client, eva)
    assert theirs["owner"] == "webcare"
    at = f"/api/v1/macros/{theirs['id']}"
    for refused in (
        await client.post("/api/v1/macros", json={"name": "x", "texts": TEXTS, "owner": "billing"}, headers=parcels),
        await client.patch(at, json={"owner": "supply_chain"}, headers=parcels),
        await client.delete(at, headers=parcels),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    by_agent = await client.post("/api/v1/macros", json={"name": "x", "texts": TEXTS}, headers=anna)
    assert by_agent.status_code == 403


async def test_a_department_cannot_give_its_macro_away(client: httpx.AsyncClient, parcels: Headers) -> None:
    own = await written(client, parcels)
    given = await client.patch(f"/api/v1/macros/{own['id']}", json={"owner": "billing"}, headers=parcels)
    assert given.status_code == 403


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"texts": {"nl": "Dag {naam}"}}, "macro_unreadable", "texts.nl"),
        ({"texts": {"en": "Hi {customer_name"}}, "macro_unreadable", "texts.en"),
        ({"texts": {}}, "invalid_request", "texts"),
        ({"texts": {"fr": "Bonjour"}}, "invalid_request", "texts.fr.[key]"),
        ({"texts": {"nl": " "}}, "invalid_request", "texts.nl"),
        ({"topics": ["weather"]}, "unknown_topic", "topic"),
        ({"channels": ["myspace"]}, "unknown_channel", "channels"),
        ({"owner": "nobody"}, "unknown_department", "department"),
        (
            {"valid_from": "2026-11-22T08:00:00Z", "valid_until": "2026-11-22T08:00:00Z"},
            "macro_period_empty",
            "valid_until",
        ),
    ],
)
async def test_a_mistake_is_refused_when_it_is_saved(
    client: httpx.AsyncClient, eva: Headers, facts: dict[str, Any], code: str, field: str
) -> None:
    body = {"name": "Pakket", "texts": TEXTS, **facts}
    refused = await client.post("/api/v1/macros", json=body, headers=eva)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, code, field)
    assert await names(client, eva) == []


async def test_a_change_is_a_new_version_and_the_old_texts_stay_to_be_read(
    client: httpx.AsyncClient, eva: Headers, parcels: Headers
) -> None:
    made = await written(client, parcels, valid_until="2027-01-01T00:00:00Z")
    at = f"/api/v1/macros/{made['id']}"
    said = {"texts": {"nl": "Nieuw"}, "valid_until": None}
    changed = await client.patch(at, json=said, headers=eva | {"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (changed.json()["texts"], changed.json()["valid_until"]) == ({"nl": "Nieuw"}, None)

    late = await client.patch(at, json={"name": "Anders"}, headers=parcels | {"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "macro_changed_meanwhile")
    assert "manager:eva" in late.json()["detail"]

    versions = (await client.get(at, headers=eva)).json()["versions"]
    told = [(one["version"], one["texts"], one["updated_by"]) for one in versions]
    assert told == [(2, {"nl": "Nieuw"}, "manager:eva"), (1, TEXTS, "department:supply_chain/pim")]


async def test_a_ticket_is_offered_what_suits_it_and_is_valid(
    client: httpx.AsyncClient, runtime: Runtime, eva: Headers, anna: Headers, clock: Clock
) -> None:
    ticket = await opened(runtime, channel="forum")
    assert ticket.topic == "delivery_delay"
    now = clock()
    await written(client, eva, name="a always")
    await written(client, eva, name="b topic", topics=["delivery_delay", "order_status"])
    await written(client, eva, name="c channel", channels=["forum"], topics=["delivery_delay"])
    await written(client, eva, name="d other topic", topics=["invoice_wrong"])
    await written(client, eva, name="e other channel", channels=["x"])
    await written(client, eva, name="f later", valid_from=(now + timedelta(days=1)).isoformat())
    earlier = {"valid_from": (now - timedelta(days=2)).isoformat(), "valid_until": now.isoformat()}
    await written(client, eva, name="g over", **earlier)

    assert await names(client, anna, ticket_id=str(ticket.id)) == ["a always", "b topic", "c channel"]
    assert await names(client, anna, topic="invoice_wrong", channel="x") == [
        "a always",
        "d other topic",
        "e other channel",
        "f later",
        "g over",
    ]
    in_triage = await opened(runtime, "Goedemorgen allemaal", by="piet")
    assert await names(client, anna, ticket_id=str(in_triage.id)) == ["a always", "e other channel"]


async def test_macros_come_in_pages_by_name(client: httpx.AsyncClient, eva: Headers) -> None:
    for name in ("b", "a", "c", "a", "d"):
        await written(client, eva, name=name)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/v1/macros", params=asked, headers=eva)).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["a", "a", "b", "c", "d"]


async def test_a_text_is_made_ready_for_a_ticket_in_its_language(
    client: httpx.AsyncClient, runtime: Runtime, eva: Headers, anna: Headers
) -> None:
    made = await written(client, eva)
    sanne = Author(external_id="u-1", handle="sanne_k", display_name="Sanne")
    ticket = await opened(runtime, author=sanne)
    at = f"/api/v1/macros/{made['id']}/render"
    ready = (await client.post(at, json={"ticket_id": str(ticket.id)}, headers=anna)).json()
    assert ready == {
        "macro_id": made["id"],
        "version": 1,
        "language": "nl",
        "text": "Dag Sanne, hier anna over Vertraagde levering.",
        "missing": [],
    }
    in_english = await client.post(at, json={"ticket_id": str(ticket.id), "language": "en"}, headers=anna)
    assert in_english.json()["text"] == f"Hi Sanne, #{ticket.number}."

    in_triage = await opened(runtime, "Goedemorgen allemaal", by="piet")
    unsure = (await client.post(at, json={"ticket_id": str(in_triage.id), "language": "nl"}, headers=anna)).json()
    assert (unsure["text"], unsure["missing"]) == ("Dag piet, hier anna over {topic}.", ["topic"])


async def test_another_departments_ticket_is_not_there_to_render_for(
    client: httpx.AsyncClient, runtime: Runtime, eva: Headers
) -> None:
    made = await written(client, eva)
    ticket = await opened(runtime, channel="forum")
    invoices = await token_for(runtime, Role.DEPARTMENT, "billing")
    at = f"/api/v1/macros/{made['id']}/render"
    assert (await client.post(at, json={"ticket_id": str(ticket.id)}, headers=invoices)).status_code == 404


async def test_every_reply_that_was_given_with_it_counts(
    client: httpx.AsyncClient, runtime: Runtime, eva: Headers, anna: Headers, clock: Clock
) -> None:
    made = await written(client, eva)
    for name in ("piet", "kees"):
        ticket = await opened(runtime, by=name)
        said = {"text": "Dag, je pakket komt morgen.", "macro_id": made["id"]}
        replied = await client.post(f"/api/v1/tickets/{ticket.id}/reply", json=said, headers=anna)
        assert replied.status_code == 202, replied.text
    read = (await client.get(f"/api/v1/macros/{made['id']}", headers=anna)).json()
    assert (read["used"], read["version"]) == (2, 1)

    many = {"ticket_ids": [str(ticket.id)], "act": {"do": "reply", **said}}
    assert (await client.post("/api/v1/tickets/bulk", json=many, headers=anna)).json()["done"] == 1
    read = (await client.get(f"/api/v1/macros/{made['id']}", headers=anna)).json()
    assert read["used"] == 3
    assert read["last_used_at"] == clock().isoformat().replace("+00:00", "Z")
    timeline = (await client.get(f"/api/v1/tickets/{ticket.id}/timeline", headers=anna)).json()["items"]
    assert {event["data"]["macro_id"] for event in timeline if event["type"] == "ticket.replied"} == {made["id"]}


async def test_nothing_is_said_with_a_macro_that_is_over_or_not_filled_in(
    client: httpx.AsyncClient, runtime: Runtime, eva: Headers, anna: Headers, clock: Clock
) -> None:
    ticket = await opened(runtime)
    made = await written(client, eva, owner="billing", valid_until=(clock() + timedelta(hours=1)).isoformat())
    reply = f"/api/v1/tickets/{ticket.id}/reply"
    unfilled = await client.post(reply, json={"text": "Dag {customer_name}", "macro_id": made["id"]}, headers=anna)
    assert (unfilled.status_code, unfilled.json()["code"]) == (422, "macro_unfilled")

    clock.pass_(hours=1)
    over = [
        await client.post(reply, json={"text": "Dag", "macro_id": made["id"]}, headers=anna),
        await client.post(f"/api/v1/macros/{made['id']}/render", json={"ticket_id": str(ticket.id)}, headers=anna),
    ]
    for refused in over:
        assert (refused.status_code, refused.json()["code"], refused.json()["owner"]) == (
            409,
            "macro_not_valid",
            "billing",
        )
    whole = (await client.get(f"/api/v1/tickets/{ticket.id}", headers=anna)).json()
    assert whole["replies"] == []
    assert (await client.get(f"/api/v1/macros/{made['id']}", headers=anna)).json()["used"] == 0


async def test_what_is_removed_is_not_there_any_more(client: httpx.AsyncClient, eva: Headers, anna: Headers) -> None:
    made = await written(client, eva)
    at = f"/api/v1/macros/{made['id']}"
    assert (await client.delete(at, headers=eva)).status_code == 204
    for gone in (await client.get(at, headers=anna), await client.delete(at, headers=eva)):
        assert (gone.status_code, gone.json()["code"]) == (404, "macro_not_found")
    assert await names(client, anna) == []


async def test_a_macro_is_written_once_however_often_it_is_sent(client: httpx.AsyncClient, eva: Headers) -> None:
    body = {"name": "Pakket", "texts": TEXTS}
    headers = eva | {"Idempotency-Key": "k-1"}
    first = await client.post("/api/v1/macros", json=body, headers=headers)
    again = await client.post("/api/v1/macros", json=body, headers=headers)
    assert first.json() == again.json()
    assert await names(client, eva) == ["Pakket"]
