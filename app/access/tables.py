"""Tables of access: tokens, profiles of agents, partners that push, and the answers that an idempotency key brings
back.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.kit.db import metadata

# Only the digest of a token is kept. A department token without its department would see every ticket.
token = Table(
    "token",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("department", Text),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("(role = 'department') = (department is not null)", name="department"),
)

# `answer` is sealed: it may hold a secret that is shown once.
idempotency = Table(
    "idempotency",
    metadata,
    Column("token_id", Uuid, ForeignKey("token.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_idempotency_created_at", "created_at"),
)

# What an agent can take: lists of values, an empty one for all; and in which team. By name, as history names agents;
# tokens come and go.
profile = Table(
    "profile",
    metadata,
    Column("name", Text, primary_key=True),
    Column("languages", JSONB, nullable=False),
    Column("topics", JSONB, nullable=False),
    Column("channels", JSONB, nullable=False),
    Column("departments", JSONB, nullable=False),
    Column("needs_review", Boolean, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("team", Text),
)

# Partners that push mentions, and what they signed lately: no call is believed twice.
source = Table(
    "source",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("removed_at", DateTime(timezone=True)),
)
source_call = Table(
    "source_call",
    metadata,
    Column("source_id", Uuid, ForeignKey("source.id"), primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("signed_at", DateTime(timezone=True), primary_key=True),
    Index("ix_source_call_signed_at", "signed_at"),
)
