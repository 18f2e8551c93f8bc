"""How long a text is, as each platform counts.

Knows the ways of counting and where they are written down. Refuses to know limits, which are rules.
"""

import unicodedata
from collections.abc import Callable, Mapping
from enum import StrEnum

import regex

LINK = 23  # what X and Mastodon count a link as, however long it is

_URL = r"https?://\S*[^\s.,;:!?'\")\]]"  # a full stop behind it ends the sentence
_PATH = r"/(?:\S*[^\s.,;:!?'\")\]])?"
# X replaces links by ones of its own: what has a protocol, and what a reader takes for one without: below a common
# generic ending, or below a country's with a subdomain or a path (twitter-text, extractUrlsWithIndices).
_X_LINK = regex.compile(
    rf"""{_URL}
    | (?<![\w@.$\#-]) (?:[a-z0-9-]+\.)+ (?:com|net|org|info|biz|app|dev|shop|online|site|co|tv)\b (?:{_PATH})?
    | (?<![\w@.$\#-]) (?:[a-z0-9-]+\.){{2,}} [a-z]{{2}}\b (?:{_PATH})?
    | (?<![\w@.$\#-]) [a-z0-9-]+ \. [a-z]{{2}} {_PATH}""",
    regex.VERBOSE | regex.IGNORECASE,
)
_X_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # code points that weigh 1; all others weigh 2
_EMOJI = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3](?!\ufe0e)")
_MASTODON_LINK = regex.compile(_URL, regex.IGNORECASE)
_MASTODON_ELSEWHERE = regex.compile(r"(?<![\w/])@(\w+(?:[\w.-]+\w)?)@[\w.-]+\w")
_GRAPHEME = regex.compile(r"\X")
_LEGIBLE = regex.compile(r"[^\p{Z}\p{C}]")


class Way(StrEnum):
    """What one unit of a limit is."""

    CHARACTERS = "characters"
    GRAPHEMES = "graphemes"
    BYTES = "bytes"
    WEIGHTED = "weighted"
    MASTODON = "mastodon"

    @property
    def unit(self) -> str:
        """Of what it counts how many, for people."""
        return {Way.WEIGHTED: "weighted characters", Way.MASTODON: "characters as Mastodon counts them"}.get(self, self)


def count(text: str, way: Way) -> int:
    """The length of `text` in units of `way`; 0 for a text in which there is nothing to read."""
    return _COUNTS[way](text) if _LEGIBLE.search(text) else 0


def _weighted(text: str) -> int:
    """X: twitter-text's configuration 3. A link is 23; an emoji, of however many code points, and CJK are 2."""
    shortened: str
    links: int
    shortened, links = _X_LINK.subn("", unicodedata.normalize("NFC", text))
    return LINK * links + sum(map(_weight, _GRAPHEME.findall(shortened)))


def _weight(grapheme: str) -> int:
    if _EMOJI.search(grapheme):
        return 2
    return sum(1 if any(low <= ord(one) <= high for low, high in _X_LIGHT) else 2 for one in grapheme)


def _mastodon(text: str) -> int:
    """Mastodon's StatusLengthValidator: graphemes; a link is 23, and of a person elsewhere only the name counts."""
    shortened = _MASTODON_ELSEWHERE.sub(r"@\1", _MASTODON_LINK.sub("x" * LINK, text))
    return _graphemes(shortened)


def _graphemes(text: str) -> int:
    """What a reader calls a character (Unicode Annex 29), as Bluesky's lexicon counts."""
    return len(_GRAPHEME.findall(text))


def _bytes(text: str) -> int:
    return len(text.encode())


_COUNTS: Mapping[Way, Callable[[str], int]] = {
    Way.CHARACTERS: len,
    Way.GRAPHEMES: _graphemes,
    Way.BYTES: _bytes,
    Way.WEIGHTED: _weighted,
    Way.MASTODON: _mastodon,
}
