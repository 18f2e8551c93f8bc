import importlib
import json
import pkgutil
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import Field, ValidationError

import app
from app.access.role import Forbidden
from app.api import problems
from app.api.etag import ExpectedVersion
from app.api.fields import Count, Flag, InModel, Instant, Name, Text
from app.api.limits import Limits
from app.kit.errors import Conflict, Invalid, NotFound, Refused, Unauthorised, Unavailable, WebcareError
from app.settings import PROJECT
from app.tickets.store import ChangedMeanwhile


class Person(InModel):
    handle: Name
    verified: Flag = False


class Post(InModel):
    text: Annotated[str, Text(1000)]
    posted_at: Instant | None = None
    followers: Count = 0
    rating: float | None = None
    author: Person | None = None
    tags: Annotated[frozenset[str], Field(min_length=1, max_length=2)] | None = None


class Batch(InModel):
    mentions: list[Post]


class SpeaksDutchOnly(Refused):
    pass


RAISED: dict[str, Exception] = {
    "not_found": NotFound("It is not there."),
    "conflict": Conflict("Not now.", legal=["claim"]),
    "changed_meanwhile": ChangedMeanwhile("Somebody was first."),
    "speaks_dutch_only": SpeaksDutchOnly("Say it in Dutch.", field="text"),
    "forbidden": Forbidden("Not you."),
    "invalid": Invalid("That means nothing.", field="until", status="no fact replaces a member"),
    "unauthorised": Unauthorised("Who are you?"),
    "unavailable": Unavailable("Later.", retry_after=7),
    "bug": ZeroDivisionError("the customer's secret words"),
}


def build() -> FastAPI:
    built = FastAPI(strict_content_type=False)
    problems.install(built)
    built.add_middleware(Limits, longest=10_000, exceptions={})

    @built.get("/raise/{which}")
    async def raising(which: str) -> None:
        raise RAISED[which]

    @built.post("/batch")
    async def batch(asked: Batch) -> Batch:
        return asked

    @built.get("/search")
    async def search(limit: Annotated[int, Query(le=200)]) -> int:
        return limit

    @built.patch("/version")
    async def version(expected: ExpectedVersion) -> int | None:
        return expected

    return built


@pytest.fixture
async def caller() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(build()), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("code", "status", "headers"),
    [
        ("not_found", 404, {}),
        ("conflict", 409, {}),
        ("changed_meanwhile", 412, {}),
        ("speaks_dutch_only", 422, {}),
        ("forbidden", 403, {}),
        ("invalid", 422, {}),
        ("unauthorised", 401, {"www-authenticate": 'Bearer realm="webcare"'}),
        ("unavailable", 503, {"retry-after": "7"}),
    ],
)
async def test_each_family_has_its_status(
    caller: httpx.AsyncClient, code: str, status: int, headers: dict[str, str]
) -> None:
    answer = await caller.get(f"/raise/{code}")
    error = RAISED[code]
    assert isinstance(error, WebcareError)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert headers.items() <= answer.headers.items()
    problem = answer.json()
    assert problem["type"] == f"urn:problem-type:webcare:{code}"
    assert next(iter(problem)) == "type"
    assert (problem["status"], problem["code"], problem["detail"]) == (status, code, error.message)
    assert problem.get("field") == error.field


async def test_facts_travel_beside_the_message(caller: httpx.AsyncClient) -> None:
    problem = (await caller.get("/raise/conflict")).json()
    assert problem["legal"] == ["claim"]
    assert problem["title"] == "Conflict"


async def test_our_own_failure_tells_nothing_of_the_inside(
    caller: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await caller.get("/raise/bug", headers={"X-Request-Id": "abc-1"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert answer.json()["trace_id"] == "abc-1"
    assert "secret words" not in answer.text
    [line] = [record for record in caplog.records if record.name.startswith("webcare")]
    assert getattr(line, "facts") == {"trace_id": "abc-1", "route": "/raise/{which}"}  # noqa: B009 - an extra


POST = {"text": "waar blijft mijn pakket"}


@pytest.mark.parametrize(
    ("part", "field", "code"),
    [
        ({"author": {}}, "author.handle", "missing"),
        ({"author": {"handle": "a", "color": 1}}, "author.color", "extra_forbidden"),
        ({"author": {"handle": "a", "verified": "yes"}}, "author.verified", "bool_type"),
        ({"text": "a\x00b"}, "text", "unstorable_text"),
        ({"text": "a\ud800b"}, "text", "string_unicode"),
        ({"text": "x" * 1001}, "text", "string_too_long"),
        ({"text": 5}, "text", "string_type"),
        ({"rating": float("nan")}, "rating", "finite_number"),
        ({"rating": float("inf")}, "rating", "finite_number"),
        ({"followers": 2**70}, "followers", "less_than"),
        ({"followers": -1}, "followers", "greater_than_equal"),
        ({"followers": 1.5}, "followers", "int_type"),
        ({"followers": "12"}, "followers", "int_type"),
        ({"posted_at": "9999-12-31T23:59:59Z"}, "posted_at", "moment_out_of_range"),
        ({"posted_at": "1999-12-31T23:59:59Z"}, "posted_at", "moment_out_of_range"),
        ({"posted_at": "9999-12-31T23:59:59-23:59"}, "posted_at", "moment_out_of_range"),
        ({"posted_at": "0001-01-01T00:00:00+23:59"}, "posted_at", "moment_out_of_range"),
        ({"posted_at": "2026-02-30T00:00:00Z"}, "posted_at", "datetime_from_date_parsing"),
        ({"posted_at": "2026-01-01T12:00:00"}, "posted_at", "timezone_aware"),
        ({"posted_at": 2**70}, "posted_at", "datetime_type"),
        ({"posted_at": 1795334400}, "posted_at", "datetime_type"),
        ({"posted_at": "1795334400"}, "posted_at", "datetime_type"),
        ({"author": {"handle": " \n"}}, "author.handle", "blank_text"),
        ({"x" * 300: 1}, "x" * 189, "extra_forbidden"),
    ],
)
async def test_a_bad_field_is_named_with_its_place(
    caller: httpx.AsyncClient, part: dict[str, Any], field: str, code: str
) -> None:
    body = json.dumps({"mentions": [POST, {**POST, **part}]})
    answer = await caller.post("/batch", content=body, headers={"Content-Type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request")
    [found] = problem["errors"]
    assert (found["field"], found["code"]) == (f"mentions.1.{field}", code)
    assert problem["field"] == found["field"]
    assert problem["detail"] == f"{found['field']}: {found['message']}"


async def test_a_field_whose_own_name_cannot_be_told_is_refused_with_what_it_stands_in(
    caller: httpx.AsyncClient,
) -> None:
    body = json.dumps({"mentions": [{**POST, "col\ud800or": 1}]})
    answer = await caller.post("/batch", content=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "mentions.0")


@pytest.mark.parametrize(
    ("part", "way_out"),
    [
        ({"posted_at": "yesterday"}, "2026-11-22T08:00:00Z"),
        ({"posted_at": "2026-11-22"}, "2026-11-22T08:00:00Z"),
        ({"posted_at": "2026-11-22T08:00:00"}, "2026-11-22T08:00:00Z"),
        ({"posted_at": 1795334400}, "2026-11-22T08:00:00Z"),
        ({"followers": "12"}, "without quotes"),
        ({"author": "sanne"}, "JSON object"),
        ({"tags": []}, "at least 1."),
        ({"tags": ["a", "b", "c"]}, "at most 2."),
    ],
)
async def test_a_bad_field_is_told_how_to_make_it_a_good_one(
    caller: httpx.AsyncClient, part: dict[str, Any], way_out: str
) -> None:
    answer = await caller.post("/batch", json={"mentions": [{**POST, **part}]})
    [error] = answer.json()["errors"]
    assert way_out in error["message"]


async def test_every_bad_field_is_told_at_once(caller: httpx.AsyncClient) -> None:
    answer = await caller.post("/batch", json={"mentions": [{}, {"text": "a", "b": 1}], "c": 1})
    problem = answer.json()
    assert {it["field"] for it in problem["errors"]} == {"mentions.0.text", "mentions.1.b", "c"}
    assert problem["detail"].endswith(" 2 more in `errors`.")


async def test_every_refusal_is_a_sentence(caller: httpx.AsyncClient) -> None:
    answer = await caller.post("/batch", json={"mentions": [{**POST, "rating": "high"}, {**POST, "followers": -1}]})
    problem = answer.json()
    assert all(one["message"].endswith(".") for one in problem["errors"])
    assert ". 1 more in `errors`." in problem["detail"]


async def test_a_moment_is_kept_in_utc(caller: httpx.AsyncClient) -> None:
    asked = {"mentions": [{**POST, "posted_at": "2026-01-01T01:00:00+02:00"}]}
    assert (await caller.post("/batch", json=asked)).json()["mentions"][0]["posted_at"] == "2025-12-31T23:00:00Z"


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 9_000, b"1" * 9_000, b"{'mentions': []}", b'{"mentions": [],}', b"\x00"]
)
async def test_what_is_no_json_is_400(caller: httpx.AsyncClient, body: bytes) -> None:
    answer = await caller.post("/batch", content=body)
    assert answer.status_code == 400
    assert answer.json()["code"] in {"broken_json", "broken_body"}


async def test_where_json_breaks_off_is_told(caller: httpx.AsyncClient) -> None:
    answer = await caller.post("/batch", content=b'{"mentions')
    assert answer.json()["detail"] == "The body is not JSON: Unterminated string starting at character 1."


@pytest.mark.parametrize("body", [b"null", b"[]", b"3", b'"text"', b""])
async def test_json_that_is_no_object_is_422(caller: httpx.AsyncClient, body: bytes) -> None:
    answer = await caller.post("/batch", content=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == "body"


async def test_a_form_where_json_is_expected_tells_the_header_to_send(caller: httpx.AsyncClient) -> None:
    answer = await caller.post("/batch", data={"mentions": "[]"})
    assert (answer.status_code, answer.json()["code"]) == (415, "json_expected")
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("limit", ["201", "NaN", "9" * 5000, "%00"])
async def test_a_query_is_checked_like_a_body(caller: httpx.AsyncClient, limit: str) -> None:
    answer = await caller.get(f"/search?limit={limit}")
    assert (answer.status_code, answer.json()["field"]) == (422, "limit")


async def test_unknown_paths_and_methods_are_problems_too(caller: httpx.AsyncClient) -> None:
    nowhere = await caller.get("/nowhere")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no_such_path")
    wrong = await caller.delete("/batch")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize(("tag", "version"), [('"7"', 7), ('W/"7"', 7), ("*", None), (None, None)])
async def test_if_match_names_the_version_that_the_writer_saw(
    caller: httpx.AsyncClient, tag: str | None, version: int | None
) -> None:
    answer = await caller.patch("/version", headers={"If-Match": tag} if tag else {})
    assert answer.json() == version


@pytest.mark.parametrize("tag", ["7", '"seven"', '"-1"', '"1", "2"', '"' + "9" * 40 + '"', ""])
async def test_an_if_match_that_is_no_etag_of_ours_is_422(caller: httpx.AsyncClient, tag: str) -> None:
    answer = await caller.patch("/version", headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["field"]) == (422, "If-Match")


def test_a_part_that_was_checked_on_its_own_is_named_with_its_place() -> None:
    with pytest.raises(ValidationError) as refused:
        Person.model_validate({})
    problem = problems.describe(problems.invalid_request(refused.value.errors(), within="mentions.3.author"))
    assert problem["field"] == "mentions.3.author.handle"
    assert problem["status"] == 422


def _leaves(family: type[WebcareError]) -> set[type[WebcareError]]:
    below = set(family.__subclasses__())
    return set().union(*map(_leaves, below)) if below else {family}


COMMAND_LINE = ("app.cli", "app.demo", "app.embedded")  # what these raise never leaves through the API


def test_the_list_of_codes_is_whole_and_its_statuses_are_right() -> None:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.startswith(COMMAND_LINE):
            importlib.import_module(module.name)
    leaves = [leaf for leaf in _leaves(WebcareError) if leaf.__module__.startswith("app.")]
    ours = {leaf.code: leaf for leaf in leaves if not leaf.__module__.startswith(COMMAND_LINE)}
    rows = re.findall(r"^\| `(\w+)` \| (?:(\d{3}) \| )?", (PROJECT / "docs" / "errors.md").read_text(), re.MULTILINE)
    by_framework = {"broken_body", "internal_error", "method_not_allowed", "no_such_path"}
    assert {code for code, _ in rows} - by_framework == ours.keys()
    told = {code: int(status) for code, status in rows if status and code in ours}
    assert told == {code: problems.describe(_blank(ours[code]))["status"] for code in told}


def _blank(leaf: type[WebcareError]) -> WebcareError:
    """Some take facts of their own; the status hangs on the class alone."""
    error = leaf.__new__(leaf)
    WebcareError.__init__(error, "It is so.")
    return error
