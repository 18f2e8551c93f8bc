"""Which refusals a call may meet, as the OpenAPI document tells them: read from the call's own shape.

Knows what a path, a method, headers and a body lead to. Refuses to know the codes behind each status (docs/errors.md)
and the shape of a problem (problems).
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

_TOLD = {
    HTTPStatus.UNAUTHORIZED: "No token came along, or one that is unknown, expired or revoked",
    HTTPStatus.FORBIDDEN: "The token's role may not do this; `roles` may",
    HTTPStatus.NOT_FOUND: "There is no such thing, or it is another department's",
    HTTPStatus.CONFLICT: "What stands does not allow it; the problem says what would, such as the `legal` moves",
    HTTPStatus.PRECONDITION_FAILED: "It changed since the `If-Match` that was seen; `changes` says how",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A value means nothing here; `field` names it, and the detail the way out",
}
_SIGNED = "The call is not signed rightly, too old, or came before"
_FOR_EVERYBODY = frozenset({"/api/v1/me"})
_ACT = re.compile(r"/(\{\w+\}|rules|topics|ownership)/(?!presence$|explain$|validate$|simulate$)[a-z-]+$")
_NAMING_IN_BODY = frozenset({"/api/v1/ownership/step", "/api/v1/rules/rollback"})


def refusals(path: str, method: str, operation: Mapping[str, Any]) -> Mapping[str, str]:
    """Statuses with what each means, for one operation of the document. Any other stands under `4XX`."""
    told = {str(int(status)): _TOLD[status] for status in _statuses(path, method, operation)}
    if path.startswith("/in/"):
        told[str(int(HTTPStatus.UNAUTHORIZED))] = _SIGNED
    return told


def _statuses(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[HTTPStatus]:
    """`path` as a template; those that only look change nothing that could stand against it."""
    headers = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
    if path.startswith("/api/"):
        yield HTTPStatus.UNAUTHORIZED
        if path not in _FOR_EVERYBODY:
            yield HTTPStatus.FORBIDDEN
        if "{" in path or path in _NAMING_IN_BODY:
            yield HTTPStatus.NOT_FOUND
    if headers & {"If-Match", "Idempotency-Key"} or (method == "post" and _ACT.search(path)):
        yield HTTPStatus.CONFLICT
    if "If-Match" in headers:
        yield HTTPStatus.PRECONDITION_FAILED
    if operation.get("parameters") or "requestBody" in operation:
        yield HTTPStatus.UNPROCESSABLE_ENTITY
