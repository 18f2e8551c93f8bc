"""How Alembic reaches the database. Knows the connection and the tables; refuses to know any revision.

`webcare migrate` hands its connection in (`app/migrating.py`, which holds the one-migrator lock). On the command line,
`alembic revision --autogenerate` connects by `WEBCARE_DATABASE_URL`.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from app.schema import metadata
from app.settings import Settings


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run() -> None:
    url = Settings().database_url
    if not url:
        raise SystemExit("Set WEBCARE_DATABASE_URL to the database that revisions are compared with.")
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    asyncio.run(connect_and_run())
