"""Fields that every In model is made of: what PostgreSQL cannot hold is refused at the door, by the field's name.

Knows the limits of texts, moments and counts. Refuses to know what a field means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from annotated_types import Ge, GroupedMetadata, Lt, MaxLen, MinLen
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
)
from pydantic_core import PydanticCustomError

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def _storable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("unstorable_text", "This text holds the character U+0000; leave it out.")
    return text


def _said(text: str) -> str:
    if text.isspace():
        raise PydanticCustomError("blank_text", "This text is only white space; write something.")
    return text


def _spelled_out(moment: object) -> object:
    """Pydantic would take a bare number, in quotes or not, for seconds or milliseconds since 1970."""
    if not isinstance(moment, str) or moment[4:5] != "-":
        raise PydanticCustomError("datetime_type", "This is no moment.")
    return moment


def _within_reach(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise PydanticCustomError("moment_out_of_range", "Give a moment from 2000 up to and including 2099.")
    return moment.astimezone(UTC)


def _written_as(given: object) -> str | None:
    if not isinstance(given, str) or given[4:5] != "-":
        return None
    return "day" if len(given) == len("2026-11-22") else "instant"


@dataclass(frozen=True, slots=True)
class Text(GroupedMetadata):
    """Marks a text of at most `longest` characters that can be stored: `Annotated[str, Text(200)]`.

    With a `shortest`, white space alone is not enough. A bounded text is one that pydantic reads, so lone surrogates
    are refused with it.
    """

    longest: int
    shortest: int = 0

    def __iter__(self) -> Iterator[Any]:
        yield MinLen(self.shortest)
        yield MaxLen(self.longest)
        yield AfterValidator(_storable)
        if self.shortest:
            yield AfterValidator(_said)


Name = Annotated[str, Text(200, 1)]
Instant = Annotated[AwareDatetime, BeforeValidator(_spelled_out), AfterValidator(_within_reach)]
Day = Annotated[date, Field(ge=EARLIEST.date(), lt=LATEST.date())]
DayOrInstant = Annotated[
    Annotated[Day, Tag("day")] | Annotated[Instant, Tag("instant")],
    Discriminator(
        _written_as,
        custom_error_type="day_or_instant",
        custom_error_message="Send a day, such as 2026-11-22, or a moment, such as 2026-11-22T08:00:00Z.",
    ),
]
Count = Annotated[int, Strict(), Ge(0), Lt(2**53)]  # the integers that every JSON reader keeps exact
Flag = Annotated[bool, Strict()]


class InModel(BaseModel):
    """What comes in: unknown fields and numbers that are none are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class OutModel(BaseModel):
    """What goes out, read from the attributes of our own facts."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    @classmethod
    def plain(cls, facts: object) -> dict[str, Any]:
        """What it shows of our own facts, for an answer that is written without it: models only describe those."""
        return {name: getattr(facts, name) for name in cls.model_fields}
