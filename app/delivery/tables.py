"""Tables of what leaves the building: where to, what, by when, and how each attempt went.

The words stand once in `message`; `delivery` is small because every attempt rewrites it. `message.ticket_id` and
`subject_id` carry no foreign key: both rows are written by the transaction that wrote what they point at, and a key
check for each event would be paid on the fast path.
"""

from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Interval,
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.kit.db import metadata

ADAPTER = UUID(int=0)  # the lane of publications, which go to the channel adapter

endpoint = Table(
    "endpoint",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("department", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text)),  # null: every type
    Column("payload", Text, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("previous_secret_sealed", LargeBinary),
    Column("previous_until", DateTime(timezone=True)),
    Column("state", Text, nullable=False, server_default="ok"),
    Column("disabled_reason", Text),
    Column("throttled_until", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False, server_default="0"),  # attempts that failed in a row
    Column("headers_sealed", JSONB, nullable=False, server_default="{}"),  # sealed values by name
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state in ('ok', 'failing', 'disabled', 'removed')", name="state"),
    CheckConstraint("payload in ('thin', 'full')", name="payload"),
    Index("ix_endpoint_department", "department"),
)

# `id` is the webhook-id; `body` holds the very characters that are signed and sent, in UTF-8.
message = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("ticket_id", Uuid),
    Column("sequence", Integer, nullable=False),
    Column("subject_id", Uuid),  # of a publication: the reply or invitation that it carries
    Column("body", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("kind in ('webhook', 'publication')", name="kind"),
    Index("ix_message_ticket_id", "ticket_id"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("message_id", Uuid, ForeignKey("message.id"), nullable=False),
    Column("endpoint_id", Uuid, ForeignKey("endpoint.id")),  # null: the channel adapter
    # Whom it goes to, never null, so that one index serves endpoints and the channel adapter alike.
    Column(
        "lane",
        Uuid,
        Computed(f"coalesce(endpoint_id, '{ADAPTER}'::uuid)", persisted=True),
        nullable=False,
    ),
    Column("ticket_id", Uuid),  # null: a message of no ticket, which waits for no other
    Column("sequence", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("by_hand", Integer, nullable=False, server_default="0"),  # attempts that do not use up the schedule
    # A publication that was sent, and nobody knows yet whether it arrived: it is looked up before it is sent again.
    Column("in_doubt", Boolean, nullable=False, server_default=text("false")),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("lease_token", Uuid),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("state in ('open', 'done', 'dead', 'cancelled')", name="state"),
    Index("ix_delivery_due", "lane", "due_at", "id", postgresql_where=text("state = 'open'")),
    Index("ix_delivery_leased", "lane", "due_at", postgresql_where=text("lease_token is not null")),
    Index("ix_delivery_order", "ticket_id", "lane", "sequence", postgresql_where=text("state = 'open'")),
    Index("ix_delivery_endpoint_id", "endpoint_id", "id"),
    Index("ix_delivery_dead", "endpoint_id", "id", postgresql_where=text("state = 'dead'")),
    Index("ix_delivery_message_id", "message_id"),
    postgresql_with={"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.01"},
)

attempt = Table(
    "attempt",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("delivery.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("duration", Interval, nullable=False),
    Column("status", Integer),
    Column("error", Text),  # why there was no answer, such as timed_out
    Column("answer", Text, nullable=False),  # its first 4 kB
)
