"""Batches of mentions go to the service, until it has taken them or says that it never will.

Knows the batch call and which failures pass by themselves. Refuses to know what a mention holds.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx

from app.kit.errors import Refused, Unavailable

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0


class ServiceUnreachable(Unavailable):
    pass


class ServiceRefused(Refused):
    """The token, the address or the call itself is not accepted; repeating it will not help."""


class Poster:
    def __init__(
        self,
        client: httpx.Client,
        *,
        patience: float,
        tell: Callable[[str], None],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """`patience` is how many seconds a service that does not answer is waited for; `tell` hears of each wait."""
        self._client = client
        self._patience = patience
        self._tell = tell
        self._wait = wait

    def post(self, mentions: Sequence[str]) -> list[dict[str, Any]]:
        """One item per mention (each a JSON text), in order: what became of it, or the problem that it has.

        Raises `ServiceUnreachable`, `ServiceRefused`.
        """
        response = self._until_answered(f'{{"mentions":[{",".join(mentions)}]}}'.encode())
        told = _told(response)
        if response.is_success and "items" in told:
            items: list[dict[str, Any]] = told["items"]
            return items
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            if len(mentions) == 1:
                return [{"detail": response.reason_phrase} | told]
            half = len(mentions) // 2
            return [*self.post(mentions[:half]), *self.post(mentions[half:])]
        raise ServiceRefused(_refusal(response, told))

    def _until_answered(self, body: bytes) -> httpx.Response:
        waited, wait = 0.0, _FIRST_WAIT
        while True:
            asked_for = 0.0
            try:
                response = self._client.post(
                    "/api/v1/mentions/batch", content=body, headers={"Content-Type": "application/json"}
                )
            except httpx.TransportError as error:
                why = f"{self._client.base_url} cannot be reached ({error or type(error).__name__})"
            else:
                if response.status_code not in _PASSING:
                    return response
                why = f"{self._client.base_url} answers {response.status_code}"
                asked_for = _seconds(response.headers.get("Retry-After", ""))
            pause = max(wait, asked_for)
            if waited + pause > self._patience:
                raise ServiceUnreachable(f"{why}. All that was acknowledged is kept: run the same command to go on.")
            self._tell(f"{why}; trying again in {pause:.1f} s")
            self._wait(pause)
            waited += pause
            wait = min(wait * 2, _LONGEST_WAIT)


def _seconds(header: str) -> float:
    return float(header) if header.isdecimal() else 0.0


def _told(response: httpx.Response) -> dict[str, Any]:
    """The answer as data; nothing where it is no answer of ours, such as the page of a proxy."""
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _refusal(response: httpx.Response, told: Mapping[str, Any]) -> str:
    nowhere = "There is no webcare at this address: check --url or WEBCARE_URL."
    ways_out: dict[int, str] = {
        HTTPStatus.OK: nowhere,
        HTTPStatus.UNAUTHORIZED: "Give one of role ingest: --token or WEBCARE_TOKEN.",
        HTTPStatus.NOT_FOUND: nowhere,
    }
    detail, way_out = told.get("detail", response.reason_phrase), ways_out.get(response.status_code, "")
    return f"{response.url} answers {response.status_code}: {detail} {way_out}".rstrip()
