"""Policies: how long may this take, in whose business hours, what starts and stops the clock, who makes it wait.

Knows rules as written in `sla.yaml` and the one policy that is frozen onto a clock when it starts, so that editing
a rule never rewrites a running case. Refuses to know tickets, time that has passed, calendars and ladders themselves.
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


DEPARTMENTAL = frozenset({Metric.ACCEPTANCE, Metric.OWNERSHIP})  # promises of a department, each on its own hand-over


class Happening(StrEnum):
    """What a flow did to a ticket, as far as clocks care."""

    OPENED = "opened"
    HANDED_OVER = "handed_over"  # to a department
    ACCEPTED = "accepted"
    ANSWERED = "answered"  # by the department, first-hand or as a draft for webcare
    HANDED_BACK = "handed_back"
    MOVED_ON = "moved_on"  # taken from the department: rerouted, or fallen back to webcare
    REPLIED = "replied"  # to the customer, by a person
    CUSTOMER_POSTED = "customer_posted"
    WAITING = "waiting"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CLOSED = "closed"
    MERGED = "merged"  # it goes on as a part of another ticket
    ABSORBED = "absorbed"  # another ticket goes on as a part of it
    UNMERGED = "unmerged"  # it is a ticket of its own again
    PARTED = "parted"  # what it had absorbed is a ticket of its own again


class Reopening(StrEnum):
    """What becomes of an ended clock when its ticket is reopened."""

    CONTINUE = "continue"  # the same clock goes on: total time
    UNLESS_MET = "unless_met"  # goes on when it never got what it waited for, else stays as it was
    RESTART = "restart"  # stays as it was, and another one starts
    IGNORE = "ignore"


class InvalidTarget(Invalid):
    """A target that is not longer than nothing, or a warning that is not within it."""


class PolicyUnreadable(Invalid):
    """A frozen policy was written by a version that knew other metrics or holders."""


@dataclass(frozen=True, slots=True)
class Course:
    """How the clock of a metric runs: what starts it, what it waits for, and what ends it though that did not come."""

    starts: frozenset[Happening]
    stops: frozenset[Happening]
    cancels: frozenset[Happening]
    reopening: Reopening


_ENDED = frozenset({Happening.RESOLVED, Happening.CLOSED})

USUAL: Mapping[Metric, Course] = {
    Metric.FIRST_REPLY: Course(
        frozenset({Happening.OPENED}), frozenset({Happening.REPLIED}), _ENDED, Reopening.UNLESS_MET
    ),
    Metric.NEXT_REPLY: Course(
        frozenset({Happening.CUSTOMER_POSTED}), frozenset({Happening.REPLIED}), _ENDED, Reopening.IGNORE
    ),
    Metric.RESOLUTION: Course(
        frozenset({Happening.OPENED}),
        frozenset({Happening.RESOLVED}),
        frozenset({Happening.CLOSED}),
        Reopening.CONTINUE,
    ),
    # An answer accepts: a department that answers at once need not say first that it will.
    Metric.ACCEPTANCE: Course(
        frozenset({Happening.HANDED_OVER}),
        frozenset({Happening.ACCEPTED, Happening.ANSWERED, Happening.HANDED_BACK}),
        _ENDED | {Happening.MOVED_ON, Happening.HANDED_OVER},
        Reopening.IGNORE,
    ),
    Metric.OWNERSHIP: Course(
        frozenset({Happening.HANDED_OVER}),
        frozenset({Happening.ANSWERED, Happening.HANDED_BACK, Happening.MOVED_ON, Happening.HANDED_OVER}),
        _ENDED,
        Reopening.IGNORE,
    ),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What one clock promises.

    `target` is business time in the calendar named `calendar`; `warn` is the share of it, 0 < warn <= 1, after
    which a warning is due (1 warns only when it is too late); time of a holder in `pauses` does not count.
    `course` None is the usual one of the metric; `ladder` names what is done as the due moment comes near and passes.
    `name` is the rule and `digest` the rulebook that it came from. Raises InvalidTarget.
    """

    name: str
    metric: Metric
    calendar: str
    target: timedelta
    warn: float
    pauses: frozenset[Holder]
    digest: str
    ladder: str | None = None
    course: Course | None = None

    def __post_init__(self) -> None:
        check_target(self.target, self.warn)

    @property
    def runs(self) -> Course:
        return self.course or USUAL[self.metric]


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule may ask about a ticket. `topic` and `department` are None in triage."""

    topic: str | None
    channel: str
    department: str | None
    priority: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """The cases that a rule is for: each set that is not None must contain the case's value, or one of its tags."""

    topics: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    departments: frozenset[str] | None = None
    priorities: frozenset[str] | None = None
    tags: frozenset[str] | None = None

    def covers(self, case: Case) -> bool:
        return (
            (self.topics is None or case.topic in self.topics)
            and (self.channels is None or case.channel in self.channels)
            and (self.departments is None or case.department in self.departments)
            and (self.priorities is None or case.priority in self.priorities)
            and (self.tags is None or not self.tags.isdisjoint(case.tags))
        )


@dataclass(frozen=True, slots=True)
class SlaRule:
    """One rule of `sla.yaml`; a priority without a target is a case that the rule is not for.

    `warn` is a share of the target, or the business time that is left of it when the warning comes.
    """

    name: str
    metric: Metric
    calendar: str
    targets: Mapping[str, timedelta]
    warn: float | timedelta
    pauses: frozenset[Holder]
    when: Scope
    ladder: str | None = None
    course: Course | None = None

    def __post_init__(self) -> None:
        for target in self.targets.values():
            check_target(target, self.warn_share(target))

    def warn_share(self, target: timedelta) -> float:
        if not isinstance(self.warn, timedelta):
            return self.warn
        return 1 - self.warn / target if target else 0.0

    def policy(self, priority: str, digest: str) -> Policy:
        target = self.targets[priority]
        return Policy(
            self.name,
            self.metric,
            self.calendar,
            target,
            self.warn_share(target),
            self.pauses,
            digest,
            self.ladder,
            self.course,
        )


def check_target(target: timedelta, warn: float) -> None:
    """Raises InvalidTarget unless target > 0 and 0 < warn <= 1."""
    if target <= timedelta():
        raise InvalidTarget(f"a target must be longer than nothing, not {target}", field="target")
    if not 0 < warn <= 1:
        message = f"a warning is a share of the target, above 0 and up to 1, or a time that is shorter, not {warn}"
        raise InvalidTarget(message, field="warn")


def choose_all(rules: Sequence[SlaRule], case: Case, *, digest: str) -> dict[Metric, Policy]:
    """The policy that a case gets for each metric: of the first rule that covers it. A metric without one is absent."""
    chosen: dict[Metric, Policy] = {}
    for rule in rules:
        if rule.metric not in chosen and case.priority in rule.targets and rule.when.covers(case):
            chosen[rule.metric] = rule.policy(case.priority, digest)
    return chosen


def as_record(policy: Policy) -> dict[str, Any]:
    """JSON-ready, as it is frozen onto a clock; the target is in seconds. What is usual is left out."""
    record: dict[str, Any] = {
        "name": policy.name,
        "metric": policy.metric,
        "calendar": policy.calendar,
        "target": policy.target.total_seconds(),
        "warn": policy.warn,
        "pauses": sorted(policy.pauses),
        "digest": policy.digest,
    }
    if policy.ladder is not None:
        record["ladder"] = policy.ladder
    if (course := policy.course) is not None:
        record["course"] = {
            "starts": sorted(course.starts),
            "stops": sorted(course.stops),
            "cancels": sorted(course.cancels),
            "reopening": course.reopening,
        }
    return record


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
            ladder=record.get("ladder"),
            course=_course(record["course"]) if "course" in record else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyUnreadable(f"this is no policy of ours: {error!r}") from error


def _course(record: Mapping[str, Any]) -> Course:
    starts, stops, cancels = (frozenset(map(Happening, record[name])) for name in ("starts", "stops", "cancels"))
    return Course(starts, stops, cancels, Reopening(record["reopening"]))
