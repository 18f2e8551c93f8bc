"""Keep histograms as bytes. The table is written anew as a whole; meanwhile reports and their counting wait."""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "CREATE FUNCTION pg_temp.packed(numbers integer[]) RETURNS bytea LANGUAGE sql AS $$"
        "    SELECT coalesce(string_agg(int4send(number), ''::bytea ORDER BY place), ''::bytea)"
        "    FROM unnest(numbers) WITH ORDINALITY AS one(number, place) $$"
    )
    op.execute(
        "ALTER TABLE rollup ALTER COLUMN spread TYPE bytea USING pg_temp.packed(spread),"
        " ALTER COLUMN lasted TYPE bytea USING pg_temp.packed(lasted)"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        "CREATE FUNCTION pg_temp.unpacked(packed bytea) RETURNS integer[] LANGUAGE sql AS $$"
        "    SELECT coalesce(array_agg(('x' || encode(substr(packed, 4 * place + 1, 4), 'hex'))::bit(32)::integer"
        "        ORDER BY place), '{}')"
        "    FROM generate_series(0, length(packed) / 4 - 1) AS place $$"
    )
    op.execute(
        "ALTER TABLE rollup ALTER COLUMN spread TYPE integer[] USING pg_temp.unpacked(spread),"
        " ALTER COLUMN lasted TYPE integer[] USING pg_temp.unpacked(lasted)"
    )
