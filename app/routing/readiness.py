"""Readiness: may a department answer for more of its tickets, or should it answer for less?

Knows the steps of the oil stain and the gates before each. Refuses to know where the figures come from and who takes
a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from app.routing.ownership import Stage


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of an ownership; `percent` is of a pilot."""

    stage: Stage
    percent: int | None = None

    @property
    def reach(self) -> int:
        """How many of a hundred tickets the department answers itself; below 0 where it is not even asked."""
        return {Stage.CENTRAL: -1, Stage.ADVISE: 0, Stage.LIVE: 100}.get(self.stage, self.percent or 0)

    def __str__(self) -> str:
        return f"{self.stage} {self.percent} %" if self.percent else str(self.stage)


def parse_step(text: str) -> Step:
    """A step as it is written: `advise`, `pilot 30 %`. Raises ValueError."""
    match text.replace("%", "").split():
        case ["pilot", percent] if percent.isdigit() and 1 <= int(percent) <= 99:  # noqa: PLR2004 - 0 and 100 are others
            return Step(Stage.PILOT, int(percent))
        case [stage] if stage != Stage.PILOT:
            return Step(Stage(stage))
    raise ValueError(text)


@dataclass(frozen=True, slots=True)
class Gates:
    """What a department must keep up. Shares are 0 to 1, `nps` is -100 to 100; None asks nothing.

    Figures are of the last `window`, and say nothing below `least` cases.
    """

    window: timedelta = timedelta(days=28)
    least: int = 30
    acceptance: float | None = 0.9
    answered: float | None = 0.6
    hand_back: float | None = 0.15
    nps: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Rollout:
    """How ownerships spread: the steps, from little to much, and whether a broken gate takes a step back by itself."""

    gates: Gates = field(default_factory=Gates)
    steps: tuple[Step, ...] = (Step(Stage.ADVISE), Step(Stage.PILOT, 30), Step(Stage.PILOT, 60), Step(Stage.LIVE))
    step_back: bool = True


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the tickets that a department was given in some period.

    Of `handed_over`, `judged` hand-overs have an acceptance promise that is certain, `accepted` of them kept it; of
    `ended`, `answered` ended with the department's own answer and `handed_back` with a no. Of `scores` customers,
    `promoters` and `detractors` are what their names say.
    """

    handed_over: int = 0
    judged: int = 0
    accepted: int = 0
    ended: int = 0
    answered: int = 0
    handed_back: int = 0
    scores: int = 0
    promoters: int = 0
    detractors: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Gate:
    """One demand. `value` None: there were no cases. `holds` None: too few cases to tell."""

    name: str
    value: float | None
    cases: int
    wanted: float
    at_most: bool
    holds: bool | None

    @property
    def text(self) -> str:
        """The demand and the figure in words, for a reason."""
        bound = "at most" if self.at_most else "at least"
        value = "none" if self.value is None else f"{self.value:.2f}"
        return f"{self.name} is {value} of {self.cases} cases, wanted is {bound} {self.wanted:g}"


def judge(figures: Figures, wanted: Gates) -> tuple[Gate, ...]:
    """Each gate that is set, with its figure."""
    asked = (
        ("acceptance", figures.accepted, figures.judged, wanted.acceptance, 1, False),
        ("answered", figures.answered, figures.ended, wanted.answered, 1, False),
        ("hand_back", figures.handed_back, figures.ended, wanted.hand_back, 1, True),
        ("nps", figures.promoters - figures.detractors, figures.scores, wanted.nps, 100, False),
    )
    return tuple(
        _gate(name, count, cases, bound, scale, at_most=at_most, least=wanted.least)
        for name, count, cases, bound, scale, at_most in asked
        if bound is not None
    )


def is_ready(gates: Sequence[Gate]) -> bool:
    """Whether every gate holds, on enough cases."""
    return all(gate.holds for gate in gates)


def broken(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    return tuple(gate for gate in gates if gate.holds is False)


def next_step(now: Step, steps: Sequence[Step]) -> Step | None:
    """The smallest step that reaches further; None at the end."""
    return min((step for step in steps if step.reach > now.reach), key=lambda step: step.reach, default=None)


def step_before(now: Step, steps: Sequence[Step]) -> Step | None:
    """The largest step that reaches less far; None at the beginning."""
    return max((step for step in steps if step.reach < now.reach), key=lambda step: step.reach, default=None)


def _gate(name: str, count: int, cases: int, wanted: float, scale: int, *, at_most: bool, least: int) -> Gate:
    value = scale * count / cases if cases else None
    kept = value is not None and (value <= wanted if at_most else value >= wanted)
    return Gate(name, value, cases, wanted, at_most, kept if cases >= least else None)
