"""A real PostgreSQL for every test that wants one: migrated once, emptied before each test.

Nothing starts for tests that ask for no fixture. `WEBCARE_TEST_DATABASE_URL` names a server to use instead of the
embedded one; its account must be a superuser there.
"""

import os
import signal
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from hypothesis import HealthCheck, settings
from pydantic import SecretStr
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.delivery.sender import Sender
from app.embedded import Embedded
from app.kit.db import Database
from app.kit.sealing import Sealer
from app.main import create_app
from app.migrating import migrate
from app.rulebook import Rulebook
from app.runtime import InForce, Runtime
from app.settings import Settings
from tests.support.clock import Clock
from tests.support.patience import PATIENCE, PATIENT
from tests.support.rules import shipped

# No property is false because a machine was slow. What is tried is Hypothesis's own choice: in CI the same each time.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Where tests run behind a shell that ignores Ctrl-C, what they start would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)

PUBLISH_URL = "https://channel.test/publish"
PUBLISH_SECRET = "whsec_" + "cHVibGlzaC1zZWNyZXQtb2YtdGhlLXRlc3RzISE="
SEAL_KEY = "dGVzdC1rZXktb2YtMzItYnl0ZXMtZXhhY3RseS1vay4="

# Deleting from tables that are mostly empty takes a few milliseconds; copying a template or TRUNCATE takes a hundred.
# Replication role: no foreign keys to order by, no guard of append-only tables. What the migrations brought stays.
EMPTY = text(f"""
DO $$
DECLARE name text;
BEGIN
    SET LOCAL lock_timeout = '{PATIENCE:.0f}s';
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
""")


async def administer(server: URL, *statements: str) -> None:
    engine = create_async_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """The maintenance database of the server that holds the test database."""
    if given := os.environ.get("WEBCARE_TEST_DATABASE_URL"):
        yield make_url(given).set(drivername="postgresql+asyncpg")
        return
    with Embedded(tmp_path_factory.mktemp("server")) as embedded:
        yield make_url(embedded.url())


@pytest.fixture(scope="session")
async def database_url(server: URL) -> AsyncIterator[str]:
    """The address of the database that the real migrations made; for processes and connections of a test's own."""
    name = f"webcare_test_{os.getpid()}"
    url = server.set(database=name).render_as_string(hide_password=False)
    await administer(server, f"CREATE DATABASE {name}")
    await migrate(url)
    yield url
    await administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def pool(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, statement_timeout=PATIENCE)
    yield opened
    await opened.close()


@pytest.fixture
async def database(pool: Database) -> Database:
    """The database, empty. For a race start several `transact` at once: each has a connection of its own."""
    await pool.transact(lambda tx: tx.execute(EMPTY))
    return pool


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return shipped()


@pytest.fixture
def clock() -> Clock:
    """The clock of the runtime: it stands on a Wednesday morning until a test moves it."""
    return Clock()


@pytest.fixture
async def runtime(database: Database, rulebook: Rulebook, clock: Clock) -> AsyncIterator[Runtime]:
    """Everything real but the clock, and departments and channels, which respx plays. It learns when a test says so."""
    knobs = Settings(
        publish_url=PUBLISH_URL,
        publish_secret=SecretStr(PUBLISH_SECRET),
        learn=False,
        webhook_deadline=PATIENT,
        webhook_lease=2 * PATIENT,
    )
    deadline = knobs.webhook_deadline
    composed = Runtime(
        database=database,
        rules=InForce(rulebook),
        knobs=knobs,
        sealer=Sealer(SEAL_KEY),
        sender=Sender(httpx.AsyncClient(timeout=PATIENCE), deadline=deadline),
        publisher=Sender(httpx.AsyncClient(timeout=PATIENCE), deadline=deadline),
        adviser=Sender(httpx.AsyncClient(timeout=PATIENCE), deadline=deadline),
        now=clock,
    )
    yield composed
    await composed.sender.close()
    await composed.publisher.close()
    await composed.adviser.close()


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """The API without a socket; `tests.support.callers` gives the tokens."""
    transport = httpx.ASGITransport(create_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://webcare.test") as opened:
        yield opened
