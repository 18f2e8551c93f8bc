"""Tables of tickets. The present stands on `ticket`; the past stands append-only in `custody` and `event`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.kit.db import metadata

ticket_number = Sequence("ticket_number_seq", metadata=metadata, start=1001)

ticket = Table(
    "ticket",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("conversation_id", Uuid, ForeignKey("conversation.id"), nullable=False),
    Column("author_id", Uuid, ForeignKey("author.id"), nullable=False),
    Column("previous_id", Uuid, ForeignKey("ticket.id")),
    Column("merged_into_id", Uuid, ForeignKey("ticket.id")),
    Column("channel", Text, nullable=False),
    Column("account", Text),
    Column("language", Text),
    Column("visibility", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("topic", Text),
    Column("confidence", Float, nullable=False),
    Column("department", Text),
    Column("stage", Text),
    Column("arm", Text),
    Column("priority", Text, nullable=False),
    Column("tags", JSONB, nullable=False),
    Column("assignee", Text),
    Column("lease_until", DateTime(timezone=True)),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("snoozed_until", DateTime(timezone=True)),
    Column("wait_until", DateTime(timezone=True)),
    Column("resolved_at", DateTime(timezone=True)),
    Column("resolution", Text),
    Column("close_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("escalated", Boolean, nullable=False),
    Column("escalated_for", JSONB, nullable=False, server_default=text("'[]'")),
    Column("signals", JSONB, nullable=False, server_default=text("'{}'")),
    Column("embargoed", Boolean, nullable=False, server_default=text("false")),
    Column("risk", Integer, nullable=False, server_default=text("0")),
    Column("reply_until", DateTime(timezone=True)),
    Column("helped_by", Text),
    Column("asked_by", Text),
    Column("consulted", JSONB, nullable=False, server_default=text("'[]'")),
    Column("hand_over", Text),
    Column("fall_back_at", DateTime(timezone=True)),
    Column("due", JSONB, nullable=False),
    Column("next_due_at", DateTime(timezone=True)),
    Column("urgent_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("sequence", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    # At most one open ticket per conversation, whatever the number of processes.
    Index("uq_ticket_open_conversation", "conversation_id", unique=True, postgresql_where=text("state <> 'closed'")),
    Index("ix_ticket_conversation", "conversation_id"),
    Index("ix_ticket_author", "author_id"),
    Index(
        "ix_ticket_urgent",
        "urgent_at",
        "id",
        postgresql_where=text("state not in ('resolved', 'closed')"),
    ),
    Index("ix_ticket_previous_id", "previous_id", postgresql_where=text("previous_id is not null")),
    Index("ix_ticket_merged_into_id", "merged_into_id", postgresql_where=text("merged_into_id is not null")),
    Index(
        "ix_ticket_free",
        "urgent_at",
        "id",
        postgresql_where=text("state in ('triage', 'routed') and holder in ('triage', 'webcare')"),
    ),
    Index("ix_ticket_settled", "urgent_at", "id", postgresql_where=text("state in ('resolved', 'closed')")),
    Index(
        "ix_ticket_assignee",
        "assignee",
        "lease_until",
        postgresql_where=text("assignee is not null and state not in ('resolved', 'closed')"),
    ),
    Index("ix_ticket_lease_until", "lease_until", postgresql_where=text("lease_until is not null")),
    Index("ix_ticket_close_at", "close_at", postgresql_where=text("close_at is not null")),
    Index("ix_ticket_wake_at", "snoozed_until", postgresql_where=text("snoozed_until is not null")),
    Index("ix_ticket_fall_back_at", "fall_back_at", postgresql_where=text("fall_back_at is not null")),
    Index("ix_ticket_wait_until", "wait_until", postgresql_where=text("wait_until is not null")),
    Index("ix_ticket_cut_off", "id", postgresql_where=text("holder = 'outage'")),
    Index("ix_ticket_embargoed", "id", postgresql_where=text("embargoed")),
    postgresql_with={"fillfactor": "80"},
)

ticket_mention = Table(
    "ticket_mention",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("mention_id", Uuid, ForeignKey("mention.id"), primary_key=True),
    Index("ix_ticket_mention_mention_id", "mention_id"),
)

# What somebody said that two tickets have to do with each other, once for both: the smaller id is `ticket_id`.
ticket_link = Table(
    "ticket_link",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("other_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("ticket_id < other_id", name="order"),
    Index("ix_ticket_link_other_id", "other_id"),
)

# An interval ends where the next one begins, so the parts of a ticket's life add up by construction.
custody = Table(
    "custody",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("department", Text),
    Column("since", DateTime(timezone=True), nullable=False),
)

# `sequence` orders the events of one ticket; (`xact`, `place`) those of all, as journal/store tells. `version` is the
# ticket's after the step that an event belongs to, 0 for what was written before versions were kept; the first event
# of a step has its `changes`. `departments` are those whose ticket it was before or after.
event = Table(
    "event",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("data", JSONB, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column("changes", JSONB),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    Column("departments", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("xact", BigInteger, nullable=False, server_default=text("pg_current_xact_id()::text::bigint")),
    Index("ix_event_position", "xact", "place"),
)
