"""The migrations make exactly the tables that the stages describe, and never queue up behind a busy table."""

import ast
from collections.abc import AsyncIterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.schema import metadata
from tests.conftest import administer
from tests.house.source import Module, modules

PATIENCE = "op.execute(\"SET LOCAL lock_timeout = '2s'\")"
# What Alembic does not compare: checks, what a partial index covers, defaults, storage, sequences.
CATALOG = text("""
select format('%s.%s %s %s default %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
    case when a.attnotnull then 'not null' end, coalesce(pg_get_expr(d.adbin, d.adrelid), a.attgenerated::text))
from pg_attribute a join pg_class c on c.oid = a.attrelid
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
union all select format('%s constraint %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
from pg_constraint where connamespace = 'public'::regnamespace
union all select indexdef from pg_indexes where schemaname = 'public'
union all select format('%s with %s', relname, (select string_agg(o, ', ' order by o) from unnest(reloptions) o))
from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')
union all select format('sequence %s from %s by %s', sequencename, start_value, increment_by)
from pg_sequences where schemaname = 'public'
""")


@pytest.fixture
async def described_url(server: URL) -> AsyncIterator[str]:
    """A database made of the tables as the stages describe them, without a migration."""
    await administer(server, "CREATE DATABASE webcare_described")
    url = server.set(database="webcare_described").render_as_string(hide_password=False)
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    yield url
    await administer(server, "DROP DATABASE webcare_described WITH (FORCE)")


async def test_nothing_is_left_to_migrate(database_url: str) -> None:
    def compare(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


async def test_migrations_make_what_is_described(database_url: str, described_url: str) -> None:
    made, described = await _catalog(database_url), await _catalog(described_url)
    assert len(described) > len(metadata.tables)
    assert {line for line in made if "alembic_version" not in line} == described


async def _catalog(url: str) -> set[str]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        lines = set((await connection.execute(CATALOG)).scalars())
    await engine.dispose()
    return lines


@pytest.mark.parametrize("revision", modules("migrations/versions"), ids=lambda revision: revision.stem)
def test_a_migration_gives_way_to_traffic(revision: Module) -> None:
    """Whoever waits for a table's lock makes everybody else wait behind him."""
    first = {function.name: ast.unparse(function.body[0]) for function in revision.functions()}
    assert first["upgrade"] == first["downgrade"] == PATIENCE
