"""Keep in which time zone the days of reports were cut: so far in UTC. `webcare reports rebuild` cuts them anew."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("tally", sa.Column("zone", sa.Text(), nullable=False, server_default="UTC"))
    op.alter_column("tally", "zone", server_default=None)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_column("tally", "zone")
