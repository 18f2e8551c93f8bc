"""Who is asked for a score, when, and once.

Knows the rules of asking and every reason not to. Refuses to know how an invitation is stored or sent, what makes an
answer (answering), and what scores come to (nps).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.feedback.page import Palette, Texts
from app.mentions.mention import Visibility

# Any ticket of a person that carries this tag takes the person out of surveys, on this ticket and all others.
OPT_OUT_TAG = "no_survey"


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
    NO_SUCH_WORDS = "no_such_words"
    REPLY_WINDOW = "reply_window"
    NOT_SAMPLED = "not_sampled"
    REOPENED = "reopened"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Asking:
    """How a channel is asked: the `share` of its tickets, 0 to 1, and how: in private, or by a public reply.

    `delay` None: the usual one. `has_such_words`: whether the platform has private, or public, words at all;
    `reply_window` is how long after the customer's last post it lets a company say them; None: always.
    """

    share: float = 1.0
    delay: timedelta | None = None
    by: Visibility = Visibility.PRIVATE
    has_such_words: bool = True
    reply_window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """All that `decide` goes by, and all that the page shows.

    `delay` is between resolution and asking, `expires` between asking and the end of the link; for `changeable` after
    it was given an answer may be changed. `follow_up` is the business time in which a department gets back to who is
    not content. `channels` by name; a channel that is not named asks everybody, always, in private. Tickets resolved
    with a code in `skip_resolutions` are not asked about. `effort` has, by topic, the second question by language.
    `texts` by language code; the first is for customers whose language is not there.
    """

    cool_down: timedelta
    delay: timedelta
    expires: timedelta
    changeable: timedelta
    follow_up: timedelta
    light: Palette
    dark: Palette
    texts: Mapping[str, Texts]
    channels: Mapping[str, Asking] = field(default_factory=dict)
    effort: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    skip_resolutions: frozenset[str] = frozenset()

    def asking(self, channel: str) -> Asking:
        return self.channels.get(channel, Asking())

    def speaks(self, *languages: str | None) -> str:
        """The first of the languages that there are texts in, else the rulebook's first."""
        return next((code for code in languages if code and code in self.texts), next(iter(self.texts)))


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a resolved ticket.

    `last_asked_at` is when its author was, or is going to be, last asked, about any ticket and on whatever channel;
    `last_post_at` when the customer last posted in the conversation. `opted_out` and `escalated` rule a survey out.
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
    """At a resolution: whether to ask, and when."""
    delay = rules.asking(facts.channel).delay
    due_at = facts.resolved_at + (rules.delay if delay is None else delay)
    reason = obstacle(rules, facts, due_at)
    return Invite(due_at) if reason is None else Skip(reason)


def obstacle(rules: FeedbackRules, facts: Facts, at: datetime) -> Reason | None:
    """Why not to ask at this moment; looked at when it is decided to ask, and once more when the question leaves.

    What holds for the person comes before chance, so that the reasons explain most.
    """
    asking = rules.asking(facts.channel)
    cool_until = facts.last_asked_at + rules.cool_down if facts.last_asked_at else None
    shut_at = facts.last_post_at + asking.reply_window if asking.reply_window is not None else None
    obstacles = (
        (Reason.ESCALATED, facts.escalated),
        (Reason.OPTED_OUT, facts.opted_out),
        (Reason.RESOLUTION, facts.resolution in rules.skip_resolutions),
        (Reason.COOL_DOWN, cool_until is not None and at < cool_until),
        (Reason.NO_SUCH_WORDS, not asking.has_such_words),
        (Reason.REPLY_WINDOW, shut_at is not None and at >= shut_at),
        (Reason.NOT_SAMPLED, draw_lot(facts.ticket_id) >= asking.share),
    )
    return next((reason for reason, holds in obstacles if holds), None)


def draw_lot(ticket_id: UUID) -> float:
    """The ticket's lot in [0, 1): the same in every process, version and year.

    The first eight bytes of the SHA-256 of `survey` and the id's 16 bytes, as a fraction. The word keeps this lot
    apart from the one that draws a pilot's arm: a sample that knew the arm would bias every comparison of arms.
    """
    return (int.from_bytes(hashlib.sha256(b"survey" + ticket_id.bytes).digest()[:8], "big") >> 11) / 2**53
