"""Weighing: what phrases found and what a model thinks become one decision, or none.

Knows how far each may be trusted where the other is silent, agrees or contradicts. Refuses to know how either came to
its answer, and who owns a topic. Everything here is also what a decision record keeps.

- Phrases alone, or a model that is not sure: as without a model. So the rules of today stay the rules of tomorrow.
- A model that is sure where phrases are silent or undecided: it decides, unless phrases speak against its topic.
- Both sure of the same: that it is.
- Both sure, of different topics: `Contradiction` says. The usual `weigh` takes them for two witnesses who know nothing
  of each other: the model decides when, with the phrases against it, it is still as sure as its topic wants. At a
  wanted 95 % and one plain phrase (confidence 0.63) that takes a probability of 0.97, at two (0.86) 0.992. Else a
  person looks: one of two is wrong, and a department that gets what is not its own stops trusting all of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

_DECIMALS = 3
_SUREST = 0.9999  # nobody is surer, whatever was rounded


@dataclass(frozen=True, slots=True)
class Evidence:
    """A phrase that was found.

    `found` is how it stands in the text, at most 60 characters; `weight` what it counted for, below 0 if against.
    """

    topic: str
    phrase: str
    found: str
    weight: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a model thinks: its number, at most three topics with their probabilities, best first, and the probability
    from which the first may decide. `precision` is how often that topic must be right.
    """

    version: int | None
    best: tuple[tuple[str, float], ...]
    threshold: float
    precision: float


class Verdict(StrEnum):
    """How a decision came about. Contradicted, opposed and unsure leave the text to a person."""

    PHRASES = "phrases"
    MODEL = "model"
    AGREED = "agreed"
    OVERRULED = "overruled"  # the model's topic, against the phrases
    CONTRADICTED = "contradicted"  # both are sure, of different topics
    OPPOSED = "opposed"  # the model is sure of what phrases speak against
    UNSURE = "unsure"
    PARTS = "parts"  # as a whole undecided, but several parts are plain: it belongs to the first


class Contradiction(StrEnum):
    """What happens when phrases and model are sure of different topics."""

    WEIGH = "weigh"
    PHRASES = "phrases"
    TRIAGE = "triage"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text that is plainly about one topic; `text` is at most 300 characters of it."""

    topic: str
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Classification:
    """What a text is about. `topic` None means triage: not sure enough.

    `confidence` is that of the best topic, 0..1, also when it was not enough. `considered` holds the best three
    topics of the phrases with their scores, best first; `evidence` is what was found for and against these, in the same
    order. `opposed` is the evidence on topics that the phrases, all in all, speak against. `parts` are there when
    pieces of the text are plainly about several topics: one part each, as they stand in the text.
    """

    topic: str | None
    confidence: float
    language: str | None
    evidence: tuple[Evidence, ...]
    considered: tuple[tuple[str, float], ...]
    opposed: tuple[Evidence, ...] = ()
    estimate: Estimate | None = None
    verdict: Verdict = Verdict.UNSURE
    parts: tuple[Part, ...] = ()


def weigh(found: Classification, estimate: Estimate | None, contradiction: Contradiction) -> Classification:
    """Decide between what phrases `found` and what a model thinks; None: there is no model, or it knows no word."""
    by_phrases = Verdict.PHRASES if found.topic else Verdict.UNSURE
    if estimate is None:
        return replace(found, verdict=by_phrases)
    topic, chance = estimate.best[0]
    against = tuple(evidence for evidence in found.opposed if evidence.topic == topic)
    surest = round(max(found.confidence, chance), _DECIMALS)
    if chance < estimate.threshold:
        decided = replace(found, confidence=found.confidence if found.topic else surest, verdict=by_phrases)
    elif found.topic == topic:
        decided = replace(found, confidence=surest, verdict=Verdict.AGREED)
    elif against:
        shown = (*found.evidence, *against)
        decided = replace(found, evidence=shown, verdict=by_phrases if found.topic else Verdict.OPPOSED)
    elif found.topic is None:
        decided = replace(found, topic=topic, confidence=round(chance, _DECIMALS), verdict=Verdict.MODEL)
    else:
        decided = _contradicted(found, estimate, contradiction)
    return replace(decided, estimate=estimate)


def sentences(classification: Classification) -> Iterable[tuple[str, str]]:
    """What a model had to say, and what came of it, as (code, plain sentence); nothing where there was no model."""
    estimate = classification.estimate
    if estimate is None:
        return
    (topic, chance), *others = estimate.best
    model = "the model" if estimate.version is None else f"model {estimate.version}"
    behind = "".join(f", {other} {less:.0%}" for other, less in others)
    needs = f"decides from {estimate.threshold:.0%} on" if estimate.threshold <= 1 else "never decides this alone"
    yield "model", f"{model} thinks of {topic} with {chance:.0%}{behind}; it {needs}"
    said = f"phrases say {classification.considered[0][0]}" if classification.considered else "no phrase was found"
    match classification.verdict:
        case Verdict.OVERRULED:
            yield "contradiction", f"{said}, but the model is sure of {topic} even with these against it"
        case Verdict.CONTRADICTED:
            yield "contradiction", f"{said}, the model says {topic}: both are sure, so a person looks"
        case Verdict.OPPOSED:
            yield "contradiction", f"the model is sure of {topic}, but phrases speak against it, so a person looks"
        case Verdict.PARTS if chance >= estimate.threshold:
            yield "contradiction", f"{said}, the model says {topic}: each of another part of the post"
        case Verdict.PHRASES if chance >= estimate.threshold:
            yield "contradiction", f"{said}, the model says {topic}: phrases decide"


def _contradicted(found: Classification, estimate: Estimate, contradiction: Contradiction) -> Classification:
    """Both are sure, of different topics."""
    if contradiction is Contradiction.PHRASES:
        return replace(found, verdict=Verdict.PHRASES)
    topic, chance = estimate.best[0]
    left = _against_witness(chance, found.confidence)
    if contradiction is Contradiction.WEIGH and left >= estimate.precision:
        return replace(found, topic=topic, confidence=round(left, _DECIMALS), verdict=Verdict.OVERRULED)
    return replace(found, topic=None, verdict=Verdict.CONTRADICTED)


def _against_witness(chance: float, other: float) -> float:
    """The probability of what one witness says with `chance`, when an independent one is as sure as `other` of
    something else.
    """
    chance, other = min(chance, _SUREST), min(other, _SUREST)
    held, denied = chance * (1 - other), (1 - chance) * other
    return held / (held + denied)
