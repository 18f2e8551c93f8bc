"""Read what customers wrote in the order in which it came.

Built beside the traffic; an index that an attempt before left unfinished makes room first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        op.drop_index("ix_response_received_at", table_name="response", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_response_received_at",
            "response",
            ["received_at", "invitation_id"],
            unique=False,
            postgresql_where=sa.text("verbatim is not null"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        op.drop_index("ix_response_received_at", table_name="response", if_exists=True, postgresql_concurrently=True)
