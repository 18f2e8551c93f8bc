"""What reports cost, up to two million tickets over two years: `python -m benchmarks.reports [--tickets N ...]`.

In one run, each size on an embedded PostgreSQL of its own with fsync and synchronous_commit on:

    (a) tickets that nobody worked on are written (`benchmarks.history`) and counted by `webcare reports rebuild`
    (b) reports, each asked 100 times over HTTP: 90 days by department and day, two years by topic and week, and others;
        with how many lines the answer has and from how many sums it is made, and what of the time the API computes
    (c) percentiles of those sums beside `percentile_cont` over the facts

and then

    (d) mentions taken in by the API, 500 a call by two callers, alone and beside a process that counts them

Two million tickets take 20 GB in the folder for temporary files.
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import asyncpg
import orjson

from app.access.role import Role
from app.cli.processes import ready_runtime
from app.kit import logs
from app.kit.db import Database
from app.migrating import migrate
from app.reports.attainment import PERCENTILES
from app.reports.question import Interval, Question
from app.reports.tally.cut import find_cut, stretches
from app.reports.tally.fact import PROMISES, Measure
from app.reports.tally.measured import Line
from app.reports.tally.store import get_ledger, list_measured
from app.settings import PROJECT, Settings
from app.worker import chores
from benchmarks import history
from benchmarks.harness import (
    Caller,
    Service,
    database,
    environment,
    machine,
    messages,
    percentile,
    run,
    served,
    serving,
    spread,
)

SIZES = (200_000, 1_000_000, 2_000_000)
ASKED = 100
MENTIONS = 10_000
BATCH = 500
ROUNDS = 5
START, LAST_DAYS, END = (history.day(number) for number in (0, history.DAYS - 90, history.DAYS))
ask_about = partial(Question, zone=history.ZONE)
QUESTIONS = {
    "90 days by department and day": ask_about(LAST_DAYS, END, Interval.DAY, ("department",)),
    "90 days by topic and week": ask_about(LAST_DAYS, END, Interval.WEEK, ("topic",)),
    "90 days, the last hours not whole, by channel and day": ask_about(
        LAST_DAYS + timedelta(hours=9, minutes=41), END, Interval.DAY, ("channel",)
    ),
    "two years by topic and week": ask_about(START, END, Interval.WEEK, ("topic",)),
    "two years by department": ask_about(START, END, Interval.NONE, ("department",)),
    "two years in one number": ask_about(START, END),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer costs: `seconds` of each time it was asked, `computing` of the API's processor on average."""

    lines: int
    seconds: Sequence[float]
    computing: float


def rebuild(data: Path, url: str) -> tuple[float, float]:
    """Seconds of `webcare reports rebuild`, and seconds that it computed itself."""
    before, began = _computed(), time.perf_counter()
    command = [sys.executable, "-m", "app.cli", "reports", "rebuild"]
    subprocess.run(command, env=environment(data, url), cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, _computed() - before


def _computed() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


async def ask(service: Service, question: Question) -> Asked:
    asked = {"from": question.start.isoformat(), "to": question.end.isoformat(), "interval": question.interval}
    path = f"/api/v1/reports/sla?{urlencode([*asked.items(), *(('group_by', name) for name in question.group_by)])}"
    seconds, computed = [], service.cpu_seconds
    async with Caller(service) as caller:
        for _ in range(ASKED):
            began = time.perf_counter()
            status, answer = await caller.get(path)
            seconds.append(time.perf_counter() - began)
            if status != 200:
                sys.exit(f"{path} answered {status}: {answer[:300]!r}")
    return Asked(len(orjson.loads(answer)["items"]), seconds, (service.cpu_seconds - computed) / ASKED)


async def sums_read(connection: asyncpg.Connection, question: Question) -> int:
    """How many sums an answer is made of."""
    cut = find_cut(question.group_by)
    assert cut is not None
    return sum(
        [
            await connection.fetchval(
                "SELECT count(*) FROM rollup WHERE edition = (SELECT edition FROM tally) AND cut = $1 AND grain = $2"
                " AND measure = ANY($3) AND step_at >= $4 AND step_at < $5",
                *(cut.name, part.grain, list(PROMISES), part.start, part.end),
            )
            for part in stretches(question.start, question.end, question.interval, cut, history.ZONE)
            if part.grain is not None
        ]
    )


async def error(url: str, connection: asyncpg.Connection) -> float:
    """The largest relative difference of a percentile from the exact one, over 90 days by department."""
    rows = await connection.fetch(
        "SELECT measure, department, percentile_cont($3::float8[]) WITHIN GROUP (ORDER BY value) AS found FROM fact"
        " WHERE measure = ANY($4) AND at >= $1 AND at < $2 AND value IS NOT NULL GROUP BY 1, 2",
        *(LAST_DAYS, END, list(PERCENTILES), [str(one) for one in PROMISES]),
        timeout=600,
    )
    pool = Database(url, pool_size=1)
    async with pool.reading(reports=True) as tx:
        kept = await list_measured(await get_ledger(tx), ask_about(LAST_DAYS, END, group_by=("department",)), PROMISES)
    await pool.close()
    differences = [0.0]
    for row in rows:
        line = Line(None, (row["department"],), Measure(row["measure"]), "")
        told = kept.cells[line].spread.percentiles(PERCENTILES)
        assert told is not None
        differences += [abs(one * 1000 / other - 1) for one, other in zip(told, row["found"], strict=True)]
    return max(differences)


async def sizes(connection: asyncpg.Connection) -> str:
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM fact) AS facts, (SELECT count(*) FROM rollup) AS sums,"
        " pg_total_relation_size('fact') / 2^20 AS fact_mb, pg_total_relation_size('rollup') / 2^20 AS rollup_mb",
        timeout=600,
    )
    assert row is not None
    return f"{row['facts']:,} facts ({row['fact_mb']:,.0f} MB), {row['sums']:,} sums ({row['rollup_mb']:,.0f} MB)"


async def look(url: str) -> tuple[str, dict[str, int], float]:
    """What stands in the database, how many sums each question reads, and the error of percentiles."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("VACUUM ANALYZE fact, rollup", timeout=1800)
    read = {name: await sums_read(connection, question) for name, question in QUESTIONS.items()}
    found = await sizes(connection), read, await error(url, connection)
    await connection.close()
    return found


def report(tickets: int) -> None:
    with database() as (data, url):
        asyncio.run(migrate(url))
        began = time.perf_counter()
        asyncio.run(history.write(url.replace("+asyncpg", ""), tickets))
        writing = time.perf_counter() - began
        rebuilding, computing = rebuild(data, url)
        stands, read, wrong = asyncio.run(look(url))
        print(f"\n{tickets:,} tickets, written in {writing:.0f} s: {stands}")
        speed = f"{tickets / rebuilding:,.0f} tickets/s"
        print(f"  webcare reports rebuild: {rebuilding:.0f} s, {speed}; it computes {computing:.0f} s itself")
        with served(data, url, Role.MANAGER) as service:
            for name, question in QUESTIONS.items():
                asked: Asked = run(lambda question=question: ask(service, question))  # type: ignore[misc]
                p50, p99 = median(asked.seconds) * 1000, percentile(asked.seconds, 0.99) * 1000
                told = f"p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  computing {asked.computing * 1000:6.1f} ms"
                print(f"  {name:<54} {asked.lines:>6} lines {read[name]:>7} sums  {told}", flush=True)
        print(f"  percentiles differ from percentile_cont by at most {wrong:.2%}")


async def count_along(url: str) -> None:
    """What the worker does for reports, as it does it, and nothing else, until it is ended; a line at each look."""
    with tempfile.TemporaryDirectory() as folder:
        async with ready_runtime(Settings(data_dir=Path(folder)), url) as runtime:
            [counting] = [chore for chore in chores(runtime) if chore.name == "tally"]
            while True:
                await counting.look()
                print("counted", flush=True)
                await asyncio.sleep(counting.every.total_seconds())


@contextmanager
def counting(service: Service, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    url = service.dsn.replace("postgresql:", "postgresql+asyncpg:")
    command = [sys.executable, "-m", "benchmarks.reports", "--count", url]
    counter = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE)
    try:
        assert counter.stdout is not None
        counter.stdout.readline()
        yield
    finally:
        counter.terminate()
        counter.wait(20)


def ingest(texts: Sequence[str]) -> None:
    """Mentions per second, in turns alone and beside the counting."""
    numbers = count()
    rates: dict[bool, list[float]] = {False: [], True: []}
    with serving() as service:
        for turn in range(2 * ROUNDS):
            beside = turn % 2 == 1
            jobs = [_batch(texts, numbers) for _ in range(MENTIONS // BATCH)]
            with counting(service, wanted=beside):
                seconds, _ = run(lambda: spread(service, 2, jobs, "/api/v1/mentions/batch", 200))  # noqa: B023
            rates[beside].append(MENTIONS / seconds)
    alone, along = median(rates[False]), median(rates[True])
    costs = [1 - beside / by_itself for by_itself, beside in zip(rates[False], rates[True], strict=True)]
    told = f"median of {ROUNDS} pairs {median(costs):.1%}, from {min(costs):.1%} to {max(costs):.1%}"
    print(f"\ningest alone {alone:,.0f} mentions/s, beside the counting {along:,.0f}; it costs: {told}")


def _batch(texts: Sequence[str], numbers: "count[int]") -> bytes:
    now = datetime.now(UTC).isoformat()
    said = [
        {
            "channel": "forum",
            "external_id": f"r-{number}",
            "author": {"external_id": f"u-{number}"},
            "text": texts[number % len(texts)],
            "posted_at": now,
        }
        for number in (next(numbers) for _ in range(BATCH))
    ]
    return orjson.dumps({"mentions": said})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tickets", type=int, nargs="*", default=SIZES, help="sizes instead of the usual three")
    parser.add_argument("--no-ingest", action="store_true", help="leave out (d)")
    parser.add_argument("--count", metavar="URL", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    logs.configure("WARNING")
    if asked.count:
        run(lambda: count_along(asked.count))
        return
    print(machine())
    for tickets in asked.tickets:
        report(tickets)
    if not asked.no_ingest:
        ingest(messages())


if __name__ == "__main__":
    main()
