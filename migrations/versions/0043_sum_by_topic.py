"""Keep sums by topic alone, made of those by topic and department that stand in each edition."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "CREATE FUNCTION pg_temp.number_at(packed bytea, place integer) RETURNS integer LANGUAGE sql AS $$"
        "    SELECT ('x' || encode(substr(packed, 4 * place + 1, 4), 'hex'))::bit(32)::integer $$"
    )
    op.execute(
        "CREATE FUNCTION pg_temp.added(histograms bytea[]) RETURNS bytea LANGUAGE sql AS $$"
        "    SELECT coalesce(string_agg(int4send(bucket) || int4send(n::integer), ''::bytea ORDER BY bucket), '')"
        "    FROM ("
        "        SELECT pg_temp.number_at(one, 2 * pair) AS bucket, sum(pg_temp.number_at(one, 2 * pair + 1)) AS n"
        "        FROM unnest(histograms) AS one, generate_series(0, length(one) / 8 - 1) AS pair GROUP BY 1"
        "    ) AS counted $$"
    )
    op.execute(
        "INSERT INTO rollup (edition, cut, grain, measure, step_at, key, detail, n, good, total, spread, lasted)"
        " SELECT edition, 'topic', grain, measure, step_at, key[1:1], detail, sum(n), sum(good), sum(total),"
        "    pg_temp.added(array_agg(spread)), pg_temp.added(array_agg(lasted))"
        " FROM rollup WHERE cut = 'topic+department' GROUP BY edition, grain, measure, step_at, key[1:1], detail"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DELETE FROM rollup WHERE cut = 'topic'")
