"""Where an event stands among those of all tickets.

Knows the order and how a place in it is written down. Refuses to know what happened there.
"""

import re
from typing import NamedTuple

_WRITTEN = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")  # 18 digits fit in 64 bits


class Position(NamedTuple):
    """`xact` numbers the transaction that wrote the event, `place` the events within it. Positions can be compared."""

    xact: int
    place: int

    def __str__(self) -> str:
        return f"{self.xact}-{self.place}"


BEGINNING = Position(0, 0)


def parse(written: str) -> Position | None:
    """The position that was written so; None for what is none."""
    found = _WRITTEN.fullmatch(written)
    return None if found is None else Position(int(found[1]), int(found[2]))
