"""Reports on work over HTTP: volume, routing, backlog, time by holder, broken promises, and tonight."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.kit.db import Transaction
from app.reports.tally.fact import Measure
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.clock import MORNING
from tests.support.facts import count, fact
from tests.support.standing import add_ticket

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
TABLES = ["volume", "routing", "routing/confusion", "backlog", "backlog/forecast", "sla/holders"]


@pytest.fixture
async def manager(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, "manager")


@pytest.fixture
async def figures(runtime: Runtime) -> None:
    async def open_(tx: Transaction) -> list[Ticket]:
        return [await add_ticket(tx, MORNING - 9 * WEEK) for _ in range(2)]

    tickets = await runtime.database.transact(open_)

    async def arrange(tx: Transaction) -> None:
        for department, ticket in zip(("billing", "network"), tickets, strict=True):
            facts = [
                fact(Measure.BACKLOG, MORNING - week * WEEK, value=1, department=department) for week in range(1, 9)
            ]
            facts += [
                fact(Measure.OPENED, MORNING - HOUR, department=department),
                fact(Measure.PLACED, MORNING - HOUR, "triage", department=department),
                fact(Measure.UNDERSTOOD, MORNING - HOUR, "outage", department=department),
                fact(Measure.HELD, MORNING - HOUR, "webcare", value=60_000, department=department),
                fact(Measure.FIRST_REPLY, MORNING - HOUR, value=60_000, department=department),
            ]
            await count(tx, facts, ticket.id)

    await runtime.database.transact(arrange)


async def read(client: httpx.AsyncClient, path: str, headers: dict[str, str], **asked: str) -> Any:
    answer = await client.get(f"/api/v1/reports/{path}", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", TABLES)
async def test_a_table_has_the_members_of_the_json_and_an_empty_period_is_no_error(
    client: httpx.AsyncClient, manager: dict[str, str], figures: None, path: str
) -> None:
    whole = await read(client, path, manager)
    table = await client.get(f"/api/v1/reports/{path}?format=csv", headers=manager)
    lines = list(csv.reader(io.StringIO(table.text)))
    assert lines[0] == list(whole["items"][0])
    assert len(lines) == 1 + len(whole["items"])
    drawn = await client.get(f"/api/v1/reports/{path}?format=svg&lang=en", headers=manager)
    assert drawn.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("path", TABLES)
async def test_nothing_is_zeros_and_nulls(client: httpx.AsyncClient, manager: dict[str, str], path: str) -> None:
    for item in (await read(client, path, manager))["items"]:
        assert {value for name, value in item.items() if name != "holder"} <= {0, None}
    drawn = await client.get(f"/api/v1/reports/{path}?format=svg", headers=manager)
    assert drawn.status_code == 200


async def test_a_department_reads_about_itself(client: httpx.AsyncClient, runtime: Runtime, figures: None) -> None:
    network = await token_for(runtime, "department", "network")
    assert (await read(client, "volume", network))["items"][0]["opened"] == 1
    assert (await read(client, "backlog/forecast", network))["open"] == 8
    assert [one["department"] for one in (await read(client, "sla/breaches", network))["items"]] == ["network"]
    assert (await read(client, "sla/breaches", network, department="billing"))["items"] == []
    assert (await read(client, "routing/confusion", network))["found"] == 1


async def test_topics_taken_for_others_come_with_how_often_a_topic_was_right(
    client: httpx.AsyncClient, manager: dict[str, str], figures: None
) -> None:
    report = await read(client, "routing/confusion", manager)
    assert (report["found"], report["right"], report["right_share"]) == (2, 0, 0.0)
    assert report["items"] == [{"first": "outage", "now": "invoice_question", "n": 2, "share": 1.0}]


async def test_a_chart_of_mistaken_topics_leaves_out_those_that_were_right_or_not_found(
    client: httpx.AsyncClient, runtime: Runtime, manager: dict[str, str], figures: None
) -> None:
    ticket = await runtime.database.transact(lambda tx: add_ticket(tx, MORNING - HOUR))
    understood = [fact(Measure.UNDERSTOOD, MORNING - HOUR, first) for first in ("invoice_question", "")]
    await runtime.database.transact(lambda tx: count(tx, understood, ticket.id))

    assert len((await read(client, "routing/confusion", manager))["items"]) == 3
    drawn = await client.get("/api/v1/reports/routing/confusion?format=svg&lang=en", headers=manager)
    told = drawn.text.partition("<desc")[2].partition("</desc>")[0]
    assert re.findall(r"[^.]+: \d+\.", told) == [" outage, Question about an invoice: 2."]


async def test_tonight_follows_from_the_weeks_before(
    client: httpx.AsyncClient, manager: dict[str, str], figures: None
) -> None:
    """In this hour two tickets came in each of eight weeks, and nothing since."""
    report = await read(client, "backlog/forecast", manager, hours="2")
    assert (report["open"], report["weeks"]) == (16, 8)
    assert [(one["step"], one["expected"]) for one in report["items"]] == [
        ("2026-11-18T11:00:00Z", 18.0),
        ("2026-11-18T12:00:00Z", 18.0),
    ]


async def test_broken_promises_lead_to_their_tickets(
    client: httpx.AsyncClient, manager: dict[str, str], figures: None
) -> None:
    page = await read(client, "sla/breaches", manager, metric="first_reply", limit="1")
    [broken] = page["items"]
    assert (broken["metric"], broken["business"], broken["calendar"]) == ("first_reply", 60.0, None)
    assert broken["late_by"] == 3600.0
    ticket = await client.get(httpx.URL(broken["url"]).path, headers=manager)
    assert ticket.json()["number"] == broken["number"]
    rest = await read(client, "sla/breaches", manager, limit="9", cursor=page["next_cursor"])
    assert len(rest["items"]) == 1
    assert (broken["team"], (await read(client, "sla/breaches", manager, team="evening"))["items"]) == (None, [])
    headline = await read(client, "sla", manager)
    assert sum(line["breached"] for line in headline["items"]) == 2


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        ("volume", {"group_by": "mood"}, "group_by"),
        ("routing", {"from": "2020-01-01T00:00:00Z", "interval": "hour"}, "interval"),
        ("backlog", {"from": "2026-12-01T00:00:00Z"}, "from"),
        ("backlog/forecast", {"hours": "25"}, "hours"),
        ("backlog/forecast", {"from": "2026-12-01T00:00:00Z"}, "from"),
        ("sla/breaches", {"metric": "mood"}, "metric"),
        ("sla/breaches", {"mood": "sad"}, "mood"),
        ("sla/holders", {"format": "svg", "figure": "mood"}, "figure"),
    ],
)
async def test_a_question_without_sense_is_told_which_field(
    client: httpx.AsyncClient, manager: dict[str, str], path: str, asked: dict[str, str], field: str
) -> None:
    answer = await client.get(f"/api/v1/reports/{path}", params=asked, headers=manager)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("path", [*TABLES, "sla/breaches", "sla/at-risk", "sla/late", "backlog/now"])
async def test_reports_are_for_managers(client: httpx.AsyncClient, runtime: Runtime, path: str) -> None:
    agent = await token_for(runtime, "agent")
    assert (await client.get(f"/api/v1/reports/{path}", headers=agent)).status_code == 403
    assert (await client.get(f"/api/v1/reports/{path}")).status_code == 401


async def test_every_report_has_figures_that_are_defined_where_they_are_told(
    client: httpx.AsyncClient, manager: dict[str, str]
) -> None:
    calls = (await client.get("/openapi.json")).json()["paths"]
    told = {path.removeprefix("/api/v1") for path, verbs in calls.items() if "get" in verbs}
    defined = {one["path"] for one in (await read(client, "metrics", manager))["items"]}
    assert defined <= told
    # What figures mean, whether they agree, and two that show figures of other reports.
    assert {path for path in told - defined if path.startswith("/reports/")} == {
        f"/reports/{name}" for name in ("metrics", "reconcile", "weekly", "rollout/steps")
    }
