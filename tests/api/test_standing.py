"""What must be done now, over HTTP: pages of promises at risk with links, and what is open."""

from datetime import timedelta
from typing import Any

import httpx

from app.kit.db import Transaction
from app.kit.ids import new_id
from app.runtime import Runtime
from app.sla.clock import Clock, State
from app.sla.policy import Metric, Policy
from app.sla.store import record_clocks
from tests.support.callers import token_for
from tests.support.clock import MORNING
from tests.support.standing import add_ticket

HOUR = timedelta(hours=1)
POLICY = Policy("usual", Metric.FIRST_REPLY, "office", 8 * HOUR, 0.75, frozenset(), "digest")


async def arrange(tx: Transaction) -> None:
    for place, department in enumerate(("billing", "network", "billing")):
        ticket = await add_ticket(tx, MORNING - HOUR, department=department, next_due_at=MORNING + place * HOUR)
        promise = Clock(
            id=new_id(),
            ticket_id=ticket.id,
            metric=Metric.FIRST_REPLY,
            round=1,
            department=None,
            policy=POLICY,
            state=State.RUNNING,
            started_at=MORNING - HOUR,
            due_at=MORNING + place * HOUR,
            warn_at=MORNING + HOUR,
        )
        await record_clocks(tx, [promise])


async def test_promises_at_risk_come_in_pages_with_links(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await runtime.database.transact(arrange)
    manager = await token_for(runtime, "manager")
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"limit": "2", "within_hours": "3"} | ({"cursor": cursor} if cursor else {})
        answer = await client.get("/api/v1/reports/sla/at-risk", params=asked, headers=manager)
        page = answer.json()
        seen, cursor = [*seen, *page["items"]], page["next_cursor"]
    assert [one["department"] for one in seen] == ["billing", "network", "billing"]
    assert (await client.get(httpx.URL(seen[0]["url"]).path, headers=manager)).json()["number"] == seen[0]["number"]


async def test_a_department_sees_its_own(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await runtime.database.transact(arrange)
    network = await token_for(runtime, "department", "network")
    at_risk = (await client.get("/api/v1/reports/sla/at-risk", headers=network)).json()
    standing = (await client.get("/api/v1/reports/backlog/now", headers=network)).json()
    assert [one["department"] for one in at_risk["items"]] == ["network"]
    assert standing == {
        "at": "2026-11-18T10:00:00Z",
        "n": 1,
        "late": 0,
        "items": [{"holder": "webcare", "department": "network", "age": "under_4h", "n": 1, "late": 0}],
    }


async def test_what_is_late_tells_which_promise_was_broken_and_by_how_much(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    async def arrange_late(tx: Transaction) -> None:
        for minutes in (10, 90):
            due_at = MORNING - timedelta(minutes=minutes)
            due = {"first_reply": due_at, "resolution": MORNING + HOUR}
            await add_ticket(tx, MORNING - 2 * HOUR, due=due, next_due_at=due_at)

    await runtime.database.transact(arrange_late)
    manager = await token_for(runtime, "manager")
    page = (await client.get("/api/v1/reports/sla/late?limit=1", headers=manager)).json()
    [late] = page["items"]
    assert late["broken"] == [{"metric": "first_reply", "due_at": "2026-11-18T08:30:00Z", "late_by": 5400.0}]
    assert (await client.get(httpx.URL(late["url"]).path, headers=manager)).json()["number"] == late["number"]
    rest = await client.get(f"/api/v1/reports/sla/late?cursor={page['next_cursor']}", headers=manager)
    assert [one["broken"][0]["late_by"] for one in rest.json()["items"]] == [600.0]
    network = await client.get("/api/v1/reports/sla/late", headers=await token_for(runtime, "department", "network"))
    assert network.json() == {"items": [], "next_cursor": None}


async def test_nothing_open_is_zero(client: httpx.AsyncClient, runtime: Runtime) -> None:
    manager = await token_for(runtime, "manager")
    standing = (await client.get("/api/v1/reports/backlog/now", headers=manager)).json()
    assert (standing["n"], standing["late"], standing["items"]) == (0, 0, [])
    at_risk = (await client.get("/api/v1/reports/sla/at-risk", headers=manager)).json()
    assert at_risk == {"items": [], "next_cursor": None}
