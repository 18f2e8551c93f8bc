"""What each process does from its start to its end, whoever started it."""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import uvicorn
import uvloop

from app import worker
from app.cli.doors import database_url
from app.flows import rules
from app.flows.promote import follow_model
from app.kit import logs
from app.main import create_app
from app.migrating import check_schema
from app.runtime import Runtime, build_runtime
from app.settings import Settings

YOUNG_OBJECTS = 50_000  # a list of 500 mentions makes about as many; the default collects at every 700
LOOK_SECONDS = 1  # between two looks at which rules and model are in force; reading them takes another half
GRACE_SECONDS = 10  # for requests in flight when the end is asked for


def serve(settings: Settings, url: str, listening: socket.socket | None = None) -> None:
    """The API until SIGTERM or SIGINT, on a socket that listens already or on the settings' host and port."""
    uvloop.run(_serve(settings, url, listening))


def work(settings: Settings, url: str) -> None:
    """The worker until SIGTERM or SIGINT."""
    uvloop.run(_work(settings, url))


@asynccontextmanager
async def ready_runtime(
    settings: Settings, url: str, statement_timeout: timedelta | None = None
) -> AsyncIterator[Runtime]:
    """A runtime on a database whose schema this program knows. Raises `SchemaUnknown`."""
    async with build_runtime(settings, database_url=url, statement_timeout=statement_timeout) as runtime:
        async with runtime.reading() as tx:
            await check_schema(tx)
        # What stands now lives as long as the process: collections need not walk it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)
        yield runtime


@asynccontextmanager
async def _governed(runtime: Runtime) -> AsyncIterator[None]:
    """A process that goes by the newest rules and model, whichever process put them in force."""
    await rules.begin_rules(runtime)
    await follow_model(runtime)
    following = asyncio.create_task(_follow(runtime))
    try:
        yield
    finally:
        following.cancel()


async def _follow(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for name, follow in (("rules.follow", rules.follow), ("topics.follow", follow_model)):
            try:
                await follow(runtime)
            except Exception as error:  # noqa: BLE001 - whatever one look meets, the next may go well
                logs.failure(name, error)


async def _serve(settings: Settings, url: str, listening: socket.socket | None) -> None:
    async with ready_runtime(settings, url) as runtime, _governed(runtime):
        app = create_app(runtime)
        for route in app.routes:  # FastAPI finishes them when it first looks for one: nobody waits for that yet
            route.matches({"type": "http", "method": "GET", "path": "/"})
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody here asks where a caller is
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # uvicorn raises what it heard once more when all is closed
        await Server(config, at_end=app.state.live.end).serve(sockets=[listening] if listening else None)


class Server(uvicorn.Server):
    """uvicorn, which waits for every request in flight when it ends; so `at_end` first ends those without an end."""

    def __init__(self, config: uvicorn.Config, at_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._at_end = at_end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._at_end()
        await super().shutdown(sockets)


async def _work(settings: Settings, url: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with ready_runtime(settings, url, settings.worker_statement_timeout) as runtime, _governed(runtime):
        await worker.work(worker.chores(runtime), stop)


@asynccontextmanager
async def beside() -> AsyncIterator[Runtime]:
    """For a command that works on the database itself, beside whatever runs: the rules and the model in force."""
    settings = Settings()
    with database_url(settings) as url:
        async with ready_runtime(settings, url, settings.worker_statement_timeout) as runtime:
            await rules.follow(runtime)
            await follow_model(runtime)
            yield runtime
