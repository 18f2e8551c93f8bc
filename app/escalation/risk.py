"""Risk: how much care a ticket asks for, 0 to 100, as parts that each name their figure.

Knows what each signal weighs, and from which score on PR is asked. Refuses to know how phrases are found (topics) and
what PR does. The score is a plain sum of points, capped at 100: an editor can foretell it, and an agent can check it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from app.tickets import press
from app.tickets.press import Reason
from app.tickets.signals import Signals
from app.tickets.ticket import Step
from app.topics.hearing import Heard

HIGHEST = 100
_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Level:
    """From `at_least` of something on it weighs `points`."""

    at_least: float
    points: int


@dataclass(frozen=True, slots=True)
class Watchdog:
    """A consumer programme, regulator or the like that customers turn to; naming it tells the risk."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class RiskRules:
    """What each signal weighs. `threshold` is the score from which on PR is asked.

    `phrases` maps a phrase to the name of the risk that it tells, `risks` a name to its points, `watchdogs` a phrase to
    whom it names. `tones` maps a tone to the levels of how much care it asks for.
    `engagement` weighs the metrics that channels count; `growth` levels are in its units per hour.
    """

    threshold: int
    risks: Mapping[str, int] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict)
    watchdogs: Mapping[str, Watchdog] = field(default_factory=dict)
    reach: tuple[Level, ...] = ()
    verified: int = 0
    unanswered: tuple[Level, ...] = ()
    engagement: Mapping[str, float] = field(default_factory=dict)
    growth: tuple[Level, ...] = ()
    tones: Mapping[str, tuple[Level, ...]] = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one signal adds to the score. `figures` are JSON-ready."""

    code: str
    points: int
    text: str
    figures: Mapping[str, Any]


def heard(
    said: Heard,
    *,
    followers: int | None,
    verified: bool,
    growth: float,
    unanswered: int,
    rules: RiskRules,
) -> Signals:
    """The signals of one post. `said` is what was heard in it, `followers` and `verified` are its author's."""
    risks: dict[str, str] = {}
    for phrase in said.words:
        if phrase in rules.phrases:
            risks.setdefault(rules.phrases[phrase], phrase)
    tones = {name: tone.care for name, tone in said.tones.items() if tone.care}
    return Signals(followers or 0, verified, risks, tones, growth, unanswered)


def growth(metrics: Mapping[str, int], reposts: int, age: timedelta, rules: RiskRules) -> float:
    """How fast a post is taken up: its metrics and `reposts` as weighed, per hour of its `age`, which counts as one
    hour at least, so that the first like of a fresh post is no storm.
    """
    taken_up = sum(rules.engagement.get(name, 0) * count for name, count in metrics.items())
    taken_up += rules.engagement.get("reposts", 0) * reposts
    return float(taken_up / (max(age, _AN_HOUR) / _AN_HOUR))


def grown(signals: Signals, per_hour: float, rules: RiskRules) -> Signals:
    """The signals when a post is taken up this fast; the same ones where that weighs no more than what they had.

    A ticket is so written a few times while thousands pass its post on.
    """
    weighs = [_points(figure, rules.growth) for figure in (signals.growth, per_hour)]
    return replace(signals, growth=per_hour) if weighs[1] > weighs[0] else signals


def weigh(signals: Signals, rules: RiskRules) -> tuple[Part, ...]:
    """What signals add up to, part by part, the heaviest first."""
    parts = [
        *_language(signals, rules),
        _audience(signals, rules),
        *(
            _leveled(tone, care, rules.tones.get(tone, ()), f"the words of one post weigh {{:g}} in {tone}")
            for tone, care in signals.tones.items()
        ),
        _leveled("unanswered", signals.unanswered, rules.unanswered, "{:g} posts without a word to the customer"),
        _leveled("growth", round(signals.growth, 1), rules.growth, "taken up by others {:g} times per hour"),
    ]
    return tuple(sorted((part for part in parts if part.points), key=lambda part: -part.points))


def score(parts: Sequence[Part]) -> int:
    return min(sum(part.points for part in parts), HIGHEST)


def weighed(step: Step, rules: RiskRules) -> Step:
    """The step with its ticket's risk as its signals now have it; PR is asked when that passes the threshold.

    Every part is then a reason of its own, so a part that comes later adds to what PR knows, and none counts twice.
    """
    ticket = step.ticket
    if step.before is not None and ticket.signals == step.before.signals:
        return step
    parts = weigh(ticket.signals, rules)
    if (found := score(parts)) != ticket.risk:
        step = replace(step, ticket=replace(ticket, risk=found))
    if found < rules.threshold:
        return step
    reasons = [Reason(part.code, part.text, {**part.figures, "points": part.points}) for part in parts]
    return step.then(press.escalate(step.ticket, "system", reasons, told=rules.told))


def _language(signals: Signals, rules: RiskRules) -> list[Part]:
    parts = []
    for name, phrase in signals.risks.items():
        named = rules.watchdogs.get(phrase)
        whom = f", which names {named.name} ({named.kind})" if named else ""
        figures = {"phrase": phrase, **({"watchdog": named.name, "kind": named.kind} if named else {})}
        parts.append(Part(name, rules.risks.get(name, 0), f"{name}: phrase '{phrase}'{whom}", figures))
    return parts


def _audience(signals: Signals, rules: RiskRules) -> Part:
    reach = _leveled("reach", signals.followers, rules.reach, "{:g} followers")
    if not signals.verified:
        return reach
    text = f"{signals.followers} followers, verified"
    return Part("reach", reach.points + rules.verified, text, {"followers": signals.followers, "verified": True})


_FIGURES = {"unanswered": "posts", "growth": "per_hour", "reach": "followers"}  # of a tone: its name


def _leveled(code: str, figure: float, levels: Sequence[Level], text: str) -> Part:
    points = _points(figure, levels)
    return Part(code, points, text.format(figure) if points else "", {_FIGURES.get(code, code): figure})


def _points(figure: float, levels: Sequence[Level]) -> int:
    return max((level.points for level in levels if figure >= level.at_least), default=0)
