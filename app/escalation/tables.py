"""Tables of what PR is asked to look at: escalations, embargoes, incidents, and counts to see these in."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
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
from sqlalchemy.dialects.postgresql import JSONB

from app.kit.db import metadata

# Something that many customers report at once. `subject` is what they report more of than they use to: `scope` says
# whether `name` is a topic, an account or an area.
incident = Table(
    "incident",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("department", Text),
    Column("state", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("observed", Integer, nullable=False),
    Column("expected", Float, nullable=False),
    Column("chance", Float, nullable=False),
    Column("quiet_since", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    Column("lesson", Text),
    CheckConstraint("scope in ('topic', 'account', 'area')", name="scope"),
    CheckConstraint("state in ('open', 'closed')", name="state"),
    # At most one open incident of a subject, whatever the number of processes.
    Index("uq_incident_open_subject", "scope", "name", unique=True, postgresql_where=text("state = 'open'")),
    Index("ix_incident_subject", "scope", "name", "closed_at"),
)

# The posts of an incident; those that were there when it opened prove it.
incident_mention = Table(
    "incident_mention",
    metadata,
    Column("incident_id", Uuid, ForeignKey("incident.id"), primary_key=True),
    Column("mention_id", Uuid, ForeignKey("mention.id"), primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("proves", Boolean, nullable=False),
    Column("attached_at", DateTime(timezone=True), nullable=False),
    Index("ix_incident_mention_ticket_id", "ticket_id"),
)

# What is said on every ticket of an incident; `texts` by language.
incident_statement = Table(
    "incident_statement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("incident_id", Uuid, ForeignKey("incident.id"), nullable=False),
    Column("texts", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    Index("ix_incident_statement_incident_id", "incident_id", "id"),
)

# Its key is what keeps a customer from reading a statement twice. Without a reply it could not be said, for a reason.
incident_saying = Table(
    "incident_saying",
    metadata,
    Column("statement_id", Uuid, ForeignKey("incident_statement.id"), primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("reply_id", Uuid),
    Column("reason", Text),
    Column("said_at", DateTime(timezone=True), nullable=False),
)

# `state`: raised -> acknowledged -> closed, or closed at once. By `due_at` PR is to have acknowledged it.
escalation = Table(
    "escalation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id")),
    Column("incident_id", Uuid, ForeignKey("incident.id")),
    Column("state", Text, nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("acknowledged_by", Text),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    Column("lesson", Text),
    CheckConstraint("num_nonnulls(ticket_id, incident_id) = 1", name="one_subject"),
    CheckConstraint("state in ('raised', 'acknowledged', 'closed')", name="state"),
    Index("uq_escalation_open_ticket", "ticket_id", unique=True, postgresql_where=text("state <> 'closed'")),
    Index("uq_escalation_open_incident", "incident_id", unique=True, postgresql_where=text("state <> 'closed'")),
    Index("ix_escalation_ticket_id", "ticket_id"),
    Index("ix_escalation_open", "id", postgresql_where=text("state <> 'closed'")),
)

# Why PR was asked; `figures` are what led to it and `subject_id` is the ticket or the incident. The key is what keeps
# it from escalating twice for one reason.
escalation_reason = Table(
    "escalation_reason",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("escalation_id", Uuid, ForeignKey("escalation.id"), nullable=False),
    Column("actor", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("figures", JSONB, nullable=False),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Index("ix_escalation_reason_escalation_id", "escalation_id"),
)

# Public replies wait: on a ticket, on every ticket of a topic, or on those of an incident. It is in force until it is
# released; from `until` on only its fallback text may be said or, without one, everything. With a `rejection` the
# replies that waited were not let go.
embargo = Table(
    "embargo",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("escalation_id", Uuid, ForeignKey("escalation.id"), nullable=False),
    Column("ticket_id", Uuid, ForeignKey("ticket.id")),
    Column("topic", Text),
    Column("incident_id", Uuid, ForeignKey("incident.id")),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("fallback_text", Text),
    Column("actor", Text, nullable=False),
    Column("set_at", DateTime(timezone=True), nullable=False),
    Column("lapsed_at", DateTime(timezone=True)),
    Column("released_at", DateTime(timezone=True)),
    Column("released_by", Text),
    Column("rejection", Text),
    CheckConstraint("num_nonnulls(ticket_id, topic, incident_id) = 1", name="one_scope"),
    Index("uq_embargo_ticket", "ticket_id", unique=True, postgresql_where=text("released_at is null")),
    Index("uq_embargo_topic", "topic", unique=True, postgresql_where=text("released_at is null")),
    Index("uq_embargo_incident", "incident_id", unique=True, postgresql_where=text("released_at is null")),
    Index("ix_embargo_escalation_id", "escalation_id"),
)

# How many posts each subject had in each hour, by when they were posted.
volume = Table(
    "volume",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("hour_at", DateTime(timezone=True), primary_key=True),
    Column("n", Integer, nullable=False),
    Index("ix_volume_hour_at", "hour_at"),
)

# One row for each sweep: the last minute that was swept, and the moment up to which mentions are counted.
sweep = Table(
    "sweep",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot_at", DateTime(timezone=True), nullable=False),
    Column("counted_until", DateTime(timezone=True), nullable=False),
)
