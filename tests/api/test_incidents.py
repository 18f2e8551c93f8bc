"""Incidents over HTTP: what is seen of them, and PR's word on them."""

from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.flows.state import say_statements
from app.kit.clock import utc_now
from app.runtime import Runtime
from tests.flows.test_spikes import look, post, remember
from tests.support.callers import token_for
from tests.support.clock import Clock

TEXT = {"text": {"nl": "Dag {customer_name}, de vertraging is opgelost."}}


@pytest.fixture
def clock() -> Clock:
    return Clock(utc_now())


async def begun(client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str], posts: int = 10) -> dict[str, Any]:
    await remember(runtime)
    await post(runtime, posts)
    await look(runtime)
    [one] = (await client.get("/api/v1/incidents", headers=pr, params={"state": "open"})).json()["items"]
    found: dict[str, Any] = one
    return found


async def test_an_incident_shows_its_figures_its_proof_and_who_says_what(
    client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str]
) -> None:
    one = await begun(client, runtime, pr)
    assert (one["scope"], one["name"], one["severity"]) == ("topic", "delivery_delay", "raised")
    assert (one["observed"], one["mentions"], one["tickets"], one["told"]) == (10, 10, 10, 0)
    assert one["chance"] < 1e-6 < one["expected"]

    whole = (await client.get(f"/api/v1/incidents/{one['id']}", headers=pr)).json()
    assert whole["lead"] == runtime.rulebook.agreements["raised"].lead
    assert [speaker["who"] for speaker in whole["say"]] == ["webcare", "department"]

    path = f"/api/v1/incidents/{one['id']}/mentions"
    page = (await client.get(path, headers=pr, params={"proves": True, "limit": 8})).json()
    rest = (await client.get(path, headers=pr, params={"limit": 8, "cursor": page["next_cursor"]})).json()
    assert len({item["mention_id"] for item in page["items"] + rest["items"]}) == 10
    assert rest["next_cursor"] is None


async def test_a_ticket_of_an_incident_shows_what_was_agreed(
    client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str]
) -> None:
    one = await begun(client, runtime, pr)
    [first, *_] = (await client.get(f"/api/v1/incidents/{one['id']}/mentions", headers=pr)).json()["items"]
    agent = await token_for(runtime, Role.AGENT)
    ticket = (await client.get(f"/api/v1/tickets/{first['ticket_id']}", headers=agent)).json()
    crisis = ticket["crisis"]
    assert (crisis["incident_id"], crisis["severity"]) == (one["id"], "raised")
    assert crisis["holding"].startswith("Dag u0, ")
    assert crisis["say"][0]["who"] == "webcare"


async def test_a_statement_is_approved_once_per_key_and_said(
    client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str]
) -> None:
    one = await begun(client, runtime, pr)
    path = f"/api/v1/incidents/{one['id']}"
    key = {"Idempotency-Key": "statement-1"}
    first = await client.post(f"{path}/statement", headers=pr | key, json=TEXT)
    again = await client.post(f"{path}/statement", headers=pr | key, json=TEXT)
    assert (first.status_code, again.json()) == (201, first.json())
    await runtime.run(say_statements, 100)

    whole = (await client.get(path, headers=pr)).json()
    assert [said["text"] for said in whole["statements"]] == [TEXT["text"]]
    assert whole["told"] == 10

    closed = await client.post(f"{path}/close", headers=pr, json={"lesson": "Eerder melden"})
    assert (closed.json()["state"], closed.json()["lesson"]) == ("closed", "Eerder melden")
    late = await client.post(f"{path}/statement", headers=pr, json=TEXT)
    assert (late.status_code, late.json()["code"]) == (409, "incident_closed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": {}}, "invalid_request"),
        ({"text": {"de": "Guten Tag"}}, "invalid_request"),
        ({"text": {"nl": "Dag {naam}"}}, "unknown_merge_field"),
    ],
)
async def test_a_statement_that_cannot_be_said_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str], body: dict[str, Any], code: str
) -> None:
    one = await begun(client, runtime, pr)
    refused = await client.post(f"/api/v1/incidents/{one['id']}/statement", headers=pr, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_others_say_nothing_for_pr(client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str]) -> None:
    one = await begun(client, runtime, pr)
    for role in (Role.AGENT, Role.MANAGER):
        caller = await token_for(runtime, role)
        answer = await client.post(f"/api/v1/incidents/{one['id']}/statement", headers=caller, json=TEXT)
        assert answer.status_code == 403
    nothing = "00000000-0000-0000-0000-000000000000"
    missing = await client.get(f"/api/v1/incidents/{nothing}", headers=pr)
    assert (missing.status_code, missing.json()["code"]) == (404, "incident_not_found")
