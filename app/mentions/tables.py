"""Tables of what people said. Rows of hot tables are small; words that were edited away move to `mention_revision`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
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
)
from sqlalchemy.dialects.postgresql import JSONB

from app.kit.db import metadata

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
    Column("attachments", JSONB, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("reposts", Integer, nullable=False, server_default="0"),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
    Index("ix_mention_conversation_id", "conversation_id"),
)

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
