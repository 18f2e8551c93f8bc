"""What an attempt's outcome means for its delivery: done, again later, never again.

Knows statuses, the schedule and `Retry-After`. Refuses to know endpoints, rows, chance and the clock: the last two
are given as arguments.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TypeAlias

_SLOW = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class Fault(StrEnum):
    """Why there was no answer. `fault_of_ours`: it could not be sent, or what came of it could not be recorded."""

    TIMED_OUT = "timed_out"
    NAME_UNKNOWN = "name_unknown"
    ADDRESS_FORBIDDEN = "address_forbidden"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    CONNECTION_BROKEN = "connection_broken"
    URL_INVALID = "url_invalid"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105
    OURS = "fault_of_ours"


# What no other message to the same receiver would fare better with.
_OF_THE_RECEIVER = frozenset(
    {Fault.TIMED_OUT, Fault.NAME_UNKNOWN, Fault.ADDRESS_FORBIDDEN, Fault.UNREACHABLE, Fault.TLS_FAILED}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt as the world answered it: a status or a fault, never both.

    `answer` is the beginning of the response body; `retry_after` the header as it was written.
    """

    duration: timedelta
    status: int | None = None
    fault: Fault | None = None
    answer: str = ""
    retry_after: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def reason(self) -> str:
        """In a few words that are safe to show and log: `answered 503`, `timed out`."""
        return self.fault.replace("_", " ") if self.fault else f"answered {self.status}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """`waits[n]` is the time between attempt n and the next, and `waits[0]` that before the first; when they are
    used up the delivery is dead. Each wait varies by the share `jitter` in both directions. `Retry-After` counts up
    to `longest`; a receiver that is overloaded, or not there, and names no time is left alone for `rest`.
    """

    waits: tuple[timedelta, ...]
    jitter: float = 0.2
    longest: timedelta = timedelta(hours=24)
    rest: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Delivered:
    pass


@dataclass(frozen=True, slots=True)
class RetryIn:
    """`delay` until this message is tried again; `rest` during which its receiver gets nothing at all."""

    delay: timedelta
    rest: timedelta


@dataclass(frozen=True, slots=True)
class GaveUp:
    pass


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver answered 410: it wants nothing more."""


Verdict: TypeAlias = Delivered | RetryIn | GaveUp | Gone


def judge(outcome: Outcome, *, used: int, schedule: Schedule, chance: float, now: datetime) -> Verdict:
    """What follows from the outcome of an attempt when it used up the `used`-th place of the schedule, from 1.

    `chance` in [0, 1) spreads the waits: 0 gives the shortest, 0.5 the wait as scheduled. A receiver's `Retry-After`
    never shortens a wait (RFC 9110, 10.2.3: it is how long to wait at least).
    """
    if outcome.succeeded:
        return Delivered()
    if outcome.status == HTTPStatus.GONE:
        return Gone()
    return later(outcome, used=used, schedule=schedule, chance=chance, now=now)


def later(outcome: Outcome, *, used: int, schedule: Schedule, chance: float, now: datetime) -> RetryIn | GaveUp:
    """When to try again after an attempt that led to nothing; the arguments are those of `judge`."""
    if used >= len(schedule.waits):
        return GaveUp()
    asked = min(_asked(outcome.retry_after, now), schedule.longest)
    spread = 1 + schedule.jitter * (2 * chance - 1)
    slow = outcome.status in _SLOW or outcome.fault in _OF_THE_RECEIVER
    return RetryIn(
        delay=max(schedule.waits[used] * spread, asked),
        rest=(asked or schedule.rest) if slow else timedelta(0),
    )


def _asked(retry_after: str | None, now: datetime) -> timedelta:
    """The wait that a `Retry-After` asks for, in seconds or as an HTTP date; none when it makes no sense."""
    written = (retry_after or "").strip()
    if written.isascii() and written.isdigit():
        return timedelta(seconds=int(written[:10]))
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, OverflowError):  # a year of twenty digits is no year either
        return timedelta(0)
    return max(moment.replace(tzinfo=moment.tzinfo or UTC) - now, timedelta(0))
