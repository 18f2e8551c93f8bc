"""Find broken promises by when they were broken: reports list them one by one."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_index(
        "ix_fact_broken",
        "fact",
        ["edition", "at", "ticket_id", "number"],
        unique=False,
        postgresql_where=sa.text(
            "not good and measure in ('first_reply', 'next_reply', 'resolution', 'acceptance', 'ownership')"
        ),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_index("ix_fact_broken", table_name="fact")
