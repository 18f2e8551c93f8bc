"""A ticket's history told line by line, with the clocks that follow from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

from app.sla.calendar import Calendar, Opening
from app.sla.clock import Clock, State, advance
from app.sla.ladder import Rung
from app.sla.policy import Happening, Metric, Policy
from app.tickets.custody import Custody, Holder, hand_over

ALWAYS = Calendar("always", ZoneInfo("UTC"), ((Opening.parse("00:00-24:00"),),) * 7)
T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
TICKET = UUID(int=99)


def after(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def policy(metric: Metric, minutes: int, *pauses: Holder, calendar: str = "always") -> Policy:
    return Policy(f"{metric} in {minutes}", metric, calendar, timedelta(minutes=minutes), 0.5, frozenset(pauses), "d1")


POLICIES = {
    Metric.FIRST_REPLY: policy(Metric.FIRST_REPLY, 60),
    Metric.NEXT_REPLY: policy(Metric.NEXT_REPLY, 120),
    Metric.RESOLUTION: policy(Metric.RESOLUTION, 480, Holder.CUSTOMER),
    Metric.ACCEPTANCE: policy(Metric.ACCEPTANCE, 30),
    Metric.OWNERSHIP: policy(Metric.OWNERSHIP, 240, Holder.CUSTOMER, Holder.PR),
}


def counter() -> Iterator[UUID]:
    return (UUID(int=number) for number in count(1))


@dataclass
class Story:
    """A line is minutes after the opening, who has the ball then, and what happened."""

    custody: tuple[Custody, ...] = ()
    clocks: tuple[Clock, ...] = ()
    policies: dict[Metric, Policy] = field(default_factory=lambda: dict(POLICIES))
    calendars: dict[str, Calendar] = field(default_factory=lambda: {"always": ALWAYS})
    ladders: dict[str, tuple[Rung, ...]] = field(default_factory=dict)
    ids: Iterator[UUID] = field(default_factory=counter)

    def then(
        self,
        minutes: float,
        holder: Holder,
        *happenings: Happening,
        department: str | None = None,
        asked_at: datetime | None = None,
        rechosen: tuple[Metric, ...] = (),
    ) -> "Story":
        self.custody = hand_over(self.custody, holder, department, after(minutes))
        self.clocks = advance(
            self.clocks,
            self.custody,
            happenings,
            after(minutes),
            ticket_id=TICKET,
            policies=self.policies,
            calendars=self.calendars,
            new_id=lambda: next(self.ids),
            started_at=asked_at,
            rechosen=rechosen,
            ladders=self.ladders,
        )
        return self

    def clock(self, metric: Metric, number: int = 1) -> Clock:
        return next(clock for clock in self.clocks if (clock.metric, clock.round) == (metric, number))

    def states(self, metric: Metric) -> list[State]:
        return [clock.state for clock in self.clocks if clock.metric is metric]
