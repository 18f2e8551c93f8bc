"""Finding: where many phrases stand in a text.

Knows one pass over the text for all phrases, and that what is denied is not said. Refuses to know what a phrase means.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import re2

from app.topics.denial import HINT, denied

_SET_MEMORY = 16 << 20  # bytes; RE2 builds its automaton as texts come, and starts afresh when this is full

Place = tuple[int, int]


class Finder:
    """Looks for all of its patterns in one pass (RE2, so in linear time); only those found are searched for a place.

    Built once, then shared by all threads. Patterns are those of `phrase.pattern`.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        options = re2.Options()
        options.max_mem = _SET_MEMORY
        self._set = re2.Set.SearchSet(options)
        self._searched = []
        for wanted in patterns:
            self._set.Add(wanted)
            self._searched.append(re2.compile(wanted.encode()))
        self._hint = self._set.Add(HINT)
        self._set.Compile()

    def find(self, plain: bytes) -> list[tuple[int, Place]]:
        """Each pattern that is said, by its number, and where first: the place is widened to whole words."""
        hits = sorted(self._set.Match(plain) or ())
        silent = denied(plain) if self._hint in hits else []
        found = []
        for hit in hits:
            place = _first(self._searched[hit], plain, silent) if hit != self._hint else None
            if place is not None:
                found.append((hit, place))
        return found


def _first(searched: Any, plain: bytes, silent: Sequence[Place]) -> Place | None:
    for match in searched.finditer(plain):
        start, end = match.span()
        if any(opens <= start < closes for opens, closes in silent):
            continue
        while plain[start - 1 : start].isalnum():
            start -= 1
        while plain[end : end + 1].isalnum():
            end += 1
        return start, end
    return None
