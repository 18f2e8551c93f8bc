"""One caller of the API, with a token of its own.

Knows the bearer header and problems. Refuses to know what is asked.
"""

from http import HTTPStatus
from typing import Any

import httpx

from app.kit.errors import Conflict, Refused, Unavailable

_OVERTAKEN = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})


class Overtaken(Conflict):
    """Somebody or something was faster: the ticket is not where it was."""


class CallRefused(Refused):
    pass


class ServiceGone(Unavailable):
    pass


class Caller:
    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **asked: Any) -> Any:
        """The answer as data. Raises `Overtaken`, `CallRefused`, `ServiceGone`."""
        return await self._call("GET", path, params=asked)

    async def post(self, path: str, body: Any) -> Any:
        return await self._call("POST", path, json=body)

    async def delete(self, path: str) -> Any:
        return await self._call("DELETE", path)

    async def _call(self, method: str, path: str, **sent: Any) -> Any:
        try:
            response = await self._client.request(method, f"/api/v1{path}", headers=self._headers, **sent)
        except httpx.TransportError as error:
            raise ServiceGone(f"{self._client.base_url} does not answer: {error or type(error).__name__}.") from error
        if response.is_success:
            return response.json() if response.content else None
        try:
            detail = response.json()["detail"]
        except (ValueError, KeyError, TypeError):
            detail = response.reason_phrase
        told = f"{method} {response.url.path} is answered {response.status_code}: {detail}"
        raise Overtaken(told) if response.status_code in _OVERTAKEN else CallRefused(told)
