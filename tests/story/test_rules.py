"""Rules that were put in force through one process are what another goes by, within moments."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from app.access.role import Role
from app.runtime import Runtime
from app.settings import PROJECT
from tests.support.callers import token_for
from tests.support.patience import PATIENCE
from tests.support.serving import listen, url_of

RULES = "/api/v1/rules"


@asynccontextmanager
async def serving(database_url: str, folder: Path) -> AsyncIterator[str]:
    """`webcare serve` in a process of its own; gives its address once it answers."""
    with listen() as free:
        url = url_of(free)
    environment = {
        **os.environ,
        "WEBCARE_DATABASE_URL": database_url,
        "WEBCARE_DATA_DIR": str(folder),
        "WEBCARE_PORT": url.rsplit(":", 1)[1],
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "serve"),
        env=environment,
        cwd=PROJECT,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            await until(lambda: ready(client, url))
        yield url
    finally:
        process.terminate()
        await process.wait()


async def ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/readyz")).is_success
    except httpx.TransportError:
        return False


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await holds():
            await asyncio.sleep(0.05)


async def test_two_processes_go_by_the_same_rules(runtime: Runtime, database_url: str, tmp_path: Path) -> None:
    admin = await token_for(runtime, Role.ADMIN)
    source = (PROJECT / "routing_rules" / "escalation.yaml").read_text("utf-8")
    other = {"files": {"escalation.yaml": source.replace("followers: 10000", "followers: 20000")}}
    async with AsyncExitStack() as processes, httpx.AsyncClient(headers=admin, timeout=PATIENCE) as client:
        urls = [
            await processes.enter_async_context(serving(database_url, folder))
            for folder in (tmp_path / "one", tmp_path / "other")
        ]
        before = (await client.get(urls[1] + RULES)).json()["digest"]

        answer = await client.post(f"{urls[0]}{RULES}/reload", json=other)
        digest = answer.json()["version"]["digest"]

        async def follows() -> bool:
            return bool((await client.get(urls[1] + RULES)).json()["digest"] == digest)

        await until(follows)
        assert digest != before
        assert (await client.get(urls[0] + RULES)).json()["digest"] == digest
