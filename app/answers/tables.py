"""Tables of what is said to customers."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from app.kit.db import metadata
from app.mentions.tables import PENDING

# A reply has no language of its own, so it is read in both.
SEARCH = """to_tsvector('dutch', replace(replace(text, '-', ' '), '/', ' '))
    || to_tsvector('english', replace(replace(text, '-', ' '), '/', ' '))"""

# `reason` says why a reply is not published yet, or never will be. `answers.reply` draws the states.
reply = Table(
    "reply",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("mention_id", Uuid, ForeignKey("mention.id")),
    Column("actor", Text, nullable=False),
    Column("department", Text),
    Column("text", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("external_id", Text),
    Column("queued_at", DateTime(timezone=True), nullable=False),
    Column("published_at", DateTime(timezone=True)),
    Column("held_for", JSONB, nullable=False, server_default=text("'[]'")),
    Column("statement_id", Uuid),
    Column("confirmed", JSONB, nullable=False, server_default=text("'[]'")),
    Column("attachments", JSONB, nullable=False, server_default=text("'[]'")),
    Column("written_text", Text),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("answer_id", Uuid),  # of the department's answer that it says
    Column("edited", Float),  # the share of that answer's words that were changed
    Column("search", TSVECTOR, Computed(SEARCH, persisted=True)),
    CheckConstraint("state in ('held', 'queued', 'published', 'failed', 'unknown', 'rejected')", name="state"),
    Index("ix_reply_ticket_id", "ticket_id"),
    Index("ix_reply_search", "search", postgresql_using="gin", postgresql_with=PENDING),
    # What waits for somebody: few beside the published.
    Index("ix_reply_waiting", "state", "id", postgresql_where=text("state not in ('published', 'rejected')")),
)
# What a reader of replies wants: everything but the stems, which only searching compares.
SAID = tuple(column for column in reply.c if column.name != "search")

# What a department says the answer is; webcare publishes it where the department does not do so itself.
answer = Table(
    "answer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("department", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("first_hand", Boolean, nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),
    Column("may_publish", Boolean, nullable=False, server_default=text("true")),
    Column("reusable", Boolean, nullable=False, server_default=text("false")),
    Column("topic", Text),
    Index("ix_answer_ticket_id", "ticket_id"),
    Index("ix_answer_reusable", "topic", "id", postgresql_where=text("reusable")),
)

# What is agreed to say. `channels` null: on all; `owner` null: webcare itself, PR or a manager.
statement = Table(
    "statement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("topics", JSONB, nullable=False),
    Column("channels", JSONB(none_as_null=True)),
    Column("texts", JSONB, nullable=False),
    Column("never_say", JSONB, nullable=False),
    Column("begins_at", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    Column("owner", Text),
    Column("actor", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("withdrawn_at", DateTime(timezone=True)),
    Column("withdrawn_by", Text),
    # Each public reply asks for the few that hold about its topic.
    Index("ix_statement_topics", "topics", postgresql_using="gin", postgresql_where=text("withdrawn_at is null")),
)

# A text that is agreed and ready to be said. Its use counts without a new version: it does not change by being used.
macro = Table(
    "macro",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("texts", JSONB, nullable=False),
    Column("topics", ARRAY(Text), nullable=False),
    Column("channels", ARRAY(Text), nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("updated_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("used", Integer, nullable=False, server_default="0"),
    Column("last_used_at", DateTime(timezone=True)),
    Column("removed_at", DateTime(timezone=True)),
    Index("ix_macro_name", "name", "id", postgresql_where=text("removed_at is null")),
)

# Every version that there was, the present one too.
macro_version = Table(
    "macro_version",
    metadata,
    Column("macro_id", Uuid, ForeignKey("macro.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("texts", JSONB, nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("updated_by", Text, nullable=False),
)

# What somebody wrote and did not send yet, one per person and ticket. `version` is the ticket's that it is based on.
draft = Table(
    "draft",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("visibility", Text),
    Column("version", Integer, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("ix_draft_actor", "actor", "updated_at"),
    Index("ix_draft_updated_at", "updated_at"),
)
