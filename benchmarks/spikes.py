"""How well and how fast spikes are seen: precision, recall and delay on known ones, false alarms on quiet data.

    python -m benchmarks.spikes

The series are synthetic, as only of these is it known what is a spike: 500 topics of 0.02 to 40 posts an hour, with
days and nights, weekends, a drift of up to a fifth over the weeks, and half of them scattering up to three times as
much as Poisson's. They are judged with the thresholds of `routing_rules/escalation.yaml`, at every minute in which a
post came in.
"""

import argparse
import asyncio
import math
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

from sqlalchemy import text

from app.escalation.incidents.incident import (
    Count,
    Incident,
    IncidentState,
    Scope,
    SpikeRules,
    Subject,
    followed,
    opened,
)
from app.escalation.spike import baseline
from app.flows.spikes import watch_volumes
from app.migrating import migrate
from app.rulebook import load
from app.runtime import Runtime, build_runtime
from app.settings import PROJECT, Settings
from benchmarks.harness import database, machine

TOPICS = 500
HOURS_OF_WEEK = 168
MINUTES = 60
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SIZES = (4, 8, 16)  # times the usual
ID = UUID(int=1)


@dataclass(frozen=True, slots=True)
class Topic:
    """`rate` posts an hour on average; `scatter` 1 as Poisson's; `drift` over the weeks that are looked at."""

    rate: float
    scatter: float
    drift: float
    phase: float

    def mean(self, hour: int, hours: int) -> float:
        """At an hour of so many: by day, by weekday, and drifting."""
        daily = 1 + 0.9 * math.sin(2 * math.pi * (hour % 24 - 8) / 24 + self.phase)
        weekly = 0.6 if hour % HOURS_OF_WEEK >= 120 else 1.0
        return self.rate * daily * weekly * (1 + self.drift * hour / hours)


@dataclass(frozen=True, slots=True)
class Spike:
    """A known one: from `start` for `hours`, so many times the usual and at least ten posts an hour more."""

    topic: int
    start: int
    hours: int
    times: int


@dataclass(frozen=True, slots=True)
class Found:
    topic: int
    minute: int


def topics(chance: random.Random) -> list[Topic]:
    return [
        Topic(
            rate=math.exp(chance.uniform(math.log(0.02), math.log(40))),
            scatter=chance.choice((1.0, chance.uniform(1.0, 3.0))),
            drift=chance.uniform(-0.2, 0.2),
            phase=chance.uniform(-0.5, 0.5),
        )
        for _ in range(TOPICS)
    ]


def drawn(mean: float, scatter: float, chance: random.Random) -> int:
    """A count with this mean, and `scatter` times it as variance: Poisson of a Gamma."""
    if mean <= 0:
        return 0
    if scatter > 1:
        mean = chance.gammavariate(mean / (scatter - 1), scatter - 1)
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def spikes(chance: random.Random, number: int, past: int, hours: int) -> list[Spike]:
    """At most one for each topic."""
    return [
        Spike(topic, past + chance.randrange(24, hours - 24), chance.randint(1, 4), SIZES[n % len(SIZES)])
        for n, topic in enumerate(chance.sample(range(TOPICS), number))
    ]


def series(topic: Topic, hours: int, spike: Spike | None, chance: random.Random) -> list[int]:
    counts = []
    for hour in range(hours):
        mean = topic.mean(hour, hours)
        count = drawn(mean, topic.scatter, chance)
        if spike is not None and spike.start <= hour < spike.start + spike.hours:
            count += drawn(max(10.0, (spike.times - 1) * mean), 1.0, chance)
        counts.append(count)
    return counts


def comparable(counts: Sequence[int], hour: int, weeks: int) -> list[list[int]]:
    return [[counts[hour - week * HOURS_OF_WEEK + near] for week in range(1, weeks + 1)] for near in (-1, 0, 1)]


def watched(number: int, counts: Sequence[int], past: int, rules: SpikeRules, chance: random.Random) -> Iterator[Found]:
    """The incidents that are opened on one topic."""
    subject, standing, closed_at = Subject(Scope.TOPIC, str(number)), None, None
    for hour in range(past, len(counts) - 1):
        usual = baseline(comparable(counts, hour, rules.weeks))
        assert usual is not None
        arrivals = sorted(chance.uniform(0, MINUTES) for _ in range(counts[hour]))
        looks = sorted({math.ceil(at) for at in arrivals} | ({10, 20, 30, 40, 50, 60} if standing else set()))
        for minute in looks:
            now = MONDAY + timedelta(hours=hour, minutes=minute)
            posts = sum(at <= minute for at in arrivals)
            count = Count(subject, posts, usual, minute / MINUTES, closed_at)
            if standing is None:
                standing = opened(count, rules, now, ID)
                if standing is not None:
                    yield Found(number, hour * MINUTES + minute)
            else:
                standing, closed_at = _followed(standing, count, rules, now, closed_at)


def _followed(
    standing: Incident, count: Count, rules: SpikeRules, now: datetime, closed_at: datetime | None
) -> tuple[Incident | None, datetime | None]:
    after = followed(standing, count, rules, now)
    return (None, after.closed_at) if after.state is IncidentState.CLOSED else (after, closed_at)


def hits(spike: Spike, found: Sequence[Found]) -> list[int]:
    """Minutes from the beginning of a spike to what was opened on it, also up to an hour after its end."""
    begin, end = spike.start * MINUTES, (spike.start + spike.hours + 1) * MINUTES
    return [one.minute - begin for one in found if one.topic == spike.topic and begin <= one.minute < end]


def quality(rules: SpikeRules, weeks: int, seed: int) -> None:
    chance = random.Random(seed)
    past, hours = (rules.weeks + 1) * HOURS_OF_WEEK, weeks * HOURS_OF_WEEK
    known = topics(chance)
    placed = {spike.topic: spike for spike in spikes(chance, 300, past, hours)}
    quiet: list[Found] = []
    loud: list[Found] = []
    for number, topic in enumerate(known):
        quiet += watched(number, series(topic, past + hours, None, chance), past, rules, chance)
        loud += watched(number, series(topic, past + hours, placed.get(number), chance), past, rules, chance)
    seen = {spike: found for spike in placed.values() if (found := hits(spike, loud))}
    true = sum(any(found.topic == spike.topic and hits(spike, [found]) for spike in seen) for found in loud)
    print("| spikes | known | seen | recall | minutes to see it, median |\n|---|---|---|---|---|")
    for times in SIZES:
        of_size = [spike for spike in placed.values() if spike.times == times]
        delays = [min(seen[spike]) for spike in of_size if spike in seen]
        recall = len(delays) / len(of_size)
        print(f"| {times} x the usual | {len(of_size)} | {len(delays)} | {recall:.1%} | {median(delays):.0f} |")
    print(
        f"| all | {len(placed)} | {len(seen)} | {len(seen) / len(placed):.1%} | {median(map(min, seen.values())):.0f} |"
    )
    print(f"\nPrecision {true / len(loud):.1%}: {true} of {len(loud)} incidents were on a known spike.")
    print(f"Quiet data: {len(quiet) / weeks:.1f} false alarms a week on all {TOPICS} topics together.\n")


async def fill(runtime: Runtime, rules: SpikeRules) -> None:
    """Counts of every hour of the weeks that are looked at, for each topic."""
    await runtime.database.transact(
        lambda tx: tx.execute(
            text(
                "INSERT INTO volume SELECT 'topic', 'topic_' || t, h, (random() * 20)::int"
                " FROM generate_series(1, :topics) t, generate_series("
                "date_trunc('hour', now()) - make_interval(weeks => :weeks), date_trunc('hour', now()), '1 hour') h"
            ),
            {"topics": TOPICS, "weeks": rules.weeks},
        )
    )
    await runtime.database.transact(lambda tx: tx.execute(text("ANALYZE volume")))


async def speed(rules: SpikeRules, rounds: int) -> None:
    """The whole of what happens each minute: the slot, counting, judging and following."""
    with database() as (folder, url):
        await migrate(url)
        settings = Settings(data_dir=folder)
        async with build_runtime(settings, database_url=url, statement_timeout=timedelta(seconds=60)) as runtime:
            await fill(runtime, rules)
            taken = []
            for _ in range(rounds):
                began = time.perf_counter()
                await runtime.run(watch_volumes, timedelta(microseconds=1))
                taken.append(time.perf_counter() - began)
    print(f"| each minute, {TOPICS} topics x {rules.weeks} weeks | ms |\n|---|---|")
    print(f"| median of {rounds} | {median(taken) * 1000:.0f} |\n| slowest | {max(taken) * 1000:.0f} |")


def main(weeks: int, seed: int, rounds: int) -> None:
    rules = load(PROJECT / "routing_rules").escalation.spike
    print(f"{machine()}; load {os.getloadavg()[0]:.1f} at the start\n")
    quality(rules, weeks, seed)
    asyncio.run(speed(rules, rounds))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--weeks", type=int, default=2, help="weeks that are watched")
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--rounds", type=int, default=20, help="minutes that are timed")
    chosen = asked.parse_args()
    main(chosen.weeks, chosen.seed, chosen.rounds)
