"""A platform's rules for what a company says on it: how long, how public, and how long after the customer's post.

Knows limits and reply windows as data. Refuses to know any platform by name: they stand in routing_rules/channels.yaml.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.channels.counting import Way, count
from app.kit.errors import Conflict, Invalid
from app.mentions.mention import Visibility

LONGEST = 10_000  # characters, where the platform has no limit of its own


class ReplyDoesNotFit(Invalid):
    """The text is empty or too long as the platform counts; `count` and `limit` are in units of `counted`."""


class TooManyAttachments(Invalid):
    """The platform takes fewer with one reply."""


class NoPrivateReplies(Invalid):
    """On this platform everything that is said is public."""


class ReplyWindowClosed(Conflict):
    """The platform takes no reply so long after the customer's last post; the message names the way out."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a company may speak on a platform, in public or in private.

    `limits` holds the longest text by each way in which the platform counts. `windows` is how long after the
    customer's last post it takes a reply, by the name under which it does, the shortest first; empty: always.
    `when_closed` says what to do when the last of them is over. `attachments` None: as many as one likes.
    """

    limits: Mapping[Way, int] = field(default_factory=lambda: {Way.CHARACTERS: LONGEST})
    windows: Mapping[str, timedelta] = field(default_factory=dict)
    when_closed: str | None = None
    attachments: int | None = None

    @property
    def first_window(self) -> timedelta | None:
        """How long after the customer's last post anything is taken, by whomever it is said; None: always."""
        return min(self.windows.values(), default=None)

    def open_until(self, posted_at: datetime) -> datetime | None:
        """Until when a post of the customer can be answered; None: always."""
        return posted_at + max(self.windows.values()) if self.windows else None


@dataclass(frozen=True, slots=True)
class Platform:
    """A channel by its rules. `public` or `private` is None where it has no such thing, never both."""

    channel: str
    public: Manner | None = Manner()
    private: Manner | None = Manner()

    def is_public(self, visibility: Visibility) -> bool:
        """Whether everybody reads what is said so: where nothing is public, what is called public is not either."""
        return visibility is Visibility.PUBLIC and self.public is not None

    def manner(self, visibility: Visibility) -> Manner:
        """How one speaks there. Raises `NoPrivateReplies` rather than let private words be read by all."""
        manner = self._manner(visibility)
        if manner is None:
            message = f"{self.channel} has no private replies; answer in public, without what is private."
            raise NoPrivateReplies(message, field="visibility")
        return manner

    def open_until(self, visibility: Visibility, posted_at: datetime) -> datetime | None:
        """Until when such a post of the customer can be answered; None: always."""
        manner = self._manner(visibility)
        return manner.open_until(posted_at) if manner else None

    def _manner(self, visibility: Visibility) -> Manner | None:
        return self.public if self.is_public(visibility) else self.private


def check_text(platform: Platform, visibility: Visibility, text: str, attachments: int) -> None:
    """Raises `ReplyDoesNotFit`, `TooManyAttachments` and `NoPrivateReplies`."""
    manner = platform.manner(visibility)
    for way, limit in manner.limits.items():
        length = count(text, way)
        if not 0 < length <= limit:
            raise ReplyDoesNotFit(
                f"{platform.channel} counts {length} {way.unit} here; a reply has 1 to {limit}.",
                field="text",
                count=length,
                limit=limit,
                counted=str(way),
            )
    if manner.attachments is not None and attachments > manner.attachments:
        raise TooManyAttachments(
            f"{platform.channel} takes {manner.attachments} with one reply; say the rest in another.",
            field="attachments",
            limit=manner.attachments,
        )


def check_window(
    platform: Platform, visibility: Visibility, posts: Sequence[tuple[Visibility, datetime]], now: datetime
) -> str | None:
    """The window in which a reply is given now to these posts, each with its moment; None where there are none.

    It counts from the customer's last post that was as private as the reply, from the last of any where none was.
    Raises `ReplyWindowClosed` and `NoPrivateReplies`.
    """
    manner = platform.manner(visibility)
    if not manner.windows:
        return None
    public = platform.is_public(visibility)
    alike = [posted_at for seen, posted_at in posts if platform.is_public(seen) is public]
    posted_at = max(alike or (posted_at for _, posted_at in posts))
    for name, lasts in manner.windows.items():
        if now < posted_at + lasts:
            return name
    closed_at = manner.open_until(posted_at)
    publicly = "" if public or platform.public is None else " Or answer in public."
    raise ReplyWindowClosed(
        f"{platform.channel} took replies until {closed_at:%Y-%m-%d %H:%M}Z. {manner.when_closed}{publicly}",
        closed_at=closed_at,
    )
