"""Scores held against each other, and who was asked at all, over HTTP."""

import csv
from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest

from app.access.role import Role
from app.feedback.answering import Answer
from app.feedback.invitation import Reason, State
from app.feedback.store import Invitation, add_invitations, record_response
from app.kit.db import Transaction
from app.kit.ids import new_id
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.clock import MORNING
from tests.support.standing import add_ticket

COMPARE = "/api/v1/reports/nps/compare"
DAY = timedelta(days=1)
GOOD, BAD = [10] * 40 + [8] * 10, [10] * 10 + [5] * 40
PERIOD = {"from": (MORNING - 10 * DAY).isoformat(), "to": MORNING.isoformat()}


async def add(tx: Transaction, days_ago: int, state: State, *, score: int | None = None, **facts: str | None) -> None:
    ticket = await add_ticket(tx, MORNING - days_ago * DAY)
    invitation = Invitation(
        id=new_id(),
        ticket_id=ticket.id,
        resolved_at=MORNING - days_ago * DAY,
        author_id=ticket.author_id,
        state=state,
        reason=Reason(reason) if (reason := facts.get("reason")) else None,
        language="nl",
        channel="x",
        account=None,
        topic="invoice_question",
        department=facts.get("department", "billing"),
        stage="pilot",
        arm=facts.get("arm"),
        priority="normal",
        agent=None,
        due_at=None,
    )
    await add_invitations(tx, [invitation])
    if score is not None:
        await record_response(tx, invitation.id, Answer(score, None), MORNING)


async def scored(runtime: Runtime, days_ago: int, scores: Sequence[int], **facts: str | None) -> None:
    async def arrange(tx: Transaction) -> None:
        for score in scores:
            await add(tx, days_ago, State.ANSWERED, score=score, **facts)

    await runtime.database.transact(arrange)


async def compared(client: httpx.AsyncClient, caller: dict[str, str], **asked: str) -> list[dict[str, object]]:
    found = await client.get(COMPARE, params={**PERIOD, **asked}, headers=caller)
    assert found.status_code == 200, found.text
    items: list[dict[str, object]] = found.json()["items"]
    return items


async def test_two_periods_that_differ_by_more_than_noise_say_so(
    client: httpx.AsyncClient, runtime: Runtime, mo: dict[str, str]
) -> None:
    await scored(runtime, 3, GOOD)
    await scored(runtime, 13, BAD)

    [line] = await compared(client, mo)

    assert (line["this"]["nps"], line["other"]["nps"], line["difference"]) == (80.0, -60.0, 140.0)  # type: ignore[index]
    assert line["more_than_noise"] is True
    assert line["low"] < 140 < line["high"]  # type: ignore[operator]


async def test_a_score_is_the_same_number_beside_another_as_by_itself(
    client: httpx.AsyncClient, runtime: Runtime, mo: dict[str, str]
) -> None:
    await scored(runtime, 3, [*GOOD, 0])

    [line] = await compared(client, mo)
    [alone] = (await client.get("/api/v1/reports/nps", params=PERIOD, headers=mo)).json()["items"]

    assert line["this"] == alone


async def test_arms_that_hardly_differ_say_that_too(
    client: httpx.AsyncClient, runtime: Runtime, mo: dict[str, str]
) -> None:
    await scored(runtime, 3, [*GOOD, 0], arm="first_hand")
    await scored(runtime, 3, GOOD, arm="control")

    [line] = await compared(client, mo, versus="arm", group_by="department,arm")

    assert line["department"] == "billing"
    assert line["more_than_noise"] is False
    assert line["low"] < 0 < line["high"]  # type: ignore[operator]


async def test_a_comparison_is_a_table_too(client: httpx.AsyncClient, runtime: Runtime, mo: dict[str, str]) -> None:
    await scored(runtime, 3, GOOD)
    await scored(runtime, 13, [*BAD, 0])
    asked = {**PERIOD, "group_by": "department", "format": "csv"}

    [line] = csv.DictReader((await client.get(COMPARE, params=asked, headers=mo)).text.splitlines())
    [told] = await compared(client, mo, group_by="department")

    sides = {f"{side}_{name}": value for side in ("this", "other") for name, value in told[side].items()}  # type: ignore[attr-defined]
    apart = {name: told[name] for name in ("difference", "low", "high")}
    whole = {"department": "billing", **sides, **apart, "more_than_noise": "true"}
    assert line == {name: str(value) for name, value in whole.items()}
    refused = await client.get(COMPARE, params={**asked, "format": "svg"}, headers=mo)
    assert (refused.status_code, refused.json()["field"]) == (422, "format")


async def test_what_is_withheld_is_not_compared(
    client: httpx.AsyncClient, runtime: Runtime, mo: dict[str, str]
) -> None:
    await scored(runtime, 3, GOOD)
    await scored(runtime, 13, [9] * 9)

    [line] = await compared(client, mo)

    assert line["other"]["n"] == 9  # type: ignore[index]
    assert [line[name] for name in ("difference", "low", "high", "more_than_noise")] == [None] * 4
    assert [one["other"]["n"] for one in await compared(client, mo, group_by="channel")] == [9]  # type: ignore[index]


async def test_an_empty_period_is_nothing_and_no_error(client: httpx.AsyncClient, mo: dict[str, str]) -> None:
    [line] = await compared(client, mo)

    assert (line["this"]["n"], line["difference"]) == (0, None)  # type: ignore[index]
    assert await compared(client, mo, versus="arm", group_by="topic") == []


@pytest.mark.parametrize("asked", [{"group_by": "colour"}, {"from": MORNING.isoformat()}, {"versus": "moon"}])
async def test_a_comparison_without_sense_is_refused(
    client: httpx.AsyncClient, mo: dict[str, str], asked: dict[str, str]
) -> None:
    found = await client.get("/api/v1/reports/nps/compare", params={**PERIOD, **asked}, headers=mo)

    assert found.status_code == 422


async def test_who_was_not_asked_is_counted_with_the_reason(
    client: httpx.AsyncClient, runtime: Runtime, mo: dict[str, str]
) -> None:
    async def arrange(tx: Transaction) -> None:
        for reason in (Reason.COOL_DOWN, Reason.COOL_DOWN, Reason.REPLY_WINDOW):
            await add(tx, 2, State.SKIPPED, reason=reason)
        await add(tx, 2, State.FAILED, reason=Reason.UNDELIVERED)
        await add(tx, 2, State.WITHDRAWN, reason=Reason.REOPENED, department="sales")
        await add(tx, 2, State.SENT)
        await add(tx, 2, State.ANSWERED, score=9)
        await add(tx, 2, State.WAITING)

    await runtime.database.transact(arrange)
    asked = await client.get("/api/v1/reports/nps/asked", params=PERIOD, headers=mo)
    els = await token_for(runtime, Role.DEPARTMENT, "sales", name="els")
    own = await client.get("/api/v1/reports/nps/asked", params={**PERIOD, "group_by": "department"}, headers=els)

    assert asked.json()["items"] == [
        {
            "invited": 2,
            "answered": 1,
            "silent": 1,
            "not_invited": {"cool_down": 2, "reopened": 1, "reply_window": 1, "undelivered": 1},
        }
    ]
    table = await client.get("/api/v1/reports/nps/asked", params={**PERIOD, "format": "csv"}, headers=mo)
    [line] = csv.DictReader(table.text.splitlines())
    assert line == {"invited": "2", "answered": "1", "silent": "1"} | {
        f"not_invited_{reason}": str(asked.json()["items"][0]["not_invited"].get(reason, 0)) for reason in Reason
    }
    assert own.json()["items"] == [
        {"department": "sales", "invited": 0, "answered": 0, "silent": 0, "not_invited": {"reopened": 1}}
    ]
