from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.kit.clock import utc_now
from app.kit.db import Database
from app.rulebook import Rulebook
from app.sla.clock import State
from app.sla.policy import Metric
from app.sla.tables import clock as clock_table
from app.tickets import lifecycle
from app.tickets.store import get_ticket
from app.tickets.ticket import State as Ticketed
from tests.support.house import LONG_AGO, House


@pytest.fixture
def house(database: Database, rulebook: Rulebook) -> House:
    return House(database, rulebook)


async def test_what_came_by_is_told_once_at_its_own_moment(house: House) -> None:
    ticket = await house.open(LONG_AGO)

    assert await house.watch() == 2
    await house.watch_all()

    first_reply = await house.clock(ticket, Metric.FIRST_REPLY)
    assert (first_reply.state, first_reply.warned_at, first_reply.breached_at) == (
        State.BREACHED,
        LONG_AGO + timedelta(minutes=45),
        LONG_AGO + timedelta(hours=1),
    )
    assert await house.told(ticket.id) == [
        ("sla.warning", "first_reply"),
        ("sla.breached", "first_reply"),
        ("sla.warning", "resolution"),
        ("sla.breached", "resolution"),
    ]


async def test_what_is_to_come_is_left_alone(house: House) -> None:
    ticket = await house.open(utc_now())
    before = await house.clock(ticket, Metric.FIRST_REPLY)

    assert await house.watch() == 0
    assert await house.clock(ticket, Metric.FIRST_REPLY) == before


async def test_the_databases_clock_says_what_is_due(house: House) -> None:
    """A machine whose clock is far behind records what the database claims, and does not claim it for ever."""
    ticket = await house.open(LONG_AGO)

    assert await house.watch(now=LONG_AGO + timedelta(minutes=1)) == 2
    assert (await house.clock(ticket, Metric.FIRST_REPLY)).state is State.BREACHED


async def test_a_clock_that_cannot_be_read_holds_nobody_up(house: House) -> None:
    tickets = [await house.open(LONG_AGO + timedelta(minutes=minute)) for minute in range(5)]
    broken = tickets[1]

    await house.spoil(broken)

    assert await house.watch() == 10
    await house.watch_all()
    assert [len(await house.told(ticket.id)) for ticket in tickets] == [4, 0, 4, 4, 4]
    async with house.database.reading() as tx:
        timers = await tx.rows(select(clock_table.c.next_at).where(clock_table.c.ticket_id == broken.id))
        assert all(timer.next_at > utc_now() for timer in timers)
        assert (await get_ticket(tx, broken.id)).version == broken.version


async def test_a_sweep_takes_no_more_than_it_is_given(house: House) -> None:
    """Of three tickets with two due clocks each; a ticket that is read again is read whole."""
    house.rulebook = replace(house.rulebook, ladders={})
    for minute in range(3):
        await house.open(LONG_AGO + timedelta(minutes=minute))

    assert [await house.watch(limit=2) for _ in range(3)] == [2, 2, 0]


async def test_what_waited_long_enough_comes_back_and_what_stayed_resolved_closes(house: House) -> None:
    waiting, resolved, snoozed = [await house.open(LONG_AGO) for _ in range(3)]
    until = LONG_AGO + timedelta(hours=1)
    await house.act(waiting, lambda one: lifecycle.wait(one, "agent:anna", until, LONG_AGO), LONG_AGO)
    await house.act(resolved, lambda one: lifecycle.resolve(one, "agent:anna", "solved", None, LONG_AGO), LONG_AGO)
    await house.act(snoozed, lambda one: lifecycle.snooze(one, "agent:anna", until, LONG_AGO), LONG_AGO)

    assert [await house.pass_time() for _ in range(2)] == [3, 0]
    assert [(await house.read(one)).state for one in (waiting, resolved)] == [Ticketed.ROUTED, Ticketed.CLOSED]


async def test_a_ticket_whose_clocks_cannot_be_read_keeps_no_other_waiting(house: House) -> None:
    tickets = [await house.open(LONG_AGO) for _ in range(3)]
    until = LONG_AGO + timedelta(hours=1)
    for one in tickets:
        await house.act(one, lambda one: lifecycle.wait(one, "agent:anna", until, LONG_AGO), LONG_AGO)
    await house.spoil(tickets[0])

    assert await house.pass_time() == 2
    assert [(await house.read(one)).state for one in tickets] == [
        Ticketed.WAITING_CUSTOMER,
        Ticketed.ROUTED,
        Ticketed.ROUTED,
    ]
