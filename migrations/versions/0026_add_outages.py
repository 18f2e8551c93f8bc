"""Channels go down and come back; tickets that wait for that are found fast.

The index is built beside the traffic, and first: it commits what stands before it, and may have to be tried again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        op.drop_index("ix_ticket_cut_off", table_name="ticket", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_ticket_cut_off",
            "ticket",
            ["id"],
            postgresql_where=sa.text("holder = 'outage'"),
            postgresql_concurrently=True,
        )
    op.create_table(
        "outage",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_outage"),
    )
    op.create_index("uq_outage_lasting", "outage", ["channel"], unique=True, postgresql_where=sa.text("until is null"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_index("ix_ticket_cut_off", table_name="ticket")
    op.drop_table("outage")
