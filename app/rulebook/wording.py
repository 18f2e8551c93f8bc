"""The shape of `words.yaml`: how customers write and how it is read.

Knows this one file, and which words of the other files make up the vocabulary. Refuses to know how a text is read
(topics.words).
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.rulebook.entry import Entry, wrong
from app.rulebook.files import Language, Some
from app.rulebook.located import Page, Problem
from app.topics.classify import Phrase, Topic
from app.topics.language import SMALL_WORDS
from app.topics.phrase import folded
from app.topics.words import Words

_COMPOUND = 7  # letters, from which on a Dutch word is tried as two
_ALONE = {"a", "i", "u"}  # letters that are words

Written = Annotated[str, StringConstraints(pattern=r"^[a-z0-9']{2,40}$")]
Read = Annotated[str, StringConstraints(pattern=r"^[a-z0-9']+( [a-z0-9']+)*$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]
Signs = Annotated[str, StringConstraints(min_length=1)]


class Wording(Entry):
    spelling: dict[Language | Literal["any"], dict[Read, Some[tuple[Written, ...]]]] = Field(default_factory=dict)
    emoji: dict[Word, Signs] = Field(default_factory=dict)
    known: dict[Language, tuple[Written, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_read_one_way(self) -> Self:
        read: dict[str, str] = {}
        for meant, ways in self._readings():
            for written in ways:
                if read.setdefault(written, meant) != meant or written == meant:
                    raise wrong(f"'{written}' is read as '{read[written]}' and as '{meant}'", "keep one of them")
        for meant in sorted(set(read.values()) & read.keys()):
            raise wrong(f"'{meant}' is what others are read as, and is itself read otherwise", f"write '{read[meant]}'")
        said: dict[str, str] = {}
        for word, signs in self.emoji.items():
            for sign in signs:
                if said.setdefault(sign, word) != word:
                    raise wrong(f"emoji {sign} says '{said[sign]}' and '{word}'", "keep it under one of them")
        return self

    def build(self, topics: Collection[Topic]) -> Words:
        """The vocabulary: all words of the topics' phrases and worked examples, and what stands here."""
        own = phrases_of(topics)
        told = {word for phrase in own for word in whole_words(phrase.text)}
        examples = {
            word
            for topic in topics
            for example in topic.examples
            for word in folded(example.text).decode().replace(".", " ").replace(",", " ").split()
        }
        known = told | examples | SMALL_WORDS | {word for words in self.known.values() for word in words}
        return Words(
            {word for word in known if len(word) > 1 or word in _ALONE},
            {
                None if language == "any" else language: {
                    written: read for read, ways in readings.items() for written in ways
                }
                for language, readings in self.spelling.items()
            },
            {sign: word for word, signs in self.emoji.items() for sign in signs},
            {
                word
                for phrase in own
                if phrase.language == "nl"
                for word in whole_words(phrase.text)
                if len(word) >= _COMPOUND and word.isalpha()
            },
        )

    def never_found(self, phrase: Phrase) -> Iterator[tuple[str, str, str]]:
        """Each word of a phrase that no text holds once it is read, with its language here and what it is read as."""
        words = set(whole_words(phrase.text))
        for language, readings in self.spelling.items():
            if language == "any" or phrase.language in (None, language):
                yield from ((language, read, word) for read, ways in readings.items() for word in words & {*ways})

    def _readings(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for readings in self.spelling.values():
            yield from readings.items()


def check_wording(page: Page, wording: Wording, phrases: Iterable[Phrase]) -> Iterator[Problem]:
    """Every phrase can be found in a text as it is read."""
    for phrase in phrases:
        for language, read, word in wording.never_found(phrase):
            message = f"'{word}' is read as '{read}', so that phrase '{phrase.text}' is never found"
            yield page.problem(("spelling", language, read), message, f"leave it out here, or write '{read}' there")


def phrases_of(topics: Iterable[Topic]) -> list[Phrase]:
    return [phrase for topic in topics for phrase in (*topic.phrases, *topic.not_phrases)]


def whole_words(phrase: str) -> list[str]:
    """The words of a phrase that stand in texts as they stand in it: without those of which it gives a part."""
    whole = (part for part in phrase.split() if "*" not in part)
    return [word for part in whole for word in folded(part).decode().replace(".", " ").split()]
