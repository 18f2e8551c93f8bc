"""Who a token is, what agents can take, and what that means for their next ticket."""

import asyncio
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.api.auth import BELIEVED
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.mentions import mention
from tests.support.tickets import ticket_of

AGENTS = "/api/v1/agents"
INVOICE = "Ik snap mijn factuur van deze maand niet, wat zijn dat voor kosten?"
BLANK = {"languages": [], "topics": [], "channels": [], "departments": [], "needs_review": False, "team": None}


@pytest.fixture
async def lead(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.MANAGER, name="mo")


async def opened(runtime: Runtime, text: str = "Goedemorgen allemaal", **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


async def test_everybody_reads_who_they_are(client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]) -> None:
    els = await token_for(runtime, Role.DEPARTMENT, "billing", name="els")

    me, her = [(await client.get("/api/v1/me", headers=caller)).json() for caller in (anna, els)]

    assert (me["name"], me["role"], me["actor"], me["profile"]) == ("anna", "agent", "agent:anna", BLANK)
    assert "work_tickets" in me["permissions"]
    assert (her["department"], her["actor"], her["profile"]) == ("billing", "department:billing/els", None)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_profile_decides_what_is_next_and_is_known_within_a_second(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], lead: dict[str, str]
) -> None:
    invoice = await opened(runtime, INVOICE, lang="nl")
    triage = await opened(runtime, channel="forum", lang="nl")
    assert (await client.get("/api/v1/me", headers=anna)).json()["profile"] == BLANK

    said = {"languages": ["nl", "en"], "topics": ["number_porting"], "needs_review": True, "team": "evening"}
    kept = await client.put(f"{AGENTS}/anna", json=said, headers=lead)
    await asyncio.sleep(BELIEVED)

    assert said.items() <= kept.json().items()
    assert (await client.get("/api/v1/me", headers=anna)).json()["profile"] == BLANK | said
    taken = await client.post("/api/v1/queue/claim", headers=anna)
    assert taken.json()["id"] == str(triage.id), "what has no topic yet is for everybody to look at"
    assert (await client.post("/api/v1/queue/claim", headers=anna)).status_code == 204
    all_of_them = {"topics": [], "departments": [invoice.department]}
    taken = await client.post("/api/v1/queue/claim", json=all_of_them, headers=anna)
    assert taken.json()["id"] == str(invoice.id)


async def test_who_needs_review_has_every_reply_held(
    client: httpx.AsyncClient, runtime: Runtime, lead: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    bram = await token_for(runtime, Role.AGENT, name="bram")
    await client.put(f"{AGENTS}/bram", json={"needs_review": True}, headers=lead)

    said = await client.post(f"/api/v1/tickets/{ticket.id}/reply", json={"text": "Goedemorgen!"}, headers=bram)

    assert said.json()["state"] == "held"


async def test_a_lead_sees_who_is_at_work(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], lead: dict[str, str]
) -> None:
    await token_for(runtime, Role.AGENT, name="bram")
    await token_for(runtime, Role.AGENT, name="bram")
    await opened(runtime)
    await client.post("/api/v1/queue/claim", headers=anna)

    first = (await client.get(AGENTS, params={"limit": 1}, headers=lead)).json()
    second = (await client.get(AGENTS, params={"cursor": first["next_cursor"]}, headers=lead)).json()

    assert [(one["name"], one["present"], one["at_hand"]) for one in first["items"] + second["items"]] == [
        ("anna", True, 1),
        ("bram", False, 0),
    ]
    assert (await client.get(f"{AGENTS}/anna", headers=lead)).json() == first["items"][0]


@pytest.mark.parametrize(
    ("name", "said", "code"),
    [
        ("nobody", {}, "agent_not_found"),
        ("anna", {"topics": ["weather"]}, "unknown_topic"),
        ("anna", {"departments": ["bakery"]}, "unknown_department"),
        ("anna", {"skills": ["nl"]}, "invalid_request"),
        ("anna", {"team": " "}, "invalid_request"),
    ],
)
async def test_a_profile_that_means_nothing_is_refused(
    client: httpx.AsyncClient, anna: dict[str, str], lead: dict[str, str], name: str, said: dict[str, Any], code: str
) -> None:
    refused = await client.put(f"{AGENTS}/{name}", json=said, headers=lead)

    assert refused.json()["code"] == code
    assert refused.status_code == (404 if name == "nobody" else 422)


async def test_an_agent_does_not_write_profiles(client: httpx.AsyncClient, anna: dict[str, str]) -> None:
    assert (await client.put(f"{AGENTS}/anna", json={}, headers=anna)).status_code == 403
