"""An ASGI application on a real port of this machine, for as long as a test lasts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from app.cli.processes import Server


class _Server(Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are pytest's."""
        yield


def listen() -> socket.socket:
    """A socket that listens already; its port is known before there is anything to serve.

    Without delay, as uvloop sets it in the real processes: else a short answer waits 40 ms for an acknowledgement.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@asynccontextmanager
async def served(
    app: ASGIApp, listening: socket.socket, at_end: Callable[[], None] = lambda: None
) -> AsyncIterator[str]:
    """Gives the address."""
    server = _Server(uvicorn.Config(app, log_config=None, lifespan="off"), at_end)
    serving = asyncio.create_task(server.serve([listening]))
    yield url_of(listening)
    server.should_exit = True
    await serving
