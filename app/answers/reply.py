"""A reply as facts: its states, what may hold it back, and who lifts which hold.

Knows what a person may still decide about a reply. Refuses to know how it is stored, published or checked.

    held <-> queued -> published | failed | unknown          held -> rejected
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.access.role import Role
from app.answers.statements.statement import Contradiction
from app.kit.errors import Conflict


class ReplyState(StrEnum):
    """Where a reply stands, and with it the delivery that carries it. No other two ever stand together.

    | reply     | its last delivery                             | held for  |
    |-----------|-----------------------------------------------|-----------|
    | held      | none, cancelled                               | something |
    | queued    | open, under way                               | nothing   |
    | published | done                                          | nothing   |
    | failed    | dead                                          | nothing   |
    | unknown   | open in doubt, under way, dead in doubt       | nothing   |
    | rejected  | none, cancelled                               | anything  |

    `unknown`: it was sent and nobody can tell yet whether the channel has it; what is under way is in doubt meanwhile.
    Under an embargo a public reply is held for it, unless whoever may let it go did, and after it none is: but for the
    seconds in which tickets are marked and freed.
    """

    HELD = "held"
    QUEUED = "queued"
    PUBLISHED = "published"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"


class Hold(StrEnum):
    """Why a reply waits although it was given. A reply may have several; it leaves when the last is lifted."""

    REVIEW = "review"
    STATEMENT = "statement"
    EMBARGO = "embargo"


HOLDS: Mapping[Hold, str] = {
    Hold.REVIEW: "a colleague looks at it first",
    Hold.STATEMENT: "it says what a valid statement never says",
    Hold.EMBARGO: "PR decides when it is said",
}

# Who may let a reply go that is held for this: whoever asked for the hold, and those above.
LIFTED_BY: Mapping[Hold, frozenset[Role]] = {
    Hold.REVIEW: frozenset({Role.AGENT, Role.PR, Role.MANAGER, Role.ADMIN}),
    Hold.STATEMENT: frozenset({Role.PR, Role.MANAGER, Role.ADMIN}),
    Hold.EMBARGO: frozenset({Role.PR, Role.ADMIN}),
}


@dataclass(frozen=True, slots=True)
class Held:
    """What a reply waits for, and what it says against a statement where that is among it."""

    holds: tuple[Hold, ...] = ()
    contradicts: Contradiction | None = None

    @property
    def reason(self) -> str:
        """For people: `PR decides when it is said; a colleague looks at it first`."""
        said = f": '{self.contradicts.found}'" if self.contradicts else ""
        return in_words(self.holds) + said


class ReplyInOtherState(Conflict):
    """The reply is not, or no longer, in a state that allows this."""


class OwnReply(Conflict):
    """Four eyes: nobody approves what they wrote themselves."""


class CustomerPostedMeanwhile(Conflict):
    """The customer posted after the reply was written; `newer` holds those posts."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Something said to the customer, or to be said.

    `visibility` public or private; `mention_id` is the post that it answers. `queued_at` is when it was given;
    `decided_at` when somebody let a held one go, or rejected it. `written_text` is what its writer wrote, where who
    approved it changed the words. `confirmed` names the findings of the guard that its writer accepted, `attachments`
    are `{url, type, description}`. It says the department's answer `answer_id`, of whose words the share `edited` was
    changed.
    """

    id: UUID
    ticket_id: UUID
    mention_id: UUID | None
    actor: str
    department: str | None
    text: str
    visibility: str
    queued_at: datetime
    state: ReplyState = ReplyState.QUEUED
    reason: str | None = None
    external_id: str | None = None
    published_at: datetime | None = None
    held_for: tuple[Hold, ...] = ()
    statement_id: UUID | None = None
    confirmed: tuple[str, ...] = ()
    attachments: tuple[Mapping[str, Any], ...] = ()
    written_text: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    answer_id: UUID | None = None
    edited: float | None = None


def in_words(holds: Iterable[Hold]) -> str:
    """Why a reply is held, for people: `PR decides when it is said; a colleague looks at it first`."""
    return "; ".join(HOLDS[hold] for hold in holds)


def rewritten(reply: Reply, text: str) -> Reply:
    """The reply with other words; what its writer wrote is kept however often they are changed."""
    return replace(reply, text=text, written_text=reply.written_text or reply.text)


def check_state(reply: Reply, act: str, *allowed: ReplyState) -> None:
    """Raise `ReplyInOtherState` unless the reply is in one of these states."""
    if reply.state not in allowed:
        raise ReplyInOtherState(
            f"This reply is {reply.state}; to {act} it, it has to be {' or '.join(allowed)}.",
            state=str(reply.state),
            allowed=[str(state) for state in allowed],
        )
