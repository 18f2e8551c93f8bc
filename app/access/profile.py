"""What is known of an agent besides a name: what they can take, whether a colleague looks along, and their team.

Knows the facts. Refuses to know which topics and departments there are (rules) and what a claim makes of them (API).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Skills are values that a ticket may have; an empty tuple is every value. `needs_review`: replies wait for a
    colleague's approval. `team` is whom reports count them with; None: with nobody.
    """

    languages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    needs_review: bool = False
    team: str | None = None


BLANK = Profile()
