"""A customer's words without the customer, for whoever may learn what was said and not by whom.

Knows what stands in for personal data, handles, links, long numbers, and names: those that the channel has for the
author, and those that the words before them announce (announced). Refuses to know the forms of personal data (guard)
and who reads the result. It masks too much rather than too little: nobody needs a number to tell a topic.
"""

import re
from collections.abc import Iterable

from app.answers.announced import BETWEEN, announced
from app.answers.guard import LINK, Guard

_SHORTEST_NAME = 3  # characters; shorter ones are words of the language more often than names
_HANDLE = re.compile(r"(?<![\w@])@[\w.-]*\w")
_NUMBER = re.compile(r"\d(?:[ .,/-]?\d){4,}")  # five digits or more, however they are spaced
_PART = re.compile(r"[^\W\d_]+")


def masked(text: str, guard: Guard, names: Iterable[str | None] = ()) -> str:
    """`text` with `[email]`, `[phone]`, `[name]` and the like in place of what tells who wrote it, and of others.

    `names` are what is known of its author: handles and display names, whole and in parts.
    """
    left = guard.mask(text)
    left = LINK.sub("[link]", left)
    left = _HANDLE.sub("[handle]", left)
    left = _NUMBER.sub("[number]", left)
    left = _without((name.lstrip("@") for name in names if name), left, re.IGNORECASE)
    return _without(announced(left), left, re.NOFLAG)  # as they are written: Vis is a name, and vis is not


def _without(names: Iterable[str], text: str, flags: re.RegexFlag) -> str:
    """The text with `[name]` wherever one of these stands, whole or in parts."""
    parts = {part for name in names for part in (name, *_PART.findall(name)) if part.lower() not in BETWEEN}
    telling = sorted((part for part in parts if len(part) >= _SHORTEST_NAME), key=len, reverse=True)
    if not telling:
        return text
    listed = "|".join(map(re.escape, telling))
    return re.sub(rf"(?<![\w\[])(?:{listed})(?!\w)", "[name]", text, flags=flags)
