"""How fast agents are served, beside the bare SQL: `python -m benchmarks.agents [--quick] [--claims N]`.

In one run, on one embedded PostgreSQL with fsync and synchronous_commit on, with 1,000,000 tickets of which 100,000 are
open, 32 agents, each with a token and a connection:

    (a) a page of 50 of the queue, with filters and counts
    (b) the timeline of a ticket with 200 events, and the ticket itself
    (c) the first page of a search
    (d) the next ticket claimed
    (e) what happens, told to 500 listeners to one process

Each is measured at a stated pace (an agent acts every 500 ms and searches every 4 s, faster than any team works) and
flat out, where 32 callers saturate the machine and most of the time is waiting for each other, or for a 503 that asks
to come back. The same goes for the bare SQL: one plain statement on the same rows, by asyncpg, on as many connections.
Callers, API and PostgreSQL share the machine; what the API process computes for one act is told apart.

Claims go on flat out until enough were answered. When a round has taken half of the free tickets, all are let go by
SQL. In no round may a ticket have been answered twice, and as many must stand claimed as were answered.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import asyncpg
import orjson

from app.access.role import Role
from app.flows.admit import issue
from app.runtime import build_runtime
from app.settings import Settings
from benchmarks.crowd import CHANNELS, LANGUAGES, Size, fill
from benchmarks.harness import Caller, Service, machine, messages, percentile, run, serving

AGENTS = 32
PACE = 0.5  # seconds between two acts of one agent
EVENTS = 200  # of the tickets whose timelines are read
FOREVER = 3600.0  # seconds, for what ends otherwise
TOLD_EVERY = 0.4  # seconds between two events that are told to the listeners
LONG_ONES = 100  # of those tickets
WORDS = 200  # that are searched for

FREE = "state IN ('triage', 'routed') AND holder IN ('triage', 'webcare')"
PAGE = """SELECT t.*, post.text FROM (SELECT * FROM ticket WHERE state NOT IN ('resolved', 'closed') AND channel = $1
    AND language = $2 ORDER BY urgent_at, id LIMIT 50) t
    LEFT JOIN LATERAL (SELECT left(m.text, 280) AS text FROM ticket_mention l JOIN mention m ON m.id = l.mention_id
    WHERE l.ticket_id = t.id ORDER BY m.posted_at DESC LIMIT 1) post ON true"""
TIMELINE = "SELECT * FROM event WHERE ticket_id = $1 ORDER BY sequence LIMIT 200"
TICKET = "SELECT * FROM ticket WHERE id = $1"
SEARCH = """SELECT m.id, l.ticket_id, m.text FROM mention m JOIN ticket_mention l ON l.mention_id = m.id
    WHERE m.search @@ (websearch_to_tsquery('dutch', $1) || websearch_to_tsquery('english', $1))
    ORDER BY m.id DESC LIMIT 50"""
TELLING = """SELECT word FROM unnest($1::text[]) word WHERE numnode(websearch_to_tsquery('dutch', word)) > 0
    AND numnode(websearch_to_tsquery('english', word)) > 0"""
CLAIM = f"""WITH next AS (SELECT id FROM ticket WHERE {FREE} ORDER BY urgent_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),
    taken AS (UPDATE ticket t SET state = 'working', assignee = $1, lease_until = now() + interval '10 minutes',
    version = version + 1, sequence = sequence + 1 FROM next WHERE t.id = next.id RETURNING t.id, t.sequence)
    INSERT INTO event (ticket_id, sequence, id, type, actor, at, data)
    SELECT id, sequence, gen_random_uuid(), 'ticket.reassigned', $1, now(), '{{}}' FROM taken"""
LET_GO = """UPDATE ticket SET state = CASE WHEN department IS NULL THEN 'triage' ELSE 'routed' END, assignee = NULL,
    lease_until = NULL WHERE state = 'working' AND assignee IS NOT NULL"""
LENGTHEN = """WITH long AS (UPDATE ticket t SET sequence = $2 FROM (SELECT id, sequence FROM ticket
    WHERE state NOT IN ('resolved', 'closed') ORDER BY id LIMIT $1) old
    WHERE t.id = old.id RETURNING t.id, old.sequence)
    INSERT INTO event (ticket_id, sequence, id, type, actor, at, data, version)
    SELECT id, n, gen_random_uuid(), 'ticket.noted', 'agent:anna', now(), '{"text": "Belde ook al met de winkel."}', 1
    FROM long, generate_series(long.sequence + 1, $2) n"""
TELL = """INSERT INTO event (ticket_id, sequence, id, type, actor, at, data)
    SELECT $1, max(sequence) + 1, gen_random_uuid(), 'ticket.noted', 'agent:bare', now(), '{}' FROM event
    WHERE ticket_id = $1 RETURNING xact, place"""
HEAR = "SELECT * FROM event WHERE (xact, place) >= ($1, $2) ORDER BY xact, place LIMIT 500"

Act = Callable[[], Awaitable[None]]
Agent = Callable[[int], AbstractAsyncContextManager[Act]]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything; `seconds` for each figure, `told` events to the listeners."""

    size: Size
    seconds: float
    claims: int
    listeners: int
    told: int


WHOLE = Scale(Size(made=2000, copies=500, open_copies=50), 20.0, 100_000, 500, 60)
QUICK = Scale(Size(made=100, copies=20, open_copies=5), 0.3, 100, 20, 3)


@dataclass(frozen=True, slots=True)
class Figure:
    """Seconds of each answer to `acts` acts, how long those took in all, and how long the API process computed."""

    latencies: Sequence[float]
    acts: int
    seconds: float
    cpu: float

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(
            [*self.latencies, *other.latencies],
            self.acts + other.acts,
            self.seconds + other.seconds,
            self.cpu + other.cpu,
        )

    @property
    def rate(self) -> float:
        return self.acts / self.seconds

    def ms(self, share: float) -> float:
        return percentile(self.latencies, share) * 1000


@dataclass(frozen=True, slots=True)
class World:
    """Where to ask, who asks, and what there is to ask about."""

    service: Service
    tokens: Sequence[str]
    tickets: Sequence[Any]
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class Read:
    """Something that agents read: one value chosen for each act, in the service's path and in the bare statement.

    `aim` is of the 99th percentile at the stated pace, in milliseconds; `pace` in seconds between acts of one agent.
    """

    what: str
    choose: Callable[[], Sequence[Any]]
    path: Callable[..., str]
    sql: str
    aim: float
    pace: float = PACE


def reads(world: World) -> list[Read]:
    def shelf() -> Sequence[str]:
        return random.choices([*CHANNELS], [*CHANNELS.values()])[0], random.choices(
            [*LANGUAGES], [*LANGUAGES.values()]
        )[0]

    def page(channel: str, language: str) -> str:
        return "/queue?" + urlencode({"channel": channel, "language": language, "limit": 50, "counts": "true"})

    def ticket() -> Sequence[Any]:
        return [random.choice(world.tickets)]

    return [
        Read("queue: page of 50, two filters, counts", shelf, page, PAGE, 60),
        Read(f"timeline of {EVENTS} events", ticket, lambda one: f"/tickets/{one}/timeline?limit=200", TIMELINE, 40),
        Read("the ticket itself", ticket, lambda one: f"/tickets/{one}", TICKET, 40),
        Read(
            "search: first page",
            lambda: [random.choice(world.words)],
            lambda word: "/search?" + urlencode({"q": word}),
            SEARCH,
            150,
            8 * PACE,
        ),
    ]


async def under_load(
    service: Service, agent: Agent, seconds: float, pace: float, is_done: Callable[[], bool] = lambda: False
) -> Figure:
    """All agents at once for so long, or until it is done. `pace` 0: an agent acts again as soon as it is answered."""
    latencies: list[float] = []

    async def work(n: int) -> None:
        async with agent(n) as act:
            await act()  # so that connections and plans are there
            due = time.perf_counter() + random.random() * pace
            end = due + seconds
            while due < end and not is_done():
                await asyncio.sleep(due - time.perf_counter())
                began = time.perf_counter()
                await act()
                latencies.append(time.perf_counter() - began)
                due = max(due + pace, time.perf_counter())

    began, spent = time.perf_counter(), service.cpu_seconds
    await asyncio.gather(*(work(n) for n in range(AGENTS)))
    return Figure(latencies, len(latencies), time.perf_counter() - began, service.cpu_seconds - spent)


async def measure_read(world: World, read: Read, seconds: float) -> None:
    refused = 0

    @asynccontextmanager
    async def asking(n: int) -> AsyncIterator[Act]:
        async with Caller(world.service, world.tokens[n]) as caller:

            async def ask() -> None:
                nonlocal refused
                status, answer = await caller.get("/api/v1" + read.path(*read.choose()))
                if status == 503:
                    refused += 1
                else:
                    expect(200, status, answer)

            yield ask

    bare_ones = partial(querying, world.service, read.sql, read.choose)
    for pace in (read.pace, 0.0):
        refused = 0
        asked = await under_load(world.service, asking, seconds, pace)
        bare = await under_load(world.service, bare_ones, seconds, pace)
        busy = f", {refused} of {asked.acts} answers 503" if refused else ""
        show(read.what + busy, pace, asked, bare, read.aim)


@asynccontextmanager
async def querying(service: Service, sql: str, choose: Callable[[], Sequence[Any]], _: int) -> AsyncIterator[Act]:
    connection = await asyncpg.connect(service.dsn)
    statement = await connection.prepare(sql)

    async def query() -> None:
        await statement.fetch(*choose())

    yield query
    await connection.close()


async def measure_claims(world: World, scale: Scale) -> None:
    claimed: list[str] = []

    @asynccontextmanager
    async def claiming(n: int) -> AsyncIterator[Act]:
        async with Caller(world.service, world.tokens[n]) as caller:

            async def claim() -> None:
                status, answer = await caller.post("/api/v1/queue/claim", b"{}")
                expect(200, status, answer)
                claimed.append(orjson.loads(answer)["id"])

            yield claim

    bare = partial(querying, world.service, CLAIM, lambda: ["agent:bare"])
    connection = await asyncpg.connect(world.service.dsn)
    half = await connection.fetchval(f"SELECT count(*) / 2 FROM ticket WHERE {FREE}")

    paced = await under_load(world.service, claiming, scale.seconds, PACE)
    total = await check_round(connection, claimed)
    show("claim the next ticket", PACE, paced, await under_load(world.service, bare, scale.seconds, PACE), 30)
    await tidy(connection)

    rounds = []
    while total < scale.claims:
        enough = min(half, scale.claims - total)
        rounds.append(await under_load(world.service, claiming, FOREVER, 0, partial(has, claimed, enough)))
        total += await check_round(connection, claimed)
        await tidy(connection)
    bare_ones = await under_load(world.service, bare, scale.seconds, 0)
    show("claim the next ticket", 0, sum(rounds[1:], rounds[0]), bare_ones, 30)
    await tidy(connection)
    await connection.close()
    print(f"\n{total:,} claims in {len(rounds) + 1} rounds, none of a ticket that somebody had.", flush=True)


def has(claimed: list[str], enough: int) -> bool:
    return len(claimed) >= enough


async def check_round(connection: Any, claimed: list[str]) -> int:
    """How many were claimed since the round began; ends the benchmark when one was claimed twice, or for nobody."""
    standing = await connection.fetchval("SELECT count(*) FROM ticket WHERE state = 'working' AND assignee IS NOT NULL")
    number = len(claimed)
    if not len(set(claimed)) == number == standing:
        sys.exit(f"{number} claims were answered, of {len(set(claimed))} tickets, and {standing} stand claimed.")
    claimed.clear()
    return number


async def tidy(connection: Any) -> None:
    """Nobody has a ticket any more, and what that left behind is not charged to whoever comes next."""
    await connection.execute(LET_GO)
    await connection.execute("VACUUM ANALYZE ticket")


async def measure_stream(world: World, scale: Scale) -> None:
    """A note says when it was sent; so what is measured begins before its commit."""
    delays: list[float] = []
    listening = asyncio.Barrier(scale.listeners + 1)

    async def listen(n: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.service.port)
        token = world.tokens[n % len(world.tokens)]
        writer.write(f"GET /api/v1/stream HTTP/1.1\r\nHost: webcare\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        await reader.readuntil(b"\nid: ")
        await listening.wait()
        for _ in range(scale.told):
            await reader.readuntil(b'"text":"')
            sent = await reader.readuntil(b'"')
            delays.append(time.perf_counter() - float(sent[:-1]))
        writer.close()

    async def tell() -> None:
        await listening.wait()
        async with Caller(world.service, world.tokens[0]) as caller:
            for _ in range(scale.told):
                await asyncio.sleep(random.uniform(0.5, 1.5) * TOLD_EVERY)
                note = orjson.dumps({"text": repr(time.perf_counter())})
                expect(201, *await caller.post(f"/api/v1/tickets/{world.tickets[0]}/note", note))

    began, spent = time.perf_counter(), world.service.cpu_seconds
    async with asyncio.timeout(60 + 5 * scale.told):
        await asyncio.gather(tell(), *(listen(n) for n in range(scale.listeners)))
    told = Figure(delays, scale.told, time.perf_counter() - began, world.service.cpu_seconds - spent)

    connection = await asyncpg.connect(world.service.dsn)
    bare = []
    for _ in range(scale.told):
        began = time.perf_counter()
        await connection.fetch(HEAR, *await connection.fetchrow(TELL, world.tickets[0]))
        bare.append(time.perf_counter() - began)
    await connection.execute("DELETE FROM event WHERE actor = 'agent:bare'")  # no ticket knows of them
    await connection.close()
    show(f"told to {scale.listeners} listeners", AGENTS * TOLD_EVERY, told, Figure(bare, scale.told, sum(bare), 0), 500)


def expect(wanted: int, status: int, answer: bytes) -> None:
    if status != wanted:
        sys.exit(f"The service answered {status}, not {wanted}: {answer[:300]!r}")


def show(what: str, pace: float, asked: Figure, bare: Figure, aim: float) -> None:
    """A line of the table; an aim is for the stated pace."""
    load = f"{AGENTS / pace:.3g}/s" if pace else f"flat out: {asked.rate:,.0f}/s (bare {bare.rate:,.0f}/s)"
    times = f"{asked.ms(0.5):.1f} | {asked.ms(0.99):.1f} | {bare.ms(0.5):.1f} | {bare.ms(0.99):.1f}"
    cpu = f"{1000 * asked.cpu / asked.acts:.1f}"
    ratio = f"{asked.ms(0.5) / bare.ms(0.5):.1f} | {asked.ms(0.99) / bare.ms(0.99):.1f}"
    verdict = "" if not pace else f"p99 < {aim:.0f}: {'yes' if asked.ms(0.99) < aim else 'no'}"
    print(f"| {what} | {load} | {times} | {ratio} | {cpu} | {verdict} |", flush=True)


async def prepare(service: Service, texts: list[str], scale: Scale) -> World:
    began = time.perf_counter()
    await fill(service, texts, scale.size)
    connection = await asyncpg.connect(service.dsn)
    await connection.execute(LENGTHEN, LONG_ONES, EVENTS)
    tickets = await connection.fetch("SELECT id FROM ticket WHERE sequence = $1", EVENTS)
    await connection.execute("VACUUM ANALYZE event")
    said = {word for text in texts[:5000] for word in text.lower().split() if word.isalpha()}
    words = [row["word"] for row in await connection.fetch(TELLING, sorted(said))]
    await connection.close()
    with TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        async with build_runtime(settings, database_url=service.dsn.replace("://", "+asyncpg://")) as runtime:
            issued = [await runtime.run(issue, Role.AGENT, f"agent{n}") for n in range(AGENTS)]
    print(f"{scale.size.tickets:,} tickets, {scale.size.open:,} open; made in {time.perf_counter() - began:.0f} s")
    return World(
        service,
        [one.secret for one in issued],
        [row["id"] for row in tickets],
        random.Random(5).sample(words, min(WORDS, len(words))),
    )


async def main(service: Service, texts: list[str], scale: Scale) -> None:
    print(machine(), flush=True)
    world = await prepare(service, texts, scale)
    print("\n| what | load | p50 ms | p99 ms | bare p50 | bare p99 | ratio p50 | ratio p99 | API CPU ms | aim |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for read in reads(world):
        await measure_read(world, read, scale.seconds)
    await measure_stream(world, scale)
    await measure_claims(world, scale)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tiny size: shows that it runs, and no figure")
    parser.add_argument("--claims", type=int, help="how many are counted")
    given = parser.parse_args()
    chosen = QUICK if given.quick else WHOLE
    if given.claims:
        chosen = Scale(chosen.size, chosen.seconds, given.claims, chosen.listeners, chosen.told)
    texts = messages()
    with serving() as service:
        run(partial(main, service, texts, chosen))
