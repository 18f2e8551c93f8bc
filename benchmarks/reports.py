"""What reports cost, up to two million tickets over two years: `python -m benchmarks.reports [--tickets N ...]`.

In one run, each size on an embedded PostgreSQL of its own with fsync and synchronous_commit on:

    (a) tickets that nobody worked on are written (`benchmarks.history`) and counted by `webcare reports rebuild`
    (b) every report over HTTP, 90 days by department and day, and two years by topic and week, and `/reports/sla` by
        others: the first answer of a process that answered nothing before, and then 300 more, one after the other;
        with how many lines the answer has, from how many sums of its period it is made, and what the API computes
    (c) percentiles of those sums beside `percentile_cont` over the facts

and then

    (d) mentions taken in by the API, 500 a call by two callers, alone and beside a process that counts them

Nobody else asks and nothing happens meanwhile: no line is counted along, and what PostgreSQL reads lies in memory.
What was answered is kept nowhere: each time the sums are read anew. `p99` is the third slowest of the 300. Reports that
are told for a period as a whole are asked without steps; where waiting time goes is asked by department, since by
topic and week two years make more lines than an answer may have.

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
from dataclasses import dataclass, replace
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
from app.reports.figures import FLOWING
from app.reports.question import Interval, Question
from app.reports.store import COURSE, ROUTING
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
ASKED = 300
MENTIONS = 30_000
BATCH = 500
ROUNDS = 7
START, LAST_DAYS, END = (history.day(number) for number in (0, history.DAYS - 90, history.DAYS))
ask_about = partial(Question, zone=history.ZONE)
DAILY = ask_about(LAST_DAYS, END, Interval.DAY, ("department",))
WEEKLY = ask_about(START, END, Interval.WEEK, ("topic",))
MADE_OF = {
    "sla": PROMISES,
    "sla/holders": (Measure.HELD,),
    "nps": (Measure.ASKED, Measure.SCORED),
    "nps/asked": (Measure.ASKED, Measure.UNASKED),
    "routing": ROUTING,
    "backlog": (Measure.BACKLOG,),
    "volume": FLOWING,
    "rollout": COURSE,
}
WHOLE = ("nps/asked", "rollout")  # told without steps


@dataclass(frozen=True, slots=True)
class Asking:
    """A question that is put to a report."""

    report: str
    question: Question

    def __str__(self) -> str:
        days = round((self.question.end - self.question.start) / timedelta(days=1), 1)
        steps = () if self.question.interval is Interval.NONE else (self.question.interval,)
        return f"{self.report}, {days:g} days" + "".join(f" by {name}" for name in (*self.question.group_by, *steps))


ASKINGS = (
    *(
        Asking(report, replace(question, interval=Interval.NONE if report in WHOLE else question.interval))
        for report in MADE_OF
        for question in (DAILY, replace(WEEKLY, group_by=("department",)) if report == "sla/holders" else WEEKLY)
    ),
    Asking("sla", replace(WEEKLY, start=LAST_DAYS)),
    Asking("sla", replace(DAILY, start=LAST_DAYS + timedelta(hours=9, minutes=41), group_by=("channel",))),
    Asking("sla", ask_about(START, END, group_by=("department",))),
    Asking("sla", ask_about(START, END)),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer costs: seconds of the `first` of a process and of each further one, and what the API's processor
    computes for a further one on average.
    """

    lines: int
    first: float
    seconds: Sequence[float]
    computing: float

    def __str__(self) -> str:
        p50, p99, first = (1000 * one for one in (median(self.seconds), percentile(self.seconds, 0.99), self.first))
        computing = f"computing {1000 * self.computing:6.1f} ms"
        return f"{self.lines:>6} lines  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  {computing}  first {first:6.1f} ms"


def rebuild(data: Path, url: str) -> tuple[float, float]:
    """Seconds of `webcare reports rebuild`, and seconds that it computed itself."""
    before, began = _computed(), time.perf_counter()
    command = [sys.executable, "-m", "app.cli", "reports", "rebuild"]
    subprocess.run(command, env=environment(data, url), cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, _computed() - before


def _computed() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


async def ask(service: Service, asking: Asking) -> Asked:
    question = asking.question
    asked = {"from": question.start.isoformat(), "to": question.end.isoformat()}
    asked["group_by"] = ",".join(question.group_by)
    if asking.report not in WHOLE:
        asked["interval"] = question.interval
    path = f"/api/v1/reports/{asking.report}?{urlencode(asked)}"
    async with Caller(service) as caller:

        async def call() -> tuple[float, bytes]:
            began = time.perf_counter()
            status, answer = await caller.get(path)
            if status != 200:
                sys.exit(f"{path} answered {status}: {answer[:300]!r}")
            return time.perf_counter() - began, answer

        first, answer = await call()
        computed = service.cpu_seconds
        seconds = [(await call())[0] for _ in range(ASKED)]
    return Asked(len(orjson.loads(answer)["items"]), first, seconds, (service.cpu_seconds - computed) / ASKED)


async def sums_read(connection: asyncpg.Connection, asking: Asking) -> int:
    """How many sums of its period an answer is made of."""
    question = asking.question
    cut = find_cut((*question.group_by, *(("arm",) if asking.report == "rollout" else ())))
    assert cut is not None
    return sum(
        [
            await connection.fetchval(
                "SELECT count(*) FROM rollup WHERE edition = (SELECT edition FROM tally) AND cut = $1 AND grain = $2"
                " AND measure = ANY($3) AND step_at >= $4 AND step_at < $5",
                *(cut.name, part.grain, list(MADE_OF[asking.report]), part.start, part.end),
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


async def look(url: str) -> tuple[str, list[int], float]:
    """What stands in the database, how many sums each question reads, and the error of percentiles."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("VACUUM ANALYZE fact, rollup", timeout=1800)
    read = [await sums_read(connection, asking) for asking in ASKINGS]
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
        for asking, sums in zip(ASKINGS, read, strict=True):
            with served(data, url, Role.MANAGER) as service:
                asked: Asked = run(lambda: ask(service, asking))  # noqa: B023
            print(f"  {asking!s:<46} {sums:>7} sums {asked}", flush=True)
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
