"""A lead gives tickets to agents, and takes them from them."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.runtime import Runtime
from tests.api.test_agents import at, opened
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import LATE_PARCEL


@pytest.fixture
async def lead(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.MANAGER, name="lea")


async def test_what_a_lead_assigns_stands_with_the_agent_for_a_shift(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], lead: dict[str, str], clock: Clock
) -> None:
    bram = await token_for(runtime, Role.AGENT, name="bram")
    ticket = await opened(runtime)
    await client.post(at(ticket, "claim"), headers=bram)

    given = await client.post(at(ticket, "assign"), json={"to": "anna", "reason": "kent de klant"}, headers=lead)
    clock.pass_(hours=7)
    kept_off = await client.post(at(ticket, "claim"), headers=bram)

    items = (await client.get(at(ticket, "timeline"), headers=anna)).json()["items"]
    told = next(one for one in reversed(items) if one["type"] == "ticket.reassigned")
    assert (given.json()["assignee"], given.json()["state"]) == ("agent:anna", "working")
    assert given.json()["lease_until"] == (clock() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert (kept_off.status_code, kept_off.json()["by"]) == (409, "agent:anna")
    assert (told["actor"], told["data"]["reason"]) == ("manager:lea", "kent de klant")


async def test_a_lead_takes_a_ticket_from_whoever_has_it(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], lead: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    await client.post(at(ticket, "claim"), headers=anna)

    loose = await client.post(at(ticket, "assign"), json={"to": None}, headers=lead)

    assert (loose.json()["assignee"], loose.json()["state"]) == (None, "triage")


async def test_what_a_department_has_comes_back_to_the_agent(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], lead: dict[str, str]
) -> None:
    ticket = await opened(runtime, LATE_PARCEL, channel="forum")

    given = await client.post(at(ticket, "assign"), json={"to": "anna"}, headers=lead)

    assert (given.json()["holder"], given.json()["assignee"]) == ("webcare", "agent:anna")


async def test_nobody_is_assigned_what_nobody_can_take(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], lead: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    await client.post(at(ticket, "resolve"), headers=anna)

    unknown = await client.post(at(ticket, "assign"), json={"to": "ana"}, headers=lead)
    settled = await client.post(at(ticket, "assign"), json={"to": "anna"}, headers=lead)
    by_agent = await client.post(at(ticket, "assign"), json={"to": "anna"}, headers=anna)

    assert (unknown.status_code, unknown.json()["field"], unknown.json()["allowed"]) == (422, "to", ["anna"])
    assert (settled.status_code, settled.json()["code"]) == (409, "illegal_move")
    assert (by_agent.status_code, by_agent.json()["roles"]) == (403, ["manager", "admin"])


async def test_tags_are_added_and_taken_away_one_by_one(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    wishes: list[dict[str, Any]] = [{"tags": ["vip"]}, {"add_tags": ["storing", "vip"]}, {"remove_tags": ["vip"]}]

    answers = [(await client.patch(at(ticket), json=wish, headers=anna)).json()["tags"] for wish in wishes]

    assert answers == [["vip"], ["vip", "storing"], ["storing"]]
