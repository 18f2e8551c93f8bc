"""Calendars over HTTP: which hours count, and why."""

import json
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.support.callers import token_for

EXPLAIN = "/api/v1/calendars/office/explain"


async def explained(client: httpx.AsyncClient, runtime: Runtime, **asked: Any) -> httpx.Response:
    return await client.post(EXPLAIN, json=asked, headers=await token_for(runtime, "manager"))


async def test_the_hours_until_a_promise_is_due_are_shown(client: httpx.AsyncClient, runtime: Runtime) -> None:
    """From Christmas Eve, a half day, over the holidays and the weekend; 4 hours of lunch breaks and closing days."""
    answer = await explained(client, runtime, **{"from": "2026-12-24T10:00:00Z", "target": "4 hours"})

    told = answer.json()
    assert answer.status_code == 200
    assert (told["to"], told["elapsed_seconds"]) == ("2026-12-28T10:30:00Z", 4 * 3600)
    assert told["intervals"] == [
        {"start": "2026-12-24T10:00:00Z", "end": "2026-12-24T11:30:00Z", "seconds": 5400.0},
        {"start": "2026-12-28T08:00:00Z", "end": "2026-12-28T10:30:00Z", "seconds": 9000.0},
    ]
    assert [(day["day"], day["hours"], day["because"]) for day in told["days"]] == [
        ("2026-12-24", ["09:00-12:30"], "this date has its own hours every year"),
        ("2026-12-25", [], "holiday: Christmas Day"),
        ("2026-12-26", [], "holiday: Second Day of Christmas"),
        ("2026-12-27", [], "the week"),
        ("2026-12-28", ["09:00-12:30", "13:00-17:00"], "the week"),
    ]


async def test_the_hours_between_two_moments_are_counted(client: httpx.AsyncClient, runtime: Runtime) -> None:
    answer = await explained(client, runtime, **{"from": "2026-11-20T15:00:00Z", "to": "2026-11-23T09:00:00Z"})

    assert answer.json()["elapsed_seconds"] == 2 * 3600


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from": "2026-11-20T15:00:00Z"}, "to_or_target"),
        ({"from": "2026-11-20T15:00:00Z", "to": "2026-11-21T15:00:00Z", "target": "1 hour"}, "to_or_target"),
        ({"from": "2026-11-20T15:00:00Z", "to": "2026-11-19T15:00:00Z"}, "to_or_target"),
        ({"from": "2026-11-20T15:00:00Z", "to": "2028-11-20T15:00:00Z"}, "period_too_long"),
        ({"from": "2026-11-20T15:00:00Z", "target": "999999 days"}, "period_too_long"),
        ({"from": "2026-11-20T15:00:00Z", "target": "soon"}, "invalid_request"),
        ({"from": "2026-11-20", "target": "1 hour"}, "invalid_request"),
    ],
)
async def test_what_cannot_be_explained_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, asked: dict[str, str], code: str
) -> None:
    answer = await explained(client, runtime, **asked)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("target", ["soon", "\ud800", "1 hour\x00", "x" * 2000])
async def test_a_target_that_is_no_length_of_time_is_told_how_to_write_one(
    client: httpx.AsyncClient, runtime: Runtime, target: str
) -> None:
    headers = await token_for(runtime, "agent") | {"Content-Type": "application/json"}
    body = json.dumps({"from": "2026-11-20T15:00:00Z", "target": target})
    answer = await client.post(EXPLAIN, content=body, headers=headers)

    assert (answer.status_code, answer.json()["field"]) == (422, "target")
    assert answer.json()["detail"].endswith("is no length of time; write it as '15 minutes', '4 hours' or '90 days'.")


async def test_calendars_are_listed_and_others_are_not_there(client: httpx.AsyncClient, runtime: Runtime) -> None:
    headers = await token_for(runtime, "agent")
    listed = await client.get("/api/v1/calendars", headers=headers)
    missing = await client.post(
        "/api/v1/calendars/moon/explain", json={"from": "2026-11-20T15:00:00Z"}, headers=headers
    )

    assert {"name": "office", "zone": "Europe/Amsterdam"} in listed.json()["items"]
    assert (missing.status_code, missing.json()["code"]) == (404, "calendar_not_found")
