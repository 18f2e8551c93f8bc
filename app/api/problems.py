"""How errors are told over HTTP: families of errors to RFC 9457 problems. HTTP statuses live here and nowhere else.

Knows the families, the statuses and the shape of a problem. Refuses to know why anything happened: the message and
facts come with the error. docs/errors.md lists the codes.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from app.access.role import Forbidden
from app.answers.macros.store import MacroChangedMeanwhile
from app.api.etag import etag
from app.kit.errors import Conflict, Invalid, NotFound, Refused, Unauthorised, Unavailable, WebcareError
from app.kit.wire import dump
from app.tickets.store import ChangedMeanwhile

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:problem-type:webcare:"
_FIELD_LENGTH = 200


class PayloadTooLarge(Refused):
    """The body is longer than this path reads."""


class BodyTooSlow(Refused):
    """The body did not arrive in time."""


class BrokenJson(Invalid):
    """The body is not JSON at all."""


class JsonExpected(Invalid):
    """The body came as something else than JSON, as `curl -d` sends it when no content type is given."""


class InvalidRequest(Invalid):
    """At least one field does not mean anything; `errors` names each."""


# The nearest class in an error's ancestry decides.
STATUSES: dict[type[WebcareError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    ChangedMeanwhile: HTTPStatus.PRECONDITION_FAILED,
    MacroChangedMeanwhile: HTTPStatus.PRECONDITION_FAILED,
    Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Forbidden: HTTPStatus.FORBIDDEN,
    PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    BrokenJson: HTTPStatus.BAD_REQUEST,
    JsonExpected: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Unauthorised: HTTPStatus.UNAUTHORIZED,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# What the framework refuses by itself: code and way out.
_BY_FRAMEWORK = {
    HTTPStatus.BAD_REQUEST: ("broken_body", "The body cannot be read as what its Content-Type says."),
    HTTPStatus.NOT_FOUND: ("no_such_path", "There is nothing at this path; /openapi.json lists all that there are."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "The header Allow lists the methods that this path takes."),
}

# By pydantic's name of what is wrong, where its own message names no way out; `ctx` of the error fills the gaps.
_OBJECT = "Send a JSON object."
_MOMENT = "Send a moment with its offset from UTC, such as 2026-11-22T08:00:00Z."
_DAY = "Send a day, such as 2026-11-22."
_WAYS_OUT = {
    "missing": "This field is required; add it.",
    "extra_forbidden": "This field is not known here; remove it or check its spelling.",
    "string_unicode": "This text holds half a character (a lone surrogate); send whole characters.",
    "int_type": "Send a whole number below 2^53, without quotes.",
    "too_short": "Send at least {min_length}.",
    "too_long": "Send at most {max_length}.",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "timezone_aware": _MOMENT,
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _DAY),
    "wrong": "{message}; {way_out}.",
}


class FieldProblem(BaseModel):
    """One field that does not mean anything."""

    field: str = Field(description="Path of the field, list positions counted from 0", examples=["author.handle"])
    message: str = Field(description="What is wrong and the way out", examples=[_WAYS_OUT["missing"]])
    code: str = Field(description="Stable name of what is wrong", examples=["missing"])


class Problem(BaseModel):
    """What went wrong and the way out (RFC 9457). Some codes carry further members with the facts."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Identifies the kind of problem", examples=[f"{_TYPE}invalid_request"])
    title: str = Field(description="The kind of problem in words", examples=["Invalid request"])
    status: int = Field(description="The HTTP status, again", examples=[422])
    detail: str = Field(description="What happened this time and the way out")
    code: str = Field(description="Stable name to branch on", examples=["invalid_request"])
    field: str | None = Field(None, description="The field it is about, if it is about one")
    errors: list[FieldProblem] | None = Field(None, description="Every field that does not mean anything")


def told(description: str) -> dict[str, Any]:
    """A response of the OpenAPI document that is a problem."""
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": told("The call cannot be done as it stands; the problem says why and what would help"),
    "503": told("Something we need is not there; try again after `Retry-After` seconds"),
}


def schemas() -> dict[str, Any]:
    """The OpenAPI schemas that `RESPONSES` refer to."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def describe(error: WebcareError) -> dict[str, Any]:
    """The members of the problem that an error is, `type` first. Its own facts never replace a standard member."""
    members = _members(_status(error), error.code, error.message, error.field)
    return members | error.facts | members


def invalid_request(errors: Iterable[Mapping[str, Any]], *, within: str = "") -> InvalidRequest:
    """What is wrong with input that pydantic refused, from `ValidationError.errors()`.

    `within` is put before each field, for parts that were checked on their own: `mentions.3`.
    """
    found = [_field_problem(error, within) for error in errors]
    first = found[0]
    more = f" {len(found) - 1} more in `errors`." if len(found) > 1 else ""
    return InvalidRequest(f"{first['field']}: {first['message']}{more}", field=first["field"], errors=found)


def respond(members: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(dump(members), members["status"], headers, MEDIA_TYPE)


def respond_error(error: WebcareError) -> Response:
    """The whole answer to an error, with the headers that its status asks for."""
    return respond(describe(error), _headers(error))


def respond_failure(trace_id: str) -> Response:
    """The answer when we ourselves are wrong: nothing of the inside, only where to find it in the log."""
    detail = f"This is our fault. Report the trace id {trace_id} and try again later."
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return respond({**_members(status, "internal_error", detail, None), "trace_id": trace_id})


def install(app: FastAPI) -> None:
    """Let every error that leaves a route be told as a problem."""
    app.add_exception_handler(WebcareError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, WebcareError)
    return respond_error(error)


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    first = errors[0]
    if first["type"] == "json_invalid":
        where = f"{first['ctx']['error'].removesuffix(' at')} at character {first['loc'][-1]}"
        return respond_error(BrokenJson(f"The body is not JSON: {where}."))
    if first["loc"] == ("body",) and isinstance(first["input"], bytes):
        return respond_error(JsonExpected("Send JSON, with the header Content-Type: application/json."))
    return respond_error(invalid_request(errors))


async def _on_http(_: Request, error: Exception) -> Response:
    """What the framework itself refuses: unknown paths and methods, bodies that cannot be parsed."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code, detail = _BY_FRAMEWORK.get(status, (status.name.lower(), f"{status.phrase}."))
    return respond(_members(status, code, detail, None), error.headers)


def _status(error: WebcareError) -> HTTPStatus:
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def _headers(error: WebcareError) -> dict[str, str]:
    if isinstance(error, Unavailable):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, Unauthorised):
        return {"WWW-Authenticate": 'Bearer realm="webcare"'}
    if isinstance(error, ChangedMeanwhile) and "version" in error.facts:
        return {"ETag": etag(error.facts["version"])}
    if isinstance(error, PayloadTooLarge | BodyTooSlow):
        return {"Connection": "close"}  # what is left of the body would be read as the next request
    return {}


def _members(status: HTTPStatus, code: str, detail: str, field: str | None) -> dict[str, Any]:
    title = code.replace("_", " ").capitalize()
    members = {"type": _TYPE + code, "title": title, "status": int(status), "detail": detail, "code": code}
    return members if field is None else {**members, "field": field}


def _field_problem(error: Mapping[str, Any], within: str) -> dict[str, str]:
    location = error["loc"]
    inside = location[1:] if location and location[0] in {"body", "query", "path", "header"} else location
    if location[:1] == ("query",):
        inside = inside[:1]  # which of several values it was is in the message
    path = ".".join(filter(None, (within, *map(str, inside)))) or "body"
    way_out = _WAYS_OUT.get(error["type"])
    said = way_out.format_map(error.get("ctx", {})) if way_out else str(error["msg"]).removeprefix("Value error, ")
    sentence = f"{said.removesuffix('.')}."
    return {"field": path[:_FIELD_LENGTH], "message": sentence, "code": error["type"]}
