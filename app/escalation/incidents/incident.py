"""An incident: when a spike opens one, how severe it is, and when it is over.

Knows the thresholds and the rest between them: it takes more to open an incident than to keep it, and a while of calm
to close it, so that none flickers. Refuses to know how a chance is computed (spike) and which posts prove it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.escalation.spike import Baseline, chance
from app.kit.errors import Conflict


class IncidentClosed(Conflict):
    """The incident is over, or has its lesson already."""


class Scope(StrEnum):
    """What there is more of than usual: posts about a topic, to one of our accounts, or from an area."""

    TOPIC = "topic"
    ACCOUNT = "account"
    AREA = "area"


class IncidentState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is counted: `name` is a topic's slug, `channel/account`, or an area as channels write it."""

    scope: Scope
    name: str


@dataclass(frozen=True, slots=True)
class Severity:
    """From so many posts in an hour, that are so many times the usual, an incident is this severe."""

    name: str
    posts: int
    times: float


@dataclass(frozen=True, slots=True)
class SpikeRules:
    """When posts make an incident.

    `weeks` of the past are looked at. An incident opens where the chance of so many posts is below `chance`, and they
    have the first of `severities`, mildest first. It is calm when the chance is above `calm`, and over when it was calm
    for `quiet`. The same subject opens no other one within `cool_down` after that.
    """

    weeks: int
    chance: float
    calm: float
    quiet: timedelta
    cool_down: timedelta
    severities: tuple[Severity, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """Posts about a subject in this hour so far: a `share` of it has passed. `closed_at` ended its last incident."""

    subject: Subject
    posts: int
    usual: Baseline
    share: float
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """`observed` and `expected` are posts in the hour at its height, `chance` how likely that was."""

    id: UUID
    subject: Subject
    severity: str
    opened_at: datetime
    observed: int
    expected: float
    chance: float
    department: str | None = None
    state: IncidentState = IncidentState.OPEN
    quiet_since: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    lesson: str | None = None

    @property
    def topic(self) -> str | None:
        """The topic that it is about, if it is about one."""
        return self.subject.name if self.subject.scope is Scope.TOPIC else None

    def learned(self, actor: str, lesson: str, now: datetime) -> "Incident":
        """Closed with a lesson; one that ended by itself stays ended then."""
        closed = self if self.closed_at else replace(self, state=IncidentState.CLOSED, closed_at=now, closed_by=actor)
        return replace(closed, lesson=lesson)

    @property
    def figures(self) -> Mapping[str, Any]:
        """What led to it, JSON-ready."""
        return {
            "scope": self.subject.scope,
            "name": self.subject.name,
            "severity": self.severity,
            "observed": self.observed,
            "expected": round(self.expected, 2),
            "chance": self.chance,
        }


def opened(counted: Count, rules: SpikeRules, now: datetime, incident_id: UUID) -> Incident | None:
    """The incident that a count opens; None: it is nothing unusual, or the last one is not long enough ago."""
    if counted.closed_at is not None and now < counted.closed_at + rules.cool_down:
        return None
    severity = _severity(counted, rules)
    if severity is None:
        return None
    unlikely = chance(counted.posts, counted.usual, counted.share)
    if unlikely >= rules.chance:
        return None
    expected = counted.usual.expected(counted.share)
    return Incident(incident_id, counted.subject, severity.name, now, counted.posts, expected, unlikely)


def followed(incident: Incident, counted: Count, rules: SpikeRules, now: datetime) -> Incident:
    """An open incident after one more look: more severe, calm since now, or over. It never becomes less severe."""
    if chance(counted.posts, counted.usual, counted.share) > rules.calm:
        since = incident.quiet_since or now
        over = now - since >= rules.quiet
        calm = replace(incident, quiet_since=since)
        return replace(calm, state=IncidentState.CLOSED, closed_at=now, closed_by="system") if over else calm
    awake = replace(incident, quiet_since=None)
    if counted.posts <= incident.observed:
        return awake
    severity = _severity(counted, rules)
    named = [one.name for one in rules.severities]
    worse = severity is not None and (
        incident.severity not in named or named.index(severity.name) > named.index(incident.severity)
    )
    return replace(
        awake,
        severity=severity.name if severity is not None and worse else incident.severity,
        observed=counted.posts,
        expected=counted.usual.expected(counted.share),
        chance=chance(counted.posts, counted.usual, counted.share),
    )


def _severity(counted: Count, rules: SpikeRules) -> Severity | None:
    times = counted.posts / counted.usual.expected(counted.share)
    fitting = [one for one in rules.severities if counted.posts >= one.posts and times >= one.times]
    return fitting[-1] if fitting else None
