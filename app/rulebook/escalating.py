"""The shape of `escalation.yaml`: what asks for care, what it weighs, and from when on PR is asked.

Knows this one file. Refuses to know how it fits the others (checks).
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.escalation.incidents.incident import Severity, SpikeRules
from app.escalation.risk import Level, RiskRules, Watchdog
from app.escalation.rules import Acknowledging, EscalationRules
from app.routing.decision import Escalation, Heeded, Priority, Reach, Risk
from app.rulebook.entry import Duration, Entry, wrong
from app.rulebook.files import CalendarName, DepartmentName, Line, PhraseText, Slug, Some

Points = Annotated[int, Field(ge=0, le=100)]


class RiskEntry(Entry):
    priority: Priority
    points: Points = 0
    words: Some[tuple[PhraseText, ...]]


class WatchdogEntry(Entry):
    name: Line
    kind: Literal["programme", "regulator", "organisation"]
    risk: Slug
    words: Some[tuple[PhraseText, ...]]


class ReachEntry(Entry):
    followers: int = Field(ge=1)
    priority: Priority
    points: Points = 0


class UnansweredEntry(Entry):
    posts: int = Field(ge=2)
    points: Points


class GrowthEntry(Entry):
    per_hour: float = Field(gt=0)
    points: Points


class EngagementEntry(Entry):
    weights: dict[Slug, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    growth: tuple[GrowthEntry, ...] = ()


class SeverityEntry(Entry):
    posts: int = Field(ge=1)
    times: float = Field(ge=1)


class SpikeEntry(Entry):
    weeks: int = Field(ge=1, le=52)
    chance: float = Field(gt=0, lt=1)
    calm: float = Field(gt=0, lt=1)
    quiet: Duration
    cool_down: Duration
    severities: Some[dict[Slug, SeverityEntry]]

    @model_validator(mode="after")
    def _rests_between(self) -> Self:
        if self.calm <= self.chance:
            raise wrong("an incident would flicker", "make `calm` larger than `chance`")
        return self

    def build(self) -> SpikeRules:
        severities = tuple(Severity(name, one.posts, one.times) for name, one in self.severities.items())
        return SpikeRules(**dict(self) | {"severities": severities})


class AcknowledgingEntry(Entry):
    within: Duration
    calendar: CalendarName


class Escalating(Entry):
    risks: dict[Slug, RiskEntry]
    reach: list[ReachEntry]
    threshold: int = Field(ge=1, le=100)
    acknowledge: AcknowledgingEntry
    tell: tuple[DepartmentName, ...] = ()
    verified: Points = 0
    watchdogs: dict[Slug, WatchdogEntry] = Field(default_factory=dict)
    unanswered: tuple[UnansweredEntry, ...] = ()
    engagement: EngagementEntry = EngagementEntry()
    spike: SpikeEntry

    @model_validator(mode="after")
    def _watchdogs_tell_risks(self) -> Self:
        for name, watchdog in self.watchdogs.items():
            if watchdog.risk not in self.risks:
                raise wrong(f"watchdog '{name}' tells unknown risk '{watchdog.risk}'", "name one of `risks`")
        return self

    @model_validator(mode="after")
    def _a_phrase_tells_one_risk(self) -> Self:
        told: dict[str, str] = {}
        for name, risk in self._words():
            for phrase in risk:
                if told.setdefault(phrase, name) != name:
                    raise wrong(f"phrase '{phrase}' tells '{told[phrase]}' and '{name}'", "keep it under one of them")
        return self

    def build(self, tones: tuple[Heeded, ...]) -> Escalation:
        """What raises a ticket's priority, and tags it."""
        words: dict[str, list[str]] = {}
        for name, phrases in self._words():
            words.setdefault(name, []).extend(phrases)
        return Escalation(
            tuple(Risk(name, tuple(words[name]), entry.priority) for name, entry in self.risks.items()),
            tuple(Reach(entry.followers, entry.priority) for entry in self.reach),
            tones,
        )

    def build_rules(self, tones: Mapping[str, tuple[Level, ...]]) -> EscalationRules:
        """What asks for PR."""
        return EscalationRules(
            risk=RiskRules(
                threshold=self.threshold,
                risks={name: entry.points for name, entry in self.risks.items()},
                phrases={phrase: name for name, phrases in self._words() for phrase in phrases},
                watchdogs=dict(self._watchdogs()),
                reach=tuple(Level(entry.followers, entry.points) for entry in self.reach),
                verified=self.verified,
                unanswered=tuple(Level(entry.posts, entry.points) for entry in self.unanswered),
                engagement=self.engagement.weights,
                growth=tuple(Level(entry.per_hour, entry.points) for entry in self.engagement.growth),
                tones=tones,
                told=self.tell,
            ),
            acknowledge=Acknowledging(self.acknowledge.within, self.acknowledge.calendar),
            spike=self.spike.build(),
        )

    def phrases(self) -> Iterator[str]:
        """All that is looked for."""
        return chain.from_iterable(phrases for _, phrases in self._words())

    def _words(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each risk with phrases that tell it: its own, and those of the watchdogs that stand under it."""
        own = ((name, risk.words) for name, risk in self.risks.items())
        return chain(own, ((watchdog.risk, watchdog.words) for watchdog in self.watchdogs.values()))

    def _watchdogs(self) -> Iterator[tuple[str, Watchdog]]:
        for watchdog in self.watchdogs.values():
            yield from ((phrase, Watchdog(watchdog.name, watchdog.kind)) for phrase in watchdog.words)
