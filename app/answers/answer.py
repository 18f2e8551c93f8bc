"""An answer as facts: what a department says to be true, until when, and what may be done with it.

Knows when an answer may be used on a ticket, and how much of it was left when somebody published it. Refuses to know
how it is stored and published.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.kit.errors import Conflict, Refused


class AnswerExpired(Conflict):
    """It was valid until a moment that has passed."""


class AnswerOfAnother(Conflict):
    """It was given on another ticket, and not for others like it."""


class AnswerNotPublic(Refused):
    """What it says may be said to this customer alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`first_hand`: it went to the customer as it is; else it is a draft for webcare.

    `version` counts the answers of one ticket from 1; the newest holds. `facts` are what it rests on, by name, such as
    an order's state. `may_publish`: it may be said in public. `reusable`: it also answers others who ask about `topic`.
    """

    id: UUID
    ticket_id: UUID
    department: str
    actor: str
    text: str
    first_hand: bool
    valid_until: datetime | None
    given_at: datetime
    version: int = 1
    facts: Mapping[str, str] = field(default_factory=dict)
    may_publish: bool = True
    reusable: bool = False
    topic: str | None = None


def check_use(answer: Answer, ticket_id: UUID, *, public: bool, now: datetime) -> None:
    """Whether this may be said on a ticket. Raises `AnswerExpired`, `AnswerOfAnother`, `AnswerNotPublic`."""
    if answer.ticket_id != ticket_id and not answer.reusable:
        raise AnswerOfAnother("This answer was given on another ticket, for that customer; ask its department.")
    if answer.valid_until is not None and answer.valid_until <= now:
        raise AnswerExpired(
            "This answer is not valid any more; ask its department for another.",
            valid_until=answer.valid_until.isoformat(),
        )
    if public and not answer.may_publish:
        raise AnswerNotPublic(
            "The department does not want this said in public; say it in private.", field="visibility"
        )


def share_edited(drafted: str, published: str) -> float:
    """How much of a text was changed, by words: 0 nothing, 1 everything.

    One minus the Sorensen-Dice coefficient of both bags of words: in proportion to their length, whatever the order.
    """
    before, after = Counter(drafted.split()), Counter(published.split())
    words = before.total() + after.total()
    return round(1 - 2 * (before & after).total() / words, 3) if words else 0.0
