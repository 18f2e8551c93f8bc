"""Tables of clocks and of the rungs that they reached.

`clock.next_at` is the timer: the moment that the sweep waits for, absent when nothing is to come.
"""

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Interval,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.kit.db import metadata

# An instance is unique, whatever the number of processes; the key also finds the clocks of a ticket.
clock = Table(
    "clock",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("metric", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("department", Text),
    Column("policy", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("ended_by", Text),
    Column("first_ended_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
    Column("warn_at", DateTime(timezone=True)),
    Column("warned_at", DateTime(timezone=True)),
    Column("breached_at", DateTime(timezone=True)),
    Column("elapsed", Interval),
    Column("climb_at", DateTime(timezone=True)),
    Column("climbed", Interval),
    Column("next_at", DateTime(timezone=True)),
    UniqueConstraint("ticket_id", "metric", "round"),
    Index("ix_clock_next_at", "next_at", "id", postgresql_where=text("next_at is not null")),
    # When it became certain whether a promise was kept: broken at its due moment, kept at its end.
    Index(
        "ix_clock_certain_at",
        text("coalesce(breached_at, ended_at)"),
        postgresql_where=text("state in ('met', 'breached')"),
    ),
    postgresql_with={"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.01"},
)

# Each rung once for each clock, whatever the number of processes. `tell_at` is there while somebody is to be told.
rung = Table(
    "rung",
    metadata,
    Column("clock_id", Uuid, ForeignKey("clock.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("does", Text, nullable=False),
    Column("aim", Text, nullable=False),
    Column("reached_at", DateTime(timezone=True), nullable=False),
    Column("tell_at", DateTime(timezone=True)),
    Column("done_at", DateTime(timezone=True)),
    Column("outcome", Text),
    Index("ix_rung_tell_at", "tell_at", postgresql_where=text("tell_at is not null")),
)
