"""Second opinions on tickets in triage, and who gives them."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "opinion",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("routed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("state in ('open', 'given', 'none', 'moot')", name=op.f("ck_opinion_state")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_opinion_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_opinion")),
    )
    op.create_index("ix_opinion_due", "opinion", ["due_at", "ticket_id"], postgresql_where=sa.text("state = 'open'"))
    op.create_index(
        "ix_opinion_given", "opinion", ["model", "topic", "answered_at"], postgresql_where=sa.text("state = 'given'")
    )
    op.create_table(
        "adviser",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("rest_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_adviser")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("adviser")
    op.drop_table("opinion")
