"""The dictionary of metrics: what each figure of each answer counts, by which clock, when and by which formula.

Knows definitions, and which facts a figure is made of, or that it is read as it stands. Refuses to know any value.
`GET /reports/metrics` shows it, and the tables of docs/metrics.md are those that it makes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.reports.tally.fact import PROMISES, Measure


class Clock(StrEnum):
    NONE = "none"
    BUSINESS = "business"  # the promise's own calendar, without what pauses it
    WALL = "wall"


class Unit(StrEnum):
    """What a figure is counted in."""

    COUNT = "count"
    SHARE = "share"  # 0 to 1
    SECONDS = "seconds"
    SCORE = "score"  # -100 to 100
    RATIO = "ratio"  # of two counts


class For(StrEnum):
    """For whom and what a fact counts, beside the channel, account and language that a ticket is born with."""

    TICKET = "ticket"  # topic, priority, agent and department as they stand; stage and arm as first given
    DEPARTMENT = "department"  # the one that it was, and the topic it had the ticket for; the rest as of the ticket
    RESOLUTION = "resolution"  # all as it stood at the resolution


@dataclass(frozen=True, slots=True)
class Counted:
    """One kind of fact: `at` is its date axis, `says` what it is."""

    says: str
    at: str
    counts_for: For = For.TICKET


_NOW = "the moment of asking"
# Where figures are told that are no reports.
_ELSEWHERE = {"ownership": "/ownership", "effort": "/feedback/effort", "follow-ups": "/feedback/follow-ups"}


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure as an answer names it: `formula` speaks of the facts in `measures`.

    One that is made of no facts is read from tickets, clocks and answers as they stand; `at` is its date axis.
    """

    report: str
    name: str
    measures: tuple[Measure, ...]
    formula: str
    unit: Unit
    clock: Clock = Clock.NONE
    at: str = _NOW

    @property
    def path(self) -> str:
        """Where it is told."""
        return _ELSEWHERE.get(self.report, f"/reports/{self.report}")

    @property
    def axis(self) -> tuple[str, ...]:
        """When its facts count, each way once."""
        return tuple(dict.fromkeys(COUNTED[measure].at for measure in self.measures)) or (self.at,)

    @property
    def counts_for(self) -> tuple[For, ...]:
        return tuple(dict.fromkeys(COUNTED[measure].counts_for for measure in self.measures))


_CERTAIN = "kept: its end; broken: its due moment"
_THEN = "when it happened"
_OPENING = "the opening of the ticket"
_RESOLUTION = "the resolution that it is about"

COUNTED: Mapping[Measure, Counted] = {
    Measure.OPENED: Counted("a ticket was opened", _OPENING),
    Measure.MENTIONED: Counted("a post of the customer was put on a ticket", _THEN),
    Measure.FIRST_REPLY: Counted("the promise of a first reply was kept or broken", _CERTAIN),
    Measure.NEXT_REPLY: Counted("the promise of a reply to a later post was kept or broken", _CERTAIN),
    Measure.RESOLUTION: Counted("the promise of a resolution was kept or broken", _CERTAIN),
    Measure.ACCEPTANCE: Counted("a department's promise to accept was kept or broken", _CERTAIN, For.DEPARTMENT),
    Measure.OWNERSHIP: Counted("a department's promise to answer was kept or broken", _CERTAIN, For.DEPARTMENT),
    Measure.HELD: Counted(
        "a stretch in which one holder had the ball, until the resolution; a department's for that department",
        "its end",
    ),
    Measure.PLACED: Counted("what placed a new ticket: ownership, a route, or nothing (triage)", _OPENING),
    Measure.UNDERSTOOD: Counted("the topic that a new ticket was taken for, beside the one it has now", _OPENING),
    Measure.HANDED_OVER: Counted("a department's time with a ticket began", _THEN, For.DEPARTMENT),
    Measure.HANDED_BACK: Counted("a department said that it is not theirs", _THEN, For.DEPARTMENT),
    Measure.FELL_BACK: Counted("a department did not take it in time", _THEN, For.DEPARTMENT),
    Measure.REPLIED: Counted("something was said to the customer", _THEN),
    Measure.PUBLISHED: Counted("webcare said what a department had answered", _THEN),
    Measure.RESOLVED: Counted("a ticket was resolved, each time", _THEN),
    Measure.REOPENED: Counted("a ticket was reopened", _THEN),
    Measure.BACKLOG: Counted("a ticket began to wait for us (1), or does no longer (-1)", _THEN),
    Measure.ASKED: Counted(
        "the channel took the question for a score, or it was answered", _RESOLUTION, For.RESOLUTION
    ),
    Measure.UNASKED: Counted("the customer was not asked", _RESOLUTION, For.RESOLUTION),
    Measure.SCORED: Counted("the customer gave a score", _RESOLUTION, For.RESOLUTION),
}

_SCORES, _ASKED = (Measure.SCORED,), (Measure.ASKED,)
_PLACED, _UNDERSTOOD, _WAITS, _HELD = (Measure.PLACED,), (Measure.UNDERSTOOD,), (Measure.BACKLOG,), (Measure.HELD,)
_SAID_FOR = (Measure.PUBLISHED,)
_MEDIAN = "median of those that have ended, from six on; interval by order statistics"
_REACHED = "questions that the channel took, or that were answered"
_OVER_ENDED = "of promises that have ended; between two in proportion, within 2 %"
_STANDING: tuple[Measure, ...] = ()
_OPEN, _LATE = (
    "tickets that are neither resolved nor closed",
    "of these, past the soonest of their promises to the customer",
)
_BROKEN = "since the due moment of each promise on a late ticket that is broken and owed still"
_RECEIVED, _GIVEN = "the receipt of the answer", "the hand-over"
METRICS = (
    Metric("sla", "n", PROMISES, "met + breached", Unit.COUNT),
    Metric("sla", "met", PROMISES, "promises that were kept", Unit.COUNT),
    Metric("sla", "breached", PROMISES, "promises past their due moment, ended or not", Unit.COUNT),
    Metric("sla", "met_share", PROMISES, "met / n; null when n = 0", Unit.SHARE),
    Metric("sla", "p50", PROMISES, f"median {_OVER_ENDED}", Unit.SECONDS, Clock.BUSINESS),
    Metric("sla", "p90", PROMISES, f"90th percentile {_OVER_ENDED}", Unit.SECONDS, Clock.BUSINESS),
    Metric("sla", "p99", PROMISES, f"99th percentile {_OVER_ENDED}", Unit.SECONDS, Clock.BUSINESS),
    Metric("sla", "p50_calendar", PROMISES, f"median {_OVER_ENDED}", Unit.SECONDS, Clock.WALL),
    Metric("sla", "p90_calendar", PROMISES, f"90th percentile {_OVER_ENDED}", Unit.SECONDS, Clock.WALL),
    Metric("sla", "p99_calendar", PROMISES, f"99th percentile {_OVER_ENDED}", Unit.SECONDS, Clock.WALL),
    Metric("nps", "n", _SCORES, "answers", Unit.COUNT),
    Metric("nps", "promoters", _SCORES, "scores 9 and 10", Unit.COUNT),
    Metric("nps", "passives", _SCORES, "scores 7 and 8", Unit.COUNT),
    Metric("nps", "detractors", _SCORES, "scores 0 to 6", Unit.COUNT),
    Metric("nps", "invited", _ASKED, _REACHED, Unit.COUNT),
    Metric("nps", "nps", _SCORES, "100 (promoters - detractors) / n; null below 10 answers", Unit.SCORE),
    Metric("nps", "low", _SCORES, "lower end of the 95 % adjusted-Wald interval; null below 10", Unit.SCORE),
    Metric("nps", "high", _SCORES, "upper end of the 95 % adjusted-Wald interval; null below 10", Unit.SCORE),
    Metric(
        "nps", "response_rate", (Measure.SCORED, Measure.ASKED), "n / invited; null when nobody was invited", Unit.SHARE
    ),
    Metric("nps/compare", "difference", _SCORES, "this nps less the other one; null when either is", Unit.SCORE),
    Metric("nps/compare", "low", _SCORES, "lower end of the 95 % interval of the difference", Unit.SCORE),
    Metric("nps/compare", "high", _SCORES, "upper end of the 95 % interval of the difference", Unit.SCORE),
    Metric("nps/asked", "invited", _ASKED, _REACHED, Unit.COUNT),
    Metric("nps/asked", "answered", _ASKED, "of these, those that were answered", Unit.COUNT),
    Metric("nps/asked", "silent", _ASKED, "invited - answered", Unit.COUNT),
    Metric("nps/asked", "not_invited", (Measure.UNASKED,), "resolutions not asked about, by reason", Unit.COUNT),
    Metric("volume", "mentions", (Measure.MENTIONED,), "posts of customers", Unit.COUNT),
    Metric("volume", "opened", (Measure.OPENED,), "tickets", Unit.COUNT),
    Metric("volume", "replied", (Measure.REPLIED,), "what was said to customers", Unit.COUNT),
    Metric("volume", "resolved", (Measure.RESOLVED,), "resolutions", Unit.COUNT),
    Metric("volume", "reopened", (Measure.REOPENED,), "resolved tickets that were not settled after all", Unit.COUNT),
    Metric("routing", "n", _PLACED, "tickets", Unit.COUNT),
    Metric("routing", "ownership", _PLACED, "placed at once by the ownership of their topic", Unit.COUNT),
    Metric("routing", "route", _PLACED, "placed at once by a route", Unit.COUNT),
    Metric("routing", "triage", _PLACED, "not placed at once", Unit.COUNT),
    Metric("routing", "ownership_share", _PLACED, "ownership / n", Unit.SHARE),
    Metric("routing", "route_share", _PLACED, "route / n", Unit.SHARE),
    Metric("routing", "triage_share", _PLACED, "triage / n", Unit.SHARE),
    Metric("routing", "handed_over", (Measure.HANDED_OVER,), "hand-overs to departments", Unit.COUNT),
    Metric("routing", "handed_back", (Measure.HANDED_BACK,), "hand-backs by departments", Unit.COUNT),
    Metric(
        "routing", "hand_back_rate", (Measure.HANDED_BACK, Measure.HANDED_OVER), "handed_back / handed_over", Unit.SHARE
    ),
    Metric("routing", "fell_back", (Measure.FELL_BACK,), "hand-overs not taken, or not accepted, in time", Unit.COUNT),
    Metric("routing", "hops", (Measure.RESOLVED,), "mean times that the ball went on until a resolution", Unit.RATIO),
    Metric("routing", "first_hand_share", (Measure.REPLIED,), "said by departments / all that was said", Unit.SHARE),
    Metric("routing", "published", _SAID_FOR, "departments' answers that webcare said", Unit.COUNT),
    Metric("routing", "reused", _SAID_FOR, "of these, given on another ticket", Unit.COUNT),
    Metric("routing", "unchanged_share", _SAID_FOR, "said word for word / published", Unit.SHARE),
    Metric("routing", "edited_share", _SAID_FOR, "mean share of their words that were changed", Unit.SHARE),
    Metric("routing/confusion", "n", _UNDERSTOOD, "tickets by their topic at first and their topic now", Unit.COUNT),
    Metric("routing/confusion", "share", _UNDERSTOOD, "n / tickets with the same topic at first", Unit.SHARE),
    Metric("routing/confusion", "found", _UNDERSTOOD, "tickets for which a topic was found at first", Unit.COUNT),
    Metric("routing/confusion", "right", _UNDERSTOOD, "of these, those that have it still", Unit.COUNT),
    Metric("routing/confusion", "right_share", _UNDERSTOOD, "right / found; null when found = 0", Unit.SHARE),
    Metric("backlog", "open", _WAITS, "all that came, less all that went, up to the end of the step", Unit.COUNT),
    Metric("backlog", "came", _WAITS, "opened, reopened, or parted from another", Unit.COUNT),
    Metric("backlog", "went", _WAITS, "resolved, or merged into another", Unit.COUNT),
    Metric("backlog/forecast", "expected", _WAITS, "open + mean of came - went in the same hours before", Unit.COUNT),
    Metric("backlog/forecast", "low", _WAITS, "lower end of the 95 % interval", Unit.COUNT),
    Metric("backlog/forecast", "high", _WAITS, "upper end of the 95 % interval", Unit.COUNT),
    Metric("sla/holders", "n", _HELD, "stretches", Unit.COUNT),
    Metric("sla/holders", "seconds", _HELD, "sum of the stretches", Unit.SECONDS, Clock.WALL),
    Metric("sla/holders", "share", _HELD, "of the time of all holders", Unit.SHARE, Clock.WALL),
    Metric(
        "sla/holders", "waiting_share", _HELD, "of the time of all holders but the customer", Unit.SHARE, Clock.WALL
    ),
    Metric("rollout", "n", (Measure.OPENED,), "tickets", Unit.COUNT),
    Metric("rollout", "first_reply_met", (Measure.FIRST_REPLY,), "met / n; Wilson's interval", Unit.SHARE),
    Metric("rollout", "first_reply", (Measure.FIRST_REPLY,), _MEDIAN, Unit.SECONDS, Clock.BUSINESS),
    Metric("rollout", "resolution_met", (Measure.RESOLUTION,), "met / n; Wilson's interval", Unit.SHARE),
    Metric("rollout", "resolution", (Measure.RESOLUTION,), _MEDIAN, Unit.SECONDS, Clock.BUSINESS),
    Metric(
        "rollout",
        "hand_back",
        (Measure.HANDED_BACK, Measure.HANDED_OVER),
        "handed_back / handed_over; Wilson's interval",
        Unit.SHARE,
    ),
    Metric("rollout", "nps", _SCORES, "as in /reports/nps", Unit.SCORE),
    Metric("sla/breaches", "business", PROMISES, "what it took; null: it has not ended", Unit.SECONDS, Clock.BUSINESS),
    Metric("sla/breaches", "calendar", PROMISES, "what it took; null: it has not ended", Unit.SECONDS, Clock.WALL),
    Metric("sla/breaches", "late_by", PROMISES, "from its due moment to its end, or to now", Unit.SECONDS, Clock.WALL),
    Metric("sla/late", "late_by", _STANDING, _BROKEN, Unit.SECONDS, Clock.WALL),
    Metric(
        "sla/at-risk",
        "items",
        _STANDING,
        "promises that run and are not broken, due within `within_hours` (4) or past their warning",
        Unit.COUNT,
    ),
    Metric("backlog/now", "n", _STANDING, _OPEN, Unit.COUNT),
    Metric("backlog/now", "late", _STANDING, _LATE, Unit.COUNT),
    Metric("today", "open", _STANDING, _OPEN, Unit.COUNT),
    Metric("today", "late", _STANDING, _LATE, Unit.COUNT),
    Metric("today", "due", _STANDING, "of these, not late, and the soonest promise due within four hours", Unit.COUNT),
    Metric(
        "today", "unaccepted", _STANDING, "of the open ones, with a department that has not accepted them", Unit.COUNT
    ),
    Metric("today", "oldest", _STANDING, "since the opening of the one opened first", Unit.SECONDS, Clock.WALL),
    Metric("today", "overdue", _STANDING, _BROKEN, Unit.SECONDS, Clock.WALL),
    Metric("today", "left", _STANDING, "until the due moment of a promise at risk", Unit.SECONDS, Clock.WALL),
    Metric(
        "today",
        "posts",
        _STANDING,
        "on a topic, in the last 24 hours; of an incident, in its busiest hour",
        Unit.COUNT,
    ),
    Metric("today", "usual", _STANDING, "posts that the same hours of the weeks before make likely", Unit.COUNT),
    Metric("follow-ups", "items", _STANDING, "scores of 6 or less that nobody got back to yet", Unit.COUNT),
    Metric("effort", "n", _STANDING, "answers to the second question", Unit.COUNT, at=_RECEIVED),
    Metric("effort", "mean", _STANDING, "from 1 (hard) to 7 (easy); null below 10", Unit.RATIO, at=_RECEIVED),
    Metric("effort", "easy_share", _STANDING, "share of 5, 6 and 7; null below 10", Unit.SHARE, at=_RECEIVED),
    Metric("ownership", "opened", _STANDING, "tickets on the line", Unit.COUNT, at=_OPENING),
    Metric("ownership", "share", _STANDING, "opened / opened on all lines", Unit.SHARE, at=_OPENING),
    Metric("ownership", "coverage", _STANDING, "opened at a stage / opened on all lines", Unit.SHARE, at=_OPENING),
    Metric("ownership", "handed_over", _STANDING, "hand-overs to the department", Unit.COUNT, at=_GIVEN),
    Metric("ownership", "judged", _STANDING, "of these, those whose acceptance is certain", Unit.COUNT, at=_GIVEN),
    Metric("ownership", "accepted", _STANDING, "of these, those accepted in time", Unit.COUNT, at=_GIVEN),
    Metric("ownership", "ended", _STANDING, "hand-overs that are over", Unit.COUNT, at=_GIVEN),
    Metric("ownership", "answered", _STANDING, "of these, by the department's own answer", Unit.COUNT, at=_GIVEN),
    Metric("ownership", "handed_back", _STANDING, "of these, by a no", Unit.COUNT, at=_GIVEN),
    Metric("ownership", "scores", _STANDING, "answers of its customers", Unit.COUNT, at=_RESOLUTION),
    Metric("ownership", "promoters", _STANDING, "scores 9 and 10", Unit.COUNT, at=_RESOLUTION),
    Metric("ownership", "detractors", _STANDING, "scores 0 to 6", Unit.COUNT, at=_RESOLUTION),
    Metric("ownership", "gates.acceptance", _STANDING, "accepted / judged", Unit.SHARE, at=_GIVEN),
    Metric("ownership", "gates.answered", _STANDING, "answered / ended", Unit.SHARE, at=_GIVEN),
    Metric("ownership", "gates.hand_back", _STANDING, "handed_back / ended", Unit.SHARE, at=_GIVEN),
    Metric("ownership", "gates.nps", _STANDING, "100 (promoters - detractors) / scores", Unit.SCORE, at=_RESOLUTION),
)


def figures_of(report: str) -> Mapping[str, Unit]:
    """What the figures of a report are called, in their order, and what each is counted in."""
    return {one.name: one.unit for one in METRICS if one.report == report}
