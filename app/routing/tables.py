"""Decision records, one row for every routing of a ticket, and the rules that they went by. Both append-only."""

from sqlalchemy import Column, DateTime, Float, ForeignKey, Identity, Index, Integer, Table, Text, Uuid
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

# Each time that rules came into force, oldest first; those in force are the newest row's. `sources` holds the text of
# each file, so that what once was in force can be again.
rules_version = Table(
    "rules_version",
    metadata,
    Column("number", Integer, Identity(always=True), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("sources", JSONB, nullable=False),
    Column("origin", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)
