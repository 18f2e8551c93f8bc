"""Whether a publication is on its channel when nobody saw the answer to it.

Knows which outcomes leave that open, and how the channel adapter answers when it is asked. Refuses to know rows and
schedules.
"""

from enum import StrEnum
from http import HTTPStatus

import orjson

from app.delivery.retrying import Fault, Outcome

_CANNOT = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_MAY_HAVE_ARRIVED = frozenset({Fault.TIMED_OUT, Fault.CONNECTION_BROKEN, Fault.OURS})

UNASKABLE = "the channel adapter cannot look it up: look on the channel, and settle it"


class Found(StrEnum):
    """What a look-up tells. `untold`: not this time; `unaskable`: this adapter never will."""

    THERE = "there"
    NOT_THERE = "not_there"
    UNTOLD = "untold"
    UNASKABLE = "unaskable"


def leaves_in_doubt(outcome: Outcome) -> bool:
    """Whether the channel may have it although the attempt failed: on the way, behind the adapter, or here."""
    if outcome.status is not None:
        return outcome.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return outcome.fault in _MAY_HAVE_ARRIVED


def read(outcome: Outcome) -> Found:
    """What the adapter says to a look-up: `{"published": true, "external_id"?}` with 200, or `false` with 200 or 404.

    Only these words count. A server that knows nothing of look-ups answers 404 as well, or 200 to anything, and to
    believe it would post twice, or never.
    """
    if outcome.status in _CANNOT:
        return Found.UNASKABLE
    try:
        told = orjson.loads(outcome.answer)
    except orjson.JSONDecodeError:
        return Found.UNTOLD
    match outcome.status, told:
        case HTTPStatus.OK, {"published": True}:
            return Found.THERE
        case ((HTTPStatus.OK | HTTPStatus.NOT_FOUND), {"published": False}):
            return Found.NOT_THERE
        case _:
            return Found.UNTOLD
