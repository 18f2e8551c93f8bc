"""What managers ask, of facts that were counted: each figure by its formula, and a line for all that was asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.access.profile import Profile
from app.access.store import add_profile
from app.kit.db import Database, Transaction
from app.kit.ids import new_id
from app.reports.broken.store import list_broken
from app.reports.comparing import LEAST, share
from app.reports.figures import Routed, Volume, Waiting
from app.reports.forecast import Flow
from app.reports.question import Group, Interval, Question
from app.reports.store import (
    list_attainment,
    list_courses,
    list_flows,
    list_held,
    list_pairs,
    list_routed,
    list_volume,
    list_waiting,
)
from app.reports.tally.counting import REUSED
from app.reports.tally.fact import Fact, Measure
from app.reports.tally.store import get_ledger
from app.sla.clock import Clock, State
from app.sla.policy import Metric, Policy
from app.sla.store import record_clocks
from app.tickets.custody import Holder
from tests.support.facts import count, fact
from tests.support.standing import add_ticket

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
ALL = Question(START, START + WEEK)


async def counted(database: Database, *facts: Fact) -> None:
    await database.transact(lambda tx: count(tx, facts))


async def asked(database: Database, ask: Any, question: Question) -> list[Any]:
    async with database.reading(reports=True) as tx:
        return list((await ask(await get_ledger(tx), question)).lines)


def opened(at: datetime, source: str = "ownership", **said: Any) -> list[Fact]:
    return [fact(Measure.OPENED, at, **said), fact(Measure.PLACED, at, source, **said)]


async def test_volume_counts_each_kind_when_it_was(database: Database) -> None:
    await counted(
        database,
        *opened(START),
        fact(Measure.MENTIONED, START),
        fact(Measure.MENTIONED, START + DAY),
        fact(Measure.REPLIED, START + DAY, "webcare"),
        fact(Measure.REPLIED, START + DAY, "department"),
        fact(Measure.RESOLVED, START + DAY, "solved", value=0),
        fact(Measure.REOPENED, START + 2 * DAY),
    )
    daily = await asked(database, list_volume, replace(ALL, end=START + 3 * DAY, interval=Interval.DAY))
    assert [figures for _, _, figures in daily] == [
        Volume(1, 1, 0, 0, 0),
        Volume(1, 0, 2, 1, 0),
        Volume(0, 0, 0, 0, 1),
    ]


async def enrol(database: Database, **teams: str | None) -> None:
    async def arrange(tx: Transaction) -> None:
        for name, team in teams.items():
            await add_profile(tx, name, Profile(team=team), START)

    await database.transact(arrange)


async def test_teams_are_those_that_agents_are_in_now(database: Database) -> None:
    async def by(*names: str, **said: Any) -> dict[Group, int]:
        asked_by = replace(ALL, group_by=names, **said)
        return {group: figures.opened for _, group, figures in await asked(database, list_volume, asked_by)}

    anna, bram, cem = ("agent:anna", "agent:bram", "agent:cem")
    await enrol(database, anna="day", bram="day", cem=None)
    had = [fact(Measure.OPENED, START, agent=agent) for agent in (anna, anna, bram, cem, None)]
    sold = fact(Measure.OPENED, START + DAY, agent=bram, department="sales", topic="outage")
    await counted(database, *had, sold)

    assert await by("team") == {("day",): 4, (None,): 2}
    assert await by("team", "agent") == {("day", anna): 2, ("day", bram): 2, (None, cem): 1, (None, None): 1}
    assert await by("team", department="sales") == {("day",): 1}
    assert await by("topic", "team") == {
        ("invoice_question", "day"): 3,
        ("invoice_question", None): 2,
        ("outage", "day"): 1,
    }
    assert await by(only={"team": "day"}) == {(): 4}
    assert await by(only={"team": "day", "agent": bram}) == {(): 2}
    assert await by(only={"team": "night"}) == {(): 0}

    await enrol(database, bram="night")
    assert await by("team") == {("day",): 2, ("night",): 2, (None,): 2}
    assert await by(only={"team": "night"}) == {(): 2}


async def test_routing_tells_shares_of_sources_and_hand_backs(database: Database) -> None:
    await counted(
        database,
        *opened(START),
        *opened(START),
        *opened(START, "route"),
        *opened(START, "triage"),
        *(fact(Measure.HANDED_OVER, START) for _ in range(4)),
        fact(Measure.HANDED_BACK, START, "not_ours"),
        fact(Measure.FELL_BACK, START, "unaccepted"),
        fact(Measure.RESOLVED, START, "solved", value=2),
        fact(Measure.RESOLVED, START, "no_answer", value=1),
        *(fact(Measure.REPLIED, START, who, good=who == "department") for who in ("department", *["webcare"] * 3)),
        fact(Measure.PUBLISHED, START, good=True, value=0),
        fact(Measure.PUBLISHED, START, REUSED, good=False, value=300),
    )
    [(_, _, figures)] = await asked(database, list_routed, ALL)
    assert figures == Routed(4, 2, 1, 1, 0.5, 0.25, 0.25, 4, 1, 0.25, 1, 1.5, 0.25, 2, 1, 0.5, 0.15)


async def test_what_waits_is_what_came_and_did_not_go_since_the_beginning(database: Database) -> None:
    change = Measure.BACKLOG
    await counted(
        database,
        *(fact(change, START - 40 * DAY, value=1, department=one) for one in ("billing", "billing", "network")),
        fact(change, START + HOUR, value=-1),
        fact(change, START + HOUR, value=1),
        fact(change, START + DAY, value=1),
    )
    daily = await asked(database, list_waiting, replace(ALL, end=START + 2 * DAY, interval=Interval.DAY))
    assert [figures for _, _, figures in daily] == [Waiting(3, 1, 1), Waiting(4, 1, 0)]
    by_department = await asked(database, list_waiting, replace(ALL, group_by=("department",)))
    assert [(group, figures) for _, group, figures in by_department] == [
        (("billing",), Waiting(3, 2, 1)),
        (("network",), Waiting(1, 0, 0)),
    ]


async def test_time_is_split_by_holder(database: Database) -> None:
    await counted(
        database,
        fact(Measure.HELD, START, "webcare", value=3_000),
        fact(Measure.HELD, START, "department", value=1_000),
        fact(Measure.HELD, START, "customer", value=4_000),
    )
    parts = {group: part for _, group, part in await asked(database, list_held, ALL)}
    assert parts[(Holder.WEBCARE,)].waiting_share == 0.75
    assert parts[(Holder.CUSTOMER,)].share == 0.5
    assert parts[(Holder.PR,)].seconds == 0


async def test_pairs_of_topics_hold_what_stayed_and_what_was_found_by_nobody(database: Database) -> None:
    await counted(
        database,
        fact(Measure.UNDERSTOOD, START, "invoice_question"),
        fact(Measure.UNDERSTOOD, START, "outage"),
        fact(Measure.UNDERSTOOD, START, ""),
        fact(Measure.UNDERSTOOD, START, "outage", topic=None),
    )
    async with database.reading(reports=True) as tx:
        _, pairs = await list_pairs(await get_ledger(tx), replace(ALL, group_by=("department",), interval=Interval.DAY))
    assert pairs == {
        ("invoice_question", "invoice_question"): 1,
        ("outage", "invoice_question"): 1,
        (None, "invoice_question"): 1,
        ("outage", None): 1,
    }


async def test_courses_have_figures_with_their_intervals(database: Database) -> None:
    replies = (fact(Measure.FIRST_REPLY, START, good=n < 6, value=n * 60_000, arm="control") for n in range(8))
    over = (fact(Measure.HANDED_OVER, START, arm="control") for _ in range(2))
    few = (fact(Measure.RESOLUTION, START, value=60_000, arm="control") for _ in range(LEAST - 1))
    await counted(database, *replies, *over, *few)
    [(_, group, course)] = await asked(database, list_courses, replace(ALL, group_by=("arm",)))
    assert group == ("control",)
    assert course.first_reply_met == (8, share(6, 8))
    n, median = course.first_reply
    assert median is not None
    assert (n, median.value) == (8, pytest.approx(210, rel=0.02))
    assert median.low < median.value < median.high
    assert course.hand_back == (2, share(0, 2))
    assert (course.resolution, course.nps) == ((LEAST - 1, None), (0, None))


async def test_flows_of_past_weeks_begin_with_the_running_hour_and_end_where_counting_began(database: Database) -> None:
    now = START + 4 * WEEK + HOUR / 2
    await counted(
        database,
        fact(Measure.BACKLOG, now - 2 * WEEK, value=1),
        fact(Measure.BACKLOG, now - 2 * WEEK, value=-1),
        fact(Measure.BACKLOG, now - WEEK + HOUR, value=1),
        fact(Measure.BACKLOG, now - WEEK - HOUR, value=1),
    )
    async with database.reading(reports=True) as tx:
        weeks = await list_flows(await get_ledger(tx), now, now + HOUR, 8, None)
    assert weeks == ((Flow(0, 0), Flow(1, 0)), (Flow(1, 1), Flow(0, 0)))


async def test_the_same_hour_of_past_weeks_is_told_by_the_clock(database: Database) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    now = datetime(2026, 3, 30, 10, 30, tzinfo=UTC)  # in Amsterdam half past twelve, a week before half past eleven
    noon = datetime(2026, 3, 23, 11, tzinfo=UTC)
    came = [fact(Measure.BACKLOG, noon + n * HOUR, value=1) for n in range(-1, 1)]
    await database.transact(lambda tx: count(tx, came, zone=zone))
    async with database.reading(reports=True) as tx:
        [week] = await list_flows(await get_ledger(tx), now, now, 8, None)
    assert week == (Flow(1, 0),)


@pytest.mark.parametrize("ask", [list_volume, list_routed, list_waiting, list_courses])
async def test_nothing_is_a_line_of_zeros_for_every_step(database: Database, ask: Any) -> None:
    lines = await asked(database, ask, replace(ALL, interval=Interval.DAY))
    assert len(lines) == 7
    assert len({figures for _, _, figures in lines}) == 1
    assert await asked(database, ask, replace(ALL, group_by=("topic",))) == []


async def test_broken_promises_are_listed_newest_first_in_pages(database: Database) -> None:
    ticket = await database.transact(lambda tx: add_ticket(tx, START))

    async def arrange(tx: Transaction) -> None:
        promises = [fact(Measure.FIRST_REPLY, START + n * HOUR, value=n * 1000) for n in range(3)]
        kept = fact(Measure.RESOLUTION, START, good=True)
        await count(tx, [*promises, kept, fact(Measure.ACCEPTANCE, START, department="network")], ticket.id)

    await database.transact(arrange)
    async with database.reading(reports=True) as tx:
        every = await list_broken(tx, ALL, None, limit=10)
        first = await list_broken(tx, ALL, None, limit=2)
        rest = await list_broken(tx, ALL, None, limit=9, after=(first[1].at, first[1].ticket_id, first[1].place))
        own = await list_broken(tx, replace(ALL, department="network"), None, limit=9)
        replies = await list_broken(tx, replace(ALL, only={"topic": "invoice_question"}), Measure.FIRST_REPLY, limit=9)
        none = await list_broken(tx, replace(ALL, only={"topic": "outage"}), None, limit=9)
    assert [one.business for one in every] == [2.0, 1.0, None, 0.0]
    assert (*first, *rest) == every
    assert [one.metric for one in own] == ["acceptance"]
    assert len(replies) == 3
    assert none == ()


async def test_a_broken_promise_tells_when_it_ended(database: Database) -> None:
    ticket = await database.transact(lambda tx: add_ticket(tx, START))
    policy = Policy("usual", Metric.NEXT_REPLY, "office", HOUR, 0.75, frozenset(), "digest")

    async def arrange(tx: Transaction) -> None:
        rounds = ((1, Metric.NEXT_REPLY, HOUR, 3 * HOUR), (2, Metric.NEXT_REPLY, 4 * HOUR, None))
        for number, metric, due, end in (*rounds, (1, Metric.RESOLUTION, HOUR, 9 * HOUR)):
            made = Clock(new_id(), ticket.id, metric, number, None, policy, State.BREACHED, START)
            ended_at = None if end is None else START + end
            await record_clocks(tx, [replace(made, due_at=START + due, breached_at=START + due, ended_at=ended_at)])
        await count(tx, [fact(Measure.NEXT_REPLY, START + hours * HOUR) for hours in (1, 4)], ticket.id)

    await database.transact(arrange)
    async with database.reading(reports=True) as tx:
        every = await list_broken(tx, ALL, None, limit=9)
    assert [(one.at, one.ended_at) for one in every] == [(START + 4 * HOUR, None), (START + HOUR, START + 3 * HOUR)]


async def test_broken_promises_of_a_team_are_as_many_as_its_figure(database: Database) -> None:
    await enrol(database, anna="day", bram="night")
    ticket = await database.transact(lambda tx: add_ticket(tx, START))
    agents = ("agent:anna", "agent:anna", "agent:bram", None)
    broken = [fact(Measure.FIRST_REPLY, START, agent=agent) for agent in agents]
    await database.transact(lambda tx: count(tx, broken, ticket.id))

    async with database.reading(reports=True) as tx:
        every = await list_broken(tx, ALL, None, limit=9)
        own = await list_broken(tx, replace(ALL, only={"team": "day"}), None, limit=9)
        lines = (await list_attainment(await get_ledger(tx), replace(ALL, only={"team": "day"}))).lines
    assert {(one.agent, one.team) for one in every} == {("agent:anna", "day"), ("agent:bram", "night"), (None, None)}
    assert len(own) == sum(figures.breached for _, _, figures in lines) == 2
