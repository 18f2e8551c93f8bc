"""Where the customer's waiting time goes: how long each holder had the ball.

Knows the shares. Refuses to know what any holder did with it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from app.tickets.custody import Holder

HOLDERS = tuple(holder for holder in Holder if holder is not Holder.NOBODY)


class Held(NamedTuple):
    """The time that one holder had tickets: `n` stretches, `seconds` together.

    `share` is of all holders' time. `waiting_share` is of the time in which the customer waited, and None for the
    customer, who then had the ball. Both are 0 to 1, and None when there was no time at all.
    """

    n: int
    seconds: float
    share: float | None
    waiting_share: float | None


def split(held: Mapping[Holder, tuple[int, float]]) -> dict[Holder, Held]:
    """By holder, in the order of a ticket's life; `held` is stretches and seconds. Holders without any are there."""
    total = sum(seconds for _, seconds in held.values())
    waited = total - held.get(Holder.CUSTOMER, (0, 0.0))[1]
    found: dict[Holder, Held] = {}
    for holder in HOLDERS:
        n, seconds = held.get(holder, (0, 0.0))
        waiting = seconds / waited if waited and holder is not Holder.CUSTOMER else None
        found[holder] = Held(n, seconds, seconds / total if total else None, waiting)
    return found
