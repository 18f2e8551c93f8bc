"""Tables of topics: what people said that texts are about. Rows are only ever added."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from app.kit.db import metadata

# `mine` false: the text is not about the topic. Of a post of a customer only the reference is kept. `fingerprint` is of
# an imported text, so that a file that is imported again adds nothing.
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
)
