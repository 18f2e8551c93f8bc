"""Keep models of topics, which of them is in force, and who trains; find new labels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "topic_model",
        sa.Column("number", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("examples", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("taught_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comparison", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_topic_model")),
        sa.UniqueConstraint("digest", name=op.f("uq_topic_model_digest")),
    )
    op.create_table(
        "topic_promotion",
        sa.Column("number", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("model", sa.Integer(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["topic_model.number"], name=op.f("fk_topic_promotion_model")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_topic_promotion")),
    )
    op.create_table(
        "topic_training",
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_topic_training")),
    )
    op.create_index("ix_label_at", "label", ["at"], unique=False, if_not_exists=True)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_index("ix_label_at", table_name="label")
    op.drop_table("topic_training")
    op.drop_table("topic_promotion")
    op.drop_table("topic_model")
