"""Keep what tickets were first taken for only in sums by the topic that they have now.

Elsewhere it is added up, so that the edition that is read goes on and is what counting anew gives.
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "WITH gone AS ("
        "    DELETE FROM rollup WHERE measure = 'understood' AND detail <> ''"
        "    AND 'topic' <> ALL(string_to_array(cut, '+')) RETURNING *)"
        " INSERT INTO rollup AS kept"
        " (edition, cut, grain, measure, step_at, key, detail, n, good, total, spread, lasted)"
        " SELECT edition, cut, grain, measure, step_at, key, '', sum(n), 0, 0, '', '' FROM gone"
        " GROUP BY edition, cut, grain, measure, step_at, key"
        " ON CONFLICT ON CONSTRAINT pk_rollup DO UPDATE SET n = kept.n + excluded.n"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    # What is added up stays so: every number is right, and `webcare reports rebuild` takes it apart again.
