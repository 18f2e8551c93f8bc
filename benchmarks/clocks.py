"""How fast clocks are read, and how late a sweep is: `python -m benchmarks.clocks`.

In one process and one run, on one embedded PostgreSQL with fsync and synchronous_commit on:

    (a) due moments in the calendar `office`, a week with lunch breaks and holidays; beside it adding the same durations
        to the same moments with no calendar at all
    (b) 10,000 promises due in the same second, one worker: without ladders, and with those of the rulebook; beside
        it plain SQL that claims as many, marks them, adds as many events and touches as many tickets
    (c) 500 promises due in each second, one worker looking as often as it does by default: how long after its due
        moment each breach is committed

and then what `benchmarks.spikes` measures.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import asyncpg

from app.flows.receive import receive
from app.flows.watch import watch
from app.kit import logs
from app.kit.clock import utc_now
from app.mentions.mention import Author, Mention
from app.migrating import migrate
from app.runtime import InForce, Runtime, build_runtime
from app.settings import Settings
from app.sla.business_time import add
from app.sla.policy import Metric
from app.worker import JITTER
from benchmarks.harness import database, machine, medians, percentile, run

ROUNDS = 3
MOMENTS = 100_000
DUE = 10_000
RATE = 500
SECONDS = 20
HEAD_START = timedelta(seconds=90)  # to write them all before the first is due
BATCH = 200
PROMISE = timedelta(hours=1)
DURATIONS = [timedelta(hours=hours) for hours in (1, 4, 8, 28)]

_numbers = count(1)

BARE = """
    WITH due AS MATERIALIZED (
        SELECT id FROM clock WHERE next_at < now() ORDER BY next_at, id LIMIT $1 FOR UPDATE SKIP LOCKED
    ), marked AS (
        UPDATE clock SET state = 'breached', breached_at = due_at, next_at = NULL FROM due WHERE clock.id = due.id
        RETURNING clock.ticket_id, clock.due_at
    ), touched AS (
        UPDATE ticket SET sequence = sequence + 1, version = version + 1
        FROM marked WHERE ticket.id = marked.ticket_id
        RETURNING ticket.id, ticket.sequence, marked.due_at
    )
    INSERT INTO event (ticket_id, sequence, id, type, actor, at, data, version)
    SELECT id, sequence, gen_random_uuid(), 'sla.breached', 'system', now(), jsonb_build_object('at', due_at), 0
    FROM touched
"""


def arithmetic(runtime: Runtime) -> dict[str, float]:
    """Due moments per second, and additions per second without a calendar."""
    office = runtime.rulebook.calendars["office"]
    draw = random.Random(7)
    year = datetime(2026, 1, 1, tzinfo=UTC)
    asked = [(year + timedelta(seconds=draw.randrange(365 * 86_400)), draw.choice(DURATIONS)) for _ in range(MOMENTS)]
    for moment, duration in asked[:100]:
        add(office, moment, duration)  # the year is computed once

    def per_second(due: Callable[[datetime, timedelta], datetime]) -> float:
        started = time.perf_counter()
        for moment, duration in asked:
            due(moment, duration)
        return MOMENTS / (time.perf_counter() - started)

    return {"add": per_second(lambda moment, duration: add(office, moment, duration)), "plus": per_second(_plus)}


def _plus(moment: datetime, duration: timedelta) -> datetime:
    return moment + duration


def simple(runtime: Runtime, *, ladders: bool) -> Runtime:
    """A promise of an hour around the clock for each ticket and no other, so that what is due is what was asked for."""
    rules = runtime.rulebook
    calendars = {name: replace(rules.calendars["always"], name=name) for name in rules.calendars}
    promises = tuple(
        replace(
            rule,
            targets=dict.fromkeys(rule.targets, PROMISE),
            ladder=rule.ladder if ladders else None,
            warn=1.0,
        )
        for rule in rules.sla_rules
        if rule.metric is Metric.FIRST_REPLY
    )
    return replace(runtime, rules=InForce(replace(rules, calendars=calendars, sla_rules=promises, windows={})))


async def ask(runtime: Runtime, posted_at: Sequence[datetime]) -> None:
    """Tickets whose customers posted at these moments, which are past."""
    for start in range(0, len(posted_at), 500):
        said = [mention(at) for at in posted_at[start : start + 500]]
        await receive(replace(runtime, now=lambda: said[0].posted_at), said)  # noqa: B023 - called before the next turn


def mention(at: datetime) -> Mention:
    number = next(_numbers)
    author = Author(external_id=f"u-{number}", handle=f"user{number}")
    return Mention(channel="x", external_id=f"c-{number}", author=author, text="Mijn factuur klopt niet", posted_at=at)


async def sweep(runtime: Runtime) -> float:
    """Clocks per second until nothing is due."""
    started, clocks = time.perf_counter(), 0
    while done := await runtime.run(watch, BATCH):
        clocks += done
    return clocks / (time.perf_counter() - started)


async def bare(dsn: str) -> float:
    connection = await asyncpg.connect(dsn)
    started, clocks = time.perf_counter(), 0
    while done := int((await connection.execute(BARE, BATCH)).rsplit(" ", 1)[1]):
        clocks += done
    await connection.close()
    return clocks / (time.perf_counter() - started)


async def empty(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("TRUNCATE ticket, mention, mention_key, conversation, author CASCADE")
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def fired(dsn: str) -> list[datetime]:
    """When each breach was due; ends the benchmark when one was told twice, or not at all."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT ticket_id, data ->> 'at' AS at FROM event WHERE type = 'sla.breached'")
    tickets = await connection.fetchval("SELECT count(*) FROM ticket")
    await connection.close()
    if len({row["ticket_id"] for row in rows}) != len(rows) or len(rows) != tickets:
        sys.exit(f"{len(rows)} breaches were told of {tickets} tickets.")
    return [datetime.fromisoformat(row["at"]) for row in rows]


async def lateness(runtime: Runtime, dsn: str) -> list[float]:
    """Seconds from each due moment to the commit of its breach, with one worker that looks as often as by default."""
    first = utc_now() - PROMISE + HEAD_START
    posted = [first + timedelta(seconds=number / RATE) for number in range(RATE * SECONDS)]
    for start in range(0, len(posted), 100):  # few at a time: a list of mentions has one moment of receipt
        await ask(runtime, posted[start : start + 100])
    await asyncio.sleep((posted[0] + PROMISE - utc_now()).total_seconds())
    commits: list[tuple[datetime, datetime]] = []
    every = runtime.knobs.poll_interval.total_seconds()
    until = posted[-1] + PROMISE + timedelta(seconds=2)
    while (began := utc_now()) < until:
        done = await runtime.run(watch, BATCH)
        commits.append((began, utc_now()))
        if done < BATCH:
            await asyncio.sleep(every * random.uniform(1 - JITTER, 1 + JITTER))
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT at, data ->> 'at' AS due FROM event WHERE type = 'sla.breached'")
    await connection.close()
    ends = [(row["at"], datetime.fromisoformat(row["due"])) for row in rows]
    return [(next(end for start, end in commits if start <= at <= end) - due).total_seconds() for at, due in ends]


async def main(data: Path, url: str) -> None:
    logs.configure("WARNING")
    await migrate(url)
    dsn = url.replace("+asyncpg", "")
    async with build_runtime(Settings(data_dir=data), database_url=url) as runtime:
        plain, laddered = simple(runtime, ladders=False), simple(runtime, ladders=True)
        late: list[float] = []
        rounds = []
        for number in range(ROUNDS):
            figures = arithmetic(runtime)
            for name, chosen in (("plain", plain), ("laddered", laddered), ("bare", None)):
                await empty(dsn)
                await ask(plain if chosen is None else chosen, [utc_now() - PROMISE - timedelta(seconds=1)] * DUE)
                figures[name] = await (bare(dsn) if chosen is None else sweep(chosen))
                if len(await fired(dsn)) != DUE:
                    sys.exit(f"{name}: not every promise that was due was told.")
            await empty(dsn)
            late += await lateness(plain, dsn)
            rounds.append(figures)
            print(f"round {number + 1}: {figures}", file=sys.stderr)
    report(medians(rounds), late)


def report(found: dict[str, float], late: list[float]) -> None:
    print("\n| what | per second | of what is bare | wanted |\n|---|---|---|---|")
    print(f"| (a) due moments | {found['add']:,.0f} | {found['add'] / found['plus']:.0%} of `+` | 100,000 |")
    for name, words in (("plain", "(b) sweep"), ("laddered", "(b) sweep, each climbing a ladder")):
        ratio = found[name] / found["bare"]
        print(f"| {words}, clocks | {found[name]:,.0f} | {ratio:.0%} of plain SQL | 2,000 |")
    shares = [f"p{round(share * 100)} {percentile(late, share):.2f} s" for share in (0.5, 0.99)]
    print(f"| (c) lateness at {RATE} due/s | {', '.join(shares)}, worst {max(late):.2f} s | | p99 < 1 s |")


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.parse_args()
    print(f"{machine()}; median of {ROUNDS}; load {os.getloadavg()[0]:.1f} at the start")
    with database() as (folder, address):
        run(lambda: main(folder, address))
    subprocess.run([sys.executable, "-m", "benchmarks.spikes"], check=True)  # its own event loops, so its own process
