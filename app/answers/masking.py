"""A customer's words without the customer, for whoever may learn what was said and not by whom.

Knows what stands in for personal data, names, handles, links and long numbers. Refuses to know the forms of personal
data (guard) and who reads the result. It masks too much rather than too little: nobody needs a number to tell a topic.
"""

import re
from collections.abc import Iterable

from app.answers.guard import Guard

_SHORTEST_NAME = 3  # characters; shorter ones are words of the language more often than names
_LINK = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@])@[\w.-]*\w")
_NUMBER = re.compile(r"\d(?:[ .,/-]?\d){4,}")  # five digits or more, however they are spaced

_PART = re.compile(r"[^\W\d_]+")


def masked(text: str, guard: Guard, names: Iterable[str | None] = ()) -> str:
    """`text` with `[email]`, `[phone]`, `[name]` and the like in place of what tells who wrote it.

    `names` are what is known of its author: handles and display names, whole and in parts.
    """
    left = text
    for finding in reversed(guard.find(text)):
        left = f"{left[: finding.start]}[{finding.kind}]{left[finding.end :]}"
    left = _LINK.sub("[link]", left)
    left = _HANDLE.sub("[handle]", left)
    left = _NUMBER.sub("[number]", left)
    known = {part for name in names if name for part in (name.lstrip("@"), *_PART.findall(name))}
    telling = sorted((part for part in known if len(part) >= _SHORTEST_NAME), key=len, reverse=True)
    if not telling:
        return left
    listed = "|".join(map(re.escape, telling))
    return re.sub(rf"(?<![\w\[])(?:{listed})(?!\w)", "[name]", left, flags=re.IGNORECASE)
