"""Reading: a post made ready once, for phrases to be found in and for models to learn from.

Knows how what a customer wrote becomes the usual words without losing where each stood. Refuses to know topics, and
which words there are (words).

In the text that is searched
- `#wanneerkomtmijnpakket` is the words that it is made of, `#PolderMobiel` those that its capitals tell;
- `mn pakketje` is `mijn pakketje`, `heeeel` is `heel`, as the rulebook's spelling and vocabulary say.

Behind its last sentence stand, each as a sentence of its own as nothing is said between them and their neighbours,
- the words that emoji say;
- compounds of which the halves were written apart: `klanten service`.
"""

import re
import unicodedata
from bisect import bisect_right
from typing import NamedTuple

from app.topics.language import guess
from app.topics.phrase import folded, legible
from app.topics.words import NO_WORDS, Words

LINK, NUMBER, ASKING = "xxlink", "xxnumber", "xxask"  # what stands for any of these in a model's words

_UNTOLD = {"", "und", "mul", "zxx"}  # codes of ISO 639 that tell no language
_BETWEEN = bytes.maketrans(b".,", b"  ")
_RUN = re.compile(rb"([a-z])\1\1")
_TOKEN = re.compile(rb"[a-z0-9']+")
_CAPITALS = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])|\d+")
_LONG_NUMBER = re.compile(r"\d{5,}")  # orders, customers, telephones: no model should know them
_WORD = re.compile(r"[^\W\d_]+")
_LINKS = ("://", "www.")
_SIGNS = 20  # emoji that are read, and compounds


class Moved(NamedTuple):
    """A stretch of the searched text that does not stand so in the shown one, and what stands there."""

    start: int
    end: int
    shown_start: int
    shown_end: int


class Readable(NamedTuple):
    """A text made ready once, for any number of classifiers.

    `shown` is what evidence quotes, `plain` what is searched: place for place, but for what `moved` says, in the order
    of `plain`. `language` None: not known.
    """

    shown: str
    plain: bytes
    language: str | None
    moved: tuple[Moved, ...] = ()

    def quoted(self, start: int, end: int) -> str:
        """What the author wrote where `plain[start:end]` stands."""
        if not self.moved:
            return self.shown[start:end]
        return self.shown[self._shown(start, first=True) : self._shown(end - 1, first=False) + 1]

    def _shown(self, place: int, *, first: bool) -> int:
        """Where the character at a place stands; of one that stands otherwise, the first or last of its stretch."""
        before = bisect_right(self.moved, place, key=lambda moved: moved.start)
        if not before:
            return place
        moved = self.moved[before - 1]
        if place < moved.end:
            return moved.shown_start if first else moved.shown_end - 1
        return place - moved.end + moved.shown_end


def readable(text: str, told: str | None = None, words: Words = NO_WORDS) -> Readable:
    """A text of which the first 4,000 characters are read; no text raises. `told` is its language code, if one is."""
    shown = legible(text)
    language = _base(told) or guess(shown)
    return _usual(Readable(shown, folded(shown), language), words)


def normalised(read: Readable) -> str:
    """What a model learns from: lower-case words, and tokens for links, long numbers, emoji and that it asks.

    Handles are not the author's own words. Words of other scripts stand as they are; about as long as the text.
    """
    said = [_LONG_NUMBER.sub(NUMBER, read.plain.translate(_BETWEEN).decode())]
    shown = read.shown
    if not shown.isascii():
        said += (word.lower() for word in _WORD.findall(shown) if not (word.isascii() or folded(word).strip(b" .,'")))
        said += (_named(sign) for sign in shown if unicodedata.category(sign) == "So")
    if any(link in shown for link in _LINKS):
        said.append(LINK)
    if "?" in shown:
        said.append(ASKING)
    return " ".join(" ".join(said).split())


def _usual(read: Readable, words: Words) -> Readable:
    """The text in usual words. Most posts hold nothing odd, and cost no more than a look."""
    shown, plain, language, _ = read
    signs = [] if shown.isascii() or not words.emoji else [i for i, sign in enumerate(shown) if sign in words.emoji]
    if not (signs or "#" in shown or words.notices(plain.translate(_BETWEEN).split(), language) or _RUN.search(plain)):
        return read
    pieces: list[bytes] = []
    moved: list[Moved] = []
    joined: dict[bytes, tuple[int, int]] = {}
    length = done = 0
    before: re.Match[bytes] | None = None
    for token in _TOKEN.finditer(plain):
        start, end = token.span()
        if before is not None and start - before.end() == 1:
            compound = words.joined(before[0], token[0])
            if compound is not None:
                joined.setdefault(compound, (before.start(), end))
        before = token
        tagged = shown[start - 1 : start] == "#"
        usual = (_parted(shown[start:end], token[0], words) if tagged else None) or words.usual(token[0], language)
        if usual != token[0]:
            pieces += (plain[done:start], usual)
            length += start - done
            moved.append(Moved(length, length + len(usual), start, end))
            length += len(usual)
            done = end
    pieces.append(plain[done:])
    length += len(plain) - done
    for place in signs:
        joined.setdefault(words.emoji[shown[place]], (place, place + 1))
    for word, (start, end) in list(joined.items())[:_SIGNS]:
        pieces += (b" . ", word)
        moved.append(Moved(length, length + len(word) + 3, start, end))
        length += len(word) + 3
    return Readable(shown, b"".join(pieces), language, tuple(moved))


def _parted(shown: str, tag: bytes, words: Words) -> bytes | None:
    """The words of a hashtag: by the vocabulary, else by its capitals."""
    parts = words.parted(tag)
    if parts is None and not shown.islower() and shown.isascii():
        found = _CAPITALS.findall(shown)
        if len(found) > 1 and "".join(found) == shown:
            return " ".join(found).lower().encode()
    return parts


def _named(sign: str) -> str:
    return "xxemoji_" + unicodedata.name(sign, "unnamed").lower().replace(" ", "_").replace("-", "_")


def _base(code: str | None) -> str | None:
    """The language of a code such as `nl-BE`; None when it tells none."""
    base = (code or "").replace("_", "-").partition("-")[0].lower()
    return None if base in _UNTOLD else base
