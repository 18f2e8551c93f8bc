"""Resolutions: how tickets end, in the words of the rulebook.

Knows which codes the program gives by itself. Refuses to know the others: those are the team's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.kit.errors import Invalid

SOLVED = "solved"  # where nobody says anything else
ANSWERED = "answered"  # a department answered first-hand, and that settled it
MERGED = "merged"  # it goes on as a part of another ticket
WITHDRAWN = "withdrawn"  # the customer took everything back
AUTOMATIC = frozenset({ANSWERED, MERGED, WITHDRAWN})


class UnknownResolution(Invalid):
    """A code that the rules do not have, or that only the program gives."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """`name` is by language. `automatic`: given by the program, and not for people to choose."""

    code: str
    name: Mapping[str, str]
    automatic: bool


def check_choice(resolutions: Mapping[str, Resolution], code: str) -> None:
    """Whether a person may end a ticket with this code. Raises `UnknownResolution` with those that there are."""
    allowed = [one.code for one in resolutions.values() if not one.automatic]
    if code not in allowed:
        message = f"There is no resolution '{code}' to choose; there are: {', '.join(allowed)}."
        raise UnknownResolution(message, field="code", allowed=allowed)
