"""Index the moments at which tickets fall back to webcare.

Built beside the traffic; an index that an attempt before left unfinished makes room first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        op.drop_index("ix_ticket_fall_back_at", table_name="ticket", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_ticket_fall_back_at",
            "ticket",
            ["fall_back_at"],
            unique=False,
            postgresql_where=sa.text("fall_back_at is not null"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        op.drop_index("ix_ticket_fall_back_at", table_name="ticket", if_exists=True, postgresql_concurrently=True)
