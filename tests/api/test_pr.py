"""PR's calls over HTTP."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.clock import MORNING, Clock
from tests.support.mentions import mention
from tests.support.tickets import ticket_of

ANGRY = "Schandalig. Mijn pakket is er niet, mijn advocaat belt jullie en ik stap naar Kassa"


@pytest.fixture
async def agent(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.AGENT, name="anna")


async def posted(runtime: Runtime, text: str = ANGRY, **facts: Any) -> str:
    """The id of the ticket."""
    return str((await ticket_of(runtime, mention(text, **facts))).id)


async def listed(client: httpx.AsyncClient, caller: Mapping[str, str], **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/escalations", headers=caller, params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_queue_of_pr(client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str], clock: Clock) -> None:
    first, second = await posted(runtime), await posted(runtime, "Mijn telefoon vatte vlam, is in brand!", by="bo")

    [one, other] = await listed(client, pr)
    assert (one["ticket_id"], other["ticket_id"]) == (first, second)
    assert (one["state"], one["overdue"], one["lesson"]) == ("raised", False, None)
    assert one["due_at"] == (MORNING + timedelta(minutes=30)).isoformat().replace("+00:00", "Z")
    assert one["reasons"][0] == {
        "code": "legal",
        "text": "legal: phrase 'advocaat'",
        "figures": {"phrase": "advocaat", "points": 35},
        "actor": "system",
        "given_at": MORNING.isoformat().replace("+00:00", "Z"),
    }
    assert [item["ticket_id"] for item in await listed(client, pr, reason="safety")] == [second]
    assert [item["ticket_id"] for item in await listed(client, pr, ticket_id=first)] == [first]
    assert await listed(client, pr, overdue=True) == []
    clock.pass_(hours=1)
    assert [item["overdue"] for item in await listed(client, pr, overdue=True, state="raised")] == [True, True]


async def test_a_tickets_risk_is_explained(client: httpx.AsyncClient, runtime: Runtime, agent: dict[str, str]) -> None:
    ticket_id = await posted(runtime)
    ticket = (await client.get(f"/api/v1/tickets/{ticket_id}", headers=agent)).json()
    told = (await client.get(f"/api/v1/tickets/{ticket_id}/explain", headers=agent)).json()
    assert [(part["code"], part["points"]) for part in told["risk"]] == [("media", 40), ("legal", 35), ("mood", 5)]
    assert ticket["risk"] == sum(part["points"] for part in told["risk"])
    assert sorted(ticket["escalated_for"]) == ["legal", "media", "mood"]


async def test_the_queue_of_pr_comes_in_pages(client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str]) -> None:
    tickets = [await posted(runtime, by=f"u{n}") for n in range(3)]
    seen, cursor = [], None
    while True:
        page = (
            await client.get(
                "/api/v1/escalations", headers=pr, params={"limit": 2, **({"cursor": cursor} if cursor else {})}
            )
        ).json()
        seen += [item["ticket_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == tickets


async def test_from_asking_to_a_lesson(
    client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str], agent: dict[str, str]
) -> None:
    ticket_id = await posted(runtime, "Waar blijft mijn pakketje? Zou gisteren al bezorgd worden")
    asked = {"to": "pr", "reason": "Heeft een programma op tv"}
    escalated = await client.post(f"/api/v1/tickets/{ticket_id}/escalate", headers=agent, json=asked)
    assert (escalated.status_code, escalated.json()["escalated"]) == (200, True)
    assert "ETag" in escalated.headers

    [one] = await listed(client, pr)
    path = f"/api/v1/escalations/{one['id']}"
    seen = await client.post(f"{path}/acknowledge", headers=pr, json={"take_over": True})
    assert (seen.status_code, seen.json()["state"], seen.json()["acknowledged_by"]) == (200, "acknowledged", "pr:eva")
    ticket = (await client.get(f"/api/v1/tickets/{ticket_id}", headers=agent)).json()
    assert (ticket["holder"], ticket["assignee"]) == ("pr", "pr:eva")

    again = await client.post(f"{path}/acknowledge", headers=pr)
    assert (again.status_code, again.json()["code"], again.json()["state"]) == (
        409,
        "escalation_moved_on",
        "acknowledged",
    )
    done = await client.post(f"{path}/close", headers=pr, json={"lesson": "Eerder bellen"})
    assert (done.json()["state"], done.json()["lesson"]) == ("closed", "Eerder bellen")
    assert (await client.get(path, headers=pr)).json() == done.json()
    ticket = (await client.get(f"/api/v1/tickets/{ticket_id}", headers=agent)).json()
    assert (ticket["escalated"], ticket["holder"], ticket["assignee"]) == (False, "department", None)


async def test_an_embargo_is_seen_on_the_ticket_until_its_release(
    client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str], agent: dict[str, str]
) -> None:
    ticket_id = await posted(runtime)
    [one] = await listed(client, pr)
    path = f"/api/v1/escalations/{one['id']}"
    box = {"until": "2026-11-20T00:00:00Z", "fallback_text": "We zoeken het uit."}

    held = await client.post(f"{path}/embargo", headers=pr, json=box)
    assert held.status_code == 200, held.text
    [embargo] = held.json()["embargoes"]
    assert (embargo["scope"], embargo["ticket_id"], embargo["until"]) == ("ticket", ticket_id, box["until"])
    ticket = (await client.get(f"/api/v1/tickets/{ticket_id}", headers=agent)).json()
    assert (ticket["embargoed"], ticket["holder"]) == (True, "pr")
    assert ticket["embargo"] == {
        "scope": "ticket",
        **box,
        "actor": "pr:eva",
        "set_at": MORNING.isoformat().replace("+00:00", "Z"),
    }
    reply = await client.post(f"/api/v1/tickets/{ticket_id}/reply", headers=agent, json={"text": "Dag!"})
    assert (reply.status_code, reply.json()["state"]) == (202, "held")

    freed = await client.post(f"{path}/release", headers=pr, json={"reject": "Hier zeggen we niets over"})
    assert freed.json()["embargoes"][0]["released_by"] == "pr:eva"
    ticket = (await client.get(f"/api/v1/tickets/{ticket_id}", headers=agent)).json()
    assert (ticket["embargo"], ticket["replies"][0]["state"]) == (None, "rejected")
    again = await client.post(f"{path}/release", headers=pr)
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_release")


@pytest.mark.parametrize(
    ("box", "field"),
    [
        ({}, "until"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "2090-01-01T00:00:00Z"}, "until"),
        ({"until": "2026-11-20T00:00:00Z", "scope": "world"}, "scope"),
        ({"until": "2026-11-20T00:00:00Z", "scope": "incident"}, "scope"),
        ({"until": "2026-11-20T00:00:00Z", "fallback_text": " "}, "fallback_text"),
    ],
)
async def test_an_embargo_has_an_end_and_a_scope(
    client: httpx.AsyncClient, runtime: Runtime, pr: dict[str, str], box: dict[str, str], field: str
) -> None:
    await posted(runtime)
    [one] = await listed(client, pr)
    refused = await client.post(f"/api/v1/escalations/{one['id']}/embargo", headers=pr, json=box)
    assert (refused.status_code, refused.json()["field"]) == (422, field)


@pytest.mark.parametrize("role", [Role.AGENT, Role.INGEST])
async def test_others_do_not_do_prs_work(client: httpx.AsyncClient, runtime: Runtime, role: Role) -> None:
    caller = await token_for(runtime, role)
    assert (await client.get("/api/v1/escalations", headers=caller)).status_code == 403
    nothing = "00000000-0000-0000-0000-000000000000"
    closing = await client.post(f"/api/v1/escalations/{nothing}/close", headers=caller, json={"lesson": "l"})
    assert closing.status_code == 403


async def test_a_manager_reads_and_does_not_act(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await posted(runtime)
    manager = await token_for(runtime, Role.MANAGER)
    [one] = await listed(client, manager)
    assert (await client.post(f"/api/v1/escalations/{one['id']}/acknowledge", headers=manager)).status_code == 403


async def test_what_is_not_there(client: httpx.AsyncClient, pr: dict[str, str]) -> None:
    nothing = "00000000-0000-0000-0000-000000000000"
    missing = await client.get(f"/api/v1/escalations/{nothing}", headers=pr)
    assert (missing.status_code, missing.json()["code"]) == (404, "escalation_not_found")


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"to": "press", "reason": "r"}, "to"), ({"to": "pr"}, "reason"), ({"to": "pr", "reason": " "}, "reason")],
)
async def test_asking_pr_needs_a_reason(
    client: httpx.AsyncClient, runtime: Runtime, agent: dict[str, str], asked: dict[str, str], field: str
) -> None:
    ticket_id = await posted(runtime)
    refused = await client.post(f"/api/v1/tickets/{ticket_id}/escalate", headers=agent, json=asked)
    assert (refused.status_code, refused.json()["field"]) == (422, field)


async def test_a_department_escalates_its_own_tickets_only(client: httpx.AsyncClient, runtime: Runtime) -> None:
    ticket_id = await posted(runtime, "Waar blijft mijn pakketje? Zou gisteren al bezorgd worden")
    asked = {"to": "pr", "reason": "De bezorger is op tv"}
    theirs = await token_for(runtime, Role.DEPARTMENT, "supply_chain")
    others = await token_for(runtime, Role.DEPARTMENT, "billing", name="bo")
    path = f"/api/v1/tickets/{ticket_id}/escalate"
    assert (await client.post(path, headers=others, json=asked)).status_code == 404
    assert (await client.post(path, headers=theirs, json=asked)).status_code == 200
