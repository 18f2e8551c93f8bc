"""What was published, and nobody knows whether it arrived, is looked up before it is sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("delivery", sa.Column("in_doubt", sa.Boolean(), nullable=False, server_default=sa.text("false")))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_column("delivery", "in_doubt")
