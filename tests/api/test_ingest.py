"""Mentions over HTTP: what is good is kept, what is not names its field, and no neighbour is ever lost."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.access.role import Role
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import as_json, mention

ONE = "/api/v1/mentions"
BATCH = "/api/v1/mentions/batch"


@pytest.fixture
async def headers(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.INGEST)


async def test_a_mention_is_taken_in_and_the_decision_told(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post(ONE, json=as_json(mention()), headers=headers)

    told = answer.json()
    assert answer.status_code == 201
    assert (told["outcome"], told["department"]) == ("opened", "supply_chain")
    assert told["reasons"]
    assert told["due"]["first_reply"].endswith("Z")


async def test_again_it_is_known(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    said = as_json(mention())
    first = await client.post(ONE, json=said, headers=headers)

    again = await client.post(ONE, json=said, headers=headers)

    assert again.status_code == 200
    assert (again.json()["outcome"], again.json()["ticket_id"]) == ("duplicate", first.json()["ticket_id"])


async def test_with_a_key_it_brings_the_first_answer_back(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    said, keyed = as_json(mention()), headers | {"Idempotency-Key": "post-1"}
    first = await client.post(ONE, json=said, headers=keyed)

    again = await client.post(ONE, json=said, headers=keyed)
    without = await client.post(ONE, json=said, headers=headers)

    assert (first.status_code, first.json()["outcome"]) == (201, "opened")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (without.status_code, without.json().keys()) == (200, first.json().keys())


async def test_a_key_of_another_mention_is_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    keyed = headers | {"Idempotency-Key": "post-1"}
    await client.post(ONE, json=as_json(mention()), headers=keyed)

    other = await client.post(ONE, json=as_json(mention()), headers=keyed)

    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_with_a_key_it_is_refused_and_counted_alike(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    keyed = headers | {"Idempotency-Key": "post-1"}
    said = as_json(mention())
    for body in (said, said, {**said, "text": 12}):
        await client.post(ONE, json=body, headers=keyed)

    told = (await client.get("/metrics")).text
    assert 'webcare_mentions_total{outcome="opened"} 1.0' in told
    assert 'webcare_mentions_total{outcome="refused"} 1.0' in told
    assert 'webcare_mentions_total{outcome="duplicate"}' not in told


@pytest.mark.parametrize(
    ("sent_as", "status"),
    [
        ("application/json", 201),
        ("application/JSON; charset=utf-8", 201),
        ("application/vnd.api+json", 201),
        ("", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
    ],
)
async def test_what_is_said_to_be_no_json_is_not_read_as_json(
    client: httpx.AsyncClient, headers: dict[str, str], sent_as: str, status: int
) -> None:
    typed = headers | ({"Content-Type": sent_as} if sent_as else {})
    said = as_json(mention())

    one = await client.post(ONE, content=json.dumps(said), headers=typed)
    many = await client.post(BATCH, content=json.dumps({"mentions": [said]}), headers=typed)

    assert (one.status_code, many.status_code) == (status, 200 if status == 201 else status)
    assert status == 201 or one.json()["code"] == many.json()["code"] == "json_expected"


async def test_posts_that_arrive_together_are_each_answered(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    said = [as_json(mention()) for _ in range(40)]

    answers = await asyncio.gather(*(client.post(ONE, json=one, headers=headers) for one in said))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["mention_id"] for answer in answers}) == 40


BAD: list[tuple[dict[str, Any], str]] = [
    ({"text": 12}, "text"),
    ({"text": None}, "text"),
    ({"text": "half\x00way"}, "text"),
    ({"text": "a" * 50_001}, "text"),
    ({"channel": "X!"}, "channel"),
    ({"external_id": ""}, "external_id"),
    ({"author": "sanne"}, "author"),
    ({"author": {"handle": "sanne", "shoe_size": 39}}, "author.shoe_size"),
    ({"author": {"followers": 2**70}}, "author.followers"),
    ({"author": {"followers": -1}}, "author.followers"),
    ({"posted_at": "yesterday"}, "posted_at"),
    ({"posted_at": "2026-11-18T10:00:00"}, "posted_at"),
    ({"posted_at": "9999-01-01T00:00:00Z"}, "posted_at"),
    ({"posted_at": "2026-11-19T10:00:00Z"}, "posted_at"),
    ({"kind": "song"}, "kind"),
    ({"url": "javascript:alert(1)"}, "url"),
    ({"rating": float("nan")}, "rating"),
    ({"metrics": {"likes": 1.5}}, "metrics.likes"),
    ({"metrics": {"li\x00kes": 1}}, "metrics.li\x00kes"),
    ({"revision": 2**31}, "revision"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("wrong", "field"), BAD, ids=[f"{field}-{number}" for number, (_, field) in enumerate(BAD)])
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, headers: dict[str, str], wrong: dict[str, Any], field: str
) -> None:
    body = json.dumps(as_json(mention(), **wrong))

    answer = await client.post(ONE, content=body, headers=headers)

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["field"].startswith(field)


async def test_half_a_character_is_refused_by_its_field(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = json.dumps(as_json(mention())).replace("Waar", "\\ud83d")

    answer = await client.post(ONE, content=body, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["field"] == "text"


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"text": "a', b"[" * 100_000])
async def test_what_is_no_json_is_said_to_be_none(
    client: httpx.AsyncClient, headers: dict[str, str], body: bytes
) -> None:
    answer = await client.post(ONE, content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["code"] == "broken_json"


@pytest.mark.parametrize("body", [b"[]", b"3", b'"x"', b"null"])
async def test_json_that_is_no_mention_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], body: bytes
) -> None:
    assert (await client.post(ONE, content=body, headers=headers)).status_code == 422


async def test_ten_megabytes_are_too_large(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post(ONE, json=as_json(mention("a" * 10_000_000)), headers=headers)

    assert answer.status_code == 413


async def test_in_a_batch_the_good_ones_are_kept_and_the_bad_ones_named(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    good = [as_json(mention()) for _ in range(3)]
    bad = [as_json(mention(), text="\x00"), as_json(mention(), rating=float("nan")), 7, {"channel": "x"}]
    body = json.dumps({"mentions": [good[0], *bad[:2], good[1], *bad[2:], good[2]]})
    body = body.replace("}]}", ', "title": "\\udfff"}]}')  # the last one gets half a character

    answer = await client.post(BATCH, content=body, headers=headers)

    told = answer.json()
    assert answer.status_code == 200
    assert (told["received"], told["refused"]) == (2, 5)
    assert [item.get("outcome") for item in told["items"]] == ["opened", None, None, "opened", None, None, None]
    assert told["items"][1]["field"] == "mentions.1.text"
    assert told["items"][6]["field"] == "mentions.6.title"


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_batch_has_one_to_a_thousand(client: httpx.AsyncClient, headers: dict[str, str], count: int) -> None:
    answer = await client.post(BATCH, json={"mentions": [{}] * count}, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["field"] == "mentions"


async def test_a_clock_that_runs_a_little_ahead_is_forgiven(
    client: httpx.AsyncClient, headers: dict[str, str], clock: Clock
) -> None:
    ahead = as_json(mention(at=clock() + timedelta(minutes=2)))

    assert (await client.post(ONE, json=ahead, headers=headers)).status_code == 201


async def test_deleting_twice_says_the_same_and_a_late_copy_is_ignored(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    said = mention(external_id="https://forum.test/t/1?p=2")
    await client.post(ONE, json=as_json(said), headers=headers)

    gone = [await client.delete(f"{ONE}/x/{quote(said.external_id)}", headers=headers) for _ in range(2)]
    late = await client.post(ONE, json=as_json(said), headers=headers)

    assert [answer.status_code for answer in gone] == [200, 200]
    assert gone[0].json() == gone[1].json()
    assert late.json()["outcome"] == "ignored"


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.INGEST, Role.ADMIN, Role.DEPARTMENT}])
async def test_only_ingest_may_post(client: httpx.AsyncClient, runtime: Runtime, role: Role) -> None:
    other = await token_for(runtime, role)

    assert (await client.post(ONE, json=as_json(mention()), headers=other)).status_code == 403
    assert (await client.post(ONE, json=as_json(mention()))).status_code == 401
