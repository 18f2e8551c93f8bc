"""Hearing: what the words of a post ask for besides its topic, each with the words that ask for it.

Knows phrases that are only noticed, and tones: lexicons whose weights add up, turned by a negation and moved by words
of degree. Refuses to know what follows from any of it, and to judge a person: it adds up words of one post.

    niet goed        a negation among the three words before, in the same clause: the weight times `negated`
    heel slecht      a word of degree among the two words before: the weight times its factor
    slecht           in a text of another language than the word's: half

A word within a longer phrase that is found ("goed" in "niet goed") counts in that phrase alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.topics.finding import Finder, Place
from app.topics.language import is_other
from app.topics.phrase import pattern
from app.topics.reading import Readable

_OTHER_LANGUAGE = 0.5
_BEFORE = 48  # characters that are looked at before a word
_NEGATES = 3  # words before, of which one may be a negation
_MOVES = 2  # words before, of which one may be of degree
_DECIMALS = 2
_FOUND = 60  # characters of the text that are shown


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase and its weight in a tone. `language` None: words, or emoji, that any language uses."""

    text: str
    weight: float
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one tone. `direction` -1: what lies below zero asks for care. `negated` 0: behind a negation a word
    counts nothing.
    """

    name: str
    terms: tuple[Term, ...]
    direction: int = 1
    negated: float = 0.0


@dataclass(frozen=True, slots=True)
class Grammar:
    """Words, as `phrase.folded` has them, that turn or move the weight of what follows; of all languages."""

    negations: frozenset[str] = frozenset()
    degrees: Mapping[str, float] = field(default_factory=dict)


NO_GRAMMAR = Grammar()


@dataclass(frozen=True, slots=True)
class Hit:
    """A word of a tone as it stands in the post, what it weighs there, and after which word that is."""

    phrase: str
    found: str
    weight: float
    after: str | None

    def __str__(self) -> str:
        after = f" (after '{self.after}')" if self.after else ""
        return f"'{self.found}' {self.weight:+g}{after}"


@dataclass(frozen=True, slots=True)
class Tone:
    """How the words of one post add up. `care` is how far they go in the direction that asks for care, else 0."""

    score: float
    care: float
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """`words` are the noticed phrases, each with the words found; `tones` those of which anything was found."""

    words: Mapping[str, str] = field(default_factory=dict)
    tones: Mapping[str, Tone] = field(default_factory=dict)


NOTHING_HEARD = Heard()


class Hearing:
    """Hears texts: one pass for all phrases. Built once, then shared by all threads.

    `moods` are the tones in which what lies below zero asks for care: good words weigh up bad ones.
    """

    def __init__(self, noticed: Iterable[str], lexicons: Sequence[Lexicon] = (), grammar: Grammar = NO_GRAMMAR) -> None:
        self._negations = frozenset(word.encode() for word in grammar.negations)
        self._degrees = {word.encode(): factor for word, factor in grammar.degrees.items()}
        self.moods = frozenset(lexicon.name for lexicon in lexicons if lexicon.direction < 0)
        self._lexicons = {lexicon.name: lexicon for lexicon in lexicons}
        terms = [(lexicon.name, term) for lexicon in lexicons for term in lexicon.terms]
        meant: dict[str, tuple[list[str], list[tuple[str, Term]]]] = {}
        for phrase in dict.fromkeys(noticed):
            meant.setdefault(pattern(phrase), ([], []))[0].append(phrase)
        for name, term in terms:
            meant.setdefault(pattern(term.text), ([], []))[1].append((name, term))
        self._finder = Finder(meant)
        self._meant = tuple(meant.values())

    def hear(self, texts: Sequence[Readable]) -> list[Heard]:
        """One answer for each text, in their order."""
        return [self._hear(text) for text in texts]

    def _hear(self, text: Readable) -> Heard:
        words: dict[str, str] = {}
        found: dict[str, list[tuple[Place, Term]]] = {}
        for number, place in self._finder.find(text.plain):
            noticed, terms = self._meant[number]
            for phrase in noticed:
                words[phrase] = text.quoted(*place)[:_FOUND]
            for name, term in terms:
                found.setdefault(name, []).append((place, term))
        return Heard(words, {name: self._tone(self._lexicons[name], text, places) for name, places in found.items()})

    def _tone(self, lexicon: Lexicon, text: Readable, found: list[tuple[Place, Term]]) -> Tone:
        hits = [self._hit(lexicon, text, place, term) for place, term in _longest(found)]
        score = round(sum(hit.weight for hit in hits), _DECIMALS)
        return Tone(score, max(score * lexicon.direction, 0.0), tuple(hits))

    def _hit(self, lexicon: Lexicon, text: Readable, place: Place, term: Term) -> Hit:
        weight, after = term.weight, None
        before = _clause(text.plain, place[0])
        for word in before[-_NEGATES:]:
            if word in self._negations:
                weight, after = term.weight * lexicon.negated, word
        if after is None:
            for word in before[-_MOVES:]:
                if word in self._degrees:
                    weight, after = term.weight * self._degrees[word], word
        if is_other(term.language, text.language):
            weight *= _OTHER_LANGUAGE
        quoted = text.quoted(*place)[:_FOUND]
        return Hit(term.text, quoted, round(weight, _DECIMALS), after.decode() if after else None)


def _clause(plain: bytes, start: int) -> list[bytes]:
    """The words before a place, back to where its clause begins."""
    before = plain[max(0, start - _BEFORE) : start]
    return before[max(before.rfind(b"."), before.rfind(b",")) + 1 :].split()


def _longest(found: list[tuple[Place, Term]]) -> list[tuple[Place, Term]]:
    """In the order of the text, without what stands within another that is longer, or in the very place of another."""
    kept: list[tuple[Place, Term]] = []
    for place, term in sorted(found, key=lambda one: one[0][0] - one[0][1]):
        if not any(start <= place[0] and place[1] <= end for (start, end), _ in kept):
            kept.append((place, term))
    return sorted(kept, key=lambda one: one[0])
