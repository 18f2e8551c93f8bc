"""Reports over HTTP: how a question is asked, who may ask it, and what spreadsheets get."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.api.reports.answering import ReportOut
from app.api.reports.backlog import BacklogReportOut, ForecastOut
from app.api.reports.nps import NpsReportOut
from app.api.reports.rollout import RolloutOut
from app.api.reports.routing import ConfusionOut, RoutingReportOut
from app.api.reports.sla import SlaReportOut
from app.api.reports.volume import VolumeReportOut
from app.api.reports.waiting import HeldReportOut
from app.feedback.answering import Answer
from app.feedback.invitation import State
from app.feedback.store import Invitation, add_invitations, record_response
from app.flows.tally import tally
from app.kit.db import Transaction
from app.kit.ids import new_id
from app.reports.question import ASKABLE
from app.reports.tally.fact import Measure
from app.runtime import Runtime
from app.sla.clock import Clock as Promise
from app.sla.clock import State as Clocked
from app.sla.policy import Metric, Policy
from app.sla.store import record_clocks
from tests.support.callers import token_for
from tests.support.clock import MORNING
from tests.support.facts import count, fact
from tests.support.standing import add_ticket

HOUR = timedelta(hours=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
POLICY = Policy("usual", Metric.FIRST_REPLY, "office", HOUR, 0.75, frozenset(), "digest")
SCORES = [10] * 8 + [8, 0]


async def answered(tx: Transaction, score: int, *, department: str = "billing", account: str | None = None) -> None:
    ticket = await add_ticket(tx, MORNING)
    invitation = Invitation(
        id=new_id(),
        ticket_id=ticket.id,
        resolved_at=MORNING - HOUR,
        author_id=ticket.author_id,
        state=State.ANSWERED,
        reason=None,
        language="nl",
        channel="x",
        account=account,
        topic="invoice_question",
        department=department,
        stage="central",
        arm=None,
        priority="normal",
        agent="agent:anna",
        due_at=None,
    )
    await add_invitations(tx, [invitation])
    await record_response(tx, invitation.id, Answer(score, None), MORNING)


async def kept(tx: Transaction, seconds: float) -> None:
    ticket = await add_ticket(tx, MORNING - HOUR)
    promise = Promise(
        id=new_id(),
        ticket_id=ticket.id,
        metric=Metric.FIRST_REPLY,
        round=1,
        department=None,
        policy=POLICY,
        state=Clocked.MET,
        started_at=MORNING - HOUR,
        ended_at=MORNING - timedelta(seconds=1),
        elapsed=timedelta(seconds=seconds),
    )
    await record_clocks(tx, [promise])


@pytest.fixture
async def figures(runtime: Runtime) -> None:
    async def arrange(tx: Transaction) -> None:
        for score in SCORES:
            await answered(tx, score)
        await answered(tx, 9, department="sales", account="@poldermobiel")
        for seconds in (10, 20, 31):
            await kept(tx, seconds)

    await runtime.database.transact(arrange)


@pytest.fixture
async def manager(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, "manager")


async def read(client: httpx.AsyncClient, path: str, headers: dict[str, str], **question: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/reports/{path}", params=question, headers=headers)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def test_nps_comes_with_its_interval_and_is_withheld_below_ten(
    client: httpx.AsyncClient, figures: None, manager: dict[str, str]
) -> None:
    report = await read(client, "nps", manager, group_by="department,channel")

    billing, sales = report["items"]
    assert billing == {
        "department": "billing",
        "channel": "x",
        "n": 10,
        "promoters": 8,
        "passives": 1,
        "detractors": 1,
        "invited": 10,
        "nps": 70.0,
        "low": pytest.approx(53.8 - 39.1, abs=0.1),
        "high": pytest.approx(53.8 + 39.1, abs=0.1),
        "response_rate": 1.0,
    }
    assert (sales["n"], sales["nps"], sales["low"], sales["high"]) == (1, None, None, None)


async def test_days_are_those_of_the_time_zone_of_the_rules(
    client: httpx.AsyncClient, runtime: Runtime, manager: dict[str, str]
) -> None:
    await runtime.run(tally, 1)  # the first count says in which zone
    late = datetime(2026, 10, 25, 23, 30, tzinfo=UTC)  # half past midnight on Monday

    async def arrange(tx: Transaction) -> None:
        await count(tx, [fact(Measure.OPENED, late)], zone=AMSTERDAM)

    await runtime.database.transact(arrange)
    asked = {"from": "2026-10-24", "to": "2026-10-27", "interval": "day"}
    report = await read(client, "volume", manager, **asked)
    told = {name: report[name] for name in ("from", "to", "time_zone")}
    assert told == {"from": "2026-10-23T22:00:00Z", "to": "2026-10-26T23:00:00Z", "time_zone": "Europe/Amsterdam"}
    assert [(line["step"], line["opened"]) for line in report["items"]] == [
        ("2026-10-23T22:00:00Z", 0),
        ("2026-10-24T22:00:00Z", 0),
        ("2026-10-25T23:00:00Z", 1),
    ]
    table = await client.get("/api/v1/reports/volume", params={**asked, "format": "csv"}, headers=manager)
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["step"] for row in rows] == [
        "2026-10-24T00:00:00+02:00",
        "2026-10-25T00:00:00+02:00",
        "2026-10-26T00:00:00+01:00",
    ]
    drawn = await client.get("/api/v1/reports/volume", params={**asked, "format": "svg"}, headers=manager)
    assert "24 okt 0; 25 okt 0; 26 okt 1" in drawn.text


@pytest.mark.parametrize("given", ["gisteren", "2026", "1763800000", "20261101", "2026-02-30", "2026-11-01T00:00:00"])
async def test_what_is_neither_a_day_nor_a_moment_is_refused_with_an_example(
    client: httpx.AsyncClient, manager: dict[str, str], given: str
) -> None:
    answer = await client.get("/api/v1/reports/nps", params={"from": given}, headers=manager)
    assert answer.status_code == 422
    assert (answer.json()["field"], "2026-11-22" in answer.json()["detail"]) == ("from", True)


@pytest.mark.parametrize("path", ["reports/nps", "reports/sla/breaches", "feedback/verbatims"])
async def test_a_field_that_is_given_twice_is_refused_by_its_name(
    client: httpx.AsyncClient, manager: dict[str, str], path: str
) -> None:
    answer = await client.get(f"/api/v1/{path}?topic=a&channel=x&topic=b", headers=manager)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "field_repeated", "topic")


async def test_what_cannot_be_compared_says_how_it_could(client: httpx.AsyncClient, manager: dict[str, str]) -> None:
    asked = {"from": "2000-01-01", "to": "2099-12-31"}
    answer = await client.get("/api/v1/reports/reconcile", params=asked, headers=manager)
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (422, "too_much_to_compare", "from")
    assert "shorter period" in told["detail"]


@pytest.mark.parametrize(("hours", "status"), [(1666, 200), (1667, 422)])
async def test_ten_thousand_lines_are_the_most_also_where_a_step_has_six(
    client: httpx.AsyncClient, manager: dict[str, str], hours: int, status: int
) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    asked = {"from": f"{start:%FT%TZ}", "to": f"{start + hours * HOUR:%FT%TZ}", "interval": "hour"}
    answer = await client.get("/api/v1/reports/sla/holders", params=asked, headers=manager)
    assert answer.status_code == status


@pytest.mark.parametrize("name", ["interval", "group_by"])
async def test_what_a_report_cannot_be_asked_is_refused_not_ignored(
    client: httpx.AsyncClient, manager: dict[str, str], name: str
) -> None:
    answer = await client.get("/api/v1/reports/routing/confusion", params={name: "topic"}, headers=manager)
    assert (answer.status_code, answer.json()["field"]) == (422, name)


@pytest.mark.parametrize(
    ("path", "described"),
    [
        ("sla", SlaReportOut),
        ("sla/holders", HeldReportOut),
        ("nps", NpsReportOut),
        ("routing", RoutingReportOut),
        ("routing/confusion", ConfusionOut),
        ("volume", VolumeReportOut),
        ("backlog", BacklogReportOut),
        ("backlog/forecast", ForecastOut),
        ("rollout", RolloutOut),
    ],
)
async def test_a_report_has_the_members_that_are_described(
    client: httpx.AsyncClient, runtime: Runtime, manager: dict[str, str], path: str, described: type[ReportOut]
) -> None:
    """It is written without a look at its model."""
    await runtime.database.transact(lambda tx: kept(tx, 60.5))
    answer = await client.get(f"/api/v1/reports/{path}", headers=manager)
    assert answer.status_code == 200, answer.text
    read = described.model_validate_json(answer.content)
    assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == answer.json()


async def test_the_question_comes_back_as_it_was_understood(client: httpx.AsyncClient, manager: dict[str, str]) -> None:
    report = await read(client, "nps", manager)

    assert {name: report[name] for name in ("from", "to", "interval", "group_by")} == {
        "from": "2026-10-19T10:00:00Z",
        "to": "2026-11-18T10:00:00Z",
        "interval": "none",
        "group_by": [],
    }


async def test_sla_tells_seconds_per_metric(client: httpx.AsyncClient, figures: None, manager: dict[str, str]) -> None:
    report = await read(client, "sla", manager, group_by="agent,priority")

    assert report["items"] == [
        {
            "agent": None,
            "priority": "normal",
            "metric": "first_reply",
            "n": 3,
            "met": 3,
            "breached": 0,
            "met_share": 1.0,
            "p50": pytest.approx(20.0, rel=0.02),
            "p90": pytest.approx(28.8, rel=0.02),
            "p99": pytest.approx(30.78, rel=0.02),
            "p50_calendar": pytest.approx(3599, rel=0.02),
            "p90_calendar": pytest.approx(3599, rel=0.02),
            "p99_calendar": pytest.approx(3599, rel=0.02),
        }
    ]


async def test_an_empty_period_is_zeros_and_nulls(client: httpx.AsyncClient, manager: dict[str, str]) -> None:
    period = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-03T00:00:00Z"}
    nps = await read(client, "nps", manager, interval="day", **period)
    sla = await read(client, "sla", manager, **period)

    assert [line["step"] for line in nps["items"]] == ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"]
    assert {(line["n"], line["nps"], line["response_rate"]) for line in nps["items"]} == {(0, None, None)}
    assert {line["metric"]: (line["n"], line["met_share"], line["p50"]) for line in sla["items"]} == {
        str(metric): (0, None, None) for metric in Metric
    }


async def test_a_spreadsheet_gets_the_same_figures_and_no_formulas(
    client: httpx.AsyncClient, figures: None, manager: dict[str, str]
) -> None:
    answer = await client.get("/api/v1/reports/nps?format=csv&group_by=account&interval=month", headers=manager)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    header, *lines = csv.reader(io.StringIO(answer.text))
    assert header[:3] == ["step", "account", "n"]
    assert [line[:3] for line in lines] == [
        ["2026-10-01T00:00:00Z", "'@poldermobiel", "0"],
        ["2026-10-01T00:00:00Z", "", "0"],
        ["2026-11-01T00:00:00Z", "'@poldermobiel", "1"],
        ["2026-11-01T00:00:00Z", "", "10"],
    ]
    assert lines[-1][header.index("nps")] == "70.0"


async def test_a_negative_figure_stays_a_number_in_a_spreadsheet(
    client: httpx.AsyncClient, runtime: Runtime, manager: dict[str, str]
) -> None:
    async def arrange(tx: Transaction) -> None:
        for _ in range(10):
            await answered(tx, 0)

    await runtime.database.transact(arrange)
    answer = await client.get("/api/v1/reports/nps?format=csv", headers=manager)

    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert line["nps"] == "-100.0"


@pytest.mark.parametrize("path", ["nps", "sla"])
@pytest.mark.parametrize(
    ("question", "field", "code"),
    [
        ({"group_by": "mood"}, "group_by", "unknown_dimension"),
        ({"group_by": "topic,topic"}, "group_by", "unknown_dimension"),
        ({"from": "2026-02-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}, "from", "empty_period"),
        ({"from": "2026-02-02T00:00:00Z", "to": "2026-02-01T00:00:00Z"}, "from", "empty_period"),
        ({"from": "2020-01-01T00:00:00Z", "interval": "hour"}, "interval", "too_many_lines"),
        ({"from": "yesterday"}, "from", "invalid_request"),
        ({"to": "2026-02-01T00:00:00"}, "to", "invalid_request"),
        ({"to": "9999-12-31T23:59:59Z"}, "to", "invalid_request"),
        ({"interval": "fortnight"}, "interval", "invalid_request"),
        ({"format": "xlsx"}, "format", "invalid_request"),
        ({"groupby": "topic"}, "groupby", "invalid_request"),
    ],
)
async def test_a_question_without_sense_is_told_which_field(
    client: httpx.AsyncClient, manager: dict[str, str], path: str, question: dict[str, str], field: str, code: str
) -> None:
    answer = await client.get(f"/api/v1/reports/{path}", params=question, headers=manager)

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, code, field)


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 200), ("manager", 200), ("agent", 403), ("ingest", 403), ("pr", 403)]
)
async def test_reports_are_for_managers(client: httpx.AsyncClient, runtime: Runtime, role: str, status: int) -> None:
    headers = await token_for(runtime, role)

    assert (await client.get("/api/v1/reports/nps", headers=headers)).status_code == status
    assert (await client.get("/api/v1/reports/sla", headers=headers)).status_code == status


async def test_all_that_an_agent_did_counts_for_the_present_team(
    client: httpx.AsyncClient, runtime: Runtime, figures: None, manager: dict[str, str]
) -> None:
    await token_for(runtime, "agent", name="anna")
    for team in ("day", "evening"):
        await client.put("/api/v1/agents/anna", json={"team": team}, headers=manager)
        report = await read(client, "nps", manager, group_by="team")
        assert [(line["team"], line["n"]) for line in report["items"]] == [(team, 11)]
        promises = await read(client, "sla", manager, group_by="team")
        assert [(line["team"], line["n"]) for line in promises["items"]] == [(None, 3)], "nobody had these"
        silence = await read(client, "nps/asked", manager, group_by="team")
        assert [(line["team"], line["invited"]) for line in silence["items"]] == [(team, 11)]
        assert (await read(client, "reconcile", manager))["agrees"]


async def test_a_department_reads_about_itself(client: httpx.AsyncClient, runtime: Runtime, figures: None) -> None:
    sales = await token_for(runtime, "department", "sales")

    nps = await read(client, "nps", sales, group_by="department")
    sla = await read(client, "sla", sales)

    assert [(line["department"], line["n"]) for line in nps["items"]] == [("sales", 1)]
    assert sum(line["n"] for line in sla["items"]) == 0


async def test_strangers_read_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/reports/nps")).status_code == 401


async def test_the_dictionary_tells_clock_axis_and_formula(client: httpx.AsyncClient, manager: dict[str, str]) -> None:
    told = (await client.get("/api/v1/reports/metrics", headers=manager)).json()

    [share] = [one for one in told["items"] if (one["report"], one["name"]) == ("sla", "met_share")]
    assert (share["formula"], share["clock"], share["unit"]) == ("met / n; null when n = 0", "none", "share")
    assert (share["path"], share["axis"]) == ("/reports/sla", ["kept: its end; broken: its due moment"])
    [late] = [one for one in told["items"] if (one["path"], one["name"]) == ("/reports/sla/late", "late_by")]
    assert (late["clock"], late["axis"], late["measures"]) == ("wall", ["the moment of asking"], [])
    assert ["topic", "department"] in told["kept_by"]
    assert ["agent", "department", "team"] in told["kept_by"]


async def test_all_ways_of_counting_agree(client: httpx.AsyncClient, figures: None, manager: dict[str, str]) -> None:
    told = (await client.get("/api/v1/reports/reconcile", headers=manager)).json()

    assert told["agrees"]
    counts = {one["name"]: one["anew"] for one in told["items"]}
    assert counts["first_reply"] == {"n": 3, "good": 3, "total": 61_000}
    assert counts["scored"] == {"n": 11, "good": 0, "total": 97}
    [opened] = [one for one in told["items"] if one["name"] == "opened"]
    assert set(opened["groupings"]) == set(ASKABLE)


async def test_a_department_does_not_reconcile(client: httpx.AsyncClient, runtime: Runtime) -> None:
    sales = await token_for(runtime, "department", "sales")
    assert (await client.get("/api/v1/reports/reconcile", headers=sales)).status_code == 403
