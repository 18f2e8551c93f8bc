"""An agent's calls: one ticket for one person, and every act with its answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from app.access.role import Role
from app.api.paging import Page
from app.api.queue import QueuePage
from app.api.search import SearchLine
from app.api.tickets import TicketLine, TicketOut
from app.main import create_app
from app.runtime import InForce, Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import GREETING, mention
from tests.support.tickets import ticket_of

INVOICE = "Ik snap mijn factuur van deze maand niet, wat zijn dat voor kosten?"


async def opened(runtime: Runtime, text: str = GREETING, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


def at(ticket: Ticket, act: str = "") -> str:
    return f"/api/v1/tickets/{ticket.id}{act and '/' + act}"


async def test_a_ticket_that_a_colleague_has_answers_with_who(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], bram: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    await client.post(at(ticket, "claim"), headers=anna)

    refused = await client.post(at(ticket, "claim"), headers=bram)

    assert refused.status_code == 409
    assert (refused.json()["code"], refused.json()["by"]) == ("claimed_by_another", "agent:anna")


async def test_answers_that_are_written_without_models_are_what_those_describe(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], bram: dict[str, str]
) -> None:
    first, second = await opened(runtime), await opened(runtime, INVOICE, by="joris")
    claimed = await client.post("/api/v1/queue/claim", headers=anna)
    await client.post(at(first, "reply"), json={"text": "Goedemorgen! Waarmee kunnen we helpen?"}, headers=anna)
    await client.put(at(first, "draft"), json={"text": "Dag"}, headers=bram)
    await client.post(at(first, "links"), json={"to": str(second.id)}, headers=anna)
    await client.post(at(first, "resolve"), json={"code": "solved"}, headers=anna)

    whole = await client.get(at(first), headers=anna)

    assert all(
        whole.json()[part] for part in ("links", "clocks", "custody", "mentions", "replies", "drafts", "feedback")
    )
    models: list[tuple[httpx.Response, type[BaseModel]]] = [
        (claimed, TicketLine),
        (whole, TicketOut),
        (await client.get("/api/v1/queue?counts=true", headers=anna), QueuePage),
        (await client.get("/api/v1/search?q=factuur", headers=anna), Page[SearchLine]),
    ]
    for answer, model in models:
        assert model.model_validate_json(answer.content).model_dump(mode="json") == answer.json()


async def test_a_stale_writer_is_told(client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]) -> None:
    ticket = await opened(runtime)
    seen = (await client.get(at(ticket), headers=anna)).headers["etag"]
    await client.patch(at(ticket), json={"priority": "high"}, headers=anna)

    stale = await client.patch(at(ticket), json={"priority": "low"}, headers={**anna, "If-Match": seen})

    now = await client.get(at(ticket), headers=anna)
    assert stale.status_code == 412
    assert now.json()["priority"] == "high"
    assert now.headers["etag"] != seen


async def test_a_tag_stands_once_on_a_ticket(client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]) -> None:
    ticket = await opened(runtime)
    changed = await client.patch(at(ticket), json={"tags": ["vip", "storing", "vip"]}, headers=anna)
    assert changed.json()["tags"] == ["vip", "storing"]


async def test_an_illegal_move_names_the_legal_ones(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)

    refused = await client.post(at(ticket, "reopen"), json={"reason": "again"}, headers=anna)

    assert refused.status_code == 409
    assert "resolve" in refused.json()["legal"]


async def test_a_reply_is_queued_stops_the_first_reply_clock_and_is_sent_once_per_key(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    said = {"text": "Goedemorgen! Waarmee kunnen we helpen?", "visibility": "public"}
    keyed = {**anna, "Idempotency-Key": "reply-1"}

    first = await client.post(at(ticket, "reply"), json=said, headers=keyed)
    again = await client.post(at(ticket, "reply"), json=said, headers=keyed)

    whole = (await client.get(at(ticket), headers=anna)).json()
    assert (first.status_code, first.json()["state"]) == (202, "queued")
    assert again.json() == first.json()
    assert [one["text"] for one in whole["replies"]] == [said["text"]]
    assert {one["metric"]: one["state"] for one in whole["clocks"]}["first_reply"] == "met"
    assert whole["assignee"] == "agent:anna"


@pytest.mark.parametrize("visibility", ["public", "private"])
async def test_a_reply_is_as_private_as_the_question(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], visibility: str
) -> None:
    ticket = await opened(runtime, visibility=visibility)

    await client.post(at(ticket, "reply"), json={"text": "Wat is uw klantnummer?"}, headers=anna)

    [said] = (await client.get(at(ticket), headers=anna)).json()["replies"]
    assert said["visibility"] == visibility


@pytest.mark.parametrize("text", ["", "a" * 10_001])
async def test_a_reply_without_words_or_with_too_many_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], text: str
) -> None:
    ticket = await opened(runtime)

    answer = await client.post(at(ticket, "reply"), json={"text": text}, headers=anna)

    assert answer.status_code == 422
    assert answer.json()["field"] == "text"


async def test_rerouting_by_topic_gives_it_to_the_owner_and_explains_why(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)

    moved = await client.post(
        at(ticket, "reroute"), json={"topic": "delivery_delay", "reason": "asked by phone"}, headers=anna
    )
    told = (await client.get(at(ticket, "explain"), headers=anna)).json()

    assert moved.json()["department"] == "supply_chain"
    assert len(told["decisions"]) == 2
    assert any("asked by phone" in sentence for sentence in told["words"])


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"reason": "x"}, "topic"),
        ({"topic": "delivery_delay", "department": "billing", "reason": "x"}, "topic"),
        ({"topic": "weather", "reason": "x"}, "topic"),
        ({"department": "bakery", "reason": "x"}, "department"),
        ({"topic": "delivery_delay"}, "reason"),
    ],
)
async def test_a_reroute_that_leads_nowhere_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], asked: dict[str, str], field: str
) -> None:
    ticket = await opened(runtime)

    answer = await client.post(at(ticket, "reroute"), json=asked, headers=anna)

    assert answer.status_code == 422
    assert answer.json()["field"] == field


async def test_a_hard_working_hour(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], clock: Clock
) -> None:
    """Claim, note, tag, reply, wait, the customer posts, resolve: everything stands in the timeline."""
    ticket = await opened(runtime, conversation_id="c-1")
    later = (clock() + timedelta(hours=2)).isoformat()
    acts: list[tuple[str, dict[str, Any]]] = [
        ("claim", {}),
        ("note", {"text": "belde gisteren ook"}),
        ("lease", {}),
        ("reply", {"text": "Om welke bestelling gaat het?"}),
        ("wait", {"for": "customer", "until": later}),
    ]
    for act, body in acts:
        assert (await client.post(at(ticket, act), json=body, headers=anna)).is_success
    await opened(runtime, "Bestelling 12", conversation_id="c-1")
    resolved = await client.post(at(ticket, "resolve"), json={"code": "solved"}, headers=anna)

    items = (await client.get(at(ticket, "timeline"), headers=anna)).json()["items"]
    told = [item["type"] for item in items]
    assert resolved.json()["state"] == "resolved"
    for act in ("reassigned", "noted", "replied", "waiting", "customer_replied", "resolved"):
        assert f"ticket.{act}" in told
    assert [item["sequence"] for item in items] == list(range(1, len(items) + 1))
    assert {"Om welke bestelling gaat het?", "Bestelling 12"} <= {item["data"].get("text") for item in items}


async def test_the_explanation_adds_up_to_the_tickets_life(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], clock: Clock
) -> None:
    ticket = await opened(runtime, INVOICE, at=clock() - timedelta(minutes=5))
    clock.pass_(minutes=55)

    told = (await client.get(at(ticket, "explain"), headers=anna)).json()

    assert sum(told["seconds_by_holder"].values()) == 3600
    assert {one["metric"] for one in told["clocks"]} >= {"first_reply", "resolution"}
    for one in told["clocks"]:
        assert sum(span["seconds"] for span in one["open"]) == one["elapsed_seconds"] > 0


async def test_a_ticket_is_explained_also_when_the_rules_have_lost_a_calendar(
    runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    later = replace(runtime, rules=InForce(replace(runtime.rulebook, calendars={})))

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(later)), base_url="http://webcare.test"
    ) as client:
        told = (await client.get(at(ticket, "explain"), headers=anna)).json()

    assert len(told["clocks"]) > 1
    assert {clock["elapsed_seconds"] for clock in told["clocks"]} == {None}


@pytest.mark.parametrize("role", [Role.INGEST, Role.MANAGER])
async def test_who_does_not_work_on_tickets_may_not(client: httpx.AsyncClient, runtime: Runtime, role: Role) -> None:
    ticket = await opened(runtime)
    other = await token_for(runtime, role)

    assert (await client.post(at(ticket, "claim"), headers=other)).status_code == 403
