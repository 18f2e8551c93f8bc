"""How fast mentions come in, beside what PostgreSQL could take: `python -m benchmarks.ingest [--long] [--profile]`.

In one run, on one embedded PostgreSQL with fsync and synchronous_commit on, every mention with an author and a
conversation of its own, so that each opens a ticket: the most rows that a mention can cause.

    (a) the limit: the very rows that the service wrote, written again by plain asyncpg, 500 mentions a transaction,
        two connections: with COPY, the fastest way that there is, and with INSERT (`executemany`) for comparison
    (b) POST /mentions/batch, 500 a call, two callers
    (c) POST /mentions one by one, with 1, 8, 32 and 128 callers

Caller, API and PostgreSQL share the machine. `--long` goes on to 200,000 mentions (memory) and to 1,000,000 (does the
cost grow with the table?). `--profile` tells where the time of the pipeline goes.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from app.flows.receive import receive
from app.kit import logs
from app.mentions.mention import Author, Mention
from app.migrating import migrate
from app.runtime import build_runtime
from app.schema import metadata
from app.settings import Settings
from benchmarks.harness import Service, database, machine, medians, messages, percentile, run, serving, spread

ROUNDS = 5
BATCH = 500
MENTIONS = 10_000
SINGLES = {1: 600, 8: 3_000, 32: 6_000, 128: 6_000}

# Of each table that a mention causes rows in: the column that leads to the mention, its author or its ticket.
TABLES = {
    "author": "id",
    "conversation": "author_id",
    "mention": "author_id",
    "mention_key": "mention_id",
    "ticket": "author_id",
    "ticket_mention": "ticket_id",
    "custody": "ticket_id",
    "event": "ticket_id",
    "clock": "ticket_id",
    "decision": "ticket_id",
}
GENERATED = {"place", "xact", "search"}  # columns that PostgreSQL fills in

Parts = dict[str, list[Any]]
Columns = dict[str, list[str]]
Write = Callable[[Any, str, list[Any]], Awaitable[None]]

_numbers = count(1)


def body(text: str) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "channel": "x",
        "external_id": f"b-{number}",
        "author": {"external_id": f"u-{number}", "handle": f"user{number}", "followers": number % 5000},
        "text": text,
        "posted_at": (datetime.now(UTC) - timedelta(seconds=30)).isoformat(),
    }


def batches(texts: list[str], mentions: int) -> list[bytes]:
    said = [body(texts[number % len(texts)]) for number in range(mentions)]
    return [orjson.dumps({"mentions": said[start : start + BATCH]}) for start in range(0, mentions, BATCH)]


async def measure(service: Service, texts: list[str], *, limit: bool) -> dict[str, float]:
    """One round of all figures, in mentions per second and milliseconds. With `limit` the tables are emptied first."""
    figures: dict[str, float] = {}
    if limit:
        await empty(service)
    seconds, _ = await spread(service, 2, batches(texts, MENTIONS), "/api/v1/mentions/batch", 200)
    figures["batch"] = MENTIONS / seconds
    if limit:
        transactions, columns = await gather(service)
        figures["rows"] = sum(len(part) for parts in transactions for part in parts.values()) / MENTIONS
        figures["limit"] = await write_again(service, transactions, partial(copy, columns))
        figures["insert"] = await write_again(service, transactions, partial(insert, columns))
        await tidy(service)
    for callers, calls in SINGLES.items():
        jobs = [orjson.dumps(body(texts[number % len(texts)])) for number in range(calls)]
        seconds, latencies = await spread(service, callers, jobs, "/api/v1/mentions", 201)
        figures[f"single {callers}"] = calls / seconds
        figures[f"p50 {callers}"] = percentile(latencies, 0.50) * 1000
        figures[f"p99 {callers}"] = percentile(latencies, 0.99) * 1000
    return figures


async def empty(service: Service) -> None:
    connection = await asyncpg.connect(service.dsn)
    await connection.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def tidy(service: Service) -> None:
    """What autovacuum does over time: a table that was filled in minutes is measured like one filled in months, and
    what the step before left to be cleaned is not charged to the next.
    """
    connection = await asyncpg.connect(service.dsn)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def write_again(service: Service, transactions: list[Parts], write: Write) -> float:
    """Mentions per second of plain asyncpg with rows that the service wrote."""
    await empty(service)
    waiting = iter(transactions)

    async def work() -> None:
        own = await asyncpg.connect(service.dsn)
        for parts in waiting:
            async with own.transaction():
                for table, rows in parts.items():
                    await write(own, table, rows)
        await own.close()

    started = time.perf_counter()
    await asyncio.gather(work(), work())
    return MENTIONS / (time.perf_counter() - started)


async def copy(columns: Columns, connection: Any, table: str, rows: list[Any]) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=columns[table])


async def insert(columns: Columns, connection: Any, table: str, rows: list[Any]) -> None:
    names = ", ".join(f'"{name}"' for name in columns[table])
    places = ", ".join(f"${place}" for place in range(1, len(columns[table]) + 1))
    await connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


async def gather(service: Service) -> tuple[list[Parts], Columns]:
    """The rows of all tables in transactions of 500 mentions, each with everything that its rows refer to."""
    connection = await asyncpg.connect(service.dsn)
    owners: dict[Any, int] = {}
    for place, row in enumerate(await connection.fetch("SELECT author_id, id FROM mention ORDER BY id")):
        owners[row["author_id"]] = owners[row["id"]] = place // BATCH
    for row in await connection.fetch("SELECT id, author_id FROM ticket"):
        owners[row["id"]] = owners[row["author_id"]]
    transactions: list[Parts] = [
        {table.name: [] for table in metadata.sorted_tables if table.name in TABLES} for _ in range(MENTIONS // BATCH)
    ]
    columns: Columns = {}
    for table, owner in TABLES.items():
        columns[table] = [column.name for column in metadata.tables[table].columns if column.name not in GENERATED]
        listed = ", ".join(f'"{name}"' for name in columns[table])
        for row in await connection.fetch(f"SELECT {listed} FROM {table}"):
            transactions[owners[row[owner]]][table].append(tuple(row))
    await connection.close()
    return transactions, columns


async def load(service: Service, texts: list[str], mentions: int) -> None:
    for _ in range(0, mentions, 20_000):
        await spread(service, 2, batches(texts, 20_000), "/api/v1/mentions/batch", 200)


def report(found: dict[str, float]) -> None:
    limit = found["limit"]
    print("\n| what | mentions/s | of the limit | p50 ms | p99 ms |\n|---|---|---|---|---|")
    print(f"| (a) COPY, {found['rows']:.0f} rows a mention | {limit:,.0f} | 100 % | | |")
    print(f"| (a) the same with INSERT | {found['insert']:,.0f} | {found['insert'] / limit:.0%} | | |")
    print(f"| (b) batches of {BATCH}, 2 callers | {found['batch']:,.0f} | {found['batch'] / limit:.0%} | | |")
    for callers in SINGLES:
        rate = found[f"single {callers}"]
        timing = f"{found[f'p50 {callers}']:.1f} | {found[f'p99 {callers}']:.1f}"
        print(f"| (c) one by one, {callers} callers | {rate:,.0f} | {rate / limit:.0%} | {timing} |")


async def profile(texts: list[str], data: Path, url: str) -> None:
    """Where the time of the pipeline goes, by the code that spends it; classification has a thread of its own."""
    logs.configure("WARNING")
    await migrate(url)
    async with build_runtime(Settings(data_dir=data), database_url=url) as runtime:
        said = [mention(text) for text in texts[: 11 * BATCH]]
        await receive(runtime, said[:BATCH])
        profiler = cProfile.Profile()
        profiler.enable()
        for start in range(BATCH, len(said), BATCH):
            await receive(runtime, said[start : start + BATCH])
        profiler.disable()
    spent: dict[str, float] = defaultdict(float)
    for (file, _, name), (_, _, seconds, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        spent[_area(file, name)] += seconds
    whole = sum(spent.values())
    print("\n| where the pipeline's time goes (cProfile, batches of 500) | share |\n|---|---|")
    for area, seconds in sorted(spent.items(), key=lambda item: -item[1])[:14]:
        print(f"| {area} | {seconds / whole:.0%} |")


def _area(file: str, name: str) -> str:
    if "poll" in name or "select" in name:
        return "waiting for PostgreSQL and for the thread that classifies"
    if "/app/" in file:
        return "app/" + "/".join(file.split("/app/")[1].split("/")[:2])
    for library in ("sqlalchemy", "asyncpg", "uuid", "dataclasses", "orjson"):
        if library in file or library in name:
            return library
    return "the rest of Python"


def mention(text: str) -> Mention:
    said = body(text)
    return Mention(
        channel="x",
        external_id=said["external_id"],
        author=Author(**said["author"]),
        text=text,
        posted_at=datetime.fromisoformat(said["posted_at"]),
    )


async def main(service: Service, texts: list[str], *, long: bool) -> None:
    await load(service, texts, 20_000)
    rounds = []
    for number in range(ROUNDS):
        rounds.append(await measure(service, texts, limit=True))
        print(f"round {number + 1}: {rounds[-1]}", file=sys.stderr)
    found = medians(rounds)
    report(found)
    if not long:
        return
    await empty(service)
    await load(service, texts, 20_000)
    early = service.megabytes
    await load(service, texts, 180_000)
    print(
        f"\nMemory of the API process: {early:.0f} MB after 20,000 mentions, {service.megabytes:.0f} MB after 200,000."
    )
    await load(service, texts, 800_000)
    await tidy(service)
    full = medians([await measure(service, texts, limit=False) for _ in range(ROUNDS)])
    print("\n| at 1,000,000 stored mentions | mentions/s | of that on an empty table |\n|---|---|---|")
    for name in ("batch", *(f"single {callers}" for callers in SINGLES)):
        print(f"| {name} | {full[name]:,.0f} | {full[name] / found[name]:.0%} |")


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--long", action="store_true", help="also memory and growth: about 20 minutes more")
    asked.add_argument("--profile", action="store_true", help="only tell where the time goes")
    chosen = asked.parse_args()
    pool = messages()
    print(f"{machine()}; median of {ROUNDS}; load {os.getloadavg()[0]:.1f} at the start")
    if chosen.profile:
        with database() as (folder, address):
            run(lambda: profile(pool, folder, address))
    else:
        with serving() as running:
            run(lambda: main(running, pool, long=chosen.long))
