"""`webcare up`: everything on one machine. PostgreSQL is started first and ended last.

Knows the order and what to tell the person who started it. Refuses to know how processes are kept (family) and what
they do (processes).
"""

import asyncio
import contextlib
import errno
import signal
import socket
import time
from datetime import timedelta
from functools import partial
from ipaddress import ip_address, ip_network

import httpx
import typer

from app.access.role import Role
from app.cli import processes
from app.cli.family import Family
from app.embedded import Embedded
from app.flows.admit import Issued, issue_first
from app.kit import logs
from app.kit.errors import Unavailable
from app.migrating import migrate
from app.rulebook import load
from app.runtime import Runtime
from app.settings import Settings

LOOPBACK_NETWORKS = (ip_network("127.0.0.1/32"), ip_network("::1/128"))
LOOPBACK_PUBLISH_URL = "http://127.0.0.1:8081/publish"
PORT_PATIENCE = timedelta(seconds=30)  # an API that lost its parent finishes its requests first
READY_PATIENCE = timedelta(seconds=60)
FIRST_DEPARTMENT = "supply_chain"


class CannotListen(Unavailable):
    pass


def run(settings: Settings) -> None:
    """Until Ctrl-C or SIGTERM. Raises `CannotListen`, `EmbeddedFailed`, `ProcessFailed`, `RulebookInvalid`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        load(settings.rules_dir)  # a wrong rulebook ends it here, in clear words
        with _listening(settings.host, settings.port) as listening:
            if settings.database_url:
                _keep_all(settings, settings.database_url, listening)
            else:
                with Embedded(settings.data_dir) as embedded:
                    _keep_all(settings, embedded.url(), listening, embedded)
    typer.echo("webcare has ended. All that was acknowledged is kept.")


def _keep_all(settings: Settings, url: str, listening: socket.socket, embedded: Embedded | None = None) -> None:
    """Start everything and keep it running until something raises."""
    family = Family(at_birth=embedded.leave if embedded else lambda: None)
    local = _with_local_defaults(settings)
    try:
        family.run_once("setup", lambda: asyncio.run(_prepare(local, url)))
        family.keep("api", partial(processes.serve, local, url, listening))
        family.keep("worker", partial(processes.work, local, url))
        family.run_once("greeting", lambda: asyncio.run(_greet(local, listening)))
        while True:
            family.look_after()
            if embedded and not embedded.is_running():
                logs.transition("process.died", process="postgres")
                embedded.start()
            time.sleep(0.2)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the end has begun and takes as long as it takes
        family.end()


async def _prepare(settings: Settings, url: str) -> None:
    """What the others find when they start: the schema, and tokens that let people in from the first call."""
    await migrate(url)
    async with processes.ready_runtime(settings, url) as runtime:
        tokens = await _first_tokens(runtime)
    if tokens:
        typer.echo("\nTokens, shown this once (`webcare token create` makes more):")
    for one in tokens:
        typer.echo(f"    {one.token.role + ' ' + (one.token.department or ''):<25}{one.secret}")


async def _greet(settings: Settings, listening: socket.socket) -> None:
    """Print where everything is as soon as it answers."""
    host, port = listening.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    await _ready(f"{address}/readyz")
    typer.echo(_greeting(settings, address))


async def _ready(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client, asyncio.timeout(READY_PATIENCE.total_seconds()):
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).is_success:
                    return
            await asyncio.sleep(0.05)


async def _first_tokens(runtime: Runtime) -> list[Issued]:
    """The tokens that this start made and nobody has seen: none but at the first start."""
    admin = runtime.knobs.admin_token
    given = admin.get_secret_value() if admin else None
    others: list[tuple[Role, str | None]] = [(role, None) for role in (Role.INGEST, Role.AGENT, Role.MANAGER, Role.PR)]
    if FIRST_DEPARTMENT in runtime.rulebook.departments:
        others.append((Role.DEPARTMENT, FIRST_DEPARTMENT))
    issued = await runtime.run(issue_first, given, others)
    return [one for one in issued if one.secret != given]


def _greeting(settings: Settings, address: str) -> str:
    secret = "WEBCARE_PUBLISH_SECRET" if settings.publish_secret else settings.publish_secret_file.resolve()
    channel = f"{settings.publish_url}, signed with {secret}" if settings.publish_url else "none: WEBCARE_PUBLISH_URL"
    return f"""
webcare is ready.
  API     {address}/api/v1
  Docs    {address}/docs
  Channel {channel}
  Data    {"your own PostgreSQL" if settings.database_url else settings.data_dir.resolve()}
  Rules   {settings.rules_dir.resolve()}
  Stop    Ctrl-C"""


def _with_local_defaults(settings: Settings) -> Settings:
    """On a loopback address the departments and the channel adapter are this machine's own, unless set."""
    try:
        local = settings.host == "localhost" or ip_address(settings.host).is_loopback
    except ValueError:
        local = False
    defaults = {"webhook_allow_cidrs": LOOPBACK_NETWORKS, "publish_url": LOOPBACK_PUBLISH_URL}
    unset = defaults.keys() - settings.model_fields_set if local else set()
    return settings.model_copy(update={name: defaults[name] for name in unset})


def _listening(host: str, port: int) -> socket.socket:
    """The socket that every API process inherits: it answers, late, even while one of them is started again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline, waiting = time.monotonic() + PORT_PATIENCE.total_seconds(), False
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                why = (error.strerror or str(error)).partition(" (while")[0]  # Python says the address once more
                told = f"Cannot listen on {host}:{port}: {why}. Set WEBCARE_HOST or WEBCARE_PORT."
                raise CannotListen(told) from error
            if not waiting:
                patience = int(PORT_PATIENCE.total_seconds())
                typer.echo(f"{host}:{port} is taken by another program; waiting for it, {patience} s at most.")
            waiting = True
            time.sleep(0.2)
