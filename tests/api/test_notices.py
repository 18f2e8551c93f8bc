"""Notices over HTTP: who is told of which promises, and who may read that."""

from datetime import timedelta

import httpx

from app.kit.db import Transaction
from app.kit.ids import new_id
from app.runtime import Runtime
from app.sla.clock import Clock, State
from app.sla.ladder import Does, Rung
from app.sla.policy import Metric, Policy
from app.sla.store import Reached, add_reached, record_clocks
from tests.support.callers import token_for
from tests.support.clock import MORNING
from tests.support.standing import add_ticket

POLICY = Policy("usual", Metric.FIRST_REPLY, "office", timedelta(hours=1), 0.75, frozenset(), "digest", "steep")


async def reached(runtime: Runtime, *aims: str) -> None:
    async def unit(tx: Transaction) -> None:
        ticket = await add_ticket(tx, MORNING)
        clock = Clock(new_id(), ticket.id, Metric.FIRST_REPLY, 1, None, POLICY, State.BREACHED, MORNING)
        await record_clocks(tx, [clock])
        rungs = [Rung(1, timedelta(), Does.NOTIFY, aim) for aim in aims] + [Rung(1, timedelta(), Does.RAISE, "high")]
        await add_reached(tx, [Reached(new_id(), clock, rung, MORNING, MORNING) for rung in rungs], MORNING)

    await runtime.database.transact(unit)


async def test_notices_are_listed_newest_first_and_in_pages(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await reached(runtime, "lead", "manager")
    headers = await token_for(runtime, "manager")

    first = (await client.get("/api/v1/notices", params={"limit": 1}, headers=headers)).json()
    rest = (await client.get("/api/v1/notices", params={"cursor": first["next_cursor"]}, headers=headers)).json()
    leads = (await client.get("/api/v1/notices", params={"to": "lead"}, headers=headers)).json()

    assert [one["to"] for one in first["items"] + rest["items"]] == ["manager", "lead"]
    assert rest["next_cursor"] is None
    assert [(one["to"], one["metric"], one["outcome"]) for one in leads["items"]] == [("lead", "first_reply", None)]


async def test_a_department_sees_the_notices_of_its_own_tickets(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await reached(runtime, "department")
    seen = {
        slug: (await client.get("/api/v1/notices", headers=await token_for(runtime, "department", slug))).json()[
            "items"
        ]
        for slug in ("billing", "network")
    }

    assert [one["department"] for one in seen["billing"]] == ["billing"]
    assert seen["network"] == []
