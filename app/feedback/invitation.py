"""Who is asked for a score, when, and once.

Knows the rules of asking, the languages it is asked in, and what a score makes of a customer. Refuses to know how
an invitation is stored or sent, and what many scores come to (nps).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.kit.errors import Invalid, NotFound

# Any ticket of a person that carries this tag takes the person out of surveys, on this ticket and all later ones.
OPT_OUT_TAG = "no_survey"
FOLLOW_UP_TAG = "follow_up"
MAX_COMMENT = 2000
MIN_SCORE, MAX_SCORE = 0, 10
MIN_PROMOTER, MAX_DETRACTOR = 9, 6


class LinkNotFound(NotFound):
    """One error for a link that is wrong, expired, withdrawn or used: whoever tries links learns nothing."""


class ScoreOutOfRange(Invalid):
    pass


class CommentTooLong(Invalid):
    pass


class State(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    SENT = "sent"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


ASKED = (State.WAITING, State.QUEUED, State.SENT, State.ANSWERED)  # what the cool-down counts from
OPEN = (State.QUEUED, State.SENT)  # a link that comes back proves that it arrived, recorded or not


class Reason(StrEnum):
    """Why a customer is not asked, or no longer. Stored and counted, never only logged."""

    RESOLUTION = "resolution"
    ESCALATED = "escalated"
    OPTED_OUT = "opted_out"
    COOL_DOWN = "cool_down"
    REPLY_WINDOW = "reply_window"
    NOT_SAMPLED = "not_sampled"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Texts:
    """What the company says to the customer, in one language. Plain text.

    `{link}` in `invitation` becomes the one-time link. `lowest` and `highest` explain the ends of the scale, `button`
    sends the form. `closed` is said of every link that is not, or no longer, good.
    """

    invitation: str
    question: str
    lowest: str
    highest: str
    comment: str
    button: str
    thanks: str
    closed: str


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """All that `decide` goes by.

    `delay` is between resolution and asking, `expires` between asking and the end of the link. `channels` has the
    share of tickets that is asked about, 0 to 1, by channel; `default_share` is for channels that are not named.
    `reply_windows` has, by channel, how long after the customer's last post the platform lets a company write. Tickets
    resolved with a code in `skip_resolutions` are not asked about. `texts` by language code; the first is for
    customers whose language is not there.
    """

    cool_down: timedelta
    delay: timedelta
    expires: timedelta
    texts: Mapping[str, Texts]
    channels: Mapping[str, float] = field(default_factory=dict)
    default_share: float = 1.0
    reply_windows: Mapping[str, timedelta] = field(default_factory=dict)
    skip_resolutions: frozenset[str] = frozenset()

    def speaks(self, *languages: str | None) -> str:
        """The first of the languages that there are texts in, else the rulebook's first."""
        return next((code for code in languages if code and code in self.texts), next(iter(self.texts)))


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket at the moment of its resolution.

    `last_asked_at` is when its author was, or is going to be, last asked, about any ticket; `last_post_at` when the
    customer last posted in the conversation. `opted_out` and `escalated` rule a survey out altogether.
    """

    ticket_id: UUID
    channel: str
    resolution: str | None
    resolved_at: datetime
    last_post_at: datetime
    last_asked_at: datetime | None
    escalated: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class Invite:
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    reason: Reason


def decide(rules: FeedbackRules, facts: Facts) -> Invite | Skip:
    """Whether to ask, and when. What holds for the person comes before chance, so that the reasons explain most."""
    due_at = facts.resolved_at + rules.delay
    cool_until = facts.last_asked_at + rules.cool_down if facts.last_asked_at else None
    share = rules.channels.get(facts.channel, rules.default_share)
    window = rules.reply_windows.get(facts.channel)
    obstacles = (
        (Reason.ESCALATED, facts.escalated),
        (Reason.OPTED_OUT, facts.opted_out),
        (Reason.RESOLUTION, facts.resolution in rules.skip_resolutions),
        (Reason.COOL_DOWN, cool_until is not None and due_at < cool_until),
        (Reason.REPLY_WINDOW, window is not None and due_at >= facts.last_post_at + window),
        (Reason.NOT_SAMPLED, draw_lot(facts.ticket_id) >= share),
    )
    for reason, holds in obstacles:
        if holds:
            return Skip(reason)
    return Invite(due_at)


def draw_lot(ticket_id: UUID) -> float:
    """The ticket's lot in [0, 1): the same in every process, version and year.

    The first eight bytes of the SHA-256 of `survey` and the id's 16 bytes, as a fraction. The word keeps this lot
    apart from the one that draws a pilot's arm: a sample that knew the arm would bias every comparison of arms.
    """
    return (int.from_bytes(hashlib.sha256(b"survey" + ticket_id.bytes).digest()[:8], "big") >> 11) / 2**53


def check_answer(score: int, comment: str | None) -> None:
    """Raises `ScoreOutOfRange` or `CommentTooLong`, each naming its field."""
    if not MIN_SCORE <= score <= MAX_SCORE:
        raise ScoreOutOfRange(f"The score is a whole number from {MIN_SCORE} to {MAX_SCORE}.", field="score")
    if comment is not None and len(comment) > MAX_COMMENT:
        raise CommentTooLong(f"The comment has at most {MAX_COMMENT} characters.", field="comment")


def is_detractor(score: int) -> bool:
    return score <= MAX_DETRACTOR
