"""A claim lasts ten minutes of working time, longer for who works on it, and then the ticket is anybody's again."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access.role import Caller, Role
from app.flows import answer, work
from app.flows.admit import issue
from app.flows.say import Speech
from app.flows.watch import pass_time
from app.kit.clock import utc_now
from app.kit.ids import new_id
from app.runtime import Runtime
from app.tickets.custody import Holder
from app.tickets.legal import ClaimedByAnother
from app.tickets.store import get_ticket, list_events
from app.tickets.ticket import State, Ticket
from tests.support.clock import MORNING, Clock
from tests.support.mentions import mention
from tests.support.tickets import ticket_of

ANNA, BRAM = Caller(new_id(), "anna", Role.AGENT), Caller(new_id(), "bram", Role.AGENT)
LEA = Caller(new_id(), "lea", Role.MANAGER)
TEN = timedelta(minutes=10)
LONG_AGO = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday


async def opened(runtime: Runtime, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention("Goedemorgen allemaal", **facts))


async def standing(runtime: Runtime, ticket: Ticket) -> Ticket:
    async with runtime.reading() as tx:
        return await get_ticket(tx, ticket.id)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (MORNING, MORNING + TEN),
        (datetime(2026, 11, 18, 20, 55, tzinfo=UTC), datetime(2026, 11, 19, 7, 5, tzinfo=UTC)),
        (datetime(2026, 11, 18, 22, 0, tzinfo=UTC), datetime(2026, 11, 18, 22, 10, tzinfo=UTC)),
        (datetime(2026, 11, 19, 6, 55, tzinfo=UTC), datetime(2026, 11, 19, 7, 5, tzinfo=UTC)),
    ],
    ids=["by day", "over the night", "at night", "just before work"],
)
async def test_a_lease_is_counted_in_working_time(
    runtime: Runtime, clock: Clock, at: datetime, until: datetime
) -> None:
    """Webcare works from 8 to 22 in Amsterdam. Who works outside these hours does not hold a ticket until morning."""
    clock.at = at
    ticket = await opened(runtime, at=at)

    assert (await runtime.run(work.claim, ANNA, ticket.id, None)).lease_until == until


ANY_WORK = pytest.mark.parametrize(
    "act",
    [
        lambda runtime, one: runtime.run(work.renew, ANNA, one.id, None),
        lambda runtime, one: runtime.run(work.note, ANNA, one.id, None, "belde ook"),
        lambda runtime, one: runtime.run(work.update, ANNA, one.id, None, priority="high"),
        lambda runtime, one: runtime.run(answer.reply, ANNA, one.id, None, Speech("Goedemorgen!")),
        lambda runtime, one: runtime.run(work.claim, ANNA, one.id, None),
    ],
    ids=["lease", "note", "update", "reply", "claim"],
)


@ANY_WORK
async def test_who_works_on_a_ticket_keeps_it(
    runtime: Runtime, clock: Clock, act: Callable[[Runtime, Ticket], Awaitable[object]]
) -> None:
    ticket = await opened(runtime)
    await runtime.run(work.claim, ANNA, ticket.id, None)
    clock.pass_(minutes=9)

    await act(runtime, ticket)

    assert (await standing(runtime, ticket)).lease_until == clock() + TEN
    with pytest.raises(ClaimedByAnother):
        await runtime.run(work.claim, BRAM, ticket.id, None)


@ANY_WORK
async def test_work_on_what_a_lead_assigned_makes_it_theirs_no_shorter(
    runtime: Runtime, clock: Clock, act: Callable[[Runtime, Ticket], Awaitable[object]]
) -> None:
    await runtime.run(issue, Role.AGENT, "anna", None)
    ticket = await opened(runtime)
    given = await runtime.run(work.assign, LEA, ticket.id, None, "anna", None)
    clock.pass_(minutes=9)

    await act(runtime, ticket)

    assert (await standing(runtime, ticket)).lease_until == given.lease_until


async def test_what_a_colleague_does_renews_nobodys_lease(runtime: Runtime, clock: Clock) -> None:
    ticket = await opened(runtime)
    claimed = await runtime.run(work.claim, ANNA, ticket.id, None)
    clock.pass_(minutes=9)

    await runtime.run(work.note, BRAM, ticket.id, None, "ik weet hier iets van")

    assert (await standing(runtime, ticket)).lease_until == claimed.lease_until


async def test_a_ticket_that_lies_is_put_back_and_history_says_so(runtime: Runtime, clock: Clock) -> None:
    clock.at = LONG_AGO
    lying, kept = [await opened(runtime, at=LONG_AGO) for _ in range(2)]
    await runtime.run(work.claim, ANNA, lying.id, None)
    clock.at = utc_now()
    await runtime.run(work.claim, BRAM, kept.id, None)

    assert [await runtime.run(pass_time) for _ in range(2)] == [1, 0]

    back = await standing(runtime, lying)
    assert (back.state, back.assignee, back.lease_until, back.holder) == (State.TRIAGE, None, None, Holder.WEBCARE)
    assert (await standing(runtime, kept)).assignee == "agent:bram"
    async with runtime.reading() as tx:
        taken, put_back = [one for one in await list_events(tx, lying.id) if one.type == "ticket.reassigned"]
    assert (taken.actor, put_back.actor) == ("agent:anna", "system")
    assert put_back.data == {"assignee": None, "from": "agent:anna", "reason": "the lease expired"}


async def test_a_lease_that_is_over_keeps_nobody_away_even_before_it_is_noticed(runtime: Runtime, clock: Clock) -> None:
    ticket = await opened(runtime)
    await runtime.run(work.claim, ANNA, ticket.id, None)
    clock.pass_(minutes=10)

    assert (await runtime.run(work.claim, BRAM, ticket.id, None)).assignee == "agent:bram"


async def test_what_was_snoozed_or_waited_comes_back_to_who_had_it(runtime: Runtime, clock: Clock) -> None:
    """In the queue and free, and kept for Anna while she is at work and it does not press."""
    snoozed, waiting, at_hand = [await opened(runtime, conversation_id=f"c-{number}") for number in range(3)]
    for one in (snoozed, waiting, at_hand):
        await runtime.run(work.claim, ANNA, one.id, None)
    away = await runtime.run(work.snooze, ANNA, snoozed.id, None, clock() + TEN)
    await runtime.run(work.wait, ANNA, waiting.id, None, None)
    await opened(runtime, conversation_id="c-1")  # the customer posts again

    back = await standing(runtime, waiting)
    for one in (away, back):
        assert (one.state, one.assignee, one.lease_until, one.helped_by) == (State.TRIAGE, None, None, "agent:anna")
