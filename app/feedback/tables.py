"""Tables of feedback: who was asked about which resolution, or why not, and what they answered."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from app.kit.db import metadata

# What full text search reads of an answer.
STEMS = "to_tsvector('dutch', coalesce(verbatim, ''))"

# One row per resolution by a person, asked about or not. Attribution is frozen here, whatever becomes of the ticket.
# `state` is one of
#   waiting    due_at says when it is sent        queued    link made, on its way to the channel
#   sent       the channel took it                answered  there is a response
#   skipped    never asked, `reason` says why     withdrawn no longer asked, `reason` says why
#   failed     the channel did not take it
invitation = Table(
    "invitation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    # The moment of a resolution is its name: a ticket that is resolved again is asked about again.
    Column("resolved_at", DateTime(timezone=True), nullable=False),
    Column("author_id", Uuid, ForeignKey("author.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("language", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text),
    Column("topic", Text),
    Column("department", Text),
    Column("stage", Text),
    Column("arm", Text),
    Column("priority", Text, nullable=False),
    Column("agent", Text),
    Column("due_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("digest", LargeBinary, unique=True),  # of the link's token, which nobody keeps
    UniqueConstraint("ticket_id", "resolved_at"),
    # At most one question waits per ticket, whoever forgets to withdraw one.
    Index("uq_invitation_waiting", "ticket_id", unique=True, postgresql_where=text("state = 'waiting'")),
    Index("ix_invitation_due_at", "due_at", "id", postgresql_where=text("state = 'waiting'")),
    Index("ix_invitation_author_id", "author_id"),
    Index("ix_invitation_resolved_at", "resolved_at"),
)

response = Table(
    "response",
    metadata,
    Column("invitation_id", Uuid, ForeignKey("invitation.id"), primary_key=True),
    Column("score", SmallInteger, nullable=False),
    Column("comment", Text),
    Column("effort", SmallInteger),
    Column("verbatim", Text),  # the comment without personal data, which is what others than its readers here read
    Column("mention_id", Uuid, ForeignKey("mention.id")),  # the reply that it was read from; None: the page
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True)),
    CheckConstraint("score between 0 and 10", name="score"),
    CheckConstraint("effort between 1 and 7", name="effort"),
    Index("ix_response_mention_id", "mention_id", postgresql_where=text("mention_id is not null")),
    Index("ix_response_received_at", "received_at", "invitation_id", postgresql_where=text("verbatim is not null")),
    Index("ix_response_effort", "received_at", postgresql_where=text("effort is not null")),
    Index("ix_response_verbatim", text(STEMS), postgresql_using="gin"),
)

# Somebody who is not content, for the department that owned the ticket: open until done, due at its own moment.
follow_up = Table(
    "follow_up",
    metadata,
    Column("invitation_id", Uuid, ForeignKey("invitation.id"), primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("department", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("overdue_at", DateTime(timezone=True)),  # its due moment, once the department was told that it passed
    Column("done_at", DateTime(timezone=True)),
    Column("done_by", Text),
    Column("outcome", Text),
    Column("note", Text),
    Index("ix_follow_up_ticket_id", "ticket_id"),
    Index("ix_follow_up_department", "department", "due_at", postgresql_where=text("done_at is null")),
    Index("ix_follow_up_done", "due_at", "invitation_id", postgresql_where=text("done_at is not null")),
    Index("ix_follow_up_due_at", "due_at", postgresql_where=text("done_at is null and overdue_at is null")),
)
