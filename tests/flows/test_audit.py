"""Whatever people, customers and time do to tickets, their events alone lead to what stands on them.

The pure counterpart (tests/logic/test_replay.py) tries many more histories; here they go through the real flows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.access.role import Caller, Role
from app.answers.reply import Reply
from app.flows import answer, combine, work
from app.flows.receive import receive
from app.flows.say import Speech
from app.flows.settle import Received
from app.flows.watch import pass_time
from app.kit.db import Database
from app.kit.errors import WebcareError
from app.kit.ids import new_id
from app.runtime import Runtime, Unit
from app.tickets.merging import LinkKind
from app.tickets.replay import passing_aside, replay
from app.tickets.store import get_ticket, list_events
from app.tickets.tables import ticket as ticket_table
from app.tickets.tagging import Tagging
from app.tickets.ticket import OPEN, Ticket
from tests.conftest import EMPTY
from tests.support.mentions import GREETING, LATE_PARCEL, mention

LONG_AGO = datetime(2026, 3, 4, 10, tzinfo=UTC)  # whatever is put off is over by the database's own clock
AGENTS = [Caller(new_id(), name, Role.AGENT) for name in ("anna", "bram")]
LEAD = Caller(new_id(), "lea", Role.MANAGER)
SUPPLY = Caller(new_id(), "els", Role.DEPARTMENT, "supply_chain")

Act = Callable[[Unit, Caller, Ticket, Ticket], Awaitable[Ticket | tuple[Ticket, Reply]]]

# What can be done to `one`, with `other` at hand. Most of it is refused most of the time, as it should be.
ACTS: dict[str, Act] = {
    "claim": lambda unit, who, one, _: work.claim(unit, who, one.id, None),
    "release": lambda unit, who, one, _: work.release(unit, who, one.id, None),
    "lease": lambda unit, who, one, _: work.renew(unit, who, one.id, None),
    "note": lambda unit, who, one, _: work.note(unit, who, one.id, None, "gebeld"),
    "raise": lambda unit, who, one, _: work.update(unit, who, one.id, None, priority="urgent"),
    "tag": lambda unit, who, one, _: work.update(unit, who, one.id, None, tags=Tagging(add=("vip",))),
    "untag": lambda unit, who, one, _: work.update(unit, who, one.id, None, tags=Tagging(remove=("vip",))),
    "topic": lambda unit, who, one, _: work.reroute(
        unit, who, one.id, None, topic="delivery_delay", department=None, reason="r"
    ),
    "department": lambda unit, who, one, _: work.reroute(
        unit, who, one.id, None, topic=None, department="billing", reason="r"
    ),
    "wait": lambda unit, who, one, _: work.wait(unit, who, one.id, None, unit.now + timedelta(hours=1)),
    "snooze": lambda unit, who, one, _: work.snooze(unit, who, one.id, None, unit.now + timedelta(hours=1)),
    "resolve": lambda unit, who, one, _: work.resolve(unit, who, one.id, None, "solved", None),
    "reopen": lambda unit, who, one, _: work.reopen(unit, who, one.id, None, "r"),
    "reply": lambda unit, who, one, _: answer.reply(unit, who, one.id, None, Speech("Dag!")),
    "accept": lambda unit, _, one, __: answer.accept(unit, SUPPLY, one.id, None),
    "take away": lambda unit, _, one, __: work.assign(unit, LEAD, one.id, None, None, "r"),
    "link": lambda unit, who, one, other: combine.link(unit, who, one.id, None, other.id, LinkKind.RELATED),
}
PLACES = st.integers(0, 9)


class House(RuleBasedStateMachine):
    """Up to a few tickets that are worked on by everybody at once."""

    runtime: Runtime
    runner: asyncio.Runner

    @initialize()
    def empty(self) -> None:
        self.now = LONG_AGO
        self.run(lambda unit: unit.tx.execute(EMPTY))
        self.tickets: list[Ticket] = []
        self.the_customer_posts("a", LATE_PARCEL)
        self.the_customer_posts("b", GREETING)

    @property
    def at_work(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket.state in OPEN]

    def run(self, flow: Callable[..., Awaitable[Any]], *asked: Any) -> None:
        self.now += timedelta(minutes=1)
        runtime = replace(self.runtime, now=lambda: self.now)
        with suppress(WebcareError):
            self.runner.run(runtime.run(flow, *asked))
        self.runner.run(self.look())

    async def look(self) -> None:
        async with self.runtime.reading() as tx:
            ids = [row.id for row in await tx.rows(ticket_table.select().order_by(ticket_table.c.id))]
            self.tickets = [await get_ticket(tx, ticket_id) for ticket_id in ids]
            self.histories = [await list_events(tx, ticket_id) for ticket_id in ids]

    @rule(thread=st.sampled_from("abc"), text=st.sampled_from([GREETING, LATE_PARCEL]))
    def the_customer_posts(self, thread: str, text: str) -> None:
        said = mention(text, channel="forum", conversation_id=thread, at=self.now)
        runtime = replace(self.runtime, now=lambda: self.now)
        [received] = self.runner.run(receive(runtime, [said]))
        assert isinstance(received, Received)
        self.runner.run(self.look())

    @rule(by=st.sampled_from(AGENTS), acts=st.lists(st.sampled_from(sorted(ACTS)), min_size=1, max_size=5), one=PLACES)
    def somebody_acts(self, by: Caller, acts: list[str], one: int) -> None:
        chosen, beside = (self.tickets[place % len(self.tickets)] for place in (one, one + 1))
        for act in acts:
            self.run(ACTS[act], by, chosen, beside)

    @precondition(lambda self: len(self.at_work) > 1)
    @rule(by=st.sampled_from(AGENTS), one=PLACES)
    def two_become_one(self, by: Caller, one: int) -> None:
        gone, into = (self.at_work[place % len(self.at_work)].id for place in (one, one + 1))
        self.run(lambda unit: combine.merge(unit, by, gone, None, into, confirmed=True))

    @precondition(lambda self: any(ticket.merged_into_id for ticket in self.tickets))
    @rule(by=st.sampled_from(AGENTS), one=PLACES)
    def one_becomes_two(self, by: Caller, one: int) -> None:
        merged = [ticket.id for ticket in self.tickets if ticket.merged_into_id]
        self.run(lambda unit: combine.unmerge(unit, by, merged[one % len(merged)], None, "r"))

    @precondition(lambda self: any(one.snoozed_until or one.wait_until or one.close_at for one in self.tickets))
    @rule()
    def time_passes(self) -> None:
        self.now += timedelta(hours=2)
        self.run(pass_time)

    @invariant()
    def history_leads_to_the_present(self) -> None:
        for ticket, history in zip(self.tickets, self.histories, strict=True):
            assert replay(ticket, [one.changes for one in history if one.changes]) == passing_aside(ticket)

    @invariant()
    def every_event_has_its_number_and_its_version(self) -> None:
        for ticket, history in zip(self.tickets, self.histories, strict=True):
            versions = [one.version for one in history]
            assert [one.sequence for one in history] == list(range(1, ticket.sequence + 1))
            assert versions == sorted(versions)
            assert versions[-1] <= ticket.version

    @invariant()
    def nobody_has_a_ticket_that_is_a_part_of_another(self) -> None:
        open_ = {ticket.id for ticket in self.tickets if ticket.merged_into_id is None}
        for ticket in self.tickets:
            assert ticket.merged_into_id is None or ticket.assignee is None
        assert open_

    @classmethod
    def stand_up(cls, runtime: Runtime, database_url: str) -> None:
        """A loop and connections of its own: hypothesis calls the rules one by one, outside of any loop."""
        few = settings(max_examples=8, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
        with asyncio.Runner() as cls.runner:
            cls.runtime = replace(runtime, database=Database(database_url, pool_size=2))
            try:
                run_state_machine_as_test(cls, settings=few)
            finally:
                cls.runner.run(cls.runtime.database.close())


def test_events_alone_lead_to_what_stands(runtime: Runtime, database_url: str) -> None:
    House.stand_up(runtime, database_url)
