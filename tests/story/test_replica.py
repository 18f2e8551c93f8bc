"""Reports read a replica: a real one, which streams from the embedded server, falls behind and is gone."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Self

import httpx
import pytest
from sqlalchemy import URL, make_url, text

from app.delivery.sender import Sender
from app.embedded import Embedded
from app.embedded.account import as_owner_of, environment, program
from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.kit.sealing import Sealer
from app.main import create_app
from app.migrating import migrate
from app.rulebook import Rulebook
from app.runtime import InForce, Runtime
from app.settings import Settings
from tests.conftest import SEAL_KEY
from tests.support.callers import token_for
from tests.support.patience import PATIENCE
from tests.support.standing import add_ticket


class Replica:
    """A standby of the embedded server in a folder and on a socket of its own."""

    def __init__(self, primary: URL, home: Path, like: Path) -> None:
        owner = like.stat()
        for folder in (home, home / "socket"):
            folder.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(folder, owner.st_uid, owner.st_gid)
        self.url = primary.update_query_dict({"host": str(home / "socket")})
        self._words: list[str | Path] = [*as_owner_of(home)]
        self._home = home
        source = f"host={primary.query['host']} user={primary.username} password={primary.password}"
        copying: list[str | Path] = [
            program("pg_basebackup"),
            "-d",
            source,
            "-D",
            home / "cluster",
            "-R",
            "-c",
            "fast",
            "--no-sync",
        ]
        subprocess.run(self._words + copying, check=True, cwd=home, env=environment(), capture_output=True)

    def __enter__(self) -> Self:
        where = f"unix_socket_directories={self._home}/socket"
        standing = [*self._words, program("postgres"), "-D", self._home / "cluster", "-c", where]
        silent = subprocess.DEVNULL
        self._server = subprocess.Popen(standing, cwd=self._home, env=environment(), stdout=silent, stderr=silent)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.send_signal(signal.SIGINT)  # at once, whoever is connected
        self._server.wait(PATIENCE)


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[tuple[URL, Replica]]:
    tmp_path.chmod(0o755)
    with Embedded(tmp_path / "data") as embedded:
        primary = make_url(embedded.url())
        with Replica(primary, tmp_path / "replica", embedded.home) as standby:
            yield primary, standby


@pytest.fixture
async def runtime(replica: tuple[URL, Replica], rulebook: Rulebook) -> AsyncIterator[Runtime]:
    primary, standby = replica
    written = primary.render_as_string(hide_password=False)
    await migrate(written)
    database = Database(written, reports_url=standby.url.render_as_string(hide_password=False))
    knobs = Settings()
    nowhere = Sender(httpx.AsyncClient(), deadline=knobs.webhook_deadline)
    yield Runtime(
        database=database,
        rules=InForce(rulebook),
        knobs=knobs,
        sealer=Sealer(SEAL_KEY),
        sender=nowhere,
        publisher=nowhere,
        adviser=nowhere,
    )
    await nowhere.close()
    await database.close()


async def opened(client: httpx.AsyncClient, headers: dict[str, str], wanted: int) -> dict[str, object]:
    """The reconciliation, once the replica shows so many tickets."""
    ends = time.monotonic() + PATIENCE
    while True:
        answer = await client.get("/api/v1/reports/reconcile", headers=headers)
        if answer.status_code == 200:
            told: dict[str, object] = answer.json()
            [line] = [one for one in told["items"] if one["name"] == "opened"]  # type: ignore[attr-defined]
            if line["headline"]["n"] == wanted:
                return told
        assert time.monotonic() < ends, answer.text
        await asyncio.sleep(0.1)


async def test_reports_read_the_replica_and_nothing_else_misses_it(
    runtime: Runtime, replica: tuple[URL, Replica]
) -> None:
    _, standby = replica
    headers = await token_for(runtime, "manager")
    transport = httpx.ASGITransport(create_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://webcare.test") as client:
        await runtime.database.transact(_open)
        assert (await opened(client, headers, 1))["agrees"]

        aside = Database(standby.url.render_as_string(hide_password=False), pool_size=1)
        async with aside.reading() as tx:
            assert await tx.scalar(text("SELECT pg_is_in_recovery()"))
            await tx.execute(text("SELECT pg_wal_replay_pause()"))
        await runtime.database.transact(_open)
        behind = await opened(client, headers, 1)
        assert behind["agrees"]
        async with aside.reading() as tx:
            await tx.execute(text("SELECT pg_wal_replay_resume()"))
        ahead = await opened(client, headers, 2)
        assert str(behind["as_of"]) < str(ahead["as_of"])
        await aside.close()

        standby.stop()
        refused = await client.get("/api/v1/reports/sla", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (503, "reports_unreachable")
        assert (await client.get("/api/v1/queue", headers=headers)).status_code == 200
        assert (await client.get("/readyz")).status_code == 200


async def _open(tx: Transaction) -> None:
    await add_ticket(tx, utc_now() - timedelta(minutes=1))
