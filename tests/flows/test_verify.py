"""The whole database is walked through, and what does not follow from custody is found and mended."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app.flows.verify import Finding, Verified, verify
from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.rulebook import Rulebook
from app.sla.clock import State
from app.sla.policy import Metric
from app.sla.tables import clock
from app.tickets import lifecycle
from app.tickets.tables import custody
from app.tickets.ticket import Ticket
from tests.support.house import LONG_AGO, House


@pytest.fixture
def house(database: Database, rulebook: Rulebook) -> House:
    return House(database, rulebook)


async def walk(house: House, *, repair: bool = False, past: bool = False, limit: int = 2) -> list[Finding]:
    """All tickets, some at a time."""
    findings: list[Finding] = []
    last: UUID | None = None

    async def batch(tx: Transaction, after: UUID | None) -> Verified:
        return await verify(house.unit(tx, utc_now()), after, limit, repair=repair, past=past)

    while True:
        done = await house.database.transact(partial(batch, after=last))
        if done.last is None:
            return findings
        last = done.last
        findings += done.findings


async def spoilt(house: House, ticket: Ticket, metric: Metric, **values: Any) -> None:
    wrong = update(clock).where(clock.c.ticket_id == ticket.id, clock.c.metric == metric).values(**values)
    await house.database.transact(lambda tx: tx.execute(wrong))


async def test_what_flows_kept_follows_from_custody(house: House) -> None:
    now = utc_now()
    tickets = [await house.open(LONG_AGO + timedelta(minutes=minute)) for minute in range(5)]
    await house.watch_all()
    await house.act(tickets[0], lambda one: lifecycle.reply(one, "agent:anna", {}, now), now)
    await house.act(tickets[1], lambda one: lifecycle.wait(one, "agent:anna", None, now), now)
    await house.act(tickets[2], lambda one: lifecycle.resolve(one, "agent:anna", "solved", None, now), now)
    await house.act(tickets[2], lambda one: lifecycle.reopen(one, "agent:anna", "not solved", now), now)
    await house.open(now)

    assert await walk(house) == []


async def test_an_open_clock_is_mended_and_its_ticket_says_so(house: House) -> None:
    ticket = await house.open(utc_now())
    right = await house.clock(ticket, Metric.FIRST_REPLY)
    await spoilt(house, ticket, Metric.FIRST_REPLY, due_at=LONG_AGO)

    [found] = await walk(house)
    assert (found.number, found.mended) == (ticket.number, False)
    assert found.what.startswith(f"first_reply 1: due_at is {LONG_AGO}, reads ")
    assert [one.mended for one in await walk(house, repair=True)] == [True]

    assert await walk(house) == []
    assert await house.clock(ticket, Metric.FIRST_REPLY) == right
    assert [event.data["clocks"] for event in await house.events(ticket.id) if event.type == "sla.mended"] == [
        [found.what]
    ]


async def test_what_reports_have_counted_is_mended_only_when_that_is_asked(house: House) -> None:
    now = utc_now()
    ticket = await house.open(now)
    await house.act(ticket, lambda one: lifecycle.reply(one, "agent:anna", {}, now), now)
    await spoilt(house, ticket, Metric.FIRST_REPLY, state=State.BREACHED, breached_at=LONG_AGO)

    assert [one.mended for one in await walk(house, repair=True)] == [False]
    assert [one.mended for one in await walk(house, repair=True, past=True)] == [True]
    assert (await house.clock(ticket, Metric.FIRST_REPLY)).state is State.MET


async def test_what_cannot_be_read_is_told_and_holds_nothing_up(house: House) -> None:
    tickets = [await house.open(utc_now()) for _ in range(4)]
    await house.spoil(tickets[1])
    backwards = update(custody).where(custody.c.ticket_id == tickets[2].id).values(holder="nobody")
    await house.database.transact(lambda tx: tx.execute(backwards))
    await spoilt(house, tickets[3], Metric.RESOLUTION, due_at=LONG_AGO)

    found = await walk(house, repair=True, limit=10)

    assert {one.number: one.mended for one in found} == {
        tickets[1].number: False,
        tickets[2].number: False,
        tickets[3].number: True,
    }
