"""Who is calling: bearer tokens (RFC 6750) to callers, and what each route asks of them.

Knows how a token travels and for how long an answer about it may be believed. Refuses to know what roles may do
(access) and never shows a token to anyone.
"""

import asyncio
import re
import time
from typing import Any

from fastapi import Depends, Request

from app.access.role import Caller, Permission, require
from app.access.store import find_caller
from app.kit.db import Database
from app.kit.errors import Unauthorised
from app.kit.ids import digest

BELIEVED = 1.0  # seconds: a revocation is seen by every process within this time

_BEARER = re.compile(r"Bearer +([A-Za-z0-9\-._~+/]{1,255}=*)", re.IGNORECASE)


class TokenRequired(Unauthorised):
    """No bearer token came with the request."""


class TokenNotAccepted(Unauthorised):
    """The token is unknown, expired or revoked; all three read the same."""


class Doorkeeper:
    """Tells callers by their tokens; asks the database at most once a second for each token in use.

    Requests that arrive while it asks share the one look-up. Only tokens that were accepted are remembered, so
    guesses fill no memory.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looks: dict[bytes, tuple[float, asyncio.Task[Caller | None]]] = {}

    async def recognise(self, authorization: str | None) -> Caller:
        """The caller behind an `Authorization` header. Raises `TokenRequired` and `TokenNotAccepted`."""
        bearer = _BEARER.fullmatch(authorization or "")
        if bearer is None:
            raise TokenRequired("Send a token: the header `Authorization: Bearer wc_...`.")
        key = digest(bearer[1])
        looked_at, look = self._looks.get(key, (0.0, None))
        now = time.monotonic()
        if look is None or now - looked_at >= BELIEVED:
            look = asyncio.create_task(self._look(key))
            self._looks[key] = (now, look)
        caller = look.result() if look.done() else await asyncio.shield(look)
        if caller is None:
            raise TokenNotAccepted("This token is unknown, expired or revoked; ask an admin for another.")
        return caller

    async def _look(self, key: bytes) -> Caller | None:
        caller = None
        try:
            async with self._database.reading() as tx:
                caller = await find_caller(tx, key)
            return caller
        finally:
            if caller is None:
                self._looks.pop(key, None)


async def admit(request: Request, permission: Permission) -> Caller:
    """The caller, when it may do this. For routes that leave FastAPI's dependencies out for speed.

    Raises `TokenRequired`, `TokenNotAccepted` and `Forbidden`.
    """
    caller = await recognise(request)
    require(caller, permission)
    return caller


async def recognise(request: Request) -> Caller:
    """The caller, whatever it may do. Raises `TokenRequired` and `TokenNotAccepted`."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return await doorkeeper.recognise(request.headers.get("authorization"))


def allow(permission: Permission) -> Any:
    """The dependency that lets only callers with this permission pass and hands the caller to the route.

    Used as `caller: Annotated[Caller, allow(Permission.READ_TICKETS)]`.
    """

    async def admitted(request: Request) -> Caller:
        return await admit(request, permission)

    return Depends(admitted)
