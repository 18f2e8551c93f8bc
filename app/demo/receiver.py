"""A real HTTP server in this process: what a department and a channel adapter have to run to take part.

Knows the Standard Webhooks headers and that a message may come twice. Refuses to know what is done about a message:
that happens after the answer, as a sender is not to be kept waiting.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.delivery.signing import SignatureRefused, verify
from app.kit.clock import utc_now
from app.kit.errors import Unavailable

Take: TypeAlias = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class ReceiverPortTaken(Unavailable):
    pass


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens under a path. `secret` None: nothing is signed here. `take` gives the body of the answer."""

    secret: str | None
    take: Take


class Receiver:
    """`verified` counts the messages whose signature held."""

    def __init__(self, port: int) -> None:
        """On a port of this machine; 0 chooses a free one. Raises `ReceiverPortTaken`."""
        try:
            self._socket = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise ReceiverPortTaken(f"Cannot listen on 127.0.0.1:{port}: {error.strerror}.") from error
        self._listeners: dict[str, Listener] = {}
        self._seen: set[str] = set()
        self.verified = 0

    def url(self, path: str) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"http://{host}:{port}/{path}"

    def listen(self, path: str, listener: Listener) -> None:
        self._listeners[path] = listener

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = Starlette(routes=[Route("/{path}", self._receive, methods=["POST"])])
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        task = asyncio.create_task(server.serve([self._socket]))
        try:
            yield
        finally:
            server.should_exit = True
            await task

    async def _receive(self, request: Request) -> Response:
        listener = self._listeners.get(request.path_params["path"])
        if listener is None:
            return Response(status_code=404)
        body = await request.body()
        if listener.secret is not None:
            try:
                signed = verify([listener.secret], request.headers.raw, body, now=utc_now())
            except SignatureRefused as error:
                return Response(error.message, 401)
            self.verified += 1
            if signed.id in self._seen:
                return Response(status_code=204)
            self._seen.add(signed.id)
        return JSONResponse(await listener.take(await request.json()))


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C is for the whole play."""
        yield
