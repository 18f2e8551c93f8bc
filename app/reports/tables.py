"""Tables of what reports count: the facts of tickets, their sums, and how far the events were counted.

All but alarms follows from tickets and can be made again. `edition` tells whole sets of it apart: readers go by the one
that `tally` names, while another may be in the making.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.kit.db import metadata

# One row. Events up to (`xact`, `place`) are counted in `edition`, whose days begin at midnight in `zone`;
# `newest` is the edition that was begun last.
tally = Table(
    "tally",
    metadata,
    Column("id", Integer, primary_key=True, server_default=text("1")),
    Column("edition", Integer, nullable=False),
    Column("newest", Integer, nullable=False),
    Column("xact", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("zone", Text, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

# `number` tells the facts of a ticket apart. No keys to other tables: nobody else waits for a report.
fact = Table(
    "fact",
    metadata,
    Column("edition", Integer, primary_key=True),
    Column("ticket_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("measure", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("detail", Text, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("value", BigInteger),
    Column("lasted", BigInteger),
    Column("topic", Text),
    Column("channel", Text),
    Column("account", Text),
    Column("department", Text),
    Column("stage", Text),
    Column("arm", Text),
    Column("priority", Text),
    Column("agent", Text),
    Column("language", Text),
    Index("ix_fact_at", "edition", "measure", "at"),
    Index(
        "ix_fact_broken",
        "edition",
        "at",
        "ticket_id",
        "number",
        postgresql_where=text(
            "not good and measure in ('first_reply', 'next_reply', 'resolution', 'acceptance', 'ownership')"
        ),
    ),
)

# `cut` names the dimensions whose values are in `key`, `step_at` is the start of an hour, day, week or month there.
# `spread` and `lasted` are buckets and their counts in turns.
rollup = Table(
    "rollup",
    metadata,
    Column("edition", Integer, primary_key=True),
    Column("cut", Text, primary_key=True),
    Column("grain", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("step_at", DateTime(timezone=True), primary_key=True),
    Column("key", ARRAY(Text), primary_key=True),
    Column("detail", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("good", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("spread", LargeBinary, nullable=False),
    Column("lasted", LargeBinary, nullable=False),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.02"},
)

# What decisions of a day were like, by the topic that they took posts for: `sure` is the sum of their confidences.
certainty = Table(
    "certainty",
    metadata,
    Column("day_on", Date, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("decided", Integer, nullable=False),
    Column("sure", Double, nullable=False),
    Column("sour", Integer),  # null: counted before there was anything to count it by
)

# A topic that suddenly grew or soured. `figures` are those of the last look at which it still had.
alarm = Table(
    "alarm",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
    Column("figures", JSONB, nullable=False),
    CheckConstraint("kind in ('grows', 'unsure', 'corrected', 'handed_back', 'sour', 'detractors')", name="kind"),
    Index("uq_alarm_standing", "topic", "kind", unique=True, postgresql_where=text("resolved_at is null")),
    Index("ix_alarm_resolved_at", "resolved_at", postgresql_where=text("resolved_at is not null")),
)
