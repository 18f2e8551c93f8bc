"""What other rules would do: the last mentions are decided again, under the rules in force and under the proposed ones.

Knows how two fates of one mention are compared and added up. Refuses to know what became of the tickets since, as
this is about where they begin; and writes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from app.kit.db import Records
from app.mentions.mention import words_of
from app.routing.decision import Subject, as_record, decide, in_words
from app.routing.rules import store
from app.rulebook import Rulebook
from app.runtime import Runtime
from app.sla.policy import Case, Metric

AT_ONCE = 500  # mentions between two looks at the progress
SHOWN = 100  # changes that are told in full
PROMISED = (Metric.FIRST_REPLY, Metric.RESOLUTION)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a mention begins under some rules. `promises` are business seconds by metric; `why` is in words."""

    topic: str | None
    department: str | None
    stage: str | None
    arm: str | None
    priority: str
    promises: Mapping[str, float]
    why: tuple[str, ...]

    @property
    def place(self) -> tuple[str | None, ...]:
        return self.topic, self.department, self.stage, self.arm, self.priority


@dataclass(frozen=True, slots=True)
class Change:
    """One mention that would begin elsewhere."""

    mention_id: UUID
    ticket_id: UUID | None
    now: Fate
    proposed: Fate


@dataclass(frozen=True, slots=True)
class Shift:
    """How many mentions begin with a department (None: triage), under each of the rules, and under both."""

    department: str | None
    now: int
    proposed: int
    kept: int


@dataclass(frozen=True, slots=True)
class Pledge:
    """One metric: of how many mentions the promise would be sooner or later, and the mean of it in business seconds."""

    metric: str
    sooner: int
    later: int
    now: float
    proposed: float


@dataclass(slots=True)
class Simulation:
    """All that was added up. `changes` holds the newest 100 of `changed`."""

    now: str
    proposed: str
    mentions: int = 0
    changed: int = 0
    changes: list[Change] = field(default_factory=list)
    _pairs: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    _promises: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def take(self, mention_id: UUID, ticket_id: UUID | None, now: Fate, proposed: Fate) -> None:
        self.mentions += 1
        self._pairs[now.department, proposed.department] += 1
        for metric in now.promises.keys() & proposed.promises.keys():
            self._promises.setdefault(metric, []).append((now.promises[metric], proposed.promises[metric]))
        if now.place != proposed.place or now.promises != proposed.promises:
            self.changed += 1
            if len(self.changes) < SHOWN:
                self.changes.append(Change(mention_id, ticket_id, now, proposed))

    @property
    def departments(self) -> list[Shift]:
        """The largest first."""
        names = {name for pair in self._pairs for name in pair}
        shifts = [
            Shift(
                name,
                now=sum(count for (before, _), count in self._pairs.items() if before == name),
                proposed=sum(count for (_, after), count in self._pairs.items() if after == name),
                kept=self._pairs[name, name],
            )
            for name in names
        ]
        return sorted(shifts, key=lambda shift: (-max(shift.now, shift.proposed), shift.department or ""))

    @property
    def pledges(self) -> list[Pledge]:
        return [
            Pledge(
                metric,
                sooner=sum(after < before for before, after in pairs),
                later=sum(after > before for before, after in pairs),
                now=sum(before for before, _ in pairs) / len(pairs),
                proposed=sum(after for _, after in pairs) / len(pairs),
            )
            for metric, pairs in sorted(self._promises.items())
        ]


async def simulate(
    runtime: Runtime, proposed: Rulebook, last: int, progress: Progress = lambda _done, _of: None
) -> Simulation:
    """Decide the newest `last` questions again, both times with the model in force.

    `progress` hears how many of how many are done.
    """
    now, proposed = runtime.rulebook, runtime.rules.taught(proposed)
    found = Simulation(now.digest, proposed.digest)
    before: UUID | None = None
    while found.mentions < last:
        async with runtime.reading(reports=True) as tx:
            rows = await store.list_asked(tx, before=before, limit=min(AT_ONCE, last - found.mentions))
        if not rows:
            break
        before = rows[-1]["id"]
        for row, pair in zip(rows, await asyncio.to_thread(_decide_both, rows, now, proposed), strict=True):
            found.take(row["id"], row["ticket_id"], *pair)
        progress(found.mentions, last)
    return found


def _decide_both(rows: Records, now: Rulebook, proposed: Rulebook) -> list[tuple[Fate, Fate]]:
    return list(zip(_decide(rows, now), _decide(rows, proposed), strict=True))


def _decide(rows: Records, rules: Rulebook) -> list[Fate]:
    texts = [rules.read(words_of(row["title"], row["text"]), row["language"]) for row in rows]
    read = zip(rows, rules.classifier.classify(texts), rules.hear(texts), strict=True)
    return [
        _fate(
            Subject(
                ticket_id=row["ticket_id"] or row["id"],  # arms hang on the ticket
                channel=row["channel"],
                account=row["account"],
                kind=row["kind"],
                language=classification.language,
                followers=row["followers"],
                verified=row["verified"],
                visibility=row["visibility"],
                classification=classification,
                heard=heard,
            ),
            rules,
        )
        for row, classification, heard in read
    ]


def _fate(subject: Subject, rules: Rulebook) -> Fate:
    decision = decide(subject, rules.routing, rules.digest)
    case = Case(decision.topic, subject.channel, decision.department, decision.priority, decision.tags)
    policies = rules.promise(case)
    return Fate(
        topic=decision.topic,
        department=decision.department,
        stage=decision.stage,
        arm=decision.arm,
        priority=decision.priority,
        promises={str(name): policies[name].target.total_seconds() for name in PROMISED if name in policies},
        why=tuple(in_words(as_record(decision))),
    )
