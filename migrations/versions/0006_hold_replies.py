"""Replies may be held, and say for what; they carry attachments and what was confirmed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WAITING = "state not in ('published', 'rejected')"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name in ("held_for", "confirmed", "attachments"):
        empty = sa.Column(name, postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'"))
        op.add_column("reply", empty)
    op.add_column("reply", sa.Column("statement_id", sa.Uuid(), nullable=True))
    op.add_column("reply", sa.Column("written_text", sa.Text(), nullable=True))
    op.add_column("reply", sa.Column("decided_by", sa.Text(), nullable=True))
    op.add_column("reply", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    states = "state in ('held', 'queued', 'published', 'failed', 'unknown', 'rejected')"
    op.create_check_constraint(op.f("ck_reply_state"), "reply", states)
    op.create_index("ix_reply_waiting", "reply", ["state", "id"], postgresql_where=sa.text(WAITING))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_index("ix_reply_waiting", table_name="reply", postgresql_where=sa.text(WAITING))
    op.drop_constraint(op.f("ck_reply_state"), "reply", type_="check")
    for name in ("decided_at", "decided_by", "written_text", "statement_id", "attachments", "confirmed", "held_for"):
        op.drop_column("reply", name)
