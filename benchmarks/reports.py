"""What reports cost, up to two million tickets over two years: `python -m benchmarks.reports [--tickets N ...]`.

In one run, on one embedded PostgreSQL with fsync and synchronous_commit on:

    (a) facts of invented tickets, about eleven each, are written with COPY and folded into sums by the very code that
        the worker uses; the work's own tables stay empty, so what is measured is reading sums, not counting tickets
    (b) reports, each asked 200 times through the functions behind `/reports/sla`: 90 days by department and day, two
        years by topic and week, and others; at every size, with what a line of the answer costs
    (c) percentiles of those sums beside `percentile_cont` over the facts
    (d) mentions taken in by the API, 500 a call by two callers, alone and beside a process that counts them
"""

import argparse
import asyncio
import gc
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import orjson

from app.cli.processes import YOUNG_OBJECTS
from app.flows.tally import tally
from app.kit import logs
from app.kit.db import Database
from app.kit.ids import new_id
from app.migrating import migrate
from app.reports.attainment import PERCENTILES
from app.reports.question import DIMENSIONS, UNIVERSAL, Dimensions, Interval, Question, step_after
from app.reports.store import list_attainment
from app.reports.tally.cell import Cell, summed
from app.reports.tally.cut import Grain
from app.reports.tally.fact import PROMISES, Fact, Measure
from app.reports.tally.folding import Place, fold
from app.reports.tally.store import list_measured
from app.runtime import build_runtime
from app.settings import PROJECT, Settings
from benchmarks.harness import Service, database, machine, messages, percentile, run, serving, spread

SIZES = (200_000, 1_000_000, 2_000_000)
START = datetime(2024, 11, 1, tzinfo=UTC)
DAYS = 730
END = START + timedelta(days=DAYS)
ASKED = 200
MENTIONS = 10_000
BATCH = 500
ROUNDS = 3

TOPICS = [f"topic_{number:02}" for number in range(18)]
CHANNELS = ["x", "facebook", "instagram", "whatsapp", "forum", "bluesky"]
ACCOUNTS = [f"@account_{number}" for number in range(178)]
DEPARTMENTS = ["supply_chain", "billing", "network", "sales", "webcare", "retention", "legal"]
AGENTS = [f"agent:{number}" for number in range(60)]
PLACES = [("live", None), ("advise", None), ("pilot", "first_hand"), ("pilot", "control"), ("central", None)]
FACT_COLUMNS = ("edition", "ticket_id", "number", "measure", "at", "detail", "good", "value", "lasted", *DIMENSIONS)
CELL_COLUMNS = (
    *("edition", "cut", "grain", "measure", "step_at", "key", "detail"),
    *("n", "good", "total", "spread", "lasted"),
)
LAST_DAYS = END - timedelta(days=90)
QUESTIONS = {
    "90 days by department and day": Question(LAST_DAYS, END, Interval.DAY, ("department",)),
    "90 days by topic and week": Question(LAST_DAYS, END, Interval.WEEK, ("topic",)),
    "90 days, the last hours not whole, by channel and day": Question(
        LAST_DAYS + timedelta(hours=9, minutes=41), END, Interval.DAY, ("channel",)
    ),
    "two years by topic and week": Question(START, END, Interval.WEEK, ("topic",)),
    "two years by department": Question(START, END, Interval.NONE, ("department",)),
    "two years in one number": Question(START, END),
}


def facts_of_ticket(draw: random.Random, opened_at: datetime) -> Iterator[Fact]:
    """About eleven facts, as a usual ticket has: promises, two holders, a reply, a resolution, now and then a score."""
    topic = min(int(draw.expovariate(0.25)), len(TOPICS) - 1)
    department = DEPARTMENTS[topic % len(DEPARTMENTS)]
    of = Dimensions(
        TOPICS[topic],
        draw.choice(CHANNELS),
        draw.choice(ACCOUNTS),
        department,
        *PLACES[topic % len(PLACES)],
        draw.choices(["urgent", "high", "normal", "low"], [1, 3, 12, 4])[0],
        draw.choice(AGENTS),
        draw.choices(["nl", "en", None], [8, 1, 1])[0],
    )
    waited = [int(draw.lognormvariate(mu, 1.2)) for mu in (14.5, 16.5, 13.5)]
    replied_at, resolved_at = (opened_at + timedelta(milliseconds=one) for one in waited[:2])
    yield Fact(Measure.OPENED, opened_at, of)
    yield Fact(Measure.MENTIONED, opened_at, of)
    yield Fact(Measure.PLACED, opened_at, of, "ownership")
    yield Fact(Measure.UNDERSTOOD, opened_at, of, TOPICS[topic])
    yield Fact(Measure.BACKLOG, opened_at, of, value=1)
    for measure, length in zip((Measure.FIRST_REPLY, Measure.RESOLUTION, Measure.ACCEPTANCE), waited, strict=True):
        at = opened_at + timedelta(milliseconds=length)
        yield Fact(measure, at, of, good=length < 2**24, value=length, lasted=length * 2)
    yield Fact(Measure.REPLIED, replied_at, of, "webcare")
    yield Fact(Measure.HELD, replied_at, of, "webcare", value=waited[0])
    yield Fact(Measure.RESOLVED, resolved_at, of, "solved", value=draw.randrange(4))
    yield Fact(Measure.BACKLOG, resolved_at, of, value=-1)
    if draw.random() < 0.2:
        yield Fact(Measure.ASKED, resolved_at, of, good=True)
        score = draw.randrange(11)
        yield Fact(Measure.SCORED, resolved_at, of, ("detractor", "passive", "promoter")[score // 4], value=score)


async def fill(dsn: str, tickets: int) -> float:
    """Write the facts of so many tickets and their sums; returns the seconds that folding alone took.

    Day by day, as facts fall, so that a sum of hours or days is whole when it is written; those of weeks and months
    wait for their last day.
    """
    draw, numbers, folding = random.Random(7), count(1), 0.0
    falling = defaultdict[int, list[tuple[Any, Fact]]](list)
    waiting = defaultdict[Place, list[Cell]](list)
    connection = await asyncpg.connect(dsn)
    for day in range(DAYS):
        begins = START + timedelta(days=day)
        for _ in range(tickets * (day + 1) // DAYS - tickets * day // DAYS):
            ticket_id = new_id()
            for fact in facts_of_ticket(draw, begins + timedelta(seconds=draw.randrange(86_400))):
                falling[(fact.at - START).days].append((ticket_id, fact))
        today = falling.pop(day, [])
        rows = [(1, of, next(numbers), f.measure, f.at, f.detail, f.good, f.value, f.lasted, *f.of) for of, f in today]
        await connection.copy_records_to_table("fact", records=rows, columns=FACT_COLUMNS)
        began = time.perf_counter()
        for place, cell in fold(((fact, 1) for _, fact in today), UNIVERSAL).items():
            waiting[place].append(cell)
        tomorrow = begins + timedelta(days=1)
        last = day == DAYS - 1
        done = [
            p
            for p in waiting
            if last or p.grain in {Grain.HOUR, Grain.DAY} or step_after(p.step, p.grain, UNIVERSAL) <= tomorrow
        ]
        cells = [(place, summed(waiting.pop(place))) for place in done]
        folding += time.perf_counter() - began
        written = [
            (1, *place, cell.n, cell.good, cell.total, cell.spread.packed, cell.lasted.packed) for place, cell in cells
        ]
        await connection.copy_records_to_table(
            "rollup", records=[_ordered(row) for row in written], columns=CELL_COLUMNS
        )
    await connection.execute("INSERT INTO tally (edition, newest, xact, place, zone) VALUES (1, 1, 0, 0, 'UTC')")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return folding


def _ordered(row: Sequence[Any]) -> tuple[Any, ...]:
    edition, cut, grain, measure, step, group, detail, *sums = row
    return (edition, cut, grain, measure, step, list(group), detail, *sums)


async def ask(url: str, question: Question) -> tuple[int, list[float]]:
    """Lines of the answer, and the seconds of each time that it was asked; garbage is collected as in the API."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    pool = Database(url, pool_size=1)
    seconds = []
    for _ in range(ASKED):
        began = time.perf_counter()
        async with pool.reading(reports=True) as tx:
            _, lines = await list_attainment(tx, question)
        seconds.append(time.perf_counter() - began)
    await pool.close()
    return len(lines), seconds


async def error(url: str, dsn: str) -> float:
    """The largest relative difference of a percentile from the exact one, over 90 days by department."""
    exact = await asyncpg.connect(dsn)
    rows = await exact.fetch(
        "SELECT measure, department, percentile_cont($3::float8[]) WITHIN GROUP (ORDER BY value) AS found FROM fact"
        " WHERE measure = ANY($4) AND at >= $1 AND at < $2 AND value IS NOT NULL GROUP BY 1, 2",
        *(LAST_DAYS, END, list(PERCENTILES), [str(one) for one in PROMISES]),
        timeout=600,
    )
    await exact.close()
    pool = Database(url, pool_size=1)
    async with pool.reading(reports=True) as tx:
        kept = await list_measured(tx, Question(LAST_DAYS, END, group_by=("department",)), PROMISES)
    await pool.close()
    differences = [0.0]
    for row in rows:
        told = kept.of(None, (row["department"],), Measure(row["measure"])).spread.percentiles(PERCENTILES)
        assert told is not None
        differences += [abs(one * 1000 / other - 1) for one, other in zip(told, row["found"], strict=True)]
    return max(differences)


async def sizes(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM fact) AS facts, (SELECT count(*) FROM rollup) AS sums,"
        " pg_total_relation_size('fact') / 2^20 AS fact_mb, pg_total_relation_size('rollup') / 2^20 AS rollup_mb"
    )
    await connection.close()
    assert row is not None
    return f"{row['facts']:,} facts ({row['fact_mb']:,.0f} MB), {row['sums']:,} sums ({row['rollup_mb']:,.0f} MB)"


def read(tickets: int) -> None:
    with database() as (_, url):
        dsn = url.replace("+asyncpg", "")
        asyncio.run(migrate(url))
        began = time.perf_counter()
        folding = asyncio.run(fill(dsn, tickets))
        told = asyncio.run(sizes(dsn))
        writing = time.perf_counter() - began
        print(f"\n{tickets:,} tickets: {told}, written in {writing:.0f} s, {folding:.0f} s of it folding")
        for name, question in QUESTIONS.items():
            lines, seconds = run(lambda question=question: ask(url, question))  # type: ignore[misc]
            p50, p99 = median(seconds) * 1000, percentile(seconds, 0.99) * 1000
            told = f"p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  {p50 * 1000 / lines:6.1f} us a line"
            print(f"  {name:<56} {lines:>6} lines  {told}", flush=True)
        print(f"  percentiles differ from percentile_cont by at most {asyncio.run(error(url, dsn)):.2%}")


async def count_along(url: str) -> None:
    """What the worker does for reports, and nothing else, until it is ended."""
    with tempfile.TemporaryDirectory() as folder:
        async with build_runtime(Settings(data_dir=Path(folder)), database_url=url) as runtime:
            while True:
                while await runtime.run(tally, 1000) == 1000:
                    pass
                await asyncio.sleep(1)


@contextmanager
def counting(service: Service, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    url = service.dsn.replace("postgresql:", "postgresql+asyncpg:")
    command = [sys.executable, "-m", "benchmarks.reports", "--count", url]
    counter = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)
    try:
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
    print(f"\ningest alone {alone:,.0f} mentions/s, beside the counting {along:,.0f}: {along / alone - 1:+.1%}")


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
        asyncio.run(count_along(asked.count))
        return
    print(machine())
    for tickets in asked.tickets:
        read(tickets)
    if not asked.no_ingest:
        ingest(messages())


if __name__ == "__main__":
    main()
