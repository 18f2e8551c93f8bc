"""Add what a ticket's urgency is made of.

The default of `urgent_at` lets the program before this revision go on adding tickets.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("ticket", sa.Column("embargoed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("ticket", sa.Column("risk", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("ticket", sa.Column("reply_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("helped_by", sa.Text(), nullable=True))
    op.add_column(
        "ticket",
        sa.Column("urgent_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.execute(
        "UPDATE ticket SET urgent_at = coalesce(next_due_at, opened_at + interval '3650 days')"
        " - CASE priority WHEN 'urgent' THEN interval '2 hours' WHEN 'high' THEN interval '30 minutes'"
        " ELSE interval '0' END WHERE state NOT IN ('resolved', 'closed')"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name in ("urgent_at", "helped_by", "reply_until", "risk", "embargoed"):
        op.drop_column("ticket", name)
