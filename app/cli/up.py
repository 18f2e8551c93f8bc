"""`webcare up`: one process that starts the others, starts them again when they die, and ends them in order.

Knows processes and their order: PostgreSQL first and last. Refuses to know what they do.
"""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import httpx
import typer

from app.access.role import Role
from app.embedded import Embedded
from app.flows.admit import Issued, issue_first
from app.kit import logs
from app.kit.errors import Unavailable
from app.migrating import migrate
from app.runtime import Runtime, build_runtime
from app.settings import Settings

LOOPBACK_CIDRS = "127.0.0.1/32,::1/128"
LOOPBACK_PUBLISH_URL = "http://127.0.0.1:8081/publish"
PORT_PATIENCE = timedelta(seconds=10)  # an API that lost its supervisor finishes its requests first
READY_PATIENCE = timedelta(seconds=60)
END_PATIENCE = timedelta(seconds=25)
STEADY = timedelta(seconds=30)  # who lived this long died of something new
PATIENCE = 5  # deaths in a row, none of them steady
FIRST_DEPARTMENT = "supply_chain"


class ProcessFailed(Unavailable):
    pass


class PortTaken(Unavailable):
    pass


@dataclass(frozen=True, slots=True)
class Child:
    """One of our own processes: the words after `webcare`, and the open files it gets."""

    name: str
    words: tuple[str, ...]
    files: tuple[int, ...] = ()


def run(settings: Settings) -> None:
    """Until Ctrl-C or SIGTERM. Raises `EmbeddedFailed`, `PortTaken`, `ProcessFailed`, `RulebookInvalid`."""
    logs.configure(settings.log_level)
    with _listening(settings.host, settings.port) as listening, contextlib.ExitStack() as stack:
        embedded = None if settings.database_url else stack.enter_context(Embedded(settings.data_dir))
        url = embedded.url() if embedded else settings.database_url
        assert url is not None
        asyncio.run(_supervise(settings, url, embedded, listening))
    typer.echo("webcare has ended. All that was acknowledged is kept.")


async def _supervise(settings: Settings, url: str, embedded: Embedded | None, listening: socket.socket) -> None:
    """Keep everything running until a signal comes or one of the parts cannot be kept."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    environment = {**os.environ, **_local_defaults(settings), "WEBCARE_DATABASE_URL": url}
    api = Child("api", ("serve", f"--fd={listening.fileno()}"), (listening.fileno(),))
    async with build_runtime(settings, database_url=url) as runtime:  # a wrong rulebook ends it here, in clear words
        await migrate(url)
        parts: list[Coroutine[Any, Any, object]] = [
            stop.wait(),
            _greet(runtime, listening, stop),
            _keep(api, environment),
            _keep(Child("worker", ("worker",)), environment),
        ]
        if embedded:
            parts.append(_keep_database(embedded))
        await _until_first_ends([asyncio.create_task(part) for part in parts])


async def _until_first_ends(tasks: list[asyncio.Task[object]]) -> None:
    """Then cancel the others, let them clean up, and raise what the first one raised."""
    ended, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in ended:
        task.result()


async def _keep(child: Child, environment: Mapping[str, str]) -> None:
    """Start it again, after doubling waits, whenever it dies. Raises `ProcessFailed` when that does not help."""
    deaths = 0
    while deaths < PATIENCE:
        began = time.monotonic()
        code = await _run_once(child, environment)
        deaths = 1 if time.monotonic() - began > STEADY.total_seconds() else deaths + 1
        logs.transition("process.died", process=child.name, code=code, deaths=deaths)
        await asyncio.sleep(0.5 * 2 ** (deaths - 1))
    raise ProcessFailed(f"The {child.name} process died {deaths} times in a row; its own words are above.")


async def _run_once(child: Child, environment: Mapping[str, str]) -> int:
    """Its exit code. Cancelling ends it: asked first, made to later."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "app.cli", *child.words, "--supervised"),
        stdin=asyncio.subprocess.PIPE,  # it closes when we die, even by kill -9, and then the child ends itself
        env=environment,
        pass_fds=child.files,
        start_new_session=True,  # Ctrl-C is for us alone
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(END_PATIENCE.total_seconds()):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _keep_database(embedded: Embedded) -> None:
    """Start it again when it died.

    That holds up the loop: PostgreSQL ends with the thread that started it, and without it there is nothing to do.
    """
    while True:
        await asyncio.sleep(0.5)
        if not embedded.is_running():
            logs.transition("process.died", process="postgres")
            embedded.start()


async def _greet(runtime: Runtime, listening: socket.socket, stop: asyncio.Event) -> None:
    """Print where everything is as soon as it answers."""
    host, port = listening.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    await _ready(f"{address}/readyz")
    typer.echo(_greeting(runtime.knobs, address, await _first_tokens(runtime)))
    sys.stdout.flush()
    await stop.wait()


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


def _greeting(settings: Settings, address: str, tokens: list[Issued]) -> str:
    lines = [
        "",
        "webcare is ready.",
        f"  API     {address}/api/v1",
        f"  Docs    {address}/docs",
        f"  Data    {'your own PostgreSQL' if settings.database_url else settings.data_dir.resolve()}",
        f"  Rules   {settings.rules_dir.resolve()}",
    ]
    if tokens:
        lines.append("  Tokens, shown this once (`webcare token create` makes more):")
        lines += [f"    {one.token.role + ' ' + (one.token.department or ''):<25}{one.secret}" for one in tokens]
    return "\n".join([*lines, "  Stop    Ctrl-C"])


def _local_defaults(settings: Settings) -> dict[str, str]:
    """On a loopback address the departments and the channel adapter are this machine's own, unless set."""
    try:
        local = settings.host == "localhost" or ip_address(settings.host).is_loopback
    except ValueError:
        local = False
    defaults = {"webhook_allow_cidrs": LOOPBACK_CIDRS, "publish_url": LOOPBACK_PUBLISH_URL}
    unset = defaults.keys() - settings.model_fields_set if local else set()
    return {f"WEBCARE_{name.upper()}": defaults[name] for name in unset}


def _listening(host: str, port: int) -> socket.socket:
    """The socket that every API process inherits: it answers, late, even while one of them is started again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + PORT_PATIENCE.total_seconds()
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise PortTaken(
                    f"Cannot listen on {host}:{port}: {error.strerror}. Set WEBCARE_HOST or WEBCARE_PORT."
                ) from error
            time.sleep(0.2)
