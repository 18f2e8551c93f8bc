"""Words as they are usually written: what a misspelled, elongated, joined or parted word of a post is read as.

Knows the vocabulary, spellings by language, and emoji that say a word. Refuses to know which words tell a topic, and
where in a text a word stands.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import product

from app.topics.language import SPOKEN

_RUN = re.compile(rb"([a-z])\1\1+")
_RUNS = 3  # in one word of which all ways to write them are tried
_LONGEST = 40  # letters of a hashtag that is taken apart
_PART = 3  # letters of each half of a compound that people write apart
_RARELY = {1: 3.0, 2: 2.0}  # what a short word costs where a hashtag is taken apart; any other costs 1


class Words:
    """A vocabulary. Built once, then shared by all threads; words are in the letters of `phrase.folded`, as bytes.

    `spelling` maps a language (None: all of them) to how a word of it is read, `emoji` an emoji to the word that it
    says. `compounds` are those of the known words that people also write apart: `klanten service`.
    """

    def __init__(
        self,
        known: Iterable[str] = (),
        spelling: Mapping[str | None, Mapping[str, str]] | None = None,
        emoji: Mapping[str, str] | None = None,
        compounds: Iterable[str] = (),
    ) -> None:
        whole = frozenset(word.encode() for word in compounds)
        self._known = whole.union(word.encode() for word in known)
        self._longest = max(map(len, self._known), default=0)
        self.emoji = {sign: word.encode() for sign, word in (emoji or {}).items()}
        self._joins: dict[bytes, dict[bytes, bytes]] = defaultdict(dict)
        for word in whole:
            for cut in range(_PART, len(word) - _PART + 1):
                if word[:cut] in self._known and word[cut:] in self._known:
                    self._joins[word[:cut]][word[cut:]] = word
        spelling = spelling or {}
        self._spelled: dict[str | None, dict[bytes, bytes]] = {
            **{language: _merged(spelling, (language, None)) for language in SPOKEN},
            None: _merged(spelling, (*SPOKEN, None)),
        }
        self._noticed = {language: spelled.keys() | self._joins.keys() for language, spelled in self._spelled.items()}

    def spelled(self, language: str | None) -> Mapping[bytes, bytes]:
        """How the odd words of a language are read; where it is not known, or none of ours, those of all."""
        return self._spelled[language if language in SPOKEN else None]

    def notices(self, tokens: Iterable[bytes], language: str | None) -> bool:
        """Whether any of the words is one that is read otherwise or may be half a compound."""
        return not self._noticed[language if language in SPOKEN else None].isdisjoint(tokens)

    def usual(self, word: bytes, language: str | None) -> bytes:
        """The word, or the words, that a word of a post is read as: `mn` mijn, `heeeel` heel, `zoooo` zo."""
        spelled = self.spelled(language)
        bare = word.strip(b"'")
        if (read := spelled.get(word) or spelled.get(bare)) is not None:
            return read
        runs = len(_RUN.findall(word))
        if not runs:
            return word
        if runs <= _RUNS:
            for times in product((2, 1), repeat=runs):
                each = iter(times)
                tried = _RUN.sub(lambda run, each=each: run[1] * next(each), word)  # type: ignore[misc]
                if tried in self._known or tried in spelled:
                    return spelled.get(tried, tried)
        return _RUN.sub(lambda run: run[1] * (2 if run[1] in b"aeou" else 1), word)

    def joined(self, first: bytes, second: bytes) -> bytes | None:
        """The compound of which these are the halves: `klanten service`."""
        return self._joins[first].get(second) if first in self._joins else None

    def parted(self, tag: bytes) -> bytes | None:
        """The fewest known words that a hashtag is made of; None where no such words are."""
        if tag in self._known or len(tag) > _LONGEST:
            return None
        best: list[tuple[float, int] | None] = [(0.0, 0), *[None] * len(tag)]  # cost and begin of the last word
        for end in range(1, len(tag) + 1):
            for begin in range(max(0, end - self._longest), end):
                before = best[begin]
                if before is None or tag[begin:end] not in self._known:
                    continue
                cost = before[0] + _RARELY.get(end - begin, 1.0)
                here = best[end]
                if here is None or cost < here[0]:
                    best[end] = cost, begin
        parts: list[bytes] = []
        end = len(tag)
        while end:
            step = best[end]
            if step is None:
                return None
            parts.append(tag[step[1] : end])
            end = step[1]
        return b" ".join(reversed(parts)) if parts else None


def _merged(spelling: Mapping[str | None, Mapping[str, str]], languages: Iterable[str | None]) -> dict[bytes, bytes]:
    return {word.encode(): read.encode() for language in languages for word, read in spelling.get(language, {}).items()}


NO_WORDS = Words()
