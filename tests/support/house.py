"""A house at work: its database and rulebook, at any moment, and what sweeps make of its tickets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app.flows.record import record
from app.flows.watch import pass_time, tell, watch
from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.rulebook import Rulebook
from app.runtime import Unit
from app.settings import Settings
from app.sla.clock import Clock
from app.sla.policy import Metric
from app.sla.store import list_clocks
from app.sla.tables import clock as clock_table
from app.sla.tables import rung
from app.tickets.store import Numbered, claim_ticket, get_ticket, list_events
from app.tickets.ticket import Event, Step, Ticket
from tests.support.clock import AN_HOUR_AGO, MOMENT
from tests.support.standing import add_ticket

LONG_AGO = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday


class House:
    """A database and a rulebook, at a moment of the test's choice."""

    def __init__(self, database: Database, rulebook: Rulebook) -> None:
        self.database = database
        self.rulebook = rulebook

    def unit(self, tx: Transaction, now: datetime) -> Unit:
        return Unit(tx, now, self.rulebook, Settings())

    async def open(self, asked_at: datetime, **facts: Any) -> Ticket:
        """A ticket that was asked at that moment, with its clocks."""

        async def unit(tx: Transaction) -> Ticket:
            bare = replace(await add_ticket(tx, asked_at), **facts)
            opened = Step(bare, bare, (Event("ticket.opened", "system", counts_from=asked_at),))
            return (await record(self.unit(tx, asked_at), [opened]))[bare.id]

        return await self.database.transact(unit)

    async def watch(self, now: datetime | None = None, limit: int = 200) -> int:
        return await self.database.transact(lambda tx: watch(self.unit(tx, now or utc_now()), limit))

    async def watch_all(self) -> None:
        """Until nothing is due: a clock that comes to several rungs climbs one at a time. Then a moment passes."""
        while await self.watch():
            pass
        waiting = update(rung).values(tell_at=rung.c.tell_at - MOMENT)
        await self.database.transact(lambda tx: tx.execute(waiting))

    async def tell(self) -> int:
        return await self.database.transact(lambda tx: tell(self.unit(tx, utc_now())))

    async def events(self, ticket_id: UUID) -> tuple[Numbered, ...]:
        async with self.database.reading() as tx:
            return await list_events(tx, ticket_id)

    async def act(self, ticket: Ticket, act: Callable[[Ticket], Step], now: datetime) -> Ticket:
        """What an act makes of a ticket as it stands."""

        async def unit(tx: Transaction) -> Ticket:
            return (await record(self.unit(tx, now), [act(await claim_ticket(tx, ticket.id))]))[ticket.id]

        return await self.database.transact(unit)

    async def pass_time(self) -> int:
        return await self.database.transact(lambda tx: pass_time(self.unit(tx, utc_now())))

    async def read(self, ticket: Ticket) -> Ticket:
        async with self.database.reading() as tx:
            return await get_ticket(tx, ticket.id)

    async def open_windows(self) -> None:
        """It is the time of day at which people may be told of what waits."""
        untold = update(rung).where(rung.c.tell_at.is_not(None)).values(tell_at=AN_HOUR_AGO)
        await self.database.transact(lambda tx: tx.execute(untold))

    async def spoil(self, ticket: Ticket) -> None:
        """Its clocks can be read no more."""

        async def unit(tx: Transaction) -> None:
            await claim_ticket(tx, ticket.id)
            await tx.execute(update(clock_table).where(clock_table.c.ticket_id == ticket.id).values(policy={}))

        await self.database.transact(unit)

    async def clock(self, ticket: Ticket, metric: Metric) -> Clock:
        async with self.database.reading() as tx:
            clocks = await list_clocks(tx, [ticket.id])
        return next(clock for clock in clocks[ticket.id] if clock.metric is metric)

    async def told(self, ticket_id: UUID) -> list[tuple[str, str]]:
        events = await self.events(ticket_id)
        return [(one.type, one.data["metric"]) for one in events if one.type.startswith("sla.")]
