"""What was agreed beforehand about a crisis: who decides, who says what where, and what may be said at once.

Knows the agreement. Refuses to know incidents and who reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speaker:
    """`who` is a role; `where` it speaks: public, private or press. What it `leaves` is somebody else's to say."""

    who: str
    says: str
    where: tuple[str, ...]
    leaves: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """For one severity. `holding` texts are by language, with the merge fields of statements."""

    lead: str
    say: tuple[Speaker, ...]
    holding: Mapping[str, str]
