"""The words after `webcare`, and the processes behind `serve`, `worker` and `migrate`."""

import asyncio
import os
import signal
import socket
import sys
import threading
from typing import Annotated

import typer
import uvicorn
import uvloop

from app import worker as working
from app.cli import rules, tokens, up
from app.cli.doors import database_url, door
from app.kit import logs
from app.main import create_app
from app.migrating import check_schema, migrate
from app.runtime import build_runtime
from app.settings import Settings

GRACE_SECONDS = 10

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="""webcare takes in what customers say on social channels and puts each mention in the hands of the
    department that owns the customer process.

    Start with `webcare up`. Settings are environment variables (WEBCARE_...), described in the README.

    Exit codes: 0 done, 1 failed, 2 wrong words, wrong settings or a wrong rulebook.
    """,
)
app.add_typer(rules.app, name="rules")
app.add_typer(tokens.app, name="token")

Supervised = Annotated[bool, typer.Option("--supervised", hidden=True, help="End when standard input closes.")]


@app.command("up")
@door
def up_command() -> None:
    """Run everything on this machine: PostgreSQL, migrations, API and worker. Ctrl-C ends it.

    The first start makes the database and prints a token for each role, once. Data is in WEBCARE_DATA_DIR
    (./data); WEBCARE_DATABASE_URL uses a PostgreSQL of your own instead.

    On a loopback address webhooks may reach this machine itself, and replies are posted to
    http://127.0.0.1:8081/publish, where `webcare demo` or your own adapter listens. WEBCARE_WEBHOOK_ALLOW_CIDRS and
    WEBCARE_PUBLISH_URL change that.
    """
    up.run(Settings())


@app.command()
@door
def serve(
    supervised: Supervised = False,
    listening: Annotated[int | None, typer.Option("--fd", hidden=True, help="Socket that listens already.")] = None,
) -> None:
    """Run the API alone, on WEBCARE_HOST and WEBCARE_PORT. Any number may run beside each other."""
    settings = _begin(supervised)
    with database_url(settings) as url:
        uvloop.run(_serve(settings, url, None if listening is None else socket.socket(fileno=listening)))


@app.command()
@door
def worker(supervised: Supervised = False) -> None:
    """Run the worker alone: clocks, webhooks, publications, surveys. Any number may run beside each other."""
    settings = _begin(supervised)
    with database_url(settings) as url:
        uvloop.run(_work(settings, url))


@app.command("migrate")
@door
def migrate_command() -> None:
    """Bring the database to the schema of this program. Safe to run from many machines at once."""
    with database_url(Settings()) as url:
        asyncio.run(migrate(url))


def _begin(supervised: bool) -> Settings:
    settings = Settings()
    logs.configure(settings.log_level)
    if supervised:
        threading.Thread(target=_end_with_supervisor, daemon=True).start()
    return settings


def _end_with_supervisor() -> None:
    """The supervisor holds the other end and never writes: it is gone, however it went, when reading returns."""
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read, whose lock may not be held when the interpreter ends
    os.kill(os.getpid(), signal.SIGTERM)


async def _serve(settings: Settings, url: str, listening: socket.socket | None) -> None:
    async with build_runtime(settings, database_url=url) as runtime:
        async with runtime.reading() as tx:
            await check_schema(tx)
        config = uvicorn.Config(
            create_app(runtime),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # uvicorn raises what it heard once more when all is closed
        await uvicorn.Server(config).serve(sockets=[listening] if listening else None)


async def _work(settings: Settings, url: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    timeout = settings.worker_statement_timeout
    async with build_runtime(settings, database_url=url, statement_timeout=timeout) as runtime:
        async with runtime.reading() as tx:
            await check_schema(tx)
        await working.work(working.chores(runtime), stop)
