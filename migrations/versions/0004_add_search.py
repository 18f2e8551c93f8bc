"""Let posts and replies be found by their words.

A stored column rewrites its table, which waits while that is done: some 40 seconds for a million posts.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORDS_OF_A_POST = """CASE WHEN language = 'en'
    THEN to_tsvector('english', coalesce(title, '') || ' ' || text)
    ELSE to_tsvector('dutch', coalesce(title, '') || ' ' || text) END"""
WORDS_OF_A_REPLY = "to_tsvector('dutch', text) || to_tsvector('english', text)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, words in (("mention", WORDS_OF_A_POST), ("reply", WORDS_OF_A_REPLY)):
        op.add_column(table, sa.Column("search", postgresql.TSVECTOR(), sa.Computed(words, persisted=True)))
        op.create_index(
            f"ix_{table}_search",
            table,
            ["search"],
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 1024},
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in ("reply", "mention"):
        op.drop_column(table, "search")
