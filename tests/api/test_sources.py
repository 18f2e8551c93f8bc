"""Partners push mentions without a token: believed by their signature, once, and for their own channel only."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.access.role import Role
from app.delivery.signing import sign
from app.flows.push import forget_calls
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import as_json, mention

Headers = dict[str, str]


async def registered(client: httpx.AsyncClient, admin: Headers, **asked: Any) -> dict[str, Any]:
    wishes = {"name": "Reviewhuis", "channel": "reviews", **asked}
    answer = await client.post("/api/v1/sources", json=wishes, headers=admin)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def said(*posts: dict[str, Any]) -> bytes:
    return json.dumps({"mentions": posts}).encode()


def review(**facts: Any) -> dict[str, Any]:
    bare = as_json(mention("Mijn pakket is nooit bezorgd", channel="reviews"))
    del bare["channel"]
    return bare | facts


def refusals(text: str) -> float:
    families = text_string_to_metric_families(text)
    return next(
        one.value for family in families for one in family.samples if one.name == "webcare_signatures_refused_total"
    )


async def test_what_a_partner_signed_is_taken_in_for_its_own_channel_and_profile(
    client: httpx.AsyncClient, runtime: Runtime, admin: Headers, clock: Clock
) -> None:
    made = await registered(client, admin, account="poldermobiel")
    body = said(review(), review(channel="x"), review(account="other"), {"text": "half"})
    answer = await client.post(made["path"], content=body, headers=sign([made["secret"]], "m1", clock(), body))
    told = answer.json()
    assert (answer.status_code, told["received"], told["refused"]) == (200, 1, 3)
    opened, *refused = told["items"]
    assert opened["outcome"] == "opened"
    assert [one["code"] for one in refused] == ["source_of_another", "source_of_another", "invalid_request"]
    agent = await token_for(runtime, Role.AGENT)
    ticket = (await client.get(f"/api/v1/tickets/{opened['ticket_id']}", headers=agent)).json()
    assert (ticket["channel"], ticket["account"]) == ("reviews", "poldermobiel")


async def test_a_call_is_believed_once_and_one_that_was_signed_anew_brings_nothing_twice(
    client: httpx.AsyncClient, runtime: Runtime, admin: Headers, clock: Clock
) -> None:
    made = await registered(client, admin)
    body = said(review())
    signed = sign([made["secret"]], "m1", clock(), body)
    assert (await client.post(made["path"], content=body, headers=signed)).json()["items"][0]["outcome"] == "opened"
    replayed = await client.post(made["path"], content=body, headers=signed)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "signature_refused")
    anew = sign([made["secret"]], "m1", clock.pass_(seconds=5), body)
    assert (await client.post(made["path"], content=body, headers=anew)).json()["items"][0]["outcome"] == "duplicate"
    assert await runtime.run(forget_calls) == 2  # the tests' morning is long ago for the database


WRONG: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "nothing": lambda _: {},
    "another id": lambda signed: signed | {"webhook-id": "m2"},
    "another moment": lambda signed: signed | {"webhook-timestamp": "1"},
    "no number": lambda signed: signed | {"webhook-timestamp": "now"},
    "no base64": lambda signed: signed | {"webhook-signature": "v1,!"},
    "an old version": lambda signed: signed | {"webhook-signature": signed["webhook-signature"].replace("v1,", "v0,")},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_whatever_is_wrong_is_401_and_counted(
    client: httpx.AsyncClient, admin: Headers, clock: Clock, wrong: str
) -> None:
    made = await registered(client, admin)
    body = said(review())
    headers = WRONG[wrong](sign([made["secret"]], "m1", clock(), body))
    refused = await client.post(made["path"], content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "signature_refused")
    assert refusals((await client.get("/metrics")).text) == 1


async def test_a_stranger_and_a_removed_partner_read_the_same(
    client: httpx.AsyncClient, admin: Headers, clock: Clock
) -> None:
    made = await registered(client, admin)
    body = said(review())
    signed = sign([made["secret"]], "m1", clock(), body)
    removed = await client.delete(f"/api/v1/sources/{made['id']}", headers=admin)
    assert removed.status_code == 204
    for path in (made["path"], f"/in/{uuid4()}"):
        answer = await client.post(path, content=body, headers=signed)
        assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused")
    again = await client.delete(f"/api/v1/sources/{made['id']}", headers=admin)
    assert (again.status_code, again.json()["code"]) == (404, "source_not_found")
    assert (await client.get("/api/v1/sources", headers=admin)).json()["items"] == []


async def test_secrets_are_shown_once_and_only_admins_manage_partners(
    client: httpx.AsyncClient, runtime: Runtime, admin: Headers
) -> None:
    made = await registered(client, admin)
    (shown,) = (await client.get("/api/v1/sources", headers=admin)).json()["items"]
    assert shown == {name: value for name, value in made.items() if name not in {"secret", "path"}}
    short = await client.post(
        "/api/v1/sources", json={"name": "x", "channel": "x", "secret": "whsec_short"}, headers=admin
    )
    assert (short.status_code, short.json()["code"]) == (422, "secret_unusable")
    for role in (Role.INGEST, Role.AGENT, Role.MANAGER):
        caller = await token_for(runtime, role)
        assert (await client.get("/api/v1/sources", headers=caller)).status_code == 403
