"""Departments' endpoints and deliveries over HTTP: shapes, scope, pages, and what is refused by which field."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from sqlalchemy import update

from app.access.role import Role
from app.delivery.event_type import AUDIBLE
from app.delivery.store import DeliveryState
from app.delivery.tables import delivery
from app.kit.ids import new_id
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.clock import MORNING
from tests.support.outbox import carry

HOOK = "https://hooks.example/in"
Headers = dict[str, str]


@pytest.fixture
async def parcels(runtime: Runtime) -> Headers:
    return await token_for(runtime, Role.DEPARTMENT, "supply_chain")


@pytest.fixture
async def invoices(runtime: Runtime) -> Headers:
    return await token_for(runtime, Role.DEPARTMENT, "billing")


async def registered(client: httpx.AsyncClient, caller: Headers, **asked: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/endpoints", json={"url": HOOK, **asked}, headers=caller)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def pinged(client: httpx.AsyncClient, caller: Headers, endpoint: dict[str, Any]) -> str:
    answer = await client.post(f"/api/v1/endpoints/{endpoint['id']}/ping", headers=caller)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["message_id"])


async def read(client: httpx.AsyncClient, caller: Headers, path: str, **asked: Any) -> Any:
    answer = await client.get(f"/api/v1{path}", params=asked, headers=caller)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_endpoint_is_shown_with_its_secret_once(client: httpx.AsyncClient, parcels: Headers) -> None:
    asked = {"event_types": ["ticket.routed", "sla.warning"], "headers": {"X-Api-Key": "k-123"}}
    made = await registered(client, parcels, **asked)
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "id": made["id"],
        "department": "supply_chain",
        "url": HOOK,
        "event_types": ["sla.warning", "ticket.routed"],
        "payload": "thin",
        "header_names": ["X-Api-Key"],
        "state": "ok",
        "failures": 0,
        "disabled_reason": None,
        "throttled_until": None,
        "previous_until": None,
        "created_at": "2026-11-18T10:00:00Z",
        "updated_at": "2026-11-18T10:00:00Z",
    }
    assert await read(client, parcels, f"/endpoints/{made['id']}") == made
    assert (await read(client, parcels, "/endpoints"))["items"] == [made]


async def test_a_registration_that_is_sent_again_registers_once_and_tells_the_secret_again(
    client: httpx.AsyncClient, parcels: Headers
) -> None:
    keyed = parcels | {"Idempotency-Key": "first-endpoint"}
    first, again = await registered(client, keyed), await registered(client, keyed)
    assert first == again
    assert len((await read(client, parcels, "/endpoints"))["items"]) == 1
    other = await client.post("/api/v1/endpoints", json={"url": HOOK, "payload": "full"}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ({"url": "http://10.0.0.8/in"}, "url", "url_refused"),
        ({"url": "javascript:alert(1)"}, "url", "url_refused"),
        ({"url": "https://xn--a/"}, "url", "url_refused"),
        ({"url": "https://a.example/" + "x" * 2000}, "url", "invalid_request"),
        ({"url": "https://a.example/\x00"}, "url", "invalid_request"),
        ({"url": HOOK, "secret": "whsec_" + "A" * 8}, "secret", "secret_unusable"),
        ({"url": HOOK, "event_types": ["ticket.noted"]}, "event_types", "unknown_event_type"),
        ({"url": HOOK, "event_types": []}, "event_types", "invalid_request"),
        ({"url": HOOK, "payload": "fat"}, "payload", "invalid_request"),
        ({"url": HOOK, "events": []}, "events", "invalid_request"),
        ({}, "url", "invalid_request"),
    ],
)
async def test_what_cannot_work_is_refused_by_its_field(
    client: httpx.AsyncClient, parcels: Headers, asked: dict[str, Any], field: str, code: str
) -> None:
    answer = await client.post("/api/v1/endpoints", json=asked, headers=parcels)
    assert (answer.status_code, answer.json()["field"], answer.json()["code"]) == (422, field, code)


async def test_an_unknown_event_type_is_answered_with_all_that_there_are(
    client: httpx.AsyncClient, parcels: Headers
) -> None:
    answer = await client.post("/api/v1/endpoints", json={"url": HOOK, "event_types": ["ticket.x"]}, headers=parcels)
    assert answer.json()["allowed"] == list(AUDIBLE)
    described = (await client.get("/openapi.json")).json()["components"]["schemas"]["EndpointIn"]["properties"]
    [listed] = [way for way in described["event_types"]["anyOf"] if way["type"] == "array"]
    assert listed["items"]["enum"] == list(AUDIBLE)


async def test_an_admin_names_a_department_that_there_is(client: httpx.AsyncClient, admin: Headers) -> None:
    nobodys = await client.post("/api/v1/endpoints", json={"url": HOOK}, headers=admin)
    assert (nobodys.status_code, nobodys.json()["code"]) == (422, "department_missing")
    unknown = await client.post("/api/v1/endpoints", json={"url": HOOK, "department": "biling"}, headers=admin)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_department")
    assert "billing" in unknown.json()["detail"]
    assert (await registered(client, admin, department="billing"))["department"] == "billing"


async def test_a_department_registers_for_itself_only(client: httpx.AsyncClient, parcels: Headers) -> None:
    assert (await registered(client, parcels, department="supply_chain"))["department"] == "supply_chain"
    answer = await client.post("/api/v1/endpoints", json={"url": HOOK, "department": "billing"}, headers=parcels)
    assert (answer.status_code, answer.json()["roles"]) == (403, ["admin"])


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN, Role.DEPARTMENT}))
async def test_other_roles_have_no_business_here(client: httpx.AsyncClient, runtime: Runtime, role: Role) -> None:
    caller = await token_for(runtime, role)
    for path in ("/endpoints", "/deliveries"):
        assert (await client.get(f"/api/v1{path}", headers=caller)).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"enabled": False}),
        ("DELETE", "", None),
        ("POST", "/rotate", {}),
        ("POST", "/ping", None),
        ("POST", "/replay", {"since": "2026-11-17T10:00:00Z"}),
    ],
)
async def test_anothers_endpoint_reads_as_not_there(
    client: httpx.AsyncClient, parcels: Headers, invoices: Headers, method: str, path: str, body: Any
) -> None:
    made = await registered(client, parcels)
    tried = [
        await client.request(method, f"/api/v1/endpoints/{one}{path}", json=body, headers=invoices)
        for one in (made["id"], new_id())
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in tried] == [(404, "endpoint_not_found")] * 2
    assert (await read(client, invoices, "/endpoints"))["items"] == []


async def test_a_patch_tells_null_from_left_out(client: httpx.AsyncClient, parcels: Headers) -> None:
    made = await registered(client, parcels, event_types=["ticket.routed"])
    path = f"/api/v1/endpoints/{made['id']}"
    changed = (await client.patch(path, json={"payload": "full", "url": None}, headers=parcels)).json()
    assert (changed["payload"], changed["url"], changed["event_types"]) == ("full", HOOK, ["ticket.routed"])
    changed = (await client.patch(path, json={"event_types": None, "enabled": False}, headers=parcels)).json()
    assert (changed["event_types"], changed["state"]) == (None, "disabled")
    assert changed["disabled_reason"] == "by department:supply_chain/sam"
    refused = await client.patch(path, json={"url": "http://[::1]/"}, headers=parcels)
    assert (refused.status_code, refused.json()["field"]) == (422, "url")


async def test_a_rotation_shows_the_new_secret_and_until_when_the_old_one_signs(
    client: httpx.AsyncClient, parcels: Headers
) -> None:
    made = await registered(client, parcels)
    answer = await client.post(f"/api/v1/endpoints/{made['id']}/rotate", headers=parcels)
    assert answer.status_code == 200
    assert answer.json()["secret"] != made["secret"]
    assert answer.json()["previous_until"] == "2026-11-19T10:00:00Z"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_removed_endpoint_is_gone(client: httpx.AsyncClient, parcels: Headers) -> None:
    made = await registered(client, parcels)
    path = f"/api/v1/endpoints/{made['id']}"
    assert (await client.delete(path, headers=parcels)).status_code == 204
    assert (await client.get(path, headers=parcels)).status_code == 404
    assert (await client.delete(path, headers=parcels)).status_code == 404


async def test_endpoints_come_in_pages(client: httpx.AsyncClient, parcels: Headers, admin: Headers) -> None:
    mine = [(await registered(client, parcels))["id"] for _ in range(2)]
    theirs = (await registered(client, admin, department="billing"))["id"]
    first = await read(client, admin, "/endpoints", limit=2)
    rest = await read(client, admin, "/endpoints", limit=2, cursor=first["next_cursor"])
    assert [[item["id"] for item in page["items"]] for page in (first, rest)] == [mine, [theirs]]
    assert rest["next_cursor"] is None
    assert [item["id"] for item in (await read(client, parcels, "/endpoints"))["items"]] == mine


@respx.mock
async def test_a_delivery_tells_each_of_its_attempts(
    client: httpx.AsyncClient, runtime: Runtime, parcels: Headers
) -> None:
    respx.post(HOOK).respond(503, text="not now")
    made = await registered(client, parcels)
    message_id = await pinged(client, parcels, made)
    await carry(runtime)
    [line] = (await read(client, parcels, "/deliveries"))["items"]
    assert (line["message_id"], line["endpoint_id"], line["type"]) == (message_id, made["id"], "endpoint.pinged")
    assert (line["state"], line["attempts"], line["last_status"]) == ("open", 1, 503)
    whole = await read(client, parcels, f"/deliveries/{line['id']}")
    [attempt] = whole.pop("history")
    assert whole == line
    seconds = attempt.pop("seconds")
    assert 0 <= seconds < 15
    assert attempt == {
        "number": 1,
        "started_at": MORNING.isoformat().replace("+00:00", "Z"),
        "status": 503,
        "error": None,
        "answer": "not now",
    }


async def test_deliveries_are_filtered_and_come_in_pages_newest_first(
    client: httpx.AsyncClient, parcels: Headers, invoices: Headers, admin: Headers
) -> None:
    one, two = await registered(client, parcels), await registered(client, invoices)
    first, second = [await pinged(client, parcels, one) for _ in range(2)]
    third = await pinged(client, invoices, two)

    async def found(caller: Headers, **asked: Any) -> list[str]:
        return [item["message_id"] for item in (await read(client, caller, "/deliveries", **asked))["items"]]

    assert await found(admin) == [third, second, first]
    assert await found(parcels) == [second, first]
    assert await found(admin, endpoint_id=two["id"]) == [third]
    assert await found(parcels, endpoint_id=two["id"]) == []
    assert await found(admin, state="dead") == []
    assert await found(admin, ticket_id=str(new_id())) == []
    page = await read(client, admin, "/deliveries", limit=2)
    assert await found(admin, limit=2, cursor=page["next_cursor"]) == [first]
    for asked in ({"state": "lost"}, {"cursor": "AAAA"}, {"endpoint": one["id"]}):
        assert (await client.get("/api/v1/deliveries", params=asked, headers=admin)).status_code == 422


async def test_what_died_is_retried_or_replayed(
    client: httpx.AsyncClient, runtime: Runtime, parcels: Headers, invoices: Headers
) -> None:
    made = await registered(client, parcels)
    for _ in range(3):
        await pinged(client, parcels, made)
    dead = update(delivery).values(state=DeliveryState.DEAD, finished_at=MORNING)
    await runtime.database.transact(lambda tx: tx.execute(dead))
    newest, *_ = (await read(client, parcels, "/deliveries", state="dead"))["items"]
    path = f"/api/v1/deliveries/{newest['id']}"
    for answer in (await client.get(path, headers=invoices), await client.post(f"{path}/retry", headers=invoices)):
        assert (answer.status_code, answer.json()["code"]) == (404, "delivery_not_found")
    retried = await client.post(f"{path}/retry", headers=parcels)
    assert (retried.status_code, retried.json()["state"]) == (202, "open")
    created_at = datetime.fromisoformat(newest["created_at"])
    around = {"since": str(created_at - timedelta(hours=1)), "until": str(created_at + timedelta(hours=1))}
    replayed = await client.post(f"/api/v1/endpoints/{made['id']}/replay", json=around, headers=parcels)
    assert (replayed.status_code, replayed.json()) == (202, {"replayed": 2})
    assert (await read(client, parcels, "/deliveries", state="dead"))["items"] == []


async def test_a_replay_of_more_than_a_month_is_refused_with_what_is_allowed(
    client: httpx.AsyncClient, parcels: Headers
) -> None:
    made = await registered(client, parcels)
    asked = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
    refused = await client.post(f"/api/v1/endpoints/{made['id']}/replay", json=asked, headers=parcels)
    assert (refused.status_code, refused.json()["field"], refused.json()["longest_days"]) == (422, "since", 31)


async def test_nothing_is_sent_to_a_disabled_endpoint(client: httpx.AsyncClient, parcels: Headers) -> None:
    made = await registered(client, parcels)
    path = f"/api/v1/endpoints/{made['id']}"
    await client.patch(path, json={"enabled": False}, headers=parcels)
    refused = await client.post(f"{path}/ping", headers=parcels)
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")
    await client.patch(path, json={"enabled": True}, headers=parcels)
    await pinged(client, parcels, made)
