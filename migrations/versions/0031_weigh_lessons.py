"""What tickets in triage would teach, and whose turn it is to weigh them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "lesson",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("worth", sa.Double(), nullable=True),
        sa.Column("best", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("bands", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("like_id", sa.Uuid(), nullable=True),
        sa.Column("alike", sa.Integer(), server_default="0", nullable=False),
        sa.Column("weighed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_lesson_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_lesson")),
    )
    op.create_index("ix_lesson_worth", "lesson", ["worth", "ticket_id"], postgresql_where=sa.text("worth is not null"))
    op.create_index(
        "ix_lesson_bands",
        "lesson",
        ["bands"],
        postgresql_using="gin",
        postgresql_where=sa.text("like_id is null"),
    )
    op.create_index("ix_lesson_weighed_at", "lesson", ["weighed_at"])
    op.create_table(
        "turn",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turn")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("turn")
    op.drop_table("lesson")
