"""What benchmarks share: real messages, a service of their own, callers that cost little, and medians.

Knows how to start an embedded PostgreSQL and `webcare serve` beside it. Refuses to know what is measured.
"""

import asyncio
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

from app.access.role import Role
from app.embedded import Embedded
from app.flows.admit import issue
from app.migrating import migrate
from app.runtime import build_runtime
from app.settings import PROJECT, Settings

POOL = Path(os.environ.get("WEBCARE_SHARED_DATA", PROJECT.parent / "shared" / "data")) / "load_pool.jsonl"


@dataclass(frozen=True, slots=True)
class Service:
    """A running API over a database of its own."""

    pid: int
    port: int
    token: str
    dsn: str

    @property
    def megabytes(self) -> float:
        """Resident memory of the API process."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def cpu_seconds(self) -> float:
        """What the API process has used of the processors so far."""
        spent = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")


def messages() -> list[str]:
    """The texts of real messages; ends the benchmark with a clear word when they are not there."""
    if not POOL.exists():
        sys.exit(f"No messages at {POOL}: set WEBCARE_SHARED_DATA to the folder that holds load_pool.jsonl.")
    with POOL.open() as lines:
        return [json.loads(line)["text"] for line in lines]


def machine() -> str:
    """One line about where this was measured."""
    cpu = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), "unknown CPU")
    return f"{os.cpu_count()} x {cpu}, Linux {platform.release()}, Python {platform.python_version()}"


def _cpuinfo() -> list[str]:
    known = Path("/proc/cpuinfo")
    return known.read_text().splitlines() if known.exists() else []


@contextmanager
def database() -> Iterator[tuple[Path, str]]:
    """A fresh embedded PostgreSQL: its folder and address."""
    with tempfile.TemporaryDirectory(prefix="webcare-benchmark-") as folder:
        data = Path(folder)
        data.chmod(0o755)  # PostgreSQL may run under another account
        with Embedded(data) as embedded:
            yield data, embedded.url()


@contextmanager
def serving() -> Iterator[Service]:
    """The API in a process of its own, on a fresh embedded PostgreSQL."""
    with database() as (data, url), served(data, url) as service:
        yield service


@contextmanager
def served(data: Path, url: str, role: Role = Role.INGEST) -> Iterator[Service]:
    """The API in a process of its own, as `webcare serve` starts it, for callers of one role."""
    token = asyncio.run(_prepare(url, data, role))
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve"]
    surroundings = environment(data, url, WEBCARE_PORT=str(port))
    api = subprocess.Popen(command, env=surroundings, cwd=PROJECT, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_ready(port))
        yield Service(api.pid, port, token, url.replace("+asyncpg", ""))
    finally:
        api.terminate()
        api.wait(20)


def environment(data: Path, url: str, **more: str) -> dict[str, str]:
    """Of a `webcare` command that works on a database of ours."""
    return {**os.environ, "WEBCARE_DATABASE_URL": url, "WEBCARE_DATA_DIR": str(data), **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _prepare(url: str, data: Path, role: Role) -> str:
    await migrate(url)
    async with build_runtime(Settings(data_dir=data), database_url=url) as runtime:
        return (await runtime.run(issue, role, "benchmark")).secret


async def _ready(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    sys.exit("The API did not start.")


class Caller:
    """One kept-alive HTTP/1.1 connection for JSON. A library would cost the machine more than the service."""

    def __init__(self, service: Service, token: str | None = None) -> None:
        """`token` of somebody else than the service's own caller."""
        self._service = service
        self._token = token or service.token

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._service.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def get(self, path: str) -> tuple[int, bytes]:
        return await self._call("GET", path, b"")

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        return await self._call("POST", path, body)

    async def _call(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: webcare\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        _, _, length = answer.lower().partition(b"content-length:")
        return int(answer[9:12]), await self._reader.readexactly(int(length.split(b"\r\n")[0] or 0))


async def spread(
    service: Service, callers: int, jobs: Sequence[bytes], path: str, wanted: int
) -> tuple[float, list[float]]:
    """Let `callers` at once post all jobs; (seconds in all, seconds of each). Ends the benchmark on another status."""
    waiting = iter(jobs)
    latencies: list[float] = []

    async def call() -> None:
        async with Caller(service) as caller:
            for body in waiting:
                started = time.perf_counter()
                status, answer = await caller.post(path, body)
                latencies.append(time.perf_counter() - started)
                if status != wanted:
                    sys.exit(f"{path} answered {status}: {answer[:300]!r}")

    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return time.perf_counter() - started, latencies


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    """On the event loop that the service uses too."""
    import uvloop  # noqa: PLC0415 - only where it is used, as it starts slowly

    return uvloop.run(main())  # type: ignore[arg-type]
