"""Phrases: how an editor writes the words to look for, and how a text is made ready to be searched.

Knows the syntax, and folding: a text rewritten in the plain letters that patterns are made of, character by character,
so that a span found in one stands at the same place in the other. Refuses to know topics, weights and languages.

    factuur            the word, on word boundaries; case and accents do not matter
    waar blijft        these words in sequence; spaces, commas and hyphens between them do not matter
    pakket*            a word that begins so: pakketje, pakketten, pakketbezorging
    *storing           a word that ends so: storing, internetstoring
    waar ... pakket    up to four words may stand in between, within one sentence
    e-mail             the hyphen may be missing or be a space: email, e mail
    can't              the apostrophe may be missing: cant
"""

import re
import unicodedata
from itertools import pairwise

from app.kit.errors import Invalid

ELSEWHERE = r"(?:https?://|www\.)\S+|@\w+"  # links and handles are not the author's own words
READ = 4_000  # characters: what a post is about stands at its beginning, and this bounds what an article costs

_LONGEST = 80  # characters in a phrase
_STEM = 3  # letters that a word with a star needs: `*a*` would find everything
_SYNTAX = re.compile(r"\*?[a-z0-9]+(?:['-][a-z0-9]+)*\*?")
_LETTERS = "[a-z0-9']*"
_JOINT = "[ ,]+"
_GAP = f"{_JOINT}(?:[a-z0-9']+{_JOINT}){{0,4}}"
_ELSEWHERE = re.compile(ELSEWHERE)
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0f\ufeff"))


class PhraseUnusable(Invalid):
    """It is not written as a phrase, or says again what another says; `phrase` quotes it."""


class _Folding(dict[int, str]):
    """Each character and the one that stands for it; learns as it meets them, and Unicode bounds what there is."""

    def __missing__(self, code: int) -> str:
        letter = unicodedata.normalize("NFD", chr(code))[0].lower()
        self[code] = letter if letter.isascii() and letter.isalnum() else " "
        return self[code]


_FOLDING = _Folding(
    dict.fromkeys(map(ord, ".!?;:\n\r\u2028\u2029"), ".")
    | dict.fromkeys(map(ord, ",()\u2013\u2014"), ",")
    | dict.fromkeys(map(ord, "'`\u00b4\u2018\u2019"), "'")
)
_ASCII_FOLDING = "".join(map(chr, range(128))).translate(_FOLDING).encode().ljust(256)


def legible(text: str) -> str:
    """Return the first 4,000 characters as a reader sees them: nothing invisible, no typographic variants (NFKC)."""
    text = text[:READ]
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE))[:READ]


def folded(text: str) -> bytes:
    """Return `text` in `a-z0-9'`, `.` (a sentence ends), `,` (a clause ends) and spaces: one byte per character."""
    if "@" in text or "://" in text or "www." in text:
        text = _ELSEWHERE.sub(lambda address: " " * len(address[0]), text)
    if text.isascii():
        return text.encode().translate(_ASCII_FOLDING)
    return text.translate(_FOLDING).encode()


def check_phrase(text: str) -> None:
    """Raise `PhraseUnusable`, with the way out, when `text` is not written as a phrase."""
    words = _words(text)
    if not words or len(text) > _LONGEST:
        raise PhraseUnusable(f"a phrase has 1 to {_LONGEST} characters: write the few words that tell", phrase=text)
    if "..." in (words[0], words[-1]) or ("...", "...") in pairwise(words):
        raise PhraseUnusable("`...` stands between two words: write `waar ... pakket`", phrase=text)
    for word in words:
        if word != "..." and not _SYNTAX.fullmatch(word):
            raise PhraseUnusable(
                f"`{word}` is no word: use letters, digits, hyphens and apostrophes, `*` at an end of a word, "
                "and ` ... ` between words for up to four others",
                phrase=text,
            )
        if "*" in word and len(word.strip("*")) < _STEM:
            raise PhraseUnusable(f"`{word}` finds too much: write at least {_STEM} letters with `*`", phrase=text)


def pattern(text: str) -> str:
    """Return the RE2 pattern that finds a checked phrase in a folded text.

    Outer stars match no letters, as to find the word is enough and a search for leading letters is ten times slower:
    a span may begin or end inside a word.
    """
    words = [word if word == "..." else _word(word) for word in _words(text)]
    joined = _JOINT.join(words).replace(f"{_JOINT}...{_JOINT}", _GAP)
    return joined.removeprefix(_LETTERS).removesuffix(_LETTERS)


def _words(text: str) -> list[str]:
    letters = unicodedata.normalize("NFKD", text.replace("\u2019", "'").lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).split()


def _word(word: str) -> str:
    stem = word.strip("*").replace("-", " ?").replace("'", "'?")
    begin = _LETTERS if word.startswith("*") else r"\b"
    return begin + stem + (_LETTERS if word.endswith("*") else r"\b")
