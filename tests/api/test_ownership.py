"""The oil stain spreads by steps that figures allow, and draws back by itself where a department falls short."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.access.role import Caller, Role
from app.flows.receive import receive
from app.flows.rollout import mind_gates, take_step
from app.flows.rules import begin_rules
from app.kit.ids import new_id
from app.routing.ownership import Stage
from app.routing.readiness import Step
from app.rulebook import parse
from app.rulebook.stepping import steps_in
from app.runtime import InForce, Runtime
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import mention
from tests.support.tickets import ticket_of

LINE = {"topic": "delivery_delay", "channels": ["forum"]}


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    """With rules in which two cases tell enough."""
    sources = dict(runtime.rulebook.sources)
    sources["ownership.yaml"] = sources["ownership.yaml"].replace("least: 30", "least: 2")
    return replace(runtime, rules=InForce(parse(sources)))


async def line(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = (await client.get("/api/v1/ownership", headers=headers)).json()
    [found] = [one for one in answer["items"] if (one["topic"], one["channels"]) == ("delivery_delay", ["forum"])]
    return dict(found)


async def handed_back(client: httpx.AsyncClient, runtime: Runtime, clock: Clock, count: int) -> None:
    """A department says no to every ticket on the forum that it is given."""
    els = await token_for(runtime, Role.DEPARTMENT, "supply_chain", name="els")
    for number in range(count):
        ticket = await ticket_of(runtime, mention(channel="forum", by=f"u{clock():%H%M}{number}"))
        clock.pass_(minutes=1)
        path = f"/api/v1/tickets/{ticket.id}/handback"
        assert (await client.post(path, json={"reason": "not_ours"}, headers=els)).status_code == 200


async def test_a_line_whose_gate_breaks_goes_one_step_back_and_its_department_hears_of_it(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, admin: dict[str, str]
) -> None:
    await begin_rules(runtime)
    made = {"department": "supply_chain", "url": "https://parcels.example/hook"}
    assert (await client.post("/api/v1/endpoints", json=made, headers=admin)).status_code == 201
    await handed_back(client, runtime, clock, 2)
    before = await line(client, admin)
    assert (before["step"]["stage"], before["opened"], before["figures"]["handed_back"]) == ("live", 2, 2)
    assert {gate["name"]: gate["holds"] for gate in before["gates"]} == {
        "acceptance": True,
        "answered": False,
        "hand_back": False,
        "nps": None,
    }

    clock.pass_(minutes=1)
    assert await mind_gates(runtime, clock()) == 1
    assert await mind_gates(runtime, clock()) == 0, "figures of the step before do not count against the new one"

    after = await line(client, admin)
    assert (after["step"], after["figures"]["handed_over"]) == ({"stage": "pilot", "percent": 60}, 0)
    version = (await client.get("/api/v1/rules/versions", headers=admin)).json()["items"][0]
    assert (version["origin"], version["actor"]) == ("step", "system")
    assert "hand_back is 1.00 of 2 cases, wanted is at most 0.15" in version["note"]
    async with runtime.reading() as tx:
        told = await tx.fetch("SELECT xmin::text AS by FROM message WHERE type = 'ownership.stepped'")
        [newest] = await tx.fetch("SELECT xmin::text AS by FROM rules_version ORDER BY number DESC LIMIT 1")
    assert told == [newest], "one transaction, so that no crash parts the step from the news of it"


async def test_a_step_ahead_waits_for_its_gates_unless_a_person_insists(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, admin: dict[str, str]
) -> None:
    asked = {"topic": "delivery_delay", "channels": ["x"], "direction": "ahead", "note": "both arms alike"}
    path = "/api/v1/ownership/step"

    early = await client.post(path, json=asked, headers=admin)
    taken = await client.post(path, json=asked | {"despite": True}, headers=admin)
    found = (await client.get("/api/v1/ownership", headers=admin)).json()
    away = await client.post(path, json=asked | {"topic": "order_status", "channels": ["mastodon"]}, headers=admin)
    last = await client.post(path, json=asked | LINE, headers=admin)

    assert (early.status_code, early.json()["code"]) == (409, "gates_not_open")
    assert early.json()["gates"][0] == "acceptance is none of 0 cases, wanted is at least 0.9"
    assert taken.status_code == 200
    steps = {(one["topic"], tuple(one["channels"])): one["step"] for one in found["items"]}
    assert steps["delivery_delay", ("x",)] == {"stage": "pilot", "percent": 60}
    assert steps["order_status", ("x",)] == {"stage": "pilot", "percent": 30}
    assert (away.status_code, away.json()["code"]) == (404, "ownership_not_found")
    assert (last.status_code, last.json()["code"]) == (409, "no_such_step")
    ticket = await ticket_of(runtime, mention(channel="x"))
    assert ticket.stage == "pilot"


async def test_a_step_starts_from_where_others_moved_the_line(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, admin: dict[str, str]
) -> None:
    """A process is up to two seconds behind; two steps back would be more than was asked for."""
    await begin_rules(runtime)
    elsewhere = replace(runtime, rules=InForce(runtime.rulebook))
    await begin_rules(elsewhere)
    asked = {"topic": "delivery_delay", "channels": ["x"], "direction": "ahead", "despite": True, "note": "go"}
    taken = await client.post("/api/v1/ownership/step", json=asked, headers=admin)
    assert taken.status_code == 200
    sam = Caller(new_id(), "sam", Role.ADMIN)

    await take_step(elsewhere, sam, clock(), "delivery_delay", ["x"], ahead=False, despite=False, note="not yet")

    steps = steps_in(elsewhere.rulebook.sources["ownership.yaml"])
    assert steps["delivery_delay", frozenset({"x"})] == Step(Stage.PILOT, 30)


async def test_the_map_says_how_much_is_answered_at_which_stage(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, admin: dict[str, str]
) -> None:
    await receive(runtime, [mention(channel="forum", by="a"), mention("Mijn factuur klopt niet", channel="x", by="b")])
    coverage = (await client.get("/api/v1/ownership", headers=admin)).json()["coverage"]
    assert coverage == {"central": 0.0, "advise": 0.5, "pilot": 0.0, "live": 0.5}
