"""Keep what an answer rests on and what may be done with it, and which answer a reply says."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("answer", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("answer", sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("answer", sa.Column("may_publish", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("answer", sa.Column("reusable", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("answer", sa.Column("topic", sa.Text(), nullable=True))
    op.add_column("reply", sa.Column("answer_id", sa.Uuid(), nullable=True))
    op.add_column("reply", sa.Column("edited", sa.Float(), nullable=True))
    # Every answer so far was given without a word about others, so the index is empty and made in an instant.
    op.create_index("ix_answer_reusable", "answer", ["topic", "id"], postgresql_where=sa.text("reusable"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_index("ix_answer_reusable", table_name="answer")
    op.drop_column("reply", "edited")
    op.drop_column("reply", "answer_id")
    for name in ("topic", "reusable", "may_publish", "facts", "version"):
        op.drop_column("answer", name)
