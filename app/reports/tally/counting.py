"""The facts of a ticket: a function of what stands on it, so that counting it again is always right.

Knows which fact follows from what, when it counts and for whom. Refuses to know where any of it is stored and what was
counted before. Whatever comes late, is corrected, merged or taken apart needs no rule of its own: the ticket is counted
again, and the difference goes into the sums.

For whom a fact counts: channel, account and language are born with a ticket; topic, priority and agent count as they
stand now. Stage and arm count as they were first given, or a hand-back would take its ticket out of the arm that it
speaks against. What a department did, or promised, counts for that department and for the topic that it was given the
ticket for. Feedback counts as it was frozen at the resolution.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from app.feedback.invitation import State as Invited
from app.feedback.nps import band_of
from app.reports.question import Dimensions
from app.reports.tally.fact import Fact, Measure
from app.routing.decision import TRIAGE
from app.sla.clock import State as Clocked
from app.sla.policy import DEPARTMENTAL
from app.tickets.custody import Custody, Holder

OPENED, ROUTED, RESOLVED = "ticket.opened", "ticket.routed", "ticket.resolved"
_PLAIN = {"mention.received": Measure.MENTIONED, "ticket.reopened": Measure.REOPENED}
_BY_DEPARTMENT = {"ticket.handed_back": Measure.HANDED_BACK, "ticket.fell_back": Measure.FELL_BACK}
_BACKLOG = {OPENED: 1, "ticket.reopened": 1, "ticket.unmerged": 1, RESOLVED: -1, "ticket.merged": -1}
_OF_TWO = ("ticket.merged", "ticket.unmerged")  # only on the ticket that leaves does the backlog change
# The types of events that are read.
TELLING = (OPENED, ROUTED, "ticket.replied", *_PLAIN, *_BY_DEPARTMENT, *_BACKLOG)
_OURS = (Holder.TRIAGE, Holder.WEBCARE, Holder.DEPARTMENT)
REUSED = "reused"  # of an answer that was given on another ticket
_MILLISECOND = timedelta(milliseconds=1)


class Happened(NamedTuple):
    """An event of one of the types in `TELLING`, with what its data says of these; None where it says nothing.

    `by` is the department that it was done by or to, `why` the code or reason, `into` whether the ticket left.
    """

    type: str
    at: datetime
    topic: str | None = None
    stage: str | None = None
    arm: str | None = None
    rule: str | None = None
    by: str | None = None
    why: str | None = None
    into: bool = False


class Promise(NamedTuple):
    """A clock. `elapsed` is business time in milliseconds; it and `ended_at` are None until it has ended."""

    metric: str
    state: str
    department: str | None
    started_at: datetime
    ended_at: datetime | None
    breached_at: datetime | None
    elapsed: int | None


class Answered(NamedTuple):
    """A department's answer as webcare published it; `edited` of 1,000 of its words were changed. `reused`: it was
    given on another ticket.
    """

    at: datetime
    edited: int
    reused: bool


class Survey(NamedTuple):
    """What became of asking about one resolution."""

    resolved_at: datetime
    state: str
    reason: str | None
    score: int | None
    of: Dimensions


@dataclass(frozen=True, slots=True)
class Subject:
    """A ticket as it is counted. Events and custody in order; `merged`: it goes on as a part of another one."""

    opened_at: datetime
    merged: bool
    now: Dimensions
    events: Sequence[Happened] = ()
    custody: Sequence[Custody] = ()
    promises: Sequence[Promise] = ()
    answers: Sequence[Answered] = ()
    surveys: Sequence[Survey] = ()


def facts_of(ticket: Subject) -> list[Fact]:
    """All facts of a ticket, in no particular order."""
    routed = [event for event in ticket.events if event.type == ROUTED]
    first = routed[0] if routed else None
    of = ticket.now._replace(stage=first.stage, arm=first.arm) if first else ticket.now
    return [
        *_of_opening(ticket, of, first),
        *_of_events(ticket, of, routed),
        *_of_promises(ticket.promises, of, routed),
        *(() if ticket.merged else _of_custody(ticket, of)),  # its time is counted where it goes on
        *_of_answers(ticket.answers, of),
        *_of_feedback(ticket.surveys),
    ]


def _of_opening(ticket: Subject, of: Dimensions, first: Happened | None) -> Iterator[Fact]:
    opening = next((event for event in ticket.events if event.type == OPENED), None)
    at_once = first is not None and opening is not None and first.at == opening.at
    source = first.rule.split(":")[0] if at_once and first is not None and first.rule else TRIAGE
    taken_for = opening.topic if opening is not None else None
    yield Fact(Measure.OPENED, ticket.opened_at, of)
    yield Fact(Measure.PLACED, ticket.opened_at, of, source)
    yield Fact(Measure.UNDERSTOOD, ticket.opened_at, of, taken_for or "")


def _of_events(ticket: Subject, of: Dimensions, routed: Sequence[Happened]) -> Iterator[Fact]:
    for event in ticket.events:
        if event.type in _PLAIN:
            yield Fact(_PLAIN[event.type], event.at, of)
        if event.type in _BY_DEPARTMENT:
            about = _given(of, event.by, routed, event.at)
            yield Fact(_BY_DEPARTMENT[event.type], event.at, about, event.why or "")
        if event.type == "ticket.replied":
            about = of._replace(department=event.by or of.department)
            said_by = Holder.DEPARTMENT if event.by else Holder.WEBCARE
            yield Fact(Measure.REPLIED, event.at, about, said_by, good=event.by is not None)
        if event.type == RESOLVED:
            hops = _hops(ticket.custody, event.at)
            yield Fact(Measure.RESOLVED, event.at, of, event.why or "", value=hops)
        if event.type in _BACKLOG and (event.into or event.type not in _OF_TWO):
            at = ticket.opened_at if event.type == OPENED else event.at
            yield Fact(Measure.BACKLOG, at, of, value=_BACKLOG[event.type])


def _of_promises(promises: Iterable[Promise], of: Dimensions, routed: Sequence[Happened]) -> Iterator[Fact]:
    for one in promises:
        about = _given(of, one.department, routed, one.started_at) if one.metric in DEPARTMENTAL else of
        if one.metric == Measure.ACCEPTANCE:
            yield Fact(Measure.HANDED_OVER, one.started_at, about)
        certain_at = one.breached_at or one.ended_at
        if one.state in {Clocked.MET, Clocked.BREACHED} and certain_at is not None:
            yield Fact(
                Measure(one.metric),
                certain_at,
                about,
                good=one.state == Clocked.MET,
                value=one.elapsed,
                lasted=None if one.ended_at is None else _milliseconds(one.started_at, one.ended_at),
            )


def _of_custody(ticket: Subject, of: Dimensions) -> Iterator[Fact]:
    """Every stretch that is over. What the customer has once we settled it is no waiting time."""
    settled = [event.at for event in ticket.events if event.type == RESOLVED]
    for entry, after in pairwise(ticket.custody):
        end = after.since
        if entry.holder is Holder.CUSTOMER:
            end = min((at for at in settled if entry.since <= at < end), default=end)
        if entry.since < end and entry.holder is not Holder.NOBODY:
            about = of._replace(department=entry.department) if entry.holder is Holder.DEPARTMENT else of
            lasted = _milliseconds(entry.since, end)
            yield Fact(Measure.HELD, end, about, entry.holder, value=lasted)


def _of_answers(answers: Iterable[Answered], of: Dimensions) -> Iterator[Fact]:
    for one in answers:
        detail = REUSED if one.reused else ""
        yield Fact(Measure.PUBLISHED, one.at, of, detail, good=one.edited == 0, value=one.edited)


def _of_feedback(surveys: Iterable[Survey]) -> Iterator[Fact]:
    for one in surveys:
        if one.state in {Invited.SENT, Invited.ANSWERED}:
            yield Fact(Measure.ASKED, one.resolved_at, one.of, good=one.state == Invited.ANSWERED)
        elif one.state not in {Invited.WAITING, Invited.QUEUED}:
            yield Fact(Measure.UNASKED, one.resolved_at, one.of, one.reason or one.state)
        if one.score is not None:
            yield Fact(Measure.SCORED, one.resolved_at, one.of, band_of(one.score), value=one.score)


def _given(of: Dimensions, department: str | None, routed: Sequence[Happened], at: datetime) -> Dimensions:
    """For the department, and the topic that it was given the ticket for by then."""
    before = [event for event in routed if event.at <= at]
    topic = before[-1].topic if before else of.topic
    return of._replace(department=department or of.department, topic=topic)


def _hops(custody: Sequence[Custody], until: datetime) -> int:
    """How often the ball went on to somebody else among us; coming back from the customer to the same is none."""
    had = [(one.holder, one.department) for one in custody if one.holder in _OURS and one.since <= until]
    return sum(one != other for one, other in pairwise(had))


def _milliseconds(start: datetime, end: datetime) -> int:
    return (end - start) // _MILLISECOND
