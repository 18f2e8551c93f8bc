import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app.access.role import Role
from app.answers.reply import Reply, ReplyState
from app.answers.store import add_replies
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, EndpointState, Payload
from app.delivery.envelope import Kind
from app.delivery.tables import delivery, message
from app.flows.tally import tally
from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.kit.ids import new_id
from app.main import create_app
from app.rulebook import Rulebook
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.mentions import as_json, mention
from tests.support.standing import add_ticket


@pytest.fixture
async def stranded(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """The API over a database that cannot be reached."""
    nowhere = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    app = create_app(replace(runtime, database=nowhere))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://webcare.test") as opened:
        yield opened
    await nowhere.close()


async def figures(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    """Each figure by its name and the values of its labels."""
    answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


async def test_a_living_process_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_a_process_that_can_work_says_by_which_rules_and_what_to_look_at(
    client: httpx.AsyncClient, rulebook: Rulebook
) -> None:
    answer = await client.get("/readyz")
    alarms = {
        "endpoints_failing": 0,
        "endpoints_disabled": 0,
        "models_refused": 0,
        "deliveries_died": 0,
        "topics_drifting": 0,
        "reports_unreachable": 0,
    }
    assert answer.status_code == 200
    told = {"status": "ready", "rulebook": rulebook.digest, "model": None, "reports_uncounted_seconds": 0.0}
    assert answer.json() == {**told, "alarms": alarms}


async def test_receivers_that_fail_are_an_alarm_and_not_unreadiness(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    now = utc_now()

    async def fail(tx: Transaction) -> None:
        for state in EndpointState:
            one = Endpoint(new_id(), "billing", "https://a.example/", None, Payload.THIN, b"s", now, now, state=state)
            await endpoints.add_endpoint(tx, one)
        for died_at in (now, now - timedelta(hours=25)):
            made = {"id": new_id(), "kind": Kind.WEBHOOK, "type": "ticket.routed", "sequence": 0, "body": "{}"}
            await tx.insert(message, [made])
            died = {"id": new_id(), "message_id": made["id"], "sequence": 0, "state": "dead", "finished_at": died_at}
            await tx.insert(delivery, [died])

    await runtime.database.transact(fail)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["alarms"]) == (
        200,
        {
            "endpoints_failing": 1,
            "endpoints_disabled": 1,
            "models_refused": 0,
            "deliveries_died": 1,
            "topics_drifting": 0,
            "reports_unreachable": 0,
        },
    )
    told = await figures(client)
    assert told["webcare_deliveries_dead",] == 2
    assert [told["webcare_endpoints", state] for state in ("ok", "failing", "disabled")] == [1, 1, 1]


async def test_without_its_database_a_process_lives_but_is_not_ready(stranded: httpx.AsyncClient) -> None:
    assert (await stranded.get("/healthz")).status_code == 200
    answer = await stranded.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unreachable")
    assert int(answer.headers["retry-after"]) > 0


async def test_without_its_database_a_call_is_503_and_not_401(stranded: httpx.AsyncClient) -> None:
    answer = await stranded.get("/api/v1/rules", headers={"Authorization": "Bearer wc_agent_x"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unreachable")


async def test_a_database_of_another_version_is_not_worked_with(client: httpx.AsyncClient, runtime: Runtime) -> None:
    async def stand_at(tx: Transaction, version: str) -> str:
        before: str = await tx.scalar(text("SELECT version_num FROM alembic_version"))
        await tx.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        return before

    known = await runtime.database.transact(lambda tx: stand_at(tx, "9999"))
    try:
        answer = await client.get("/readyz")
    finally:
        await runtime.database.transact(lambda tx: stand_at(tx, known))
    assert (answer.status_code, answer.json()["code"]) == (503, "schema_unknown")
    assert (answer.json()["found"], answer.json()["known"]) == ("9999", known)


async def test_requests_are_counted_by_route_and_never_by_what_callers_chose(client: httpx.AsyncClient) -> None:
    await client.get("/healthz")
    await client.get("/s/some-private-link")
    await client.get("/api/v1/reports/nps")
    await client.get("/no/such/path")
    await client.request("BREW", "/healthz")
    told = await figures(client)
    requests = {labels[1:] for labels in told if labels[0] == "webcare_http_requests_total"}
    assert {
        ("GET", "/healthz", "200"),
        ("GET", "/s/{token}", "404"),
        ("GET", "/api/v1/reports/nps", "401"),
        ("GET", "unmatched", "404"),
        ("other", "/healthz", "405"),
    } == requests
    assert told["webcare_http_request_seconds_count", "/healthz"] == 2


async def test_mentions_are_counted_by_what_became_of_them(client: httpx.AsyncClient, runtime: Runtime) -> None:
    headers = await token_for(runtime, Role.INGEST)
    known, wrong = as_json(mention()), as_json(mention(), text=12)
    early = as_json(mention(at=runtime.now() + timedelta(days=1)))
    for one in (known, known, wrong, early):
        await client.post("/api/v1/mentions", json=one, headers=headers)
    batch = {"mentions": [known, wrong, as_json(mention()), early]}
    await client.post("/api/v1/mentions/batch", json=batch, headers=headers)
    counts = {labels[1]: n for labels, n in (await figures(client)).items() if labels[0] == "webcare_mentions_total"}
    assert counts == {"opened": 2, "duplicate": 2, "refused": 4}


async def test_a_refusal_at_the_door_is_counted_too(client: httpx.AsyncClient) -> None:
    await client.post("/api/v1/tokens", content=b"x" * (2**20 + 1))
    assert (await figures(client))["webcare_http_requests_total", "POST", "unmatched", "413"] == 1


async def test_what_waits_is_told(client: httpx.AsyncClient, runtime: Runtime) -> None:
    now = utc_now()

    async def stand(tx: Transaction) -> None:
        ticket = await add_ticket(tx, now)
        await add_ticket(tx, now)
        await tx.execute(
            text("UPDATE ticket SET next_due_at = now() - interval '1 minute' WHERE id = :id"), {"id": ticket.id}
        )
        states = (ReplyState.HELD, ReplyState.HELD, ReplyState.UNKNOWN, ReplyState.FAILED, ReplyState.PUBLISHED)
        given = Reply(uuid4(), ticket.id, None, "agent:anna", None, "Hoi!", "public", now)
        await add_replies(tx, [replace(given, id=uuid4(), state=state) for state in states])
        sent = {"id": uuid4(), "kind": Kind.WEBHOOK, "type": "x", "sequence": 1, "body": "{}", "created_at": now}
        await tx.insert(message, [sent])
        lines = [("open", now - timedelta(minutes=2)), ("open", now + timedelta(hours=1)), ("dead", now)]
        await tx.insert(
            delivery,
            [
                {"id": uuid4(), "message_id": sent["id"], "sequence": 1, "state": state, "due_at": due_at}
                for state, due_at in lines
            ],
        )

    before = await figures(client)
    assert before["webcare_replies_waiting", "held"] == before["webcare_replies_waiting", "unknown"] == 0
    assert before["webcare_tickets", "routed"] == before["webcare_deliveries_open",] == 0
    await runtime.database.transact(stand)
    told = await figures(client)
    states = {labels[1]: n for labels, n in told.items() if labels[0] == "webcare_tickets"}
    assert states.keys() == {"triage", "routed", "working", "waiting_customer"}
    assert sum(states.values()) == 2
    assert told["webcare_tickets_overdue",] == 1
    assert told["webcare_deliveries_open",] == 2
    waiting = {labels[1]: n for labels, n in told.items() if labels[0] == "webcare_replies_waiting"}
    assert waiting == {"held": 2, "unknown": 1}
    assert 110 < told["webcare_delivery_late_seconds",] < 180
    assert told["webcare_database_up",] == told["webcare_reports_database_up",] == 1


async def test_what_reports_have_not_counted_has_an_age(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await runtime.database.transact(lambda tx: add_ticket(tx, utc_now() - timedelta(minutes=5)))
    assert 290 < (await figures(client))["webcare_reports_uncounted_seconds",] < 400
    await runtime.run(tally, 10)
    assert (await figures(client))["webcare_reports_uncounted_seconds",] == 0


async def test_without_its_database_a_process_still_tells_its_own_figures(stranded: httpx.AsyncClient) -> None:
    await stranded.get("/healthz")
    told = await figures(stranded)
    assert told["webcare_http_requests_total", "GET", "/healthz", "200"] == 1
    assert told["webcare_database_up",] == told["webcare_reports_database_up",] == 0
    assert not [labels for labels in told if labels[0] == "webcare_tickets"]


async def test_reports_that_cannot_be_read_are_an_alarm_and_not_unreadiness(
    runtime: Runtime, database_url: str
) -> None:
    database = Database(database_url, reports_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    app = create_app(replace(runtime, database=database))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://webcare.test") as client:
        answer = await client.get("/readyz")
        told = await figures(client)
    await database.close()
    assert (answer.status_code, answer.json()["alarms"]["reports_unreachable"]) == (200, 1)
    assert (told["webcare_database_up",], told["webcare_reports_database_up",]) == (1, 0)


async def test_every_call_under_the_api_is_described_with_its_token_and_its_problem(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert {"Problem", "FieldProblem"} <= document["components"]["schemas"].keys()
    operations = {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert len({operation["operationId"] for operation in operations.values()}) == len(operations)
    for (path, _), operation in operations.items():
        assert ("security" in operation) == path.startswith("/api/")
        assert "application/problem+json" in operation["responses"]["4XX"]["content"]
        assert operation["summary"]
        assert operation.get("description"), path
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}


async def test_a_call_is_described_with_what_may_be_refused(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    told = {
        f"{method} {path}": {status for status in operation["responses"] if status.startswith("4") and status != "4XX"}
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert told["get /api/v1/me"] == {"401"}
    assert told["get /api/v1/queue"] == {"401", "403", "422"}
    assert told["get /api/v1/tickets/{ticket_id}"] == {"401", "403", "404", "422"}
    assert told["post /api/v1/tickets/{ticket_id}/answer"] == {"401", "403", "404", "409", "412", "422"}
    assert told["post /api/v1/endpoints"] == {"401", "403", "409", "422"}
    assert told["post /api/v1/deliveries/{delivery_id}/retry"] == {"401", "403", "404", "409", "422"}
    assert told["post /api/v1/rules/simulate"] == {"401", "403", "422"}
    assert told["post /in/{source_id}"] == {"401", "422"}
    assert told["get /healthz"] == set()


async def test_whatever_a_caller_fills_in_is_described_and_every_body_has_an_example(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            chosen = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
            assert all("description" in one for one in chosen), (path, method)
    bodies = {name: schema for name, schema in document["components"]["schemas"].items() if name.endswith("In")}
    assert {"ReplyIn", "AnswerIn", "EndpointIn", "TokenIn"} <= bodies.keys()
    for name, schema in bodies.items():
        for field, told in schema["properties"].items():
            assert "description" in told or "$ref" in told, f"{name}.{field}"
            assert "examples" in told or field not in schema.get("required", ()) or "$ref" in told, f"{name}.{field}"


async def test_everything_that_is_referred_to_stands_in_the_document(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    referred = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert "#/components/schemas/MentionIn" in referred
    assert referred <= known


async def test_the_document_says_nothing_of_the_code_behind_it(client: httpx.AsyncClient) -> None:
    """A name that two models share would stand there with the path of its module, and so in every generated client."""
    document = (await client.get("/openapi.json")).json()
    assert [name for name in document["components"]["schemas"] if "__" in name or name.startswith("HTTP")] == []
    paths = ("/api/v1/reports/nps", "/api/v1/reports/sla", "/api/v1/stream", "/metrics")
    told = {path: set(document["paths"][path]["get"]["responses"]["200"]["content"]) for path in paths}
    assert told == {
        "/api/v1/reports/nps": {"application/json", "image/svg+xml", "text/csv"},
        "/api/v1/reports/sla": {"application/json", "image/svg+xml", "text/csv"},
        "/api/v1/stream": {"text/event-stream"},
        "/metrics": {"text/plain"},
    }
    answers = document["webhooks"]["ticket.routed"]["post"]["responses"]
    assert answers.keys() == {"204", "410", "4XX"}


async def test_a_ticket_is_described_with_an_example_of_each_name(client: httpx.AsyncClient) -> None:
    line = (await client.get("/openapi.json")).json()["components"]["schemas"]["TicketLine"]["properties"]
    plain = [name for name, told in line.items() if told.get("type") == "string" and "format" not in told]
    assert "state" in plain
    assert [name for name in plain if "examples" not in line[name]] == []


async def test_the_root_says_where_to_look(client: httpx.AsyncClient) -> None:
    told = (await client.get("/")).json()
    assert (await client.get(told["api"])).json()["info"]["version"] == told["version"]
    assert (await client.get(told["docs"])).status_code == 200


async def test_the_page_that_describes_the_calls_needs_no_internet(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any(one.endswith(".js") for one in loaded)
    for one in loaded:
        assert (await client.get(one)).status_code == 200, one
