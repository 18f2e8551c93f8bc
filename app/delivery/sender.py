"""One request to one receiver, whatever the receiver does.

Knows HTTP's ways to fail and how little of an answer is worth keeping. Refuses to know signatures, schedules, rows.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

import httpx

from app.delivery.retrying import Fault, Outcome
from app.kit.http import AddressForbidden, UrlRefused, parse

KEPT_BYTES = 4096


class Sender:
    def __init__(self, client: httpx.AsyncClient, *, deadline: timedelta, kept: int = KEPT_BYTES) -> None:
        """`deadline` bounds a whole attempt, name and answer included; httpx's own timeouts bound single reads.

        Of an answer the first `kept` bytes are read.
        """
        self._client = client
        self._deadline = deadline
        self._kept = kept

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post JSON and say what came of it. What the world does wrong is a `Fault` in the outcome, never raised."""
        return await self._ask("POST", url, {**headers, "Content-Type": "application/json"}, body)

    async def get(self, url: str, headers: Mapping[str, str]) -> Outcome:
        """Ask for what stands there, in the same way."""
        return await self._ask("GET", url, headers, b"")

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        started = time.perf_counter()
        try:
            async with (
                asyncio.timeout(self._deadline.total_seconds()),
                self._client.stream(method, parse(url), content=body, headers=headers) as response,
            ):
                return Outcome(
                    status=response.status_code,
                    answer=await _beginning(response, self._kept),
                    retry_after=response.headers.get("Retry-After"),
                    duration=_since(started),
                )
        except (httpx.HTTPError, UrlRefused, AddressForbidden, TimeoutError) as error:
            return Outcome(fault=_fault(error), duration=_since(started))

    async def close(self) -> None:
        await self._client.aclose()


async def _beginning(response: httpx.Response, longest: int) -> str:
    """The first bytes as they came over the wire: never decompressed, and not one read after them."""
    kept = bytearray()
    async for chunk in response.aiter_raw():
        kept += chunk
        if len(kept) >= longest:
            break
    # PostgreSQL's text holds no NUL.
    return bytes(kept[:longest]).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _since(started: float) -> timedelta:
    return timedelta(seconds=time.perf_counter() - started)


def _fault(error: Exception) -> Fault:
    causes = tuple(_causes(error))
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return Fault.TIMED_OUT
    if isinstance(error, AddressForbidden):
        return Fault.ADDRESS_FORBIDDEN
    if isinstance(error, UrlRefused | httpx.UnsupportedProtocol):
        return Fault.URL_INVALID
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes):
        return Fault.NAME_UNKNOWN
    if not isinstance(error, httpx.ConnectError):
        return Fault.CONNECTION_BROKEN  # something was sent, so a failure of TLS tells nothing of what arrived
    return Fault.TLS_FAILED if any(isinstance(cause, ssl.SSLError) for cause in causes) else Fault.UNREACHABLE


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
