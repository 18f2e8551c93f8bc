"""Tables of what people said. Rows of hot tables are small; words that were edited away move to `mention_revision`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from app.kit.db import metadata

# New posts wait on a list that a search reads as well, and go into the index a megabyte at a time: one by one they
# would cost three times as much, and the default of four megabytes makes every search slow.
PENDING = {"gin_pending_list_limit": 1024}

# What full text search reads of a person: the words of both names as they are.
NAMES = "to_tsvector('simple', (coalesce(handle, '') || ' ') || coalesce(display_name, ''))"

author = Table(
    "author",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("external_id", Text),
    Column("handle", Text),
    Column("display_name", Text),
    Column("followers", BigInteger),
    Column("verified", Boolean, nullable=False),
    Column("first_seen_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("channel", "key"),
    Index(
        "ix_author_name",
        text(NAMES),
        postgresql_using="gin",
        postgresql_with=PENDING,
    ),
)

# Which authors are one person, as far as we were told: those with the same `person`. Apart, so that an author whom
# nobody was told of costs nothing.
identity = Table(
    "identity",
    metadata,
    Column("author_id", Uuid, ForeignKey("author.id"), primary_key=True),
    Column("person", Text, nullable=False),
    Column("told_by", Text, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Index("ix_identity_person", "person"),
)

# The thread on one channel with one author.
conversation = Table(
    "conversation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("author_id", Uuid, ForeignKey("author.id"), nullable=False),
    UniqueConstraint("channel", "thread", "author_id"),
)

# The dedupe key, apart so that mentions can be partitioned on their id alone. A key without a mention is a
# tombstone that came before its post, or a post of our own; its thread lets replies to it find their way.
mention_key = Table(
    "mention_key",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("mention_id", Uuid),
    Column("thread", Text),
    Column("deleted_at", DateTime(timezone=True)),
)

# What full text search reads of a post: the stems of its words, in the language that it was written in. Hyphens and
# slashes are read as blanks, so that a part of an order number is found too.
SEARCH = """CASE WHEN language = 'en'
    THEN to_tsvector('english', replace(replace(coalesce(title, '') || ' ' || text, '-', ' '), '/', ' '))
    ELSE to_tsvector('dutch', replace(replace(coalesce(title, '') || ' ' || text, '-', ' '), '/', ' ')) END"""
mention = Table(
    "mention",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("account", Text),
    Column("author_id", Uuid, ForeignKey("author.id"), nullable=False),
    Column("conversation_id", Uuid, ForeignKey("conversation.id")),
    Column("kind", Text, nullable=False),
    Column("parent_id", Text),
    Column("title", Text),
    Column("text", Text, nullable=False),
    Column("url", Text),
    Column("language", Text),
    Column("visibility", Text, nullable=False),
    Column("metrics", JSONB, nullable=False),
    Column("rating", Float),
    Column("area", Text),
    Column("attachments", JSONB, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("reposts", Integer, nullable=False, server_default="0"),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
    Column("search", TSVECTOR, Computed(SEARCH, persisted=True)),
    Index("ix_mention_conversation_id", "conversation_id"),
    Index("ix_mention_search", "search", postgresql_using="gin", postgresql_with=PENDING),
)
# What a reader of posts wants: everything but the stems, which only searching compares.
POST = tuple(column for column in mention.c if column.name != "search")

mention_revision = Table(
    "mention_revision",
    metadata,
    Column("mention_id", Uuid, ForeignKey("mention.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("title", Text),
    Column("text", Text, nullable=False),
    Column("attachments", JSONB, nullable=False),
    Column("replaced_at", DateTime(timezone=True), nullable=False),
)
