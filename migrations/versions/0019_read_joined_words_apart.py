"""Let parts of joined words and people's names be found.

A stored column rewrites its table, which waits while that is done: some 40 seconds for a million posts.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

JOINED = {
    "mention": """CASE WHEN language = 'en'
    THEN to_tsvector('english', coalesce(title, '') || ' ' || text)
    ELSE to_tsvector('dutch', coalesce(title, '') || ' ' || text) END""",
    "reply": "to_tsvector('dutch', text) || to_tsvector('english', text)",
}
APART = {
    "mention": """CASE WHEN language = 'en'
    THEN to_tsvector('english', replace(replace(coalesce(title, '') || ' ' || text, '-', ' '), '/', ' '))
    ELSE to_tsvector('dutch', replace(replace(coalesce(title, '') || ' ' || text, '-', ' '), '/', ' ')) END""",
    "reply": """to_tsvector('dutch', replace(replace(text, '-', ' '), '/', ' '))
    || to_tsvector('english', replace(replace(text, '-', ' '), '/', ' '))""",
}
NAMES = "to_tsvector('simple', (coalesce(handle, '') || ' ') || coalesce(display_name, ''))"
PENDING = {"gin_pending_list_limit": 1024}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    _reread(APART)
    op.create_index(
        "ix_author_name",
        "author",
        [sa.text(NAMES)],
        postgresql_using="gin",
        postgresql_with=PENDING,
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_index("ix_author_name", table_name="author")
    _reread(JOINED)


def _reread(words: dict[str, str]) -> None:
    for table, said in words.items():
        op.drop_column(table, "search")
        op.add_column(table, sa.Column("search", postgresql.TSVECTOR(), sa.Computed(said, persisted=True)))
        op.create_index(f"ix_{table}_search", table, ["search"], postgresql_using="gin", postgresql_with=PENDING)
