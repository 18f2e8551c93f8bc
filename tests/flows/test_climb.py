"""Ladders on a real database: each rung once, people told in their hours, and what rungs do with tickets."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.flows.climb import NOBODY, SETTLED, TOLD
from app.kit.clock import utc_now
from app.kit.db import Database
from app.rulebook import Rulebook
from app.sla.calendar import Calendar, Opening
from app.sla.ladder import Does, Rung
from app.sla.policy import Metric
from app.sla.store import list_notices
from app.tickets import lifecycle
from app.tickets.custody import Holder, hand_over
from app.tickets.ticket import Event, Step, Ticket
from tests.support.house import LONG_AGO, House

NOTHING = timedelta()
TELL_LEAD = Rung(1, NOTHING, Does.NOTIFY, "lead")
TELL_DEPARTMENT = Rung(0.5, NOTHING, Does.NOTIFY, "department")
RAISE = Rung(1, NOTHING, Does.RAISE, "high")
TAKE_BACK = Rung(1, NOTHING, Does.TAKE_BACK, "webcare")
ESCALATE = Rung(1.5, NOTHING, Does.ESCALATE, "pr")


def laddered(rulebook: Rulebook, *rungs: Rung, windows: dict[str, str] | None = None) -> Rulebook:
    """All promises climb this ladder; in the calendar `later` somebody is at work tomorrow at this time of day."""
    now = utc_now()
    hour = Opening(now.hour * 60, now.hour * 60 + 60)
    week = tuple((hour,) if day == (now.weekday() + 1) % 7 else () for day in range(7))
    return replace(
        rulebook,
        sla_rules=tuple(replace(rule, ladder="steep") for rule in rulebook.sla_rules),
        ladders={"steep": rungs},
        windows=windows or {},
        calendars={**rulebook.calendars, "later": Calendar("later", ZoneInfo("UTC"), week)},
    )


@pytest.fixture
def house(database: Database, rulebook: Rulebook) -> House:
    return House(database, rulebook)


async def notices(house: House) -> list[tuple[str, str | None]]:
    async with house.database.reading() as tx:
        rows = await list_notices(tx, aim=None, department=None, ticket_id=None, limit=100, before=None)
    return sorted((row.aim, row.outcome) for row in rows)


async def test_each_rung_is_climbed_once_and_people_are_told(house: House) -> None:
    house.rulebook = laddered(house.rulebook, TELL_DEPARTMENT, TELL_LEAD)
    ticket = await house.open(LONG_AGO)

    await house.watch_all()
    assert await house.tell() == 4  # of two promises: first reply and resolution
    assert await house.tell() == 0

    told = [event.data for event in await house.events(ticket.id) if event.type == "sla.notified"]
    assert sorted((one["metric"], one["to"]) for one in told) == [
        ("first_reply", "department"),
        ("first_reply", "lead"),
        ("resolution", "department"),
        ("resolution", "lead"),
    ]
    first = next(one for one in told if (one["metric"], one["to"]) == ("first_reply", "department"))
    assert datetime.fromisoformat(first["reached_at"]) == LONG_AGO + timedelta(minutes=30)
    assert await notices(house) == [("department", TOLD)] * 2 + [("lead", TOLD)] * 2


async def test_sweeps_at_the_same_time_climb_no_rung_twice(house: House) -> None:
    house.rulebook = laddered(house.rulebook, TELL_DEPARTMENT, TELL_LEAD, RAISE)
    tickets = [await house.open(LONG_AGO + timedelta(seconds=second)) for second in range(12)]

    async def sweep() -> None:
        for _ in range(12):
            await house.watch(limit=5)
            await house.tell()

    await asyncio.gather(*(sweep() for _ in range(4)))
    await house.watch_all()
    await house.tell()

    for ticket in tickets:
        kinds = [event.type for event in await house.events(ticket.id)]
        assert (kinds.count("sla.notified"), kinds.count("ticket.updated")) == (4, 1)


async def test_low_priority_wakes_nobody_and_is_not_told_when_it_was_settled_meanwhile(house: House) -> None:
    """The breach stands at once; who is told waits for the window, and then only if the promise is still open."""
    house.rulebook = laddered(house.rulebook, TELL_LEAD, windows={"normal": "later"})
    ticket = await house.open(LONG_AGO)
    await house.watch_all()

    breached = await house.clock(ticket, Metric.FIRST_REPLY)
    assert breached.breached_at == LONG_AGO + timedelta(hours=1)
    assert await house.tell() == 0
    assert await notices(house) == [("lead", None)] * 2

    now = utc_now()
    await house.act(ticket, lambda one: lifecycle.reply(one, "agent:anna", {}, now), now)
    await house.open_windows()
    assert await house.tell() == 2
    assert await notices(house) == [("lead", SETTLED), ("lead", TOLD)]


async def test_an_urgent_ticket_wakes_people(house: House) -> None:
    house.rulebook = laddered(house.rulebook, TELL_LEAD, windows={"normal": "later"})
    await house.open(LONG_AGO, priority="urgent")

    await house.watch_all()

    assert await house.tell() == 2


async def test_a_rung_raises_the_priority_and_never_lowers_it(house: House) -> None:
    house.rulebook = laddered(house.rulebook, RAISE)
    normal, urgent = await house.open(LONG_AGO), await house.open(LONG_AGO, priority="urgent")

    await house.watch_all()

    assert (await house.read(normal)).priority == "high"
    assert (await house.read(urgent)).priority == "urgent"


async def test_a_silent_department_loses_the_ball_and_is_told(house: House) -> None:
    rules = laddered(house.rulebook, TAKE_BACK)
    climbing = (rule if rule.metric is Metric.ACCEPTANCE else replace(rule, ladder=None) for rule in rules.sla_rules)
    house.rulebook = replace(rules, sla_rules=tuple(climbing))
    ticket = await house.open(LONG_AGO)

    def handed_over(one: Ticket) -> Step:
        custody = hand_over(one.custody, Holder.DEPARTMENT, "billing", LONG_AGO)
        return Step(one, replace(one, custody=custody), (Event("ticket.routed", "system"),))

    await house.act(ticket, handed_over, LONG_AGO)

    await house.watch_all()

    taken = await house.read(ticket)
    assert (taken.holder, taken.department) == (Holder.WEBCARE, "billing")
    [told] = [event for event in await house.events(ticket.id) if event.type == "ticket.fell_back"]
    assert told.data == {"reason": "not_accepted", "department": "billing"}
    assert (await house.clock(ticket, Metric.OWNERSHIP)).ended_at is not None


async def test_pr_is_asked_once_for_each_broken_promise(house: House) -> None:
    house.rulebook = laddered(house.rulebook, ESCALATE)
    ticket = await house.open(LONG_AGO)

    await house.watch_all()

    asked = [event.data["reasons"] for event in await house.events(ticket.id) if event.type == "escalation.raised"]
    assert sorted(reason["code"] for [reason] in asked) == ["sla:first_reply", "sla:resolution"]
    assert (await house.read(ticket)).escalated


async def test_a_ticket_without_an_owner_has_nobody_to_tell(house: House) -> None:
    house.rulebook = laddered(house.rulebook, TELL_DEPARTMENT)
    await house.open(LONG_AGO, department=None, stage=None)

    await house.watch_all()
    await house.tell()

    assert await notices(house) == [("department", NOBODY)] * 2


async def test_a_ticket_whose_clocks_cannot_be_read_keeps_nobody_from_being_told(house: House) -> None:
    house.rulebook = laddered(house.rulebook, TELL_LEAD)
    tickets = [await house.open(LONG_AGO) for _ in range(3)]
    await house.watch_all()
    await house.spoil(tickets[1])

    assert [await house.tell() for _ in range(2)] == [6, 0]
    told = [[event.type for event in await house.events(ticket.id)].count("sla.notified") for ticket in tickets]
    assert told == [2, 0, 2]
