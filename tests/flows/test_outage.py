"""A channel that is down has the ball of its tickets, and gives it back."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.access.role import Caller, Role
from app.channels.store import list_outages
from app.flows import outage
from app.kit.db import Database
from app.kit.ids import new_id
from app.rulebook import Rulebook
from app.sla.policy import Metric
from app.tickets import lifecycle
from app.tickets.custody import Holder, hand_over, seconds_by_holder
from app.tickets.ticket import Event, Step, Ticket
from tests.support.clock import Clock
from tests.support.house import House

ADAPTER = Caller(new_id(), "x-adapter", Role.INGEST)


class Line(House):
    """A house whose channel x goes down and comes back. Whatever happens takes a minute."""

    def __init__(self, database: Database, rulebook: Rulebook, clock: Clock) -> None:
        super().__init__(database, rulebook)
        self.time = clock

    async def down(self, channel: str = "x") -> None:
        now = self.time.pass_(minutes=1)
        await self.database.transact(lambda tx: outage.go_down(self.unit(tx, now), ADAPTER, channel, "503"))

    async def up(self, channel: str = "x") -> None:
        now = self.time.pass_(minutes=1)
        await self.database.transact(lambda tx: outage.come_back(self.unit(tx, now), channel))

    async def follow(self, limit: int = 200) -> int:
        now = self.time.pass_(minutes=1)
        return await self.database.transact(lambda tx: outage.follow_channels(self.unit(tx, now), limit))


@pytest.fixture
def line(database: Database, rulebook: Rulebook, clock: Clock) -> Line:
    return Line(database, rulebook, clock)


async def test_the_outage_has_the_ball_and_gives_it_back(line: Line) -> None:
    now = line.time()
    ours, waiting = await line.open(now), await line.open(now)
    theirs = await line.open(now)
    await line.act(waiting, lambda one: lifecycle.wait(one, "agent:anna", None, now), now)

    def handed_over(one: Ticket) -> Step:
        custody = hand_over(one.custody, Holder.DEPARTMENT, "billing", now)
        return Step(one, replace(one, custody=custody), (Event("ticket.routed", "system"),))

    await line.act(theirs, handed_over, now)

    await line.down()
    assert [await line.follow() for _ in range(2)] == [2, 0]
    held = [await line.read(one) for one in (ours, theirs, waiting)]
    assert [(one.holder, one.with_department) for one in held] == [
        (Holder.OUTAGE, None),
        (Holder.OUTAGE, "billing"),
        (Holder.CUSTOMER, None),
    ]

    await line.up()
    assert [await line.follow() for _ in range(2)] == [2, 0]
    back = [await line.read(one) for one in (ours, theirs, waiting)]
    assert [(one.holder, one.with_department) for one in back] == [
        (Holder.WEBCARE, None),
        (Holder.DEPARTMENT, "billing"),
        (Holder.CUSTOMER, None),
    ]
    assert [event.type for event in await line.events(ours.id)][-2:] == ["channel.down", "channel.up"]
    spent = seconds_by_holder(back[0].custody, line.time.pass_(minutes=1))
    assert (spent[Holder.OUTAGE], sum(spent.values())) == (3 * 60, 7 * 60)


async def test_only_clocks_that_pause_for_an_outage_stand_still(line: Line) -> None:
    rules = line.rulebook.sla_rules
    pausing = tuple(
        replace(rule, pauses=rule.pauses | {Holder.OUTAGE}) if rule.metric is Metric.RESOLUTION else rule
        for rule in rules
    )
    line.rulebook = replace(line.rulebook, sla_rules=pausing)
    ticket = await line.open(line.time())

    await line.down()
    await line.follow()

    assert (await line.clock(ticket, Metric.RESOLUTION)).due_at is None
    assert (await line.clock(ticket, Metric.FIRST_REPLY)).due_at == ticket.due["first_reply"]

    await line.up()
    await line.follow()
    assert (await line.clock(ticket, Metric.RESOLUTION)).due_at == ticket.due["resolution"] + timedelta(minutes=2)


async def test_a_channel_is_down_once_however_many_tell(line: Line) -> None:
    await asyncio.gather(*(line.down() for _ in range(5)))
    await line.up()
    await line.up()
    await line.down()

    async with line.database.reading() as tx:
        told = await list_outages(tx, limit=10, before=None)
    assert [(one.channel, one.until is None) for one in told] == [("x", True), ("x", False)]


async def test_another_channel_goes_on_and_new_tickets_follow(line: Line) -> None:
    await line.down("forum")
    await line.open(line.time())
    assert await line.follow() == 0

    await line.down("x")
    await line.open(line.time())
    assert [await line.follow(limit=1) for _ in range(3)] == [1, 1, 0]


async def test_a_channel_that_nobody_uses_is_not_found(line: Line) -> None:
    with pytest.raises(outage.ChannelNotFound, match="hyves"):
        await line.down("hyves")
