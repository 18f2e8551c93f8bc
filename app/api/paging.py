"""Lists in pages: `limit` and an opaque `cursor` in, `{items, next_cursor}` out.

Knows how a place in a list becomes a cursor. Refuses to know what is listed and in which order. A cursor grants
nothing: it only says after which place to go on, so it is neither signed nor secret, but it is checked like any input.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.api.fields import InModel, Text
from app.kit.errors import Invalid

P = TypeVar("P")
T = TypeVar("T")


class CursorUnreadable(Invalid):
    """A cursor that this list did not give."""


class Paging(InModel):
    """What every list may be asked; a list with filters adds them."""

    limit: int = Field(50, ge=1, le=200, description="Items per page")
    cursor: Annotated[str, Text(500)] | None = Field(None, description="`next_cursor` of the page before")


class Page(BaseModel, Generic[T]):
    """`next_cursor` None: there is nothing more."""

    items: list[T]
    next_cursor: str | None


class Places(Generic[P]):
    """The places in one list, as `P`: the values that it is ordered by, in types from `app.api.fields`.

    Those types keep a cursor that somebody wrote by hand from reaching the database with what it cannot hold.
    """

    def __init__(self, shape: type[P]) -> None:
        self._shape = TypeAdapter(shape)

    def encode(self, place: P) -> str:
        return base64.urlsafe_b64encode(self._shape.dump_json(place)).rstrip(b"=").decode()

    def decode(self, cursor: str | None) -> P | None:
        """The place after which the page begins; None: at the beginning. Raises `CursorUnreadable`."""
        if cursor is None:
            return None
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            return self._shape.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValidationError, ValueError) as error:
            message = "This is no cursor of this list; send `next_cursor` as it came, or leave it out."
            raise CursorUnreadable(message, field="cursor") from error

    def cut(self, rows: Sequence[T], limit: int, place_of: Callable[[T], P]) -> tuple[Sequence[T], str | None]:
        """One page of `rows`, which were asked for with `limit` + 1, and the cursor of the next one."""
        if len(rows) <= limit:
            return rows, None
        return rows[:limit], self.encode(place_of(rows[limit - 1]))
