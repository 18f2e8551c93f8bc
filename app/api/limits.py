"""What every request must keep to before any route sees it: the length of its body and the time it takes to arrive.

Knows bytes, deadlines and the id that a request is found by in the logs. Refuses to know routes and what a body says.
uvicorn has no deadline for a body, so without this one a caller that sends a byte a minute would hold a place for ever.
"""

import asyncio
import re
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.metrics import route_of
from app.api.problems import BodyTooSlow, PayloadTooLarge, respond_error, respond_failure
from app.kit.ids import new_id
from app.kit.logs import failure

PATIENCE = 15.0  # seconds in which a whole body must arrive

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,64}")


class Limits:
    """ASGI middleware: bodies over the limit are 413, slow ones 408, failures 500; every answer has an X-Request-Id.

    `longest` is in bytes, `exceptions` by path. A caller's own X-Request-Id is kept when it is short and plain.
    Nothing is held back or collected: bytes are counted as they pass.
    """

    def __init__(self, app: ASGIApp, longest: int, exceptions: Mapping[str, int], patience: float = PATIENCE) -> None:
        self._app = app
        self._longest = longest
        self._exceptions = exceptions
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        longest = self._exceptions.get(scope["path"], self._longest)
        declared, request_id = _headers(scope)
        passage = _Passage(receive, send, longest, self._patience, request_id)
        if declared > longest:
            passage.refusal = _too_large(longest)
        else:
            await self._pass(scope, passage)
        if passage.refusal is not None and not passage.answered:
            answer = respond_error(passage.refusal)
            passage.refusal = None
            await answer(scope, receive, passage.send)

    async def _pass(self, scope: Scope, passage: "_Passage") -> None:
        try:
            await self._app(scope, passage.receive, passage.send)
        except ClientDisconnect:
            return  # before the body was whole: nobody waits for an answer
        except Exception as error:
            if passage.refusal is not None:
                return
            trace_id = passage.request_id.decode()
            failure("request.failed", error, trace_id=trace_id, route=route_of(scope))
            if passage.answered:
                raise
            await respond_failure(trace_id)(scope, passage.receive, passage.send)


class _Passage:
    """One request on its way in and its answer on its way out.

    Once the body is refused, whatever the app makes of the half that it saw is not sent.
    """

    def __init__(self, receive: Receive, send: Send, longest: int, patience: float, request_id: bytes) -> None:
        self._receive = receive
        self._send = send
        self._longest = self._left = longest
        self._patience = patience
        self._deadline = 0.0
        self._reading = True
        self.request_id = request_id
        self.answered = False
        self.refusal: PayloadTooLarge | BodyTooSlow | None = None

    async def receive(self) -> Message:
        if not self._reading:
            return await self._receive()
        self._deadline = self._deadline or asyncio.get_running_loop().time() + self._patience
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.refusal = BodyTooSlow(f"The body did not arrive within {self._patience:g} seconds.")
            raise self.refusal from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.refusal = _too_large(self._longest)
            raise self.refusal
        self._reading = message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.refusal is not None and not self.answered:
            return
        if message["type"] == "http.response.start":
            self.answered = True
            added = [(b"x-request-id", self.request_id), (b"x-content-type-options", b"nosniff")]
            message["headers"] = [*message.get("headers", ()), *added]
        await self._send(message)


def _headers(scope: Scope) -> tuple[int, bytes]:
    """The length that a request declares (0 when it does not) and the id it goes by."""
    length, request_id = 0, b""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            request_id = value
    return length, request_id or str(new_id()).encode()


def _too_large(longest: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body may hold {longest} bytes at most; send less at a time.", longest=longest)
