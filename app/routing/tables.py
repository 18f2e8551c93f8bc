"""Decision records: one row for every routing of a ticket, append-only."""

from sqlalchemy import Column, DateTime, Float, ForeignKey, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.kit.db import metadata

decision = Table(
    "decision",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("mention_id", Uuid, ForeignKey("mention.id")),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("topic", Text),
    Column("confidence", Float, nullable=False),
    Column("department", Text),
    Column("rule", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("record", JSONB, nullable=False),
    Index("ix_decision_ticket_id", "ticket_id"),
)
