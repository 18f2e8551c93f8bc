"""Custody: who holds the ball on a ticket, from its opening to its closing.

Knows holders, hand-overs and the intervals between them: append-only, and adding up to the ticket's life because
an interval ends exactly where the next begins. Refuses to know targets, calendars and why the ball was passed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise


class Holder(StrEnum):
    TRIAGE = "triage"
    WEBCARE = "webcare"
    DEPARTMENT = "department"
    CUSTOMER = "customer"
    PR = "pr"
    OUTAGE = "outage"  # the channel is down: nobody can act
    NOBODY = "nobody"  # after closing


@dataclass(frozen=True, slots=True)
class Custody:
    """From `since` on, `holder` has the ball; `department` is that of a department, or for which an embargo has it."""

    holder: Holder
    department: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Interval:
    """The half-open stretch [start, end) in which one holder had the ball."""

    holder: Holder
    department: str | None
    start: datetime
    end: datetime


def hand_over(
    custody: tuple[Custody, ...], holder: Holder, department: str | None, at: datetime
) -> tuple[Custody, ...]:
    """The custody after `holder` took the ball at `at`; the empty tuple begins one.

    The same holder and department as before adds nothing. An `at` before the last hand-over counts as that
    moment: two processes' clocks differ by a little, and history that is written down never moves.
    """
    if not custody:
        return (Custody(holder, department, at),)
    last = custody[-1]
    if (last.holder, last.department) == (holder, department):
        return custody
    return (*custody, Custody(holder, department, max(at, last.since)))


def worker_before(custody: tuple[Custody, ...]) -> Custody:
    """Who had the ball before the customer, PR or an outage had it; the entry that it was passed with."""
    ours = {Holder.TRIAGE, Holder.WEBCARE, Holder.DEPARTMENT}
    return next(entry for entry in reversed(custody) if entry.holder in ours)


def held(custody: tuple[Custody, ...], until: datetime) -> tuple[Interval, ...]:
    """The intervals up to `until`, in order, without gap or overlap; those of no length are left out."""
    ends = [after.since for _, after in pairwise(custody)] + [until]
    return tuple(
        Interval(entry.holder, entry.department, entry.since, min(end, until))
        for entry, end in zip(custody, ends, strict=False)
        if entry.since < min(end, until)
    )


def seconds_by_holder(custody: tuple[Custody, ...], until: datetime) -> dict[Holder, float]:
    """Seconds per holder up to `until`; `nobody` is left out, so the values sum to the ticket's life so far."""
    spent: dict[Holder, timedelta] = {}
    for interval in held(custody, until):
        if interval.holder is not Holder.NOBODY:
            length = interval.end - interval.start
            spent[interval.holder] = spent.get(interval.holder, timedelta()) + length
    return {holder: length.total_seconds() for holder, length in spent.items()}
