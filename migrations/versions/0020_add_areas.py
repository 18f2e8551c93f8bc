"""Add areas of mentions, tickets under an embargo at hand, and why a statement could not be said.

Expand, backfill, contract: the program before this revision must still run after it. Build indexes of live tables
concurrently, in `op.get_context().autocommit_block()`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("mention", sa.Column("area", sa.Text(), nullable=True), if_not_exists=True)
    op.add_column("incident_saying", sa.Column("reason", sa.Text(), nullable=True), if_not_exists=True)
    op.alter_column("incident_saying", "reply_id", nullable=True)
    op.add_column("embargo", sa.Column("rejection", sa.Text(), nullable=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.drop_index("ix_ticket_embargoed", table_name="ticket", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_ticket_embargoed",
            "ticket",
            ["id"],
            unique=False,
            postgresql_where=sa.text("embargoed"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        op.drop_index("ix_ticket_embargoed", table_name="ticket", if_exists=True, postgresql_concurrently=True)
    op.execute("DELETE FROM incident_saying WHERE reply_id IS NULL")
    op.alter_column("incident_saying", "reply_id", nullable=False)
    op.drop_column("embargo", "rejection")
    op.drop_column("incident_saying", "reason")
    op.drop_column("mention", "area")
