"""Keep on a ticket how its hand-over to a department fares."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("ticket", sa.Column("hand_over", sa.Text(), nullable=True))
    op.add_column("ticket", sa.Column("fall_back_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_column("ticket", "fall_back_at")
    op.drop_column("ticket", "hand_over")
