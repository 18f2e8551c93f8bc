"""The table of outages: when a channel could not be reached, as its adapter told."""

from sqlalchemy import Column, DateTime, Index, Table, Text, Uuid, text

from app.kit.db import metadata

outage = Table(
    "outage",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("told_by", Text, nullable=False),
    Column("reason", Text),
    # A channel is down or up, however often its adapter says so and on however many machines.
    Index("uq_outage_lasting", "channel", unique=True, postgresql_where=text("until is null")),
)
