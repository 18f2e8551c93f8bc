"""The shape of `tones.yaml`: what words of a post ask for besides its topic, and what follows.

Knows this one file. Refuses to know how a text is heard (topics.hearing) and what a ticket's risk adds up to
(escalation).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from app.escalation.risk import Level
from app.routing.decision import Heeded, Priority
from app.rulebook.entry import Entry, wrong
from app.rulebook.files import Language, Line, NameEntry, PhraseText, Slug, Some
from app.rulebook.located import Page, Problem
from app.topics.classify import Phrase
from app.topics.hearing import Grammar, Hearing, Lexicon, Term
from app.topics.phrase import folded, pattern
from app.topics.reading import readable
from app.topics.words import Words

Points = Annotated[int, Field(ge=0, le=100)]
Weight = Annotated[float, Field(ge=-5, le=5)]


def _one_word(text: str) -> str:
    if " " in folded(text).decode().strip() or not text:
        raise wrong(f"'{text}' is no single word", "write one word")
    return text


Word = Annotated[str, AfterValidator(_one_word)]


class ToneLevelEntry(Entry):
    at: float
    priority: Priority | None = None
    points: Points = 0


class ToneExampleEntry(Entry):
    text: Line
    lang: Language | None = None
    at_least: float | None = None
    at_most: float | None = None


class WordsEntry(Entry):
    nl: dict[Weight, tuple[PhraseText, ...]] = Field(default_factory=dict)
    en: dict[Weight, tuple[PhraseText, ...]] = Field(default_factory=dict)
    any: dict[Weight, tuple[PhraseText, ...]] = Field(default_factory=dict)

    def terms(self) -> Iterator[Term]:
        for language, weighed in (("nl", self.nl), ("en", self.en), (None, self.any)):
            for weight, phrases in weighed.items():
                yield from (Term(phrase, weight, language) for phrase in phrases)


class ToneEntry(Entry):
    name: NameEntry
    levels: Some[tuple[ToneLevelEntry, ...]]
    tag: Slug | None = None
    negated: Annotated[float, Field(ge=-1, le=1)] = 0.0
    words: WordsEntry
    examples: Some[tuple[ToneExampleEntry, ...]]

    @model_validator(mode="after")
    def _goes_one_way(self) -> Self:
        if not (all(level.at > 0 for level in self.levels) or all(level.at < 0 for level in self.levels)):
            raise wrong("levels on both sides of zero", "let a tone ask for care above zero or below it")
        seen: dict[tuple[str, str | None], str] = {}
        for term in self.words.terms():
            if (pattern(term.text), term.language) in seen:
                raise wrong(f"'{term.text}' stands twice", "keep one, with the weight that you mean")
            seen[pattern(term.text), term.language] = term.text
        return self

    @property
    def direction(self) -> int:
        return 1 if self.levels[0].at > 0 else -1


class Toning(Entry):
    tones: dict[Slug, ToneEntry]
    negations: dict[Language, tuple[Word, ...]] = Field(default_factory=dict)
    degrees: dict[Annotated[float, Field(gt=0, le=3)], tuple[Word, ...]] = Field(default_factory=dict)

    def build(self) -> tuple[Lexicon, ...]:
        return tuple(
            Lexicon(name, tuple(tone.words.terms()), tone.direction, tone.negated) for name, tone in self.tones.items()
        )

    def build_grammar(self) -> Grammar:
        return Grammar(
            frozenset(_plain(word) for words in self.negations.values() for word in words),
            {_plain(word): factor for factor, words in self.degrees.items() for word in words},
        )

    def build_heeded(self) -> tuple[Heeded, ...]:
        """What raises a ticket's priority and tags it."""
        return tuple(
            Heeded(
                name,
                tone.name.model_dump(),
                tuple(sorted((abs(level.at), level.priority) for level in tone.levels)),
                tone.tag,
            )
            for name, tone in self.tones.items()
        )

    def build_levels(self) -> Mapping[str, tuple[Level, ...]]:
        """What adds to a ticket's risk, by tone."""
        return {
            name: tuple(Level(abs(level.at), level.points) for level in tone.levels)
            for name, tone in self.tones.items()
        }

    def phrases(self) -> Iterator[Phrase]:
        for tone in self.tones.values():
            yield from (Phrase(term.text, language=term.language) for term in tone.words.terms())


def check_tones(page: Page, file: Toning, words: Words) -> Iterator[Problem]:
    """Examples come to what they say."""
    hearing = Hearing((), file.build(), file.build_grammar())
    for name, tone in file.tones.items():
        for index, example in enumerate(tone.examples):
            [heard] = hearing.hear([readable(example.text, example.lang, words)])
            found = heard.tones.get(name)
            score = found.score if found else 0.0
            least, most = example.at_least, example.at_most
            if (least is not None and score < least) or (most is not None and score > most):
                told = ", ".join(f"'{hit.found}' {hit.weight:+g}" for hit in found.hits) if found else "no word"
                wanted = " and ".join(
                    f"{bound} {limit:g}"
                    for bound, limit in (("at least", least), ("at most", most))
                    if limit is not None
                )
                message = f"'{example.text}' wants {wanted} in {name} and gets {score:g}, on {told}"
                where = ("tones", name, "examples", index)
                yield page.problem(where, message, "correct a word, its weight or the example")


def _plain(word: str) -> str:
    return folded(word).decode().strip()
