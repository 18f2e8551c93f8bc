"""`webcare up` as a person meets it: real processes, a real port, Ctrl-C, and kill -9 of everything."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from tests.support.patience import PATIENCE
from tests.support.processes import kill, wait_until_gone

MENTION = {
    "channel": "forum",
    "external_id": "post-1",
    "author": {"handle": "sanne"},
    "text": "Waar blijft mijn pakketje?",
    "posted_at": "2026-11-18T09:55:00Z",
}


def begin(data_dir: Path, port: int, log: Path, host: str = "127.0.0.1") -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEBCARE_")}
    settings = {"WEBCARE_DATA_DIR": str(data_dir), "WEBCARE_HOST": host, "WEBCARE_PORT": str(port)}
    with log.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up"],
            env=environment | settings,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )


class Up:
    """One run of `webcare up` in a data folder, and what it printed until it was ready."""

    def __init__(self, data_dir: Path, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        self.process = begin(data_dir, port, log)
        self.printed = "".join(self._greeting())
        self.tokens = dict(re.findall(r"^ +(\w+) .*?(wc_\S+)$", self.printed, re.MULTILINE))

    def _greeting(self) -> Iterator[str]:
        assert self.process.stdout
        for line in self.process.stdout:
            yield line
            if "Stop" in line:
                return
        pytest.fail(f"it ended before it was ready:\n{self._log.read_text()}")

    def family(self) -> list[Any]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def postgres(self) -> Any:
        return next(one for one in psutil.Process(self.process.pid).children() if one.name() == "postgres")

    def own_children(self) -> list[Any]:
        """API and worker; PostgreSQL is another program."""
        return [one for one in psutil.Process(self.process.pid).children() if one.name() != "postgres"]

    def post(self, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(f"{self.url}/api/v1/mentions", json=MENTION, headers=headers, timeout=PATIENCE)

    def end(self, word: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(word)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[[], Up]]:
    """Starts it, each time on the same data and port; nothing of it is left after the test."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    runs: list[Up] = []

    def start() -> Up:
        runs.append(Up(tmp_path / "data", port, tmp_path / "log"))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.end()


def test_it_serves_heals_and_ends_cleanly(up: Callable[[], Up]) -> None:
    running = up()
    assert running.tokens.keys() == {"admin", "ingest", "agent", "manager", "pr", "department"}
    assert running.post(running.tokens["ingest"]).status_code == 201
    assert running.post(running.tokens["manager"]).status_code == 403

    kill(running.own_children())
    assert running.post(running.tokens["ingest"]).status_code == 200

    running.postgres().kill()
    until = time.monotonic() + PATIENCE
    while running.post(running.tokens["ingest"]).status_code == 503:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert running.post(running.tokens["ingest"]).status_code == 200

    family = running.family()
    assert running.end(signal.SIGINT) == 0
    wait_until_gone(family)


def test_who_starts_it_is_told_first_who_may_come_in_and_what_signs_publications(
    up: Callable[[], Up], tmp_path: Path
) -> None:
    told = up().printed
    assert 0 < told.index("Tokens, shown this once") < told.index("webcare is ready")
    secret = tmp_path / "data" / "publish.secret"
    assert f"http://127.0.0.1:8081/publish, signed with {secret}\n" in told
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.read_text().startswith("whsec_")


def test_a_port_that_is_taken_is_told_before_it_is_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        waiting = begin(tmp_path / "data", port, tmp_path / "log")
        assert waiting.stdout
        told = waiting.stdout.readline()
        waiting.send_signal(signal.SIGINT)
        waiting.communicate(timeout=PATIENCE)
    assert told.startswith(f"127.0.0.1:{port} is taken by another program")
    assert not (tmp_path / "data").exists()


def test_a_host_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    ended = begin(tmp_path / "data", 8080, tmp_path / "log", host="nowhere.invalid")
    ended.communicate(timeout=PATIENCE)
    assert ended.returncode == 1
    told = (tmp_path / "log").read_text("utf-8")
    assert "Cannot listen on nowhere.invalid:8080: " in told
    assert "Unknown error" not in told


def test_killed_hard_it_comes_back_with_all_that_was_acknowledged(up: Callable[[], Up]) -> None:
    first = up()
    ticket = first.post(first.tokens["ingest"]).json()["ticket_id"]
    kill(first.family())
    first.process.communicate()

    again = up()
    assert not again.tokens
    known = again.post(first.tokens["ingest"])
    assert (known.status_code, known.json().get("ticket_id")) == (200, ticket), known.text
    assert again.end(signal.SIGTERM) == 0


def test_nothing_outlives_a_supervisor_that_was_killed(up: Callable[[], Up]) -> None:
    running = up()
    family = running.family()
    running.process.kill()
    running.process.communicate()
    wait_until_gone(family)
