"""httpx on the connections of aiohttp, which post six to ten times as fast as its own (docs/decisions).

Knows how a request of the one travels by the other, how failures translate, and at which two moments an address can
be refused. Refuses to know which addresses are: it is told.
"""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
Check: TypeAlias = Callable[[str, str, int], None]

_CHUNK = 16 * 1024
# The first that fits; what comes later is wider.
_FAILURES: tuple[tuple[type[Exception], type[httpx.RequestError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.ClientError, httpx.ReadError),
    (OSError, httpx.ReadError),
)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """For one event loop. Nothing is followed, unpacked, remembered or read from the environment."""

    def __init__(self, resolve: Resolve, check: Check | None = None, *, kept: bool = True) -> None:
        """`resolve(host, port)` gives a name's addresses. `check(host, address, port)` raises where one is forbidden.

        It is asked for every address of a name, and once more for the very one that a socket is opened to, which is
        how addresses that were written as such come by. `kept` connections carry one request after another; a request
        that one of them broke under is sent again, though it may have arrived.
        """
        self._kept = kept
        self._resolver = _Resolver(resolve, check)
        self._check = check
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _translated():
            answer = await self._on_a_living_connection(request)
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Answer(answer), request=request)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _on_a_living_connection(self, request: httpx.Request) -> aiohttp.ClientResponse:
        """A kept connection may have been closed by the other side while nobody looked: then the next one is taken."""
        timeout = request.extensions["timeout"]
        headers = [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw]
        body = await request.aread()
        while True:
            connection = _Connection()
            try:
                return await self._opened().request(
                    request.method,
                    URL(str(request.url), encoded=True),
                    headers=headers,
                    data=body,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        total=None, connect=timeout["pool"], sock_connect=timeout["connect"], sock_read=timeout["read"]
                    ),
                    trace_request_ctx=connection,
                )
            except (aiohttp.ServerDisconnectedError, OSError):
                if not connection.kept:
                    raise

    def _opened(self) -> aiohttp.ClientSession:
        """Made at the first request: it belongs to the event loop that runs then."""
        if self._session is None:
            noting = aiohttp.TraceConfig()
            noting.on_connection_reuseconn.append(_note_kept)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    force_close=not self._kept,
                    limit=0,  # whoever sends has limits of its own
                    ssl=httpx.create_ssl_context(trust_env=False),
                    resolver=self._resolver,
                    use_dns_cache=False,
                    happy_eyeballs_delay=None,
                    socket_factory=self._socket,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
                trace_configs=[noting],
            )
        return self._session

    def _socket(self, addressed: Any) -> socket.socket:
        family, kind, protocol, _, target = addressed
        if self._check is not None:
            self._check(target[0], target[0], target[1])
        return socket.socket(family, kind, protocol)


@dataclass(slots=True)
class _Connection:
    """What carries one request: `kept` from an earlier one, or new."""

    kept: bool = False


async def _note_kept(_session: object, trace: SimpleNamespace, _told: object) -> None:
    trace.trace_request_ctx.kept = True


class _Resolver(AbstractResolver):
    def __init__(self, resolve: Resolve, check: Check | None) -> None:
        self._resolve = resolve
        self._check = check

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - both families are asked for
    ) -> list[ResolveResult]:
        try:
            addresses = await self._resolve(host, port)
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
        if self._check is not None:
            for address in addresses:
                self._check(host, address, port)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""


class _Answer(httpx.AsyncByteStream):
    """The body as it came over the wire. Closed before its end it takes its connection with it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            async for chunk in self._answer.content.iter_chunked(_CHUNK):
                yield chunk

    async def aclose(self) -> None:
        self._answer.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Failures of aiohttp and of sockets as httpx names them; what it cannot know goes by unchanged."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        theirs = next(name for kind, name in _FAILURES if isinstance(error, kind))
        raise theirs(str(error)) from error
