"""The oil stain in figures: arms side by side, and before and after each step."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.flows.rules import put_in_force
from app.reports.figures import COMPARED
from app.reports.question import MAX_LINES
from app.reports.tally.fact import Fact, Measure
from app.routing.ownership import Stage
from app.routing.readiness import Step
from app.routing.rules.version import Origin
from app.rulebook.stepping import FILE, stepped
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.clock import MORNING, Clock
from tests.support.facts import count, fact

DAY = timedelta(days=1)
TOPIC = "delivery_delay"


def replies(arm: str | None, kept: int, broken: int, at: Any = MORNING - DAY, **said: Any) -> list[Fact]:
    said |= {"arm": arm, "topic": TOPIC, "department": "supply_chain"}
    return [fact(Measure.FIRST_REPLY, at, good=n < kept, value=60_000, **said) for n in range(kept + broken)]


async def read(client: httpx.AsyncClient, path: str, headers: dict[str, str], **asked: str) -> Any:
    answer = await client.get(f"/api/v1/reports/{path}", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_arms_stand_side_by_side_with_the_interval_of_their_difference(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """56 of 70 against 48 of 80: the worked example of R. G. Newcombe (1998), method 10."""
    facts = [*replies("first_hand", 56, 14), *replies("control", 48, 32), *replies(None, 5, 5)]
    await runtime.database.transact(lambda tx: count(tx, facts))
    manager = await token_for(runtime, "manager")
    report = await read(client, "rollout", manager, group_by="topic")
    kept = next(line for line in report["items"] if line["figure"] == "first_reply_met")
    assert kept == {
        "topic": TOPIC,
        "figure": "first_reply_met",
        "n": 70,
        "value": 0.8,
        "low": 0.6918,
        "high": 0.877,
        "other_n": 80,
        "other_value": 0.6,
        "other_low": 0.4905,
        "other_high": 0.7004,
        "difference": 0.2,
        "difference_low": 0.0524,
        "difference_high": 0.3339,
        "more_than_noise": True,
    }
    drawn = await client.get("/api/v1/reports/rollout?format=svg&lang=en", headers=manager)
    assert "first hand" in drawn.text


async def test_without_pilots_both_arms_are_nothing(client: httpx.AsyncClient, runtime: Runtime) -> None:
    manager = await token_for(runtime, "manager")
    report = await read(client, "rollout", manager)
    assert {(line["n"], line["value"], line["other_n"], line["difference"]) for line in report["items"]} == {
        (0, None, 0, None)
    }
    assert await read(client, "rollout/steps", manager) == {"items": []}


async def test_more_groups_than_an_answer_has_room_for_are_refused(client: httpx.AsyncClient, runtime: Runtime) -> None:
    facts = [one for n in range(MAX_LINES // len(COMPARED) + 1) for one in replies("control", 1, 0, account=f"@{n}")]
    await runtime.database.transact(lambda tx: count(tx, facts))
    manager = await token_for(runtime, "manager")
    answer = await client.get("/api/v1/reports/rollout?group_by=account", headers=manager)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_lines")
    assert len((await read(client, "rollout", manager, group_by="topic"))["items"]) == len(COMPARED)


@pytest.mark.parametrize(("department", "steps"), [(None, 1), ("supply_chain", 1), ("billing", 0)])
async def test_each_step_is_held_against_the_time_before_it(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, department: str | None, steps: int
) -> None:
    line = next(one for one in runtime.rulebook.routing.ownerships if one.topic == TOPIC and one.channels)
    channel = min(line.channels or ())
    before = runtime.rulebook.sources[FILE]
    await put_in_force(runtime, {FILE: before}, Origin.STEP, "admin:sam", "as it was")
    clock.pass_(days=30)
    taken_at = clock()
    changed = stepped(before, line, Step(Stage.ADVISE))
    await put_in_force(runtime, {FILE: changed}, Origin.STEP, "admin:sam", "back")
    facts = [
        *replies(None, 9, 1, taken_at - DAY, channel=channel),
        *replies(None, 2, 8, taken_at + DAY, channel=channel),
        *replies(None, 0, 50, taken_at - 40 * DAY, channel=channel),
        *replies(None, 0, 50, taken_at - DAY, channel="elsewhere"),
    ]
    await runtime.database.transact(lambda tx: count(tx, facts))
    clock.pass_(days=2)
    caller = await token_for(runtime, "department" if department else "manager", department)
    items = (await read(client, "rollout/steps", caller))["items"]
    assert len(items) == steps
    for item in items:
        assert (item["topic"], item["after"]) == (TOPIC, "advise")
        kept = next(one for one in item["figures"] if one["figure"] == "first_reply_met")
        assert (kept["value"], kept["other_value"], kept["more_than_noise"]) == (0.2, 0.9, True)
