"""Who is asked for a score, when, and once.

Knows the rules of asking, the words it is asked in, and what makes an answer. Refuses to know how an invitation is
stored or sent, and what scores come to (nps).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.kit.errors import NotFound

# Any ticket of a person that carries this tag takes the person out of surveys, on this ticket and all later ones.
OPT_OUT_TAG = "no_survey"
FOLLOW_UP_TAG = "follow_up"
MAX_COMMENT = 2000
SCALE = {str(score): score for score in range(11)}


class LinkNotFound(NotFound):
    """One error for a link that is wrong, expired, withdrawn or used: whoever tries links learns nothing."""


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
    """Every word of the invitation and of the page, in one language. Plain text.

    `language` is the language's own name, as the page's switch shows it. `invitation` is posted with the link beside
    it. `lowest` and `highest` explain the ends of the scale. `closed` is said of every link that is not, or no
    longer, good. `score_missing` and `comment_too_long` stand at the field they are about.
    """

    language: str
    invitation: str
    question: str
    lowest: str
    highest: str
    comment: str
    send: str
    thanks: str
    closed: str
    score_missing: str
    comment_too_long: str


@dataclass(frozen=True, slots=True)
class Asking:
    """How a channel is asked: the `share` of its tickets, 0 to 1.

    `reply_window` is how long after the customer's last post the platform lets a company write; None: always.
    """

    share: float = 1.0
    reply_window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """All that `decide` goes by.

    `delay` is between resolution and asking, `expires` between asking and the end of the link. `channels` by name;
    a channel that is not named asks everybody, always. Tickets resolved with a code in `skip_resolutions` are not
    asked about. `texts` by language code; the first is for customers whose language is not there.
    """

    cool_down: timedelta
    delay: timedelta
    expires: timedelta
    texts: Mapping[str, Texts]
    channels: Mapping[str, Asking] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True)
class Answer:
    """`score` from 0 to 10; `comment` of at most `MAX_COMMENT` characters, None when nothing was written."""

    score: int
    comment: str | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Which parts of a form do not make an answer: no score from the scale, a comment that is too long."""

    score: bool
    comment: bool


def decide(rules: FeedbackRules, facts: Facts) -> Invite | Skip:
    """Whether to ask, and when. What holds for the person comes before chance, so that the reasons explain most."""
    asking = rules.channels.get(facts.channel, Asking())
    due_at = facts.resolved_at + rules.delay
    cool_until = facts.last_asked_at + rules.cool_down if facts.last_asked_at else None
    shut_at = facts.last_post_at + asking.reply_window if asking.reply_window is not None else None
    obstacles = (
        (Reason.ESCALATED, facts.escalated),
        (Reason.OPTED_OUT, facts.opted_out),
        (Reason.RESOLUTION, facts.resolution in rules.skip_resolutions),
        (Reason.COOL_DOWN, cool_until is not None and due_at < cool_until),
        (Reason.REPLY_WINDOW, shut_at is not None and due_at >= shut_at),
        (Reason.NOT_SAMPLED, draw_lot(facts.ticket_id) >= asking.share),
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


def read_answer(score: str, comment: str) -> Answer | Wrong:
    """What a submitted form says. Line ends become line feeds; U+0000, which PostgreSQL cannot hold, is dropped."""
    said = comment.replace("\r\n", "\n").replace("\x00", "").strip()
    wrong = Wrong(score=score not in SCALE, comment=len(said) > MAX_COMMENT)
    return wrong if wrong.score or wrong.comment else Answer(SCALE[score], said or None)
