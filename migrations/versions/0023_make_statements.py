"""What is agreed to say about a topic, and never said meanwhile."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topics", postgresql.JSONB(), nullable=False),
        sa.Column("channels", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("texts", postgresql.JSONB(), nullable=False),
        sa.Column("never_say", postgresql.JSONB(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
    )
    op.create_index(
        "ix_statement_topics",
        "statement",
        ["topics"],
        postgresql_using="gin",
        postgresql_where=sa.text("withdrawn_at is null"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_index("ix_statement_topics", table_name="statement", postgresql_using="gin")
    op.drop_table("statement")
