"""Order events by commit.

Those that stand get the number of this migration's transaction: one number, so that `place` goes on ordering them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    this_transaction = sa.text("pg_current_xact_id()::text::bigint")  # the same for all rows, so none is rewritten
    nobody = sa.text("'{}'")
    for column in (
        sa.Column("departments", postgresql.ARRAY(sa.Text()), server_default=nobody, nullable=False),
        sa.Column("xact", sa.BigInteger(), server_default=this_transaction, nullable=False),
    ):
        op.add_column("event", column, if_not_exists=True)  # an earlier try may have failed below
    with op.get_context().autocommit_block():
        op.drop_index("ix_event_position", table_name="event", if_exists=True, postgresql_concurrently=True)
        op.create_index("ix_event_position", "event", ["xact", "place"], postgresql_concurrently=True)
    op.drop_constraint("uq_event_place", "event")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_unique_constraint("uq_event_place", "event", ["place"])
    op.drop_index("ix_event_position", "event")
    op.drop_column("event", "xact")
    op.drop_column("event", "departments")
