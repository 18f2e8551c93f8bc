"""A post about several things has one owner; others are asked for their part, and can do no more than give it."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from app.access.role import Caller, Role
from app.answers.history.store import list_conversation, list_timeline
from app.answers.store import list_answers
from app.flows import answer
from app.flows.answer import Terms
from app.flows.receive import receive, withdraw
from app.flows.say import Speech
from app.flows.settle import Received
from app.kit.ids import new_id
from app.routing.store import list_decisions
from app.runtime import Runtime
from app.tickets.consulting import OnlyConsulted
from app.tickets.store import TicketNotFound, get_ticket, list_events
from app.tickets.ticket import State, Ticket
from tests.support.mentions import mention

TWO = "Mijn pakket is niet aangekomen, al twee weken niet geleverd. En mijn factuur klopt niet."
ELS = Caller(new_id(), "els", Role.DEPARTMENT, "supply_chain")
BO = Caller(new_id(), "bo", Role.DEPARTMENT, "billing")
NIA = Caller(new_id(), "nia", Role.DEPARTMENT, "network")
PART = Speech("De factuur is vandaag gecorrigeerd")


async def opened(runtime: Runtime, text: str = TWO) -> Received:
    [received] = await receive(runtime, [mention(text, channel="forum")])
    assert isinstance(received, Received)
    return received


async def told(runtime: Runtime, caller: Caller, ticket: Ticket, speech: Speech = PART) -> answer.Answered:
    return await runtime.run(
        answer.answer, caller, ticket.id, None, speech, publish=True, resolve=True, terms=Terms(reusable=True)
    )


def owned(received: Received) -> Ticket:
    assert received.ticket is not None
    return received.ticket


async def test_the_owner_of_the_other_part_is_consulted(runtime: Runtime) -> None:
    received = await opened(runtime)
    ticket = owned(received)
    assert (ticket.department, ticket.topic, ticket.consulted) == ("supply_chain", "delivery_delay", ("billing",))

    [part] = [reason["facts"] for reason in received.reasons if reason["code"] == "part"]
    assert (part["topic"], part["department"], part["part"], part["consulted"]) == (
        "invoice_wrong",
        "billing",
        "mijn factuur klopt niet",
        True,
    )
    async with runtime.reading() as tx:
        [asked] = [one for one in await list_events(tx, ticket.id) if one.type == "ticket.consulted"]
    assert asked.data == {"topics": {"billing": ["invoice_wrong"]}}
    assert set(asked.departments) == {"billing", "supply_chain"}


async def test_who_is_consulted_reads_the_ticket_and_nobody_else_does(runtime: Runtime) -> None:
    ticket = owned(await opened(runtime))
    async with runtime.reading() as tx:
        ways: list[Callable[..., Awaitable[object]]] = [
            partial(get_ticket, tx, ticket.id),
            partial(list_timeline, tx, ticket.id, after=None, limit=10),
            partial(list_conversation, tx, ticket.id, after=None, limit=10),
        ]
        for read in ways:
            assert await read(department="billing")
            with pytest.raises(TicketNotFound):
                await read(department="network")


async def test_a_part_is_added_and_moves_nothing(runtime: Runtime) -> None:
    ticket = owned(await opened(runtime))
    answered = await told(runtime, BO, ticket)

    assert (answered.reply, answered.answer.first_hand, answered.answer.reusable) == (None, False, False)
    assert (answered.ticket.state, answered.ticket.custody) == (ticket.state, ticket.custody)
    async with runtime.reading() as tx:
        assert [(one.department, one.text) for one in await list_answers(tx, ticket.id)] == [("billing", PART.text)]
        last = (await list_events(tx, ticket.id))[-1]
    assert (last.type, last.data["department"]) == ("ticket.contributed", "billing")


async def test_who_is_consulted_may_do_nothing_else(runtime: Runtime) -> None:
    ticket = owned(await opened(runtime))
    with pytest.raises(OnlyConsulted):
        await runtime.run(answer.accept, BO, ticket.id, None)
    with pytest.raises(TicketNotFound):
        await told(runtime, NIA, ticket)


async def test_the_owner_answers_as_ever(runtime: Runtime) -> None:
    ticket = owned(await opened(runtime))
    await told(runtime, BO, ticket)
    answered = await told(runtime, ELS, ticket, Speech("Je pakket komt morgen"))
    assert answered.reply is not None
    assert (answered.ticket.state, answered.answer.version) == (State.RESOLVED, 2)


async def test_a_post_about_one_thing_consults_nobody(runtime: Runtime) -> None:
    assert owned(await opened(runtime, "Waar blijft mijn pakket? Zou gisteren komen")).consulted == ()


async def test_a_deleted_post_takes_its_parts_along(runtime: Runtime) -> None:
    said = mention("Waar blijft mijn bestelling? En hoe kan ik mijn abonnement opzeggen?", channel="forum")
    [received] = await receive(runtime, [said])
    assert isinstance(received, Received)
    assert {"part", "first_part", "phrase"} <= {reason["code"] for reason in received.reasons}
    await runtime.run(withdraw, said.key)
    async with runtime.reading() as tx:
        [decided] = await list_decisions(tx, owned(received).id)
    assert (decided.record["secondary"], decided.record["evidence"]) == ([], [])
    assert not {"part", "first_part", "tone", "phrase"} & {reason["code"] for reason in decided.record["reasons"]}
