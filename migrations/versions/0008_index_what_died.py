"""Index the deliveries that died.

Built beside the traffic; an index that an attempt before left unfinished makes room first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        op.drop_index("ix_delivery_dead", table_name="delivery", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_delivery_dead",
            "delivery",
            ["endpoint_id", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'dead'"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        op.drop_index("ix_delivery_dead", table_name="delivery", if_exists=True, postgresql_concurrently=True)
