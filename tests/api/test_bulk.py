"""One act on many tickets: an answer for each, and no refusal touches another."""

import asyncio
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.kit.ids import new_id
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.api.test_agents import at, opened
from tests.support.callers import token_for

BULK = "/api/v1/tickets/bulk"
LATER = "2099-01-01T08:00:00Z"


@pytest.fixture
async def tickets(runtime: Runtime) -> list[Ticket]:
    return [await opened(runtime) for _ in range(3)]


def many(tickets: list[Ticket], **act: Any) -> dict[str, Any]:
    return {"ticket_ids": [str(ticket.id) for ticket in tickets], "act": act}


async def test_each_ticket_gets_its_own_answer_in_the_order_that_was_asked(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], tickets: list[Ticket]
) -> None:
    bram = await token_for(runtime, Role.AGENT, name="bram")
    await client.post(at(tickets[1], "claim"), headers=bram)
    asked = many(tickets, do="resolve", code="explained")
    asked["ticket_ids"].append(str(new_id()))

    told = (await client.post(BULK, json=asked, headers=anna)).json()

    assert [one["ticket_id"] for one in told["items"]] == asked["ticket_ids"]
    assert [one["ticket"] and one["ticket"]["state"] for one in told["items"]] == ["resolved", None, "resolved", None]
    assert [one["problem"] and one["problem"]["code"] for one in told["items"]] == [
        None,
        "claimed_by_another",
        None,
        "ticket_not_found",
    ]
    assert (told["done"], told["refused"]) == (2, 2)


@pytest.mark.parametrize(
    ("act", "field", "value"),
    [
        ({"do": "update", "priority": "high", "add_tags": ["storing"]}, "tags", ["storing"]),
        ({"do": "reroute", "topic": "delivery_delay", "reason": "storing"}, "department", "supply_chain"),
        ({"do": "snooze", "until": LATER}, "snoozed_until", LATER),
        ({"do": "wait"}, "state", "waiting_customer"),
        ({"do": "note", "text": "storing"}, "state", "triage"),
        ({"do": "reply", "text": "We weten ervan."}, "assignee", "agent:anna"),
    ],
)
async def test_what_can_be_done_to_one_can_be_done_to_many(
    client: httpx.AsyncClient,
    anna: dict[str, str],
    tickets: list[Ticket],
    act: dict[str, Any],
    field: str,
    value: object,
) -> None:
    told = (await client.post(BULK, json=many(tickets, **act), headers=anna)).json()

    assert [one["ticket"][field] for one in told["items"]] == [value] * 3


async def test_a_macro_is_made_ready_for_each_and_said_only_where_nothing_is_missing(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], tickets: list[Ticket]
) -> None:
    lead = await token_for(runtime, Role.MANAGER)
    texts = {"nl": "Dag {customer_name}, wij kijken naar {topic} (nummer {ticket_number})."}
    macro = (await client.post("/api/v1/macros", json={"name": "Pakket", "texts": texts}, headers=lead)).json()
    known = await opened(runtime, "Waar blijft mijn pakketje?")

    act = {"do": "macro", "macro_id": macro["id"], "language": "nl"}
    told = (await client.post(BULK, json=many([known, tickets[0]], **act), headers=anna)).json()

    [said] = (await client.get(at(known), headers=anna)).json()["replies"]
    assert f"(nummer {known.number})" in said["text"]
    assert [one["problem"] and one["problem"]["code"] for one in told["items"]] == [None, "macro_unfilled"]


async def test_many_are_merged_into_one_and_that_one_refuses_only_itself(
    client: httpx.AsyncClient, anna: dict[str, str], tickets: list[Ticket]
) -> None:
    into = tickets[1]

    told = (await client.post(BULK, json=many(tickets, do="merge", into=str(into.id)), headers=anna)).json()

    whole = (await client.get(at(into), headers=anna)).json()
    assert [one["problem"] and one["problem"]["code"] for one in told["items"]] == [None, "same_ticket", None]
    assert len(whole["mentions"]) == 3


async def test_only_who_may_do_it_to_one_may_do_it_to_many(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], tickets: list[Ticket]
) -> None:
    lead = await token_for(runtime, Role.MANAGER)
    assign = many(tickets, do="assign", to="anna")

    by_agent = await client.post(BULK, json=assign, headers=anna)
    by_lead = await client.post(BULK, json=assign, headers=lead)
    let_go = await client.post(BULK, json=many(tickets, do="release"), headers=anna)
    forbidden = await client.post(BULK, json=many(tickets, do="release"), headers=lead)

    assert (by_agent.status_code, forbidden.status_code) == (403, 403)
    assert by_lead.json()["done"] == let_go.json()["done"] == 3


async def test_a_department_touches_its_own_alone(
    client: httpx.AsyncClient, runtime: Runtime, tickets: list[Ticket]
) -> None:
    theirs = await opened(runtime, "Waar blijft mijn pakketje?", channel="forum")
    supply = await token_for(runtime, Role.DEPARTMENT, "supply_chain")

    asked = many([theirs, tickets[0]], do="note", text="Onderweg")
    told = (await client.post(BULK, json=asked, headers=supply)).json()

    assert [one["problem"] and one["problem"]["code"] for one in told["items"]] == [None, "ticket_not_found"]


async def test_sent_again_with_its_key_it_does_only_what_was_not_done(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], tickets: list[Ticket]
) -> None:
    bram = await token_for(runtime, Role.AGENT, name="bram")
    await client.post(at(tickets[1], "claim"), headers=bram)
    asked, keyed = many(tickets, do="reply", text="Dag!"), {**anna, "Idempotency-Key": "k"}

    first = (await client.post(BULK, json=asked, headers=keyed)).json()
    await client.post(at(tickets[1], "release"), headers=bram)
    again = (await client.post(BULK, json=asked, headers=keyed)).json()

    assert (first["done"], again["done"]) == (2, 3)
    for ticket in tickets:
        assert len((await client.get(at(ticket), headers=anna)).json()["replies"]) == 1
    other = await client.post(BULK, json=many(tickets, do="reply", text="Anders"), headers=keyed)
    assert {one["problem"]["code"] for one in other.json()["items"]} == {"idempotency_key_reused"}


async def test_two_at_once_on_the_same_tickets_do_not_undo_each_other(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    tickets = [await opened(runtime) for _ in range(30)]
    wishes = [many(tickets, do="update", add_tags=[tag]) for tag in ("a", "b")]
    wishes[1]["ticket_ids"].reverse()

    answers = await asyncio.gather(*(client.post(BULK, json=wish, headers=anna) for wish in wishes))

    assert [answer.json()["done"] for answer in answers] == [30, 30]
    for ticket in tickets:
        assert sorted((await client.get(at(ticket), headers=anna)).json()["tags"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"ticket_ids": [], "act": {"do": "release"}}, "ticket_ids"),
        ({"ticket_ids": [str(new_id()) for _ in range(501)], "act": {"do": "release"}}, "ticket_ids"),
        ({"ticket_ids": ["019ab8f0-2c41-7d52-9a3e-5f1c7b20d4aa"] * 2, "act": {"do": "release"}}, "ticket_ids"),
        ({"ticket_ids": [str(new_id())], "act": {"do": "dance"}}, "act"),
        ({"ticket_ids": [str(new_id())], "act": {}}, "act"),
        ({"ticket_ids": [str(new_id())], "act": {"do": "snooze"}}, "act.snooze.until"),
    ],
)
async def test_what_means_nothing_is_named_and_nothing_is_done(
    client: httpx.AsyncClient, anna: dict[str, str], asked: dict[str, Any], field: str
) -> None:
    refused = await client.post(BULK, json=asked, headers=anna)

    assert (refused.status_code, refused.json()["field"]) == (422, field)
