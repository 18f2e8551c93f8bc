"""Topics from phrase evidence: which words of a text speak for, and against, which topic.

Knows phrases, how they are found in hostile text, and how found weights become one confidence. Refuses to know who
owns a topic, where the phrases come from, and anything outside the text.

A phrase, as written in `routing_rules/topics.yaml`:

    factuur            the word, on word boundaries; case and accents do not matter
    waar blijft        these words in sequence; spaces, commas and hyphens between them do not matter
    pakket*            a word that begins so: pakketje, pakketten, pakketbezorging
    *storing           a word that ends so: storing, internetstoring
    waar ... pakket    up to four words may stand in between, within one sentence
    e-mail             a hyphen may be missing or be a space: email, e mail
    can't              an apostrophe may be missing: cant
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

THRESHOLD = 0.5  # a topic that names no threshold of its own needs this confidence


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that speak for a topic. `language` is None for words that any language uses (`esim`, `roaming`)."""

    text: str
    weight: float = 1.0
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: `text` gets the topic it stands under; `counter` says that it must get another, or none."""

    text: str
    lang: str | None = None
    counter: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """A leaf of the taxonomy. `name` maps a language to the name in it; `not_phrases` speak against."""

    slug: str
    name: Mapping[str, str]
    phrases: tuple[Phrase, ...]
    not_phrases: tuple[Phrase, ...] = ()
    threshold: float = THRESHOLD
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One phrase found. `found` is how it stands in the text, at most 60 characters; `weight` is below 0 if against."""

    topic: str
    phrase: str
    found: str
    weight: float


@dataclass(frozen=True, slots=True)
class Classification:
    """What a text is about. `topic` None means triage: not sure enough.

    `confidence` is that of the best topic, 0..1, also when it was not enough. `considered` holds the best three
    topics and their scores, best first; `evidence` is what was found for and against these.
    """

    topic: str | None
    confidence: float
    language: str | None
    evidence: tuple[Evidence, ...]
    considered: tuple[tuple[str, float], ...]


class Classifier:
    """Built once from the taxonomy; shared by all threads afterwards."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = tuple(topics)

    def classify(self, texts: Sequence[tuple[str, str | None]]) -> list[Classification]:
        """Classify (text, language or None) pairs; the answers stand in the same order. Never raises on a text."""
        return [Classification(None, 0.0, language, (), ()) for _, language in texts]


def check_phrase(text: str) -> None:
    """Raise `Invalid`, with the way out, when `text` is no phrase."""
