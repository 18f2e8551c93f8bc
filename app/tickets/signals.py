"""Signals: what customers did and said on a ticket that may ask for care, gathered over all of their posts.

Knows how what comes later adds to what was there: the highest, the lowest, the first words found. Refuses to know what
any of it weighs (escalation.risk).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Signals:
    """`followers` is the largest audience that the author had; `risks` maps the name of a risk to the phrase that told
    it, a phrase of ours and never the customer's words. `tones` maps a tone to the most care that the words of one
    post asked for in it, above 0. `growth` is the fastest that likes, reposts and the like came in, per hour.
    `unanswered` counts the customer's posts since the last word to them.
    """

    followers: int = 0
    verified: bool = False
    risks: Mapping[str, str] = field(default_factory=dict)
    tones: Mapping[str, float] = field(default_factory=dict)
    growth: float = 0.0
    unanswered: int = 0

    @classmethod
    def kept(cls, facts: Mapping[str, Any]) -> Self:
        """As they were stored; those of before there were tones have a mood, 0 or below."""
        mood = facts.get("mood")
        now = {name: fact for name, fact in facts.items() if name != "mood"}
        return cls(**(now | {"tones": {"mood": -mood}} if mood else now))

    def with_(self, later: "Signals") -> "Signals":
        """Both together. What was once said stays said, also when it is edited away."""
        return Signals(
            max(self.followers, later.followers),
            self.verified or later.verified,
            {**later.risks, **self.risks},
            {tone: max(care, self.tones.get(tone, 0.0)) for tone, care in {**self.tones, **later.tones}.items()},
            max(self.growth, later.growth),
            self.unanswered + later.unanswered,
        )

    def answered(self) -> "Signals":
        return replace(self, unanswered=0)
