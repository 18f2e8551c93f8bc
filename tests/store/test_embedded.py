"""The embedded PostgreSQL survives what machines do to it, and is closed to everybody else."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from app.embedded import Embedded, EmbeddedFailed
from tests.support.patience import PATIENCE


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture
def embedded(data_dir: Path) -> Iterator[Embedded]:
    with Embedded(data_dir) as running:
        yield running


async def ask(embedded: Embedded, *statements: str) -> Any:
    url = make_url(embedded.url())
    connection = await asyncpg.connect(
        host=url.query["host"], user=url.username, password=url.password, database=url.database
    )
    try:
        return [await connection.fetchval(statement) for statement in statements][-1]
    finally:
        await connection.close()


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/cluster/postmaster.pid").read_text().split()[0])


def test_is_durable_checked_and_private(embedded: Embedded, data_dir: Path) -> None:
    settings = (
        "SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN "
        "('data_checksums', 'fsync', 'full_page_writes', 'listen_addresses', 'synchronous_commit')"
    )
    assert asyncio.run(ask(embedded, settings)) == "on on on  on"
    methods = "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules"
    assert asyncio.run(ask(embedded, methods)) == "scram-sha-256"
    for private in ("", "cluster", "socket"):
        assert (data_dir / "postgres" / private).stat().st_mode & 0o777 == 0o700
    assert (data_dir / "postgres/password").stat().st_mode & 0o777 == 0o600


def test_a_second_one_joins_and_does_not_stop_the_server(embedded: Embedded, data_dir: Path) -> None:
    with Embedded(data_dir) as second:
        assert embedded.owned
        assert not second.owned
        assert asyncio.run(ask(second, "SELECT 1")) == 1
    assert asyncio.run(ask(embedded, "SELECT 1")) == 1


def test_killed_hard_it_comes_back_with_what_was_committed(data_dir: Path) -> None:
    killed = Embedded(data_dir)
    killed.start()
    asyncio.run(ask(killed, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (42)"))
    os.kill(postmaster(data_dir), signal.SIGKILL)
    killed.stop()
    with Embedded(data_dir) as again:
        assert asyncio.run(ask(again, "SELECT n FROM kept")) == 42


def test_a_stale_number_that_another_process_got_does_not_keep_it_down(data_dir: Path) -> None:
    killed = Embedded(data_dir)
    killed.start()
    os.kill(postmaster(data_dir), signal.SIGKILL)
    killed.stop()
    stale = [data_dir / "postgres" / name for name in ("cluster/postmaster.pid", "socket/.s.PGSQL.5432.lock")]
    # An account that may send signals to the process must own it, or PostgreSQL itself sees that it is a stranger.
    owner = (data_dir / "postgres").stat().st_uid
    stranger = subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None)
    try:
        for file in stale:
            file.write_text("\n".join([str(stranger.pid), *file.read_text().splitlines()[1:]]) + "\n")
        with Embedded(data_dir) as again:
            assert again.owned
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_whose_owner_was_killed_is_replaced(data_dir: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from app.embedded import Embedded;"
        "Embedded(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(data_dir)], stdout=subprocess.PIPE)
    assert owner.stdout
    assert owner.stdout.readline() == b"up\n"
    owner.kill()
    owner.communicate()
    with Embedded(data_dir) as heir:
        assert heir.owned
        assert asyncio.run(ask(heir, "SELECT 1")) == 1
    assert not (data_dir / "postgres/cluster/postmaster.pid").exists()


def test_a_path_too_long_for_a_socket_moves_the_socket_only(tmp_path: Path) -> None:
    with Embedded(tmp_path / ("deep" * 30)) as embedded:
        folder = Path(str(make_url(embedded.url()).query["host"]))
        assert asyncio.run(ask(embedded, "SELECT 1")) == 1
    assert not folder.is_relative_to(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()


def test_a_server_that_cannot_start_says_why_and_soon(tmp_path: Path) -> None:
    with Embedded(tmp_path):
        pass
    (tmp_path / "postgres/cluster/global/pg_control").unlink()
    began = time.monotonic()
    with pytest.raises(EmbeddedFailed, match="ended before it was ready"):
        Embedded(tmp_path).start()
    assert time.monotonic() - began < PATIENCE
