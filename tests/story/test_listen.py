"""Receivers to begin from: `webcare listen` and the example, each as its own process on a real port."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from app.access.role import Role
from app.delivery.endpoints.store import list_endpoints
from app.delivery.signing import secret_from
from app.main import create_app
from app.runtime import Runtime
from app.settings import PROJECT
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.outbox import carry
from tests.support.patience import PATIENCE
from tests.support.serving import listen, served, url_of

SECRET = secret_from(b"listening-listening-1234")
BODY = b'{"type": "ticket.routed", "timestamp": "2026-11-22T09:00:00Z", "sequence": 3, "data": {"number": 1001}}'


@asynccontextmanager
async def started(*words: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEBCARE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=kept | environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def line(process: asyncio.subprocess.Process, holding: str) -> str:
    """The next line of its output that holds this."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while told := (await process.stdout.readline()).decode():
            if holding in told:
                return told
    raise AssertionError(f"it ended without a word of {holding}")


def signed(message_id: str) -> dict[str, str]:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign(message_id, now, BODY.decode())
    return {"webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}


async def test_what_comes_is_verified_and_shown_and_what_is_not_signed_refused() -> None:
    async with started("-m", "app.cli", "listen", "--secret", SECRET, "--port", "0") as process:
        url = re.findall(r"http://127.0.0.1:[0-9]+/", await line(process, "Listening"))[0]
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            assert (await client.post(url, content=BODY, headers=signed("m1"))).status_code == 204
            assert "ticket.routed · ticket 1001 · 3" in await line(process, "ticket 1001")
            assert (await client.post(url, content=BODY, headers=signed("m1"))).status_code == 204
            assert "came before" in await line(process, "ticket 1001")
            forged = signed("m2") | {"webhook-id": "m3"}
            assert (await client.post(url, content=BODY, headers=forged)).status_code == 401
            assert "No signature fits" in await line(process, "refused")
            assert (await client.post(url, content=b"{}")).status_code == 401


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_with_a_token_it_registers_itself_for_as_long_as_somebody_looks(
    runtime: Runtime, clock: Clock, ending: signal.Signals
) -> None:
    clock.at = datetime.now(UTC)
    knobs = runtime.knobs.model_copy(update={"webhook_allow_cidrs": (ip_network("127.0.0.1/32"),)})
    open_to_us = replace(runtime, knobs=knobs)
    token = (await token_for(runtime, Role.DEPARTMENT, "supply_chain"))["Authorization"].removeprefix("Bearer ")
    async with served(create_app(open_to_us), listen()) as api:
        words = ("-m", "app.cli", "listen", "--token", token, "--api", api, "--port", "0")
        async with started(*words) as process:
            await line(process, "of supply_chain")
            async with runtime.reading() as tx:
                (endpoint,) = await list_endpoints(tx, {"supply_chain"})
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=f"{api}/api/v1", headers=headers, timeout=PATIENCE) as client:
                await client.post(f"/endpoints/{endpoint.id}/ping")
                assert await carry(open_to_us) == 1
                assert "endpoint.pinged" in await line(process, "endpoint.pinged")
            process.send_signal(ending)
            await process.wait()
        async with runtime.reading() as tx:
            assert await list_endpoints(tx, {"supply_chain"}) == ()


@pytest.mark.parametrize(
    "words", [(), ("--secret", "whsec_short"), ("--token", "wc_department_x", "--api", "http://127.0.0.1:1")]
)
async def test_what_cannot_work_is_told_and_ends_it(words: tuple[str, ...]) -> None:
    async with started("-m", "app.cli", "listen", "--port", "0", *words) as process:
        assert await process.wait() in (1, 2)


async def test_the_example_takes_each_message_once(tmp_path: Path) -> None:
    assert len((PROJECT / "docs" / "examples" / "receiver.py").read_text().splitlines()) <= 40
    with listen() as free:
        url = url_of(free)
    environment = {"WEBHOOK_SECRET": SECRET, "PORT": url.rpartition(":")[2]}
    async with (
        started(str(PROJECT / "docs" / "examples" / "receiver.py"), **environment) as process,
        httpx.AsyncClient(timeout=PATIENCE) as client,
    ):
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    assert (await client.post(url, content=BODY)).status_code == 401
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.05)
        for message_id in ("m1", "m1", "m2"):
            assert (await client.post(url, content=BODY, headers=signed(message_id))).status_code == 200
        process.terminate()
        assert process.stdout is not None
        assert (await process.stdout.read()).decode().count("ticket.routed") == 2
