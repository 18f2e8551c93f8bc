"""Add the health of endpoints and headers of their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("endpoint", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("endpoint", sa.Column("headers_sealed", postgresql.JSONB(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_column("endpoint", "headers_sealed")
    op.drop_column("endpoint", "failures")
