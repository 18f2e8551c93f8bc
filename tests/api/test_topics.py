"""Models of topics over HTTP: what there is, which is in force, and back again."""

from collections.abc import Mapping

import httpx
import pytest

from app.access.role import Role
from app.flows.promote import follow_model, promote
from app.runtime import Runtime
from app.topics.tables import topic_model
from tests.support.callers import token_for
from tests.support.teaching import RULES, kept

TOPICS = "/api/v1/topics"


async def test_a_model_is_promoted_and_taken_back(
    client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]
) -> None:
    nothing = (await client.get(f"{TOPICS}/status", headers=kim)).json()
    assert (nothing["in_force"], nothing["refused"]) == (None, None)
    first, second = [(await kept(runtime, word)).number for word in ("wifibol", "paars")]

    told = {"note": "knows the wifibol"}
    done = await client.post(f"{TOPICS}/models/{second}/promote", headers=kim, json=told)
    again = await client.post(f"{TOPICS}/models/{second}/promote", headers=kim)
    ready = (await client.get("/readyz")).json()
    listed = (await client.get(f"{TOPICS}/models", headers=kim)).json()["items"]

    assert done.json()["promotion"] | {"at": None} == {
        "model": second,
        "origin": "by_hand",
        "actor": "manager:kim",
        "note": "knows the wifibol",
        "at": None,
    }
    assert (done.json()["changed"], again.json()["changed"]) == (True, False)
    assert (ready["model"], ready["alarms"]["models_refused"]) == (second, 0)
    assert [(one["number"], one["state"], one["labels"]) for one in listed] == [
        (second, "active", {"import": 1}),
        (first, "candidate", {"import": 1}),
    ]

    back = await client.post(f"{TOPICS}/rollback", headers=kim)
    status = (await client.get(f"{TOPICS}/status", headers=kim)).json()
    assert (back.json()["promotion"]["model"], status["in_force"]["origin"]) == (None, "rollback")
    refused = await client.post(f"{TOPICS}/rollback", headers=kim)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_take_back")


async def test_models_come_in_pages(client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]) -> None:
    first, second = [(await kept(runtime, word)).number for word in ("wifibol", "paars")]
    page = (await client.get(f"{TOPICS}/models?limit=1", headers=kim)).json()
    rest = (await client.get(f"{TOPICS}/models", params={"cursor": page["next_cursor"]}, headers=kim)).json()
    assert [one["number"] for one in (*page["items"], *rest["items"])] == [second, first]
    assert rest["next_cursor"] is None


async def test_one_model_is_shown_as_the_list_shows_it(
    client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]
) -> None:
    first, second = [(await kept(runtime, word)).number for word in ("wifibol", "paars")]
    for number in (first, second):
        await client.post(f"{TOPICS}/models/{number}/promote", headers=kim)
    listed = (await client.get(f"{TOPICS}/models", headers=kim)).json()["items"]
    shown = [(await client.get(f"{TOPICS}/models/{number}", headers=kim)).json() for number in (second, first)]
    assert shown == listed
    assert [one["state"] for one in shown] == ["active", "retired"]


@pytest.mark.parametrize(("method", "path"), [("GET", "models/12"), ("POST", "models/12/promote")])
async def test_a_model_that_is_not_there_is_told(
    client: httpx.AsyncClient, kim: Mapping[str, str], method: str, path: str
) -> None:
    answer = await client.request(method, f"{TOPICS}/{path}", headers=kim)
    assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("number", ["0", "-1", "2147483648", "newest"])
async def test_a_number_that_no_model_can_have_is_refused(
    client: httpx.AsyncClient, kim: Mapping[str, str], number: str
) -> None:
    answer = await client.get(f"{TOPICS}/models/{number}", headers=kim)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_only_managers_and_admins_decide(client: httpx.AsyncClient, runtime: Runtime) -> None:
    anna = await token_for(runtime, Role.AGENT)
    assert (await client.get(f"{TOPICS}/models", headers=anna)).status_code == 200
    assert (await client.post(f"{TOPICS}/rollback", headers=anna)).status_code == 403


async def test_a_model_that_was_tampered_with_is_not_promoted(
    client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]
) -> None:
    number = (await kept(runtime, "wifibol")).number
    await runtime.database.transact(lambda tx: tx.execute(topic_model.update().values(content=b"else")))
    answer = await client.post(f"{TOPICS}/models/{number}/promote", headers=kim)
    assert (answer.status_code, answer.json()["code"]) == (422, "model_unusable")
    assert (await client.get(f"{TOPICS}/status", headers=kim)).json()["in_force"] is None


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("", None),
        ("\u200b\u200d", None),
        ("\U0001f621\U0001f621", None),
        ("a" * 20_000, None),
        ("\u0623\u064a\u0646 \u0637\u0631\u062f\u064a\u061f", None),  # right to left
        ("\u202ekan niet\u202c", None),
        ("\u0413\u0434\u0435 wifibol? \u6211\u7684", "outage"),  # mixed scripts
        ("wifi\u200bbol", "outage"),
        ("sto\u00adring\u200b", "outage"),
    ],
)
async def test_whatever_is_written_gets_a_clear_answer_with_a_model_in_force(
    client: httpx.AsyncClient, runtime: Runtime, text: str, topic: str | None
) -> None:
    runtime.rules.put(RULES, 2)
    await runtime.run(promote, "manager:kim", (await kept(runtime, "wifibol")).number, None, despite=True)
    await follow_model(runtime)
    post = {"channel": "x", "external_id": "1", "author": {"handle": "sanne"}, "posted_at": "2026-11-18T07:00:00Z"}
    ingest, anna = await token_for(runtime, Role.INGEST), await token_for(runtime, Role.AGENT)
    answer = await client.post("/api/v1/mentions", headers=ingest, json={**post, "text": text})
    assert (answer.status_code, answer.json()["topic"]) == (201, topic)
    told = await client.get(f"/api/v1/tickets/{answer.json()['ticket_id']}/explain", headers=anna)
    assert (told.status_code, bool(told.json()["words"])) == (200, True)


async def test_a_refused_model_is_an_alarm(client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]) -> None:
    number = (await kept(runtime, "wifibol")).number
    await runtime.run(promote, "manager:kim", number, None, despite=True)
    await runtime.database.transact(lambda tx: tx.execute(topic_model.update().values(content=b"else")))
    await follow_model(runtime)

    ready = (await client.get("/readyz")).json()
    assert (ready["model"], ready["alarms"]["models_refused"]) == (None, 1)
    assert (await client.get(f"{TOPICS}/status", headers=kim)).json()["refused"] == number
