"""Topics from phrase evidence: which words of a text speak for, and against, which topic; and from a model, if any.

Knows phrases, what is denied rather than said, and how weights become one confidence. Refuses to know who owns a
topic, where phrases and model come from, and anything outside the text. `app/topics/phrase.py` says how phrases are
written, `app/topics/weigh.py` what is decided when there is a model.

What counts:

- A phrase counts once per text. One in the other language counts half; a text in neither, or unknown, is read in both.
- Customers complain in negations ("not delivered", "geen internet"), so a negation alone takes nothing away. What is
  denied as the subject does not count ("geen klacht over de rekening", "it's not about my bill", "niet de bezorging
  maar de factuur": `app/topics/denial.py`). A phrase that itself holds the denial starts before that, and counts.
- A topic's score is its weights for minus its weights against; `confidence` says how sure that makes us.
"""

import copy
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from app.topics.finding import Finder
from app.topics.language import is_other
from app.topics.model import NEVER, Judged, Model
from app.topics.parting import JOINTS, Joint, in_parts, names_several, pieces, words_of
from app.topics.phrase import PhraseUnusable, check_phrase, pattern
from app.topics.reading import Readable, normalised, readable
from app.topics.weigh import Classification, Contradiction, Estimate, Evidence, weigh

__all__ = [
    "PRECISION",
    "THRESHOLD",
    "Classification",
    "Classifier",
    "Contradiction",
    "Evidence",
    "Example",
    "Phrase",
    "Readable",
    "Topic",
    "check_phrase",
    "confidence",
    "readable",
]

THRESHOLD = 0.5  # the confidence that a topic needs when it names none
PRECISION = 0.95  # how often a topic that names none must be right where a model decides

_OTHER_LANGUAGE = 0.5  # what a phrase is worth in a text of another language
_CONSIDERED = 3  # topics
_DECIMALS = 3  # so that 0.1 + 0.2 is a draw with 0.3
_FOUND = 60  # characters of the text that are shown as evidence


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that speak for a topic. `language` None: words that any language uses, such as `esim`."""

    text: str
    weight: float = 1.0
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: `text` gets the topic it stands under or, when it is a `counter`, must not get it."""

    text: str
    lang: str | None = None
    counter: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """A leaf of the taxonomy. `name` maps a language to the name in it; `not_phrases` speak against.

    `threshold` is the confidence that phrases need, `precision` how often the topic is right where a model decides.
    """

    slug: str
    name: Mapping[str, str]
    phrases: tuple[Phrase, ...]
    not_phrases: tuple[Phrase, ...] = ()
    threshold: float = THRESHOLD
    examples: tuple[Example, ...] = ()
    precision: float = PRECISION


@dataclass(frozen=True, slots=True)
class _Clue:
    """What it means that a phrase is found: it may speak for one topic and against another."""

    topic: str
    phrase: Phrase
    weight: float


class Classifier:
    """Finds the topic of texts. Built once, then shared by all threads."""

    def __init__(self, topics: Sequence[Topic], contradiction: Contradiction = Contradiction.WEIGH) -> None:
        """Raise `PhraseUnusable` when a phrase is not written as one, or stands twice under its topic."""
        self._contradiction = contradiction
        self._model: Model | None = None
        self._version: int | None = None
        clues: dict[str, dict[str, _Clue]] = defaultdict(dict)
        for topic in topics:
            for phrase, sign in [(p, 1) for p in topic.phrases] + [(p, -1) for p in topic.not_phrases]:
                check_phrase(phrase.text)
                meant = clues[pattern(phrase.text)]
                if topic.slug in meant:
                    twice = f"`{phrase.text}` stands twice under {topic.slug}: write it once"
                    raise PhraseUnusable(twice, phrase=phrase.text)
                meant[topic.slug] = _Clue(topic.slug, phrase, sign * phrase.weight)
        self._finder = Finder(clues)
        self._clues = [tuple(meant.values()) for meant in clues.values()]
        self._thresholds = {topic.slug: topic.threshold for topic in topics}
        self._precisions = {topic.slug: topic.precision for topic in topics}

    def mounted(self, model: Model | None, version: int | None) -> Self:
        """The same phrases with this model beside them; None: without any."""
        mounted = copy.copy(self)
        mounted._model, mounted._version = model, version  # noqa: SLF001 - it is another of the same
        return mounted

    def classify(self, texts: Sequence[Readable]) -> list[Classification]:
        """One answer for each text, in their order."""
        return self._parted(texts, JOINTS)

    def _parted(self, texts: Sequence[Readable], joints: Sequence[Joint]) -> list[Classification]:
        """Each text as a whole; one that names several topics falls apart at the first of `joints`, its pieces at the
        next.
        """
        wholes = self._decide(texts)
        several = [place for place, whole in enumerate(wholes) if joints and names_several(whole)]
        if several:
            said = {place: pieces(texts[place], joints[0]) for place in several}
            found = iter(self._parted([piece for one in said.values() for piece in one], joints[1:]))
            for place, one in said.items():
                wholes[place] = in_parts(wholes[place], [(words_of(piece), next(found)) for piece in one])
        return wholes

    def _decide(self, texts: Sequence[Readable]) -> list[Classification]:
        found = map(self._classify, texts)
        if self._model is None:
            return [weigh(one, None, self._contradiction) for one in found]
        judged = map(self._estimate, self._model.judge([normalised(text) for text in texts]))
        return [weigh(*one, self._contradiction) for one in zip(found, judged, strict=True)]

    def _estimate(self, judged: Judged) -> Estimate | None:
        """What the model thinks; a topic that the taxonomy does not have any more is never decided."""
        if not judged.best:
            return None
        topic = judged.best[0][0]
        threshold = judged.threshold if topic in self._precisions else NEVER
        return Estimate(self._version, judged.best, threshold, self._precisions.get(topic, PRECISION))

    def _classify(self, text: Readable) -> Classification:
        evidence = self._evidence(text)
        scores: dict[str, float] = defaultdict(float)
        for piece in evidence:
            scores[piece.topic] += piece.weight
        rounded = [(slug, round(score, _DECIMALS)) for slug, score in scores.items()]
        ranked = sorted((pair for pair in rounded if pair[1] > 0), key=_best_first)
        against = {slug for slug, score in rounded if score < 0}
        opposed = tuple(piece for piece in evidence if piece.topic in against)
        if not ranked:
            return Classification(None, 0.0, text.language, (), (), opposed)
        (topic, best), next_best = ranked[0], ranked[1][1] if len(ranked) > 1 else 0.0
        sure = confidence(best, next_best)
        considered = tuple(ranked[:_CONSIDERED])
        return Classification(
            topic if sure >= self._thresholds[topic] and best > next_best else None,
            round(sure, _DECIMALS),
            text.language,
            tuple(piece for slug, _ in considered for piece in evidence if piece.topic == slug),
            considered,
            opposed,
        )

    def _evidence(self, text: Readable) -> list[Evidence]:
        evidence = []
        for hit, place in self._finder.find(text.plain):
            found = text.quoted(*place)[:_FOUND]
            for clue in self._clues[hit]:
                weight = clue.weight * (_OTHER_LANGUAGE if is_other(clue.phrase.language, text.language) else 1)
                evidence.append(Evidence(clue.topic, clue.phrase.text, found, round(weight, _DECIMALS)))
        return evidence


def confidence(best: float, next_best: float) -> float:
    """Return how sure the best topic is, 0..1, from the two highest scores: (1 - e^-best) * best / (best + next_best).

    The first factor saturates: one plain phrase (1.0) gives 0.63, two give 0.86. The second is the best topic's share:
    a contradiction of equals halves it, so that it stays below 0.5.
    """
    return -math.expm1(-best) * best / (best + next_best)


def _best_first(ranked: tuple[str, float]) -> tuple[float, str]:
    return -ranked[1], ranked[0]
