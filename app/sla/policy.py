"""Policies: how long may this take, in whose business hours, and who makes the clock wait.

Knows rules as written in `sla.yaml` and the one policy that is frozen onto a clock when it starts, so that editing
a rule never rewrites a running case. Refuses to know tickets, time that has passed and calendars themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.kit.errors import Invalid
from app.tickets.custody import Holder


class Metric(StrEnum):
    FIRST_REPLY = "first_reply"
    NEXT_REPLY = "next_reply"
    RESOLUTION = "resolution"
    ACCEPTANCE = "acceptance"
    OWNERSHIP = "ownership"


class InvalidTarget(Invalid):
    """A target that is not longer than nothing, or a warning that is not within it."""


class PolicyUnreadable(Invalid):
    """A frozen policy was written by a version that knew other metrics or holders."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one clock promises.

    `target` is business time in the calendar named `calendar`; `warn` is the share of it, 0 < warn <= 1, after
    which a warning is due (1 warns only when it is too late); time of a holder in `pauses` does not count.
    `name` is the rule and `digest` the rulebook that it came from. Raises InvalidTarget.
    """

    name: str
    metric: Metric
    calendar: str
    target: timedelta
    warn: float
    pauses: frozenset[Holder]
    digest: str

    def __post_init__(self) -> None:
        check_target(self.target, self.warn)


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule may ask about a ticket. `topic` and `department` are None in triage."""

    topic: str | None
    channel: str
    department: str | None
    priority: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The cases that a rule is for: each set that is not None must contain the case's value."""

    topics: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    departments: frozenset[str] | None = None

    def covers(self, case: Case) -> bool:
        return (
            (self.topics is None or case.topic in self.topics)
            and (self.channels is None or case.channel in self.channels)
            and (self.departments is None or case.department in self.departments)
        )


@dataclass(frozen=True, slots=True)
class SlaRule:
    """One rule of `sla.yaml`; a priority without a target is a case that the rule is not for."""

    name: str
    metric: Metric
    calendar: str
    targets: Mapping[str, timedelta]
    warn: float
    pauses: frozenset[Holder]
    when: Scope

    def __post_init__(self) -> None:
        for target in self.targets.values():
            check_target(target, self.warn)


def check_target(target: timedelta, warn: float) -> None:
    """Raises InvalidTarget unless target > 0 and 0 < warn <= 1."""
    if target <= timedelta():
        raise InvalidTarget(f"a target must be longer than nothing, not {target}", field="target")
    if not 0 < warn <= 1:
        raise InvalidTarget(f"a warning is a share of the target, above 0 and up to 1, not {warn}", field="warn")


def choose_all(rules: Sequence[SlaRule], case: Case, *, digest: str) -> dict[Metric, Policy]:
    """The policy that a case gets for each metric: of the first rule that covers it. A metric without one is absent."""
    chosen: dict[Metric, Policy] = {}
    for rule in rules:
        if rule.metric not in chosen and case.priority in rule.targets and rule.when.covers(case):
            target = rule.targets[case.priority]
            chosen[rule.metric] = Policy(rule.name, rule.metric, rule.calendar, target, rule.warn, rule.pauses, digest)
    return chosen


def as_record(policy: Policy) -> dict[str, Any]:
    """JSON-ready, as it is frozen onto a clock; the target is in seconds."""
    return {
        "name": policy.name,
        "metric": policy.metric,
        "calendar": policy.calendar,
        "target": policy.target.total_seconds(),
        "warn": policy.warn,
        "pauses": sorted(policy.pauses),
        "digest": policy.digest,
    }


def from_record(record: Mapping[str, Any]) -> Policy:
    """The policy that `as_record` wrote. Raises PolicyUnreadable."""
    try:
        return Policy(
            name=record["name"],
            metric=Metric(record["metric"]),
            calendar=record["calendar"],
            target=timedelta(seconds=record["target"]),
            warn=record["warn"],
            pauses=frozenset(Holder(holder) for holder in record["pauses"]),
            digest=record["digest"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyUnreadable(f"this is no policy of ours: {error!r}") from error
