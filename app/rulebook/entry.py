"""What an entry of any file is: typed, closed to unknown keys, and wrong in a way that a person can mend.

Knows how an error of validation becomes a problem on its line with a way out. Refuses to know any file.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from types import NoneType
from typing import Annotated, Any, TypeVar, cast, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from app.kit.errors import Invalid
from app.rulebook.located import Page, Problem, Where, nearest

T = TypeVar("T")
E = TypeVar("E", bound="Entry")

Names = Mapping[str, Collection[str] | None]

_DURATION = re.compile(r"(\d{1,6}) (minute|hour|day)s?")


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def validate(model: type[E], page: Page, names: Names) -> tuple[E | None, list[Problem]]:
    """The page as its model, or None and all that is wrong with it.

    `names` are those that the files define, by kind: topic, department, channel, calendar. None: they could not be
    read, which is one problem and not one more for each name that is used.
    """
    try:
        return model.model_validate(page.content, context=names), []
    except ValidationError as error:
        return None, [_problem(model, page, details) for details in error.errors()]


def wrong(message: str, way_out: str) -> PydanticCustomError:
    """What a validator raises: the error with its own way out."""
    return PydanticCustomError("wrong", "{message}", {"message": message, "way_out": way_out})


def attempt(make: Callable[[], T], way_out: str) -> T:
    """What a stage makes of an entry; the stage's refusal becomes an error of the entry."""
    try:
        return make()
    except Invalid as error:
        raise wrong(error.message, way_out) from error


def known(kind: str) -> AfterValidator:
    """A name that must be among the `names` of its kind."""

    def check(name: str, info: ValidationInfo) -> str:
        names = cast("Names", info.context)[kind]
        if names is not None and name not in names:
            raise wrong(f"unknown {kind} '{name}'", nearest(name, names))
        return name

    return AfterValidator(check)


def duration(text: Any) -> timedelta:
    """`15 minutes`, `4 hours`, `2 days` of 24 hours."""
    match = _DURATION.fullmatch(str(text))
    if match is None:
        raise wrong(f"{str(text)!r} is no length of time", "write it as '15 minutes', '4 hours' or '90 days'")
    return timedelta(**{f"{match[2]}s": int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(duration)]


def _problem(model: type[Entry], page: Page, details: ErrorDetails) -> Problem:
    where = details["loc"]
    match details["type"]:
        case "wrong":
            return page.problem(where, details["ctx"]["message"], details["ctx"]["way_out"])
        case "extra_forbidden":
            way_out = nearest(str(where[-1]), _keys(model, where[:-1]))
            return page.problem(where, f"unknown key '{where[-1]}'", way_out)
        case "missing":
            return page.problem(where, f"key '{where[-1]}' is missing", f"add '{where[-1]}:' here")
        case _:
            place = ".".join(str(step) for step in where if step != "[key]") or "the file"
            message = f"{place}: {details['msg']}"
            return page.problem(where, message, f"see the syntax at the top of {page.file}")


def _keys(model: type[Entry], where: Where) -> list[str]:
    """The keys that the entry at `where` may have."""
    kind: Any = model
    for step in where:
        held = [part for part in get_args(kind) if part is not Ellipsis]
        kind = held[-1] if held else _fields(kind)[str(step)]
    return list(_fields(kind))


def _fields(entry: type[Entry]) -> dict[str, Any]:
    return {field.alias or name: _present(field.annotation) for name, field in entry.model_fields.items()}


def _present(kind: Any) -> Any:
    """What an optional holds when it is there."""
    parts = get_args(kind)
    return next(part for part in parts if part is not NoneType) if NoneType in parts else kind
