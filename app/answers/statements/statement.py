"""A statement: what is agreed to say about topics, in which channels, for how long, and what contradicts it.

Knows when it holds and how a text is searched for what is never said. Refuses to know who may make one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import re2

from app.kit.errors import Conflict, Invalid
from app.topics.phrase import READ, check_phrase, folded, legible, pattern

_OVERLAP = 200  # characters: longer than a phrase with its gaps


class StatementEndsBeforeItBegins(Invalid):
    pass


class StatementWithdrawn(Conflict):
    """It holds no longer, so there is nothing to withdraw."""


class NotYourTopic(Invalid):
    """A department makes statements about its own topics."""


@dataclass(frozen=True, slots=True)
class Statement:
    """`texts` by language is what agents say; `never_say` holds phrases as in topics.yaml.

    `channels` None: on all. `owner` is the department that made it, None: webcare, PR or a manager. It holds in
    [begins_at, valid_until), None: until it is withdrawn.
    """

    id: UUID
    topics: tuple[str, ...]
    channels: tuple[str, ...] | None
    texts: Mapping[str, str]
    never_say: tuple[str, ...]
    begins_at: datetime
    valid_until: datetime | None
    owner: str | None
    actor: str
    made_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """`found` is how a phrase that is never said stands in the text."""

    statement_id: UUID
    found: str


def check_statement(made: Statement) -> None:
    """Raises `PhraseUnusable` and `StatementEndsBeforeItBegins`."""
    for phrase in made.never_say:
        check_phrase(phrase)
    if made.valid_until is not None and made.valid_until <= made.begins_at:
        message = "A statement holds from a moment until a later one; choose a later `valid_until`."
        raise StatementEndsBeforeItBegins(message, field="valid_until")


def contradiction(text: str, statements: Iterable[Statement]) -> Contradiction | None:
    """The first of what is never said that is said; a denial ("geen storing") says it as well: readers see the word."""
    for statement in statements:
        for phrase in statement.never_say:
            found = _found(text, phrase)
            if found is not None:
                return Contradiction(statement.id, found)
    return None


def _found(text: str, phrase: str) -> str | None:
    searched = re2.compile(pattern(phrase).encode())
    for start in range(0, max(len(text), 1), READ - _OVERLAP):
        shown = legible(text[start : start + READ])
        match = searched.search(folded(shown))
        if match:
            return shown[slice(*match.span())]
    return None
