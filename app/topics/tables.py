"""Tables of topics: labels, the models that learned from them, second opinions, and what posts would teach."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.kit.db import metadata

# Rows are only ever added. `mine` false: the text is not about the topic. Of a post of a customer only the reference is
# kept. `fingerprint` is of an imported text, so that a file that is imported again adds nothing.
label = Table(
    "label",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("mine", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("mention_id", Uuid, ForeignKey("mention.id")),
    Column("text", Text),
    Column("language", Text),
    Column("fingerprint", LargeBinary),
    CheckConstraint("(mention_id is null) <> (text is null)", name="one_text"),
    UniqueConstraint("fingerprint", "topic", "mine"),
    Index("ix_label_mention_id", "mention_id"),
    Index("ix_label_at", "at"),
)

# Each model that was trained. `content` is the file that `topics.model` writes, `digest` names it.
topic_model = Table(
    "topic_model",
    metadata,
    Column("number", Integer, Identity(always=True), primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False),
    Column("examples", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("taught_until", DateTime(timezone=True)),
    Column("comparison", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

# Each time that a model came into force, oldest first; in force is the newest row's, or phrases alone where it names
# none.
topic_promotion = Table(
    "topic_promotion",
    metadata,
    Column("number", Integer, Identity(always=True), primary_key=True),
    Column("model", Integer, ForeignKey("topic_model.number")),
    Column("origin", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)

# Who trains by itself takes a slot first. One whose process died is taken again when its lease is over.
topic_training = Table(
    "topic_training",
    metadata,
    Column("slot", Text, primary_key=True),
    Column("lease_until", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
)

# One for each ticket that came into triage while somebody could be asked. It holds no words of anybody.
opinion = Table(
    "opinion",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("state", Text, nullable=False, server_default="open"),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("lease_token", Uuid),
    Column("answered_at", DateTime(timezone=True)),
    Column("model", Text),
    Column("topic", Text),
    Column("reason", Text),  # why there is none
    Column("routed", Boolean, nullable=False, server_default=text("false")),  # the ticket went where it says
    CheckConstraint("state in ('open', 'given', 'none', 'moot')", name="state"),
    Index("ix_opinion_due", "due_at", "ticket_id", postgresql_where=text("state = 'open'")),
    Index("ix_opinion_given", "model", "topic", "answered_at", postgresql_where=text("state = 'given'")),
)

# Who is asked, by address: how often today, and until when it is left alone.
adviser = Table(
    "adviser",
    metadata,
    Column("url", Text, primary_key=True),
    Column("counted_on", Date, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("rest_until", DateTime(timezone=True)),
)

# What each ticket in triage would teach; `worth` null: nothing, as somebody placed it, or it says what another one says
# (`like_id`, of which the row has all its `bands` and counts its likes).
lesson = Table(
    "lesson",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), primary_key=True),
    Column("worth", Double),
    Column("best", JSONB, nullable=False),
    Column("labels", Integer, nullable=False),
    Column("bands", ARRAY(BigInteger), nullable=False),
    Column("like_id", Uuid),
    Column("alike", Integer, nullable=False, server_default="0"),
    Column("weighed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_lesson_worth", "worth", "ticket_id", postgresql_where=text("worth is not null")),
    Index("ix_lesson_bands", "bands", postgresql_using="gin", postgresql_where=text("like_id is null")),
    Index("ix_lesson_weighed_at", "weighed_at"),
)

# The last slot in which a chore was done that is done once for all processes.
turn = Table(
    "turn",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot_at", DateTime(timezone=True), nullable=False),
)

# A topic that the rulebook may be missing. `posts` are mentions, the most typical first; their words stand only there.
proposal = Table(
    "proposal",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("state", Text, nullable=False, server_default="open"),
    Column("words", ARRAY(Text), nullable=False),
    Column("posts", ARRAY(Uuid), nullable=False),
    Column("size", Integer, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", Text),
    CheckConstraint("state in ('open', 'accepted', 'dismissed')", name="state"),
    Index("ix_proposal_state", "state", "id"),
)
