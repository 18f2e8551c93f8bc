"""Put the queue in the order of urgency.

Built beside the traffic; an index that an attempt before left unfinished makes room first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    _replace("ix_ticket_queue", "ix_ticket_urgent", "urgent_at")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    _replace("ix_ticket_urgent", "ix_ticket_queue", "next_due_at")


def _replace(old: str, new: str, moment: str) -> None:
    with op.get_context().autocommit_block():
        op.drop_index(new, table_name="ticket", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            new,
            "ticket",
            [moment, "id"],
            unique=False,
            postgresql_where=sa.text("state not in ('resolved', 'closed')"),
            postgresql_concurrently=True,
        )
        op.drop_index(old, table_name="ticket", if_exists=True, postgresql_concurrently=True)
