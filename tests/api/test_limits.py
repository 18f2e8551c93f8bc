import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message, Receive, Scope, Send

from app.api.limits import Limits
from tests.support.patience import PATIENCE


@pytest.fixture
def patience() -> float:
    return PATIENCE


@pytest.fixture
async def caller(patience: float) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_middleware(Limits, longest=100, exceptions={"/long": 1000}, patience=patience)

    @app.post("/long")
    @app.post("/short")
    async def count(request: Request) -> int:
        return len(await request.body())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def chunks(*sizes: int, wait: float = 0) -> AsyncIterator[bytes]:
    """A body that declares no length."""
    for size in sizes:
        await asyncio.sleep(wait)
        yield b"x" * size


@pytest.mark.parametrize(("path", "length"), [("/short", 100), ("/long", 1000)])
async def test_a_body_up_to_the_limit_of_its_path_passes(caller: httpx.AsyncClient, path: str, length: int) -> None:
    assert (await caller.post(path, content=b"x" * length)).json() == length
    assert (await caller.post(path, content=chunks(length - 50, 50))).json() == length


@pytest.mark.parametrize(("path", "length"), [("/short", 101), ("/long", 1001)])
async def test_a_longer_one_is_413_whether_it_says_so_or_not(caller: httpx.AsyncClient, path: str, length: int) -> None:
    for body in (b"x" * length, chunks(50, length - 50)):
        answer = await caller.post(path, content=body)
        assert answer.status_code == 413
        assert answer.json()["code"] == "payload_too_large"
        assert answer.json()["longest"] == length - 1
        assert answer.headers["connection"] == "close"


async def test_a_declared_length_is_believed_before_a_byte_is_read(caller: httpx.AsyncClient) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = await caller.post("/short", content=never(), headers={"Content-Length": "101"})
    assert answer.status_code == 413


@pytest.mark.parametrize("patience", [0.2])
async def test_a_body_that_drips_is_408_after_one_deadline_for_all_of_it(
    caller: httpx.AsyncClient, patience: float
) -> None:
    answer = await caller.post("/short", content=chunks(*[1] * 50, wait=patience / 4))
    assert answer.status_code == 408
    assert answer.json()["code"] == "body_too_slow"


async def test_a_caller_that_goes_away_halfway_is_no_failure_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    coming: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive, send).body()

    scope = {"type": "http", "method": "POST", "path": "/short", "headers": []}
    await Limits(read, longest=100, exceptions={})(scope, receive, send)
    assert not sent
    assert not caplog.records


async def test_every_answer_carries_an_id_and_a_callers_own_is_kept(caller: httpx.AsyncClient) -> None:
    kept = await caller.post("/short", headers={"X-Request-Id": "order-17.b_c"})
    assert kept.headers["x-request-id"] == "order-17.b_c"
    assert UUID((await caller.get("/nowhere")).headers["x-request-id"]).version == 7


@pytest.mark.parametrize("hostile", ["a b", "x" * 65, "a;b", "<script>"])
async def test_an_id_that_is_long_or_not_plain_is_replaced(caller: httpx.AsyncClient, hostile: str) -> None:
    answer = await caller.post("/short", headers={"X-Request-Id": hostile})
    assert UUID(answer.headers["x-request-id"]).version == 7
