"""The database goes away and comes back: callers are told when to try again, and nothing needs a hand."""

from pathlib import Path

import httpx

from app.access.role import Role
from app.embedded import Embedded
from app.main import create_app
from app.migrating import migrate
from app.runtime import build_runtime
from app.settings import Settings
from tests.support.callers import token_for
from tests.support.mentions import as_json, mention


async def test_without_its_database_the_api_says_when_to_try_again_and_recovers_by_itself(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path)
    embedded.start()
    try:
        await migrate(embedded.url())
        async with build_runtime(Settings(data_dir=tmp_path), database_url=embedded.url()) as runtime:
            headers = await token_for(runtime, Role.INGEST)
            transport = httpx.ASGITransport(create_app(runtime))
            async with httpx.AsyncClient(transport=transport, base_url="http://webcare.test") as client:
                said = as_json(mention())
                assert (await client.post("/api/v1/mentions", json=said, headers=headers)).status_code == 201

                embedded.stop()
                lost = await client.post("/api/v1/mentions", json=as_json(mention()), headers=headers)
                assert (lost.status_code, lost.json()["code"]) == (503, "database_unreachable")
                assert int(lost.headers["retry-after"]) > 0
                assert (await client.get("/healthz")).status_code == 200
                assert (await client.get("/readyz")).status_code == 503

                embedded.start()
                again = await client.post("/api/v1/mentions", json=said, headers=headers)
                assert (again.status_code, again.json()["outcome"]) == (200, "duplicate")
    finally:
        embedded.stop()
