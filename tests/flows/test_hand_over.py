"""No ticket is hidden by a receiver: what a department does not get, or does not accept, webcare has again."""

import json
from datetime import timedelta

import httpx
import respx
from sqlalchemy import update

from app.access.role import Caller, Role
from app.delivery.endpoints.endpoint import Payload
from app.delivery.tables import endpoint
from app.flows import answer
from app.flows.subscribe import Disclosed, register
from app.flows.watch import pass_time
from app.kit.ids import new_id
from app.runtime import Runtime
from app.sla.clock import Clock as Promise
from app.sla.clock import State
from app.sla.policy import Metric
from app.sla.store import list_clocks
from app.tickets.custody import Holder
from app.tickets.store import Numbered, get_ticket, list_events
from app.tickets.ticket import Ticket
from tests.support.clock import MORNING, Clock
from tests.support.mentions import mention
from tests.support.outbox import AN_HOUR, carry
from tests.support.tickets import ticket_of

ELS = Caller(new_id(), "els", Role.DEPARTMENT, "supply_chain")
A_DAY_ON = MORNING + timedelta(hours=24, minutes=30)  # eight hours of the department's business time
HOOK, OTHER = "https://hooks.example/in", "https://other.example/in"


async def listening(runtime: Runtime, url: str = HOOK, *types: str) -> Disclosed:
    return await runtime.run(
        register,
        ELS,
        runtime.sealer,
        department=None,
        url=url,
        event_types=frozenset(types) or None,
        payload=Payload.THIN,
        secret=None,
    )


async def opened(runtime: Runtime) -> Ticket:
    """A late parcel, which the department answers first-hand on this channel."""
    return await ticket_of(runtime, mention(channel="forum"))


async def now_of(runtime: Runtime, ticket: Ticket) -> Ticket:
    async with runtime.reading() as tx:
        return await get_ticket(tx, ticket.id)


async def promises(runtime: Runtime, ticket: Ticket) -> dict[Metric, Promise]:
    """The department's own."""
    async with runtime.reading() as tx:
        clocks = (await list_clocks(tx, [ticket.id]))[ticket.id]
    return {clock.metric: clock for clock in clocks if clock.department == "supply_chain"}


async def events(runtime: Runtime, ticket: Ticket, event_type: str) -> list[Numbered]:
    async with runtime.reading() as tx:
        return [one for one in await list_events(tx, ticket.id) if one.type == event_type]


@respx.mock
async def test_the_departments_clocks_run_from_the_moment_at_which_its_receiver_took_it(
    runtime: Runtime, clock: Clock
) -> None:
    respx.post(HOOK).mock(side_effect=[httpx.Response(503), *[httpx.Response(204)] * 9])
    await listening(runtime)
    ticket = await opened(runtime)
    assert (ticket.hand_over, ticket.fall_back_at) == ("sent", MORNING + timedelta(minutes=30))
    assert ticket.holder is Holder.DEPARTMENT
    assert set(ticket.due) == {"first_reply", "resolution"}
    await carry(runtime)
    assert await promises(runtime, ticket) == {}
    clock.pass_(minutes=10)
    await runtime.database.transact(lambda tx: tx.execute(update(endpoint).values(throttled_until=None)))
    await carry(runtime, AN_HOUR)
    there = await now_of(runtime, ticket)
    assert (there.hand_over, there.fall_back_at) == ("arrived", A_DAY_ON + timedelta(minutes=10))
    started = {metric: promise.started_at for metric, promise in (await promises(runtime, ticket)).items()}
    assert started == {Metric.ACCEPTANCE: clock(), Metric.OWNERSHIP: clock()}
    assert len(await events(runtime, ticket, "ticket.delivered")) == 1


async def test_a_department_without_a_receiver_for_it_has_it_at_once(runtime: Runtime) -> None:
    await listening(runtime, HOOK, "sla.warning")
    ticket = await opened(runtime)
    assert (ticket.hand_over, ticket.fall_back_at) == ("arrived", A_DAY_ON)
    assert {promise.started_at for promise in (await promises(runtime, ticket)).values()} == {MORNING}


async def test_what_did_not_arrive_in_time_is_webcares_again_and_both_are_told(runtime: Runtime, clock: Clock) -> None:
    await listening(runtime)
    ticket = await opened(runtime)
    clock.pass_(minutes=30)
    assert await runtime.run(pass_time) == 1
    back = await now_of(runtime, ticket)
    assert (back.holder, back.state, back.department) == (Holder.WEBCARE, "routed", "supply_chain")
    assert (back.hand_over, back.fall_back_at) == (None, None)
    (told,) = await events(runtime, ticket, "ticket.fell_back")
    assert told.data == {"reason": "not_delivered", "department": "supply_chain"}
    assert back.due["first_reply"] == ticket.due["first_reply"]
    assert await promises(runtime, ticket) == {}
    assert await runtime.run(pass_time) == 0


async def test_what_nobody_accepted_in_time_is_webcares_again(runtime: Runtime, clock: Clock) -> None:
    ticket = await opened(runtime)
    clock.pass_(days=1, minutes=30)
    await runtime.run(pass_time)
    (told,) = await events(runtime, ticket, "ticket.fell_back")
    assert told.data["reason"] == "not_accepted"
    assert (await now_of(runtime, ticket)).holder is Holder.WEBCARE
    assert (await promises(runtime, ticket))[Metric.ACCEPTANCE].ended_at == clock()


async def test_what_was_accepted_stays(runtime: Runtime, clock: Clock) -> None:
    ticket = await opened(runtime)
    accepted = await runtime.run(answer.accept, ELS, ticket.id, None)
    assert (accepted.hand_over, accepted.fall_back_at) == (None, None)
    clock.pass_(days=2)
    assert await runtime.run(pass_time) == 0


@respx.mock
async def test_what_no_receiver_will_take_is_webcares_again_at_once(runtime: Runtime) -> None:
    respx.post(HOOK).respond(410)
    heard = respx.post(OTHER).respond(204)
    await listening(runtime, HOOK, "ticket.routed")
    await listening(runtime, OTHER, "ticket.fell_back")
    ticket = await opened(runtime)
    await carry(runtime)
    await carry(runtime)
    assert (await now_of(runtime, ticket)).holder is Holder.WEBCARE
    told = json.loads(heard.calls.last.request.content)
    assert (told["type"], told["data"]["details"]["reason"]) == ("ticket.fell_back", "not_delivered")


@respx.mock
async def test_one_receiver_that_took_it_is_enough(runtime: Runtime) -> None:
    respx.post(HOOK).respond(410)
    respx.post(OTHER).respond(204)
    await listening(runtime, HOOK, "ticket.routed")
    await listening(runtime, OTHER, "ticket.routed")
    ticket = await opened(runtime)
    await carry(runtime)
    assert (await now_of(runtime, ticket)).hand_over == "arrived"
    assert (await now_of(runtime, ticket)).holder is Holder.DEPARTMENT


@respx.mock
async def test_what_another_receiver_may_still_take_waits_for_it(runtime: Runtime) -> None:
    respx.post(HOOK).respond(410)
    respx.post(OTHER).respond(503)
    await listening(runtime, HOOK, "ticket.routed")
    await listening(runtime, OTHER, "ticket.routed")
    ticket = await opened(runtime)
    await carry(runtime)
    assert (await now_of(runtime, ticket)).hand_over == "sent"
    assert (await now_of(runtime, ticket)).holder is Holder.DEPARTMENT


async def test_who_acts_on_it_has_it_whatever_the_receiver_is_about_to_answer(runtime: Runtime) -> None:
    await listening(runtime)
    ticket = await opened(runtime)
    await runtime.run(answer.accept, ELS, ticket.id, ticket.version)
    acceptance = (await promises(runtime, ticket))[Metric.ACCEPTANCE]
    assert (acceptance.started_at, acceptance.state) == (MORNING, State.MET)
    assert len(await events(runtime, ticket, "ticket.delivered")) == 1
