"""Topics that suddenly grow or sour."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "certainty",
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("sure", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("day_on", "topic", name=op.f("pk_certainty")),
    )
    op.create_table(
        "alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind in ('grows', 'unsure', 'corrected', 'handed_back', 'detractors')", name=op.f("ck_alarm_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    op.create_index(
        "uq_alarm_standing", "alarm", ["topic", "kind"], unique=True, postgresql_where=sa.text("resolved_at is null")
    )
    op.create_index(
        "ix_alarm_resolved_at", "alarm", ["resolved_at"], postgresql_where=sa.text("resolved_at is not null")
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("alarm")
    op.drop_table("certainty")
