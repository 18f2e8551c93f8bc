"""The normal form of one thing that a person posted, whatever the channel.

Knows which facts make a mention, its thread, its author and whether two versions say the same. Refuses to know
where it came from over the wire and what happens to it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

IMPORT_CHANNEL = "import"
REPOST_MARK = "RT @"


class Kind(StrEnum):
    MENTION = "mention"
    REPLY = "reply"
    COMMENT = "comment"
    POST = "post"
    DM = "dm"
    REVIEW = "review"
    ARTICLE = "article"
    REPOST = "repost"


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Author:
    """A person on one channel, as far as the channel tells. `customer_ref` is the company's number of the person."""

    external_id: str | None = None
    handle: str | None = None
    display_name: str | None = None
    followers: int | None = None
    verified: bool | None = None
    customer_ref: str | None = None

    @property
    def key(self) -> str | None:
        """What identifies the person: the platform's id, which survives a renamed handle. A name identifies nobody."""
        if self.external_id:
            return f"id:{self.external_id}"
        handle = plain_handle(self.handle)
        return f"handle:{handle}" if handle else None


@dataclass(frozen=True, slots=True)
class Mention:
    """One post. `posted_at` aware UTC; `revision` the platform's own count where it keeps one.
    `area` is where it was posted, or is about, as the channel writes it: a town, a postcode.

    `imported` marks history loaded from elsewhere: its clocks start at receipt.
    """

    channel: str
    external_id: str
    author: Author
    text: str
    posted_at: datetime
    account: str | None = None
    conversation_id: str | None = None
    parent_id: str | None = None
    kind: Kind = Kind.MENTION
    title: str | None = None
    url: str | None = None
    lang: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    metrics: Mapping[str, int] = field(default_factory=dict)
    rating: float | None = None
    area: str | None = None
    attachments: tuple[Mapping[str, str], ...] = ()
    revision: int | None = None
    imported: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return (self.channel, self.external_id)

    @property
    def author_key(self) -> str:
        """The author's key; of a post whose author is not told, one of its own, so that no two persons are mixed."""
        return self.author.key or f"post:{self.external_id}"

    @property
    def words(self) -> str:
        """Everything the person wrote."""
        return words_of(self.title, self.text)

    @property
    def is_repost(self) -> bool:
        """Somebody passing on another's words: a signal on the original, never a question of its own."""
        return self.kind is Kind.REPOST or self.text.startswith(REPOST_MARK)

    @property
    def is_private(self) -> bool:
        return self.visibility is Visibility.PRIVATE

    @property
    def fingerprint(self) -> bytes:
        """Equal for two versions that say the same. Figures such as likes change without anybody editing."""
        parts = (self.title or "", self.text, *(a.get("url", "") for a in self.attachments))
        return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def thread(self, parent_thread: str | None = None) -> str:
        """The key of the thread on its channel: named by the platform, or inherited, or begun by this post."""
        if self.conversation_id:
            return f"c:{self.conversation_id}"
        return parent_thread or f"p:{self.parent_id or self.external_id}"

    def clock_starts_at(self, received_at: datetime) -> datetime:
        """The moment from which the customer waits. A platform's clock may run ahead of ours, never the wait."""
        imported = self.imported or self.channel == IMPORT_CHANNEL
        return received_at if imported else min(self.posted_at, received_at)


def words_of(title: str | None, text: str) -> str:
    """Everything that a post says, in reading order."""
    return f"{title}\n{text}" if title else text


def named_conversation(thread: str) -> str | None:
    """The platform's own id of a thread's conversation, when the platform has one."""
    return thread.removeprefix("c:") if thread.startswith("c:") else None


def plain_handle(handle: str | None) -> str:
    """A handle as platforms compare it: no leading @, case-folded."""
    return (handle or "").lstrip("@").casefold()


def is_newer(known_revision: int, known_fingerprint: bytes, mention: Mention) -> bool:
    """Whether a repeated delivery is an edit.

    A platform that counts revisions is believed, so that an old edit arriving late changes nothing; else different
    words make an edit.
    """
    if mention.revision is not None:
        return mention.revision > known_revision
    return mention.fingerprint != known_fingerprint


CLOCK_SKEW = timedelta(minutes=5)  # a post further in the future than this is a mistake, not a fast clock
