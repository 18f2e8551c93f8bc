"""How fast, how evenly and how surely webhooks go out: `python -m benchmarks.delivery [--quick]`.

A worker as `webcare worker` starts it, on an embedded PostgreSQL, and one local receiver in a process of its own that
writes down what comes. All share the machine.

    (a) rate     deliveries/s of one worker, beside a bare loop of httpx that signs and posts one after the other
    (b) hanging  one of 20 endpoints never answers; latency of the others at 100 events/s
    (c) memory   of the worker through 100,000 deliveries, a part of which is answered with gzip bombs and without end
    (d) kills    the worker is killed with SIGKILL 100 times during 20,000 deliveries: lost, doubled, order per ticket

`--quick` does a tenth of (a), (c) and (d), and five seconds of (b).
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import httpx

from app.delivery import store as outbox
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, Payload
from app.delivery.envelope import Kind, Message
from app.delivery.signing import secret_from, sign
from app.kit.http import plain_client
from app.kit.ids import new_id
from app.migrating import migrate
from app.runtime import Runtime, build_runtime
from app.settings import PROJECT, Settings
from benchmarks.harness import database, free_port, machine, percentile, run

SECRET = secret_from(token_bytes(32))
OF_A_TICKET = 5  # events of one ticket, which go out one after the other
BODY = '{"type":"ticket.routed","data":{"note":"' + "x" * 600 + '"}}'  # about a thin payload


@dataclass(frozen=True, slots=True)
class Bench:
    """A migrated database, a receiver that listens at `port` and what it wrote down."""

    runtime: Runtime
    url: str
    data: Path
    port: int
    log: Path

    def arrived(self) -> list[tuple[str, float]]:
        """Each post that came, in order: its webhook-id and the seconds since 1970."""
        lines = self.log.read_text().splitlines()
        return [(line.split()[0], float(line.split()[1])) for line in lines]

    def forget(self) -> None:
        os.truncate(self.log, 0)

    async def listening(self, path: str) -> Endpoint:
        now = datetime.now(UTC)
        url = f"http://127.0.0.1:{self.port}{path}"
        sealed = self.runtime.sealer.seal(SECRET)
        one = Endpoint(new_id(), "billing", url, None, Payload.THIN, sealed, created_at=now, updated_at=now)
        await self.runtime.database.transact(lambda tx: endpoints.add_endpoint(tx, one))
        return one

    async def put(self, count: int, to: Sequence[Endpoint]) -> list[Message]:
        """`count` messages, `OF_A_TICKET` for each ticket, which go to the endpoints by turns."""
        made: list[Message] = []
        for number in range(count // OF_A_TICKET):
            ticket_id, endpoint = new_id(), to[number % len(to)]
            made += [event(ticket_id, sequence + 1, endpoint) for sequence in range(OF_A_TICKET)]
        for start in range(0, len(made), 1000):
            part = made[start : start + 1000]
            await self.runtime.database.transact(lambda tx, part=part: outbox.add_messages(tx, part))  # type: ignore[misc]
        return made

    async def open(self) -> int:
        async with self.runtime.reading() as tx:
            return len(await tx.fetch("SELECT FROM delivery WHERE state = 'open'"))

    async def done(self, patience: float = 900) -> None:
        deadline = time.monotonic() + patience
        while await self.open():
            if time.monotonic() > deadline:
                sys.exit(f"{await self.open()} deliveries were still open after {patience:.0f} s.")
            await asyncio.sleep(0.1)

    async def came(self, posts: int) -> None:
        """Wait until so many arrived in all."""
        while self.log.read_bytes().count(b"\n") < posts:  # noqa: ASYNC110 - the receiver is another process
            await asyncio.sleep(0.01)

    async def empty(self) -> None:
        """Nothing waits and nobody listens; what a step left to be cleaned is not charged to the next."""
        await self.runtime.database.transact(lambda tx: tx.fetch("TRUNCATE endpoint, message CASCADE"))
        self.forget()

    @contextmanager
    def worker(self, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        process = self.start_worker(**settings)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(40)

    def start_worker(self, **settings: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "WEBCARE_DATABASE_URL": self.url,
            "WEBCARE_DATA_DIR": str(self.data),
            "WEBCARE_WEBHOOK_ALLOW_CIDRS": "127.0.0.1/32",
            "WEBCARE_LOG_LEVEL": "ERROR",
            **settings,
        }
        return subprocess.Popen([sys.executable, "-m", "app.cli", "worker"], env=environment, cwd=PROJECT)


def event(ticket_id: UUID, sequence: int, to: Endpoint) -> Message:
    return Message(new_id(), Kind.WEBHOOK, "ticket.routed", ticket_id, sequence, BODY, endpoint_ids=(to.id,))


async def rate(bench: Bench, count: int) -> None:
    url = f"http://127.0.0.1:{bench.port}/rate"
    bare = {}
    for name, client in (("httpx as it comes", httpx.AsyncClient()), ("httpx on our transport", plain_client())):
        async with client:
            started = time.perf_counter()
            for _ in range(count // 4):
                body = BODY.encode()
                headers = sign([SECRET], str(new_id()), datetime.now(UTC), body)
                (await client.post(url, content=body, headers=headers)).raise_for_status()
            bare[name] = count / 4 / (time.perf_counter() - started)
    bench.forget()
    to = [await bench.listening(f"/{number}") for number in range(4)]
    await bench.put(count, to)
    with bench.worker():
        await bench.done()
    moments = sorted(moment for _, moment in bench.arrived())
    worker = count / (moments[-1] - moments[0])
    print("\n| (a) signs and posts to one local receiver | posts/s | the worker's share |\n|---|---|---|")
    for name, posts in bare.items():
        print(f"| bare loop, {name} | {posts:,.0f} | {worker / posts:.0%} |")
    print(f"| one worker, 4 endpoints, {count:,} deliveries | {worker:,.0f} | |")


async def hanging(bench: Bench, seconds: int) -> None:
    others = [await bench.listening(f"/{number}") for number in range(19)]
    hangs = await bench.listening("/hang")
    made_at: dict[str, float] = {}
    with bench.worker():
        await bench.put(OF_A_TICKET, others)
        await bench.came(OF_A_TICKET)  # the worker is up
        started = time.perf_counter()
        for tick in range(seconds * 10):
            batch = [event(new_id(), 1, (*others, hangs)[(tick * 10 + n) % 20]) for n in range(10)]
            made_at |= {str(one.id): time.time() for one in batch if one.endpoint_ids != (hangs.id,)}
            await bench.runtime.database.transact(lambda tx, batch=batch: outbox.add_messages(tx, batch))  # type: ignore[misc]
            await asyncio.sleep(max(0.0, started + (tick + 1) / 10 - time.perf_counter()))
        await asyncio.sleep(3)
        arrived = {name: moment for name, moment in bench.arrived() if name in made_at}
        waits = [moment - made_at[name] for name, moment in arrived.items()]
    print("\n| (b) one of 20 endpoints hangs, 100 events/s | |\n|---|---|")
    print(f"| arrived at the other 19 | {len(arrived):,} of {len(made_at):,} |")
    print(f"| latency p50, p95, p99 | {', '.join(f'{percentile(waits, p):.2f} s' for p in (0.5, 0.95, 0.99))} |")


async def memory(bench: Bench, count: int) -> None:
    paths = [*(f"/{number}" for number in range(8)), "/bomb", "/endless"]
    to = [await bench.listening(path) for path in paths]
    told = []
    with bench.worker() as worker:
        for part in range(5):
            await bench.put(count // 5, to)
            await bench.done()
            told.append((count // 5 * (part + 1), resident(worker.pid)))
    print("\n| (c) deliveries, a fifth answered by gzip bombs and without end | worker's memory |\n|---|---|")
    for number, megabytes in told:
        print(f"| {number:,} | {megabytes:.0f} MB |")


def resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def kills(bench: Bench, count: int, times: int) -> None:
    to = [await bench.listening(f"/{number}") for number in range(20)]
    # A lease that ends soon, so that what the dead had claimed comes back within the benchmark.
    brief = {"WEBCARE_WEBHOOK_DEADLINE": "1", "WEBCARE_WEBHOOK_LEASE": "2"}
    expected: dict[str, tuple[UUID | None, int]] = {}
    for _ in range(times):
        made = await bench.put(count // times, to)
        expected |= {str(one.id): (one.ticket_id, one.sequence) for one in made}
        before = len(bench.arrived())
        worker = bench.start_worker(**brief)
        await bench.came(before + count // times // 2)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    left, started = await bench.open(), time.perf_counter()
    with bench.worker(**brief):
        await bench.done()
    drained = time.perf_counter() - started
    arrived = [name for name, _ in bench.arrived()]
    order: dict[UUID | None, list[int]] = defaultdict(list)
    for name in dict.fromkeys(arrived):
        order[expected[name][0]].append(expected[name][1])
    print(f"\n| (d) {times} x SIGKILL during {len(expected):,} deliveries | |\n|---|---|")
    print(f"| lost | {len(expected.keys() - set(arrived)):,} |")
    print(f"| sent twice, under the same webhook-id | {len(arrived) - len(set(arrived)):,} |")
    print(f"| tickets out of order | {sum(seen != sorted(seen) for seen in order.values()):,} of {len(order):,} |")
    print(f"| drained after the last kill | {left:,} in {drained:.1f} s |")


@contextmanager
def receiving(log: Path) -> Iterator[int]:
    port = free_port()
    log.touch()
    command = [sys.executable, "-m", "benchmarks.receiver", str(port), str(log)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it listens
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def main(url: str, data: Path, *, quick: bool) -> None:
    await migrate(url)
    size = 10 if quick else 1
    with receiving(data / "arrived") as port:
        # A worker keeps its secrets where this process made them.
        async with build_runtime(
            Settings(data_dir=data), database_url=url, statement_timeout=timedelta(minutes=1)
        ) as runtime:
            bench = Bench(runtime, url, data, port, data / "arrived")
            await rate(bench, 20_000 // size)
            await bench.empty()
            await hanging(bench, 5 if quick else 30)
            await bench.empty()
            await memory(bench, 100_000 // size)
            await bench.empty()
            await kills(bench, 20_000 // size, 100 // size)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--quick", action="store_true", help="a tenth of the work: about a minute")
    chosen = asked.parse_args()
    print(f"{machine()}; load {os.getloadavg()[0]:.1f} at the start")
    with database() as (folder, address):
        run(lambda: main(address, folder, quick=chosen.quick))
