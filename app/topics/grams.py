"""Grams: the words, pairs of words and runs of letters in texts, as numbers that a model counts.

Knows the one definition of what a model sees of a text, for learning and for serving alike. Refuses to know topics
and how a text is normalised before.

A gram is a word, two words that follow each other, or two to five letters in a row within a word and the spaces around
it. Each is a span of the text, and a polynomial hash of any span is the difference of two running sums: so all grams of
all texts cost a few passes over one array, with no loop over letters.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

BITS = 21
GRAMS = 1 << BITS  # numbers that a gram may have: of 50,000 known ones, one unknown gram in 40 meets one

_LETTERS = (2, 3, 4, 5)
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIXING = 0xFF51AFD7ED558CCD  # of MurmurHash3's finaliser
_KINDS = (0, 0x8CB92BA72F3D8DD7, 0x2545F4914F6CDD1D)  # letters, words and pairs that look alike are not the same gram
_SPACE = ord(" ")


class Grams(NamedTuple):
    """How often which gram stands in which text: `times[i]` times gram `gram[i]` in text `text[i]`.

    Ordered by text, then gram; gram is in `range(GRAMS)`, text in `range(texts)`.
    """

    texts: int
    text: Ints
    gram: Ints
    times: Ints


def count_grams(texts: Sequence[str]) -> Grams:
    """Count the grams of texts whose words stand apart by spaces. No text raises; an empty one has none."""
    padded = [f" {' '.join(text.split())} " for text in texts]
    letters = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    space = letters == _SPACE
    place = np.repeat(np.arange(len(padded)), [len(text) for text in padded])
    hashed = _Spans(letters)
    spaces = np.concatenate(([0], np.cumsum(space)))
    keys = []
    for length in _LETTERS:
        start = np.arange(max(len(letters) - length + 1, 0))
        inner = spaces[start + length - 1] - spaces[start + 1]
        whole = (inner == 0) & ~(space[start] & space[start + 1])  # two spaces: one text ends, the next begins
        keys.append(hashed.key(place, start[whole], start[whole] + length, _KINDS[0]))
    start = np.flatnonzero(space[:-1] & ~space[1:]) + 1
    end = np.flatnonzero(~space[:-1] & space[1:]) + 1
    keys.append(hashed.key(place, start, end, _KINDS[1]))
    paired = place[start[:-1]] == place[start[1:]]
    keys.append(hashed.key(place, start[:-1][paired], end[1:][paired], _KINDS[2]))
    found = np.concatenate(keys)
    found.sort()
    first = np.flatnonzero(np.diff(found, prepend=-1))
    count = np.diff(first, append=len(found))
    distinct = found[first]
    return Grams(len(padded), distinct >> BITS, distinct & (GRAMS - 1), count)


class _Spans:
    """Hashes of spans: the sum of letter * base^place over the span, moved back to place 0, modulo 2^64."""

    def __init__(self, letters: npt.NDArray[Any]) -> None:
        self._back = _powers(_INVERSE, len(letters))
        self._sums = np.zeros(len(letters) + 1, np.uint64)
        np.cumsum((letters + np.uint64(1)) * _powers(_BASE, len(letters)), out=self._sums[1:])

    def key(self, place: Ints, start: Ints, end: Ints, kind: int) -> Ints:
        """The text in the upper bits, the gram in the lower."""
        gram = (self._sums[end] - self._sums[start]) * self._back[start] ^ np.uint64(kind)
        gram = (gram ^ gram >> np.uint64(32)) * np.uint64(_MIXING) >> np.uint64(64 - BITS)
        return place[start] << BITS | gram.astype(np.int64)


def _powers(base: int, count: int) -> npt.NDArray[np.uint64]:
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers)
