"""Against an independent reading: walk through a history in steps of ten minutes, and count."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.business_time import is_open
from app.sla.calendar import Calendar, Opening
from app.sla.clock import Clock, State
from app.sla.policy import Happening, Metric, Policy
from app.tickets.custody import Custody, Holder
from tests.support.history import ALWAYS, Story, after

STEP = timedelta(minutes=10)
SHOP = Calendar(
    "shop", ZoneInfo("Europe/Amsterdam"), ((Opening.parse("09:00-12:00"), Opening.parse("13:00-17:00")),) * 7
)
LATE = Calendar("late", ZoneInfo("Europe/Amsterdam"), ((Opening.parse("20:00-02:00"),),) * 7)
CALENDARS = {calendar.name: calendar for calendar in (ALWAYS, SHOP, LATE)}
ACTIONS: dict[str, tuple[Holder, str | None, tuple[Happening, ...]] | None] = {
    "wait": (Holder.CUSTOMER, None, (Happening.REPLIED, Happening.WAITING)),
    "post": (Holder.WEBCARE, None, (Happening.CUSTOMER_POSTED,)),
    "billing": (Holder.DEPARTMENT, "billing", (Happening.HANDED_OVER,)),
    "network": (Holder.DEPARTMENT, "network", (Happening.HANDED_OVER,)),
    "accept": (Holder.DEPARTMENT, "billing", (Happening.ACCEPTED,)),
    "answer": (Holder.WEBCARE, None, (Happening.ANSWERED,)),
    "back": (Holder.TRIAGE, None, (Happening.HANDED_BACK,)),
    "pr": (Holder.PR, None, ()),
    "outage": (Holder.OUTAGE, None, ()),
    "resolve": (Holder.CUSTOMER, None, (Happening.RESOLVED,)),
    "reopen": (Holder.WEBCARE, None, (Happening.REOPENED,)),
    "close": (Holder.NOBODY, None, (Happening.CLOSED,)),
    "sweep": None,
}


def walked(
    clock: Clock, custody: Sequence[Custody], until: datetime, is_open_at: Callable[[datetime], bool], share: float
) -> datetime | None:
    """When the share of the target was used up and the clock went on, walking until `until`; else None."""
    left = clock.policy.target * share
    worked = False
    moment = clock.started_at
    while moment < until:
        holder = [entry.holder for entry in custody if entry.since <= moment][-1]
        if holder is Holder.NOBODY or holder in clock.policy.pauses:
            worked = False
        elif not left and (worked or is_open_at(moment)):
            return moment
        else:
            worked = is_open_at(moment)
            left -= STEP * worked
        moment += STEP
    return None


policies = st.builds(
    lambda metric, steps, calendar, pauses: Policy("any", metric, calendar, 2 * steps * STEP, 0.5, pauses, "d1"),
    metric=st.sampled_from(Metric),
    steps=st.integers(1, 30),
    calendar=st.sampled_from(sorted(CALENDARS)),
    pauses=st.frozensets(st.sampled_from([Holder.CUSTOMER, Holder.PR, Holder.OUTAGE, Holder.DEPARTMENT])),
)


@given(
    st.lists(policies, min_size=2, max_size=8),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(list(ACTIONS))), max_size=10),
)
@settings(max_examples=60)
def test_any_history_equals_a_walk_through_it(rules: list[Policy], history: list[tuple[int, str]]) -> None:
    story = Story(policies={rule.metric: rule for rule in rules}, calendars=CALENDARS)
    story.then(0, Holder.TRIAGE, Happening.OPENED)
    minutes = 0
    for steps, action in history:
        minutes += 10 * steps
        holder, department, happenings = ACTIONS[action] or (story.custody[-1].holder, story.custody[-1].department, ())
        story.then(minutes, holder, *happenings, department=department)
    story.then(minutes, story.custody[-1].holder, department=story.custody[-1].department)

    opened_at = {name: memory(calendar) for name, calendar in CALENDARS.items()}
    for clock in story.clocks:
        until = clock.ended_at or after(minutes)
        is_open_at = opened_at[clock.policy.calendar]
        assert clock.breached_at == walked(clock, story.custody, until, is_open_at, 1)
        assert clock.warned_at == walked(clock, story.custody, until, is_open_at, 0.5)
        if clock.state is State.RUNNING:
            assert clock.due_at == walked(clock, story.custody, after(60 * 24 * 60), is_open_at, 1)
        assert (clock.state is State.BREACHED) == (clock.breached_at is not None)
        assert (clock.state in {State.RUNNING, State.PAUSED}) <= (clock.ended_at is None)


def memory(calendar: Calendar) -> Callable[[datetime], bool]:
    known: dict[datetime, bool] = {}

    def is_open_at(moment: datetime) -> bool:
        if moment not in known:
            known[moment] = is_open(calendar, moment)
        return known[moment]

    return is_open_at
