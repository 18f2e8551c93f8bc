"""PR's word on an incident is said once on each of its tickets."""

import asyncio

import pytest
from sqlalchemy import select, update

from app.answers.store import list_replies
from app.delivery.envelope import Saying
from app.delivery.tables import message
from app.escalation.embargoes.embargo import Scope
from app.escalation.incidents import store as incidents
from app.escalation.incidents.incident import Incident, IncidentClosed, IncidentState
from app.escalation.statements.statement import UnknownMergeField
from app.escalation.store import EscalationState as Escalated
from app.escalation.store import Wanted
from app.flows import combine, state, work
from app.kit.clock import utc_now
from app.runtime import Runtime
from app.sla.tables import clock as clock_table
from app.tickets.store import get_ticket, list_mentions
from app.tickets.ticket import Ticket
from tests.flows.test_escalate import ANNA, EVA, queue
from tests.flows.test_hold import kept_back
from tests.flows.test_spikes import found, look, post, remember
from tests.support.clock import Clock
from tests.support.mentions import mention
from tests.support.tickets import ticket_of

SORRY = {"nl": "Dag {customer_name}, de vertraging ({topic}) is opgelost. Ticket {ticket_number}."}


@pytest.fixture
def clock() -> Clock:
    return Clock(utc_now())


async def begun(runtime: Runtime, posts: int = 10) -> Incident:
    await remember(runtime)
    await post(runtime, posts)
    await look(runtime)
    [one] = await found(runtime)
    return one


async def tickets_of(runtime: Runtime, one: Incident) -> list[Ticket]:
    async with runtime.reading() as tx:
        attached = await incidents.list_attached(tx, one.id, limit=100)
        return [await get_ticket(tx, each.ticket_id) for each in attached]


async def said(runtime: Runtime, one: Incident) -> list[list[str]]:
    async with runtime.reading() as tx:
        return [[r.text for r in await list_replies(tx, ticket.id)] for ticket in await tickets_of(runtime, one)]


async def test_a_statement_is_said_once_on_each_ticket_and_on_those_that_join(runtime: Runtime) -> None:
    one = await begun(runtime)
    await runtime.run(state.approve, EVA, one.id, SORRY)
    assert await runtime.run(state.say_statements, 100) == 10
    assert await runtime.run(state.say_statements, 100) == 0

    await post(runtime, 2, by="v")
    await look(runtime)
    assert await runtime.run(state.say_statements, 100) == 2
    words = await said(runtime, one)
    assert [len(each) for each in words] == [1] * 12
    first = (await tickets_of(runtime, one))[0]
    assert words[0] == [f"Dag u0, de vertraging (Vertraagde levering) is opgelost. Ticket {first.number}."]
    assert "first_reply" not in first.due

    async with runtime.reading() as tx:
        sent = await tx.rows(select(message.c.ticket_id).where(message.c.type == Saying.STATEMENT))
    assert {row.ticket_id for row in sent} == {ticket.id for ticket in await tickets_of(runtime, one)}
    assert len(sent) == 12


async def test_it_is_said_in_the_conversation_of_the_ticket_whatever_was_merged_in(runtime: Runtime) -> None:
    one = await begun(runtime)
    into = (await tickets_of(runtime, one))[0]
    later = await ticket_of(runtime, mention("Nog iets", channel="forum", at=utc_now()))
    await runtime.run(combine.merge, ANNA, later.id, None, into.id, confirmed=True)

    await runtime.run(state.approve, EVA, one.id, SORRY)
    await runtime.run(state.say_statements, 100)

    async with runtime.reading() as tx:
        [given] = await list_replies(tx, into.id)
        posts = {row["id"]: row["channel"] for row in await list_mentions(tx, into.id)}
    assert given.mention_id is not None
    assert (posts[given.mention_id], set(posts.values())) == (into.channel, {into.channel, "forum"})


async def test_two_workers_say_it_once(runtime: Runtime) -> None:
    one = await begun(runtime)
    await runtime.run(state.approve, EVA, one.id, SORRY)
    await asyncio.gather(*(runtime.run(state.say_statements, 4) for _ in range(8)))
    while await runtime.run(state.say_statements, 4):
        pass
    assert [len(each) for each in await said(runtime, one)] == [1] * 10


async def test_whoever_works_on_a_ticket_keeps_it_and_no_embargo_holds_prs_own_words(runtime: Runtime) -> None:
    one = await begun(runtime)
    mine = (await tickets_of(runtime, one))[0]
    await runtime.run(work.claim, ANNA, mine.id, None)
    [raised] = await queue(runtime)
    await kept_back(runtime, raised, Scope.INCIDENT)

    await runtime.run(state.approve, EVA, one.id, SORRY)
    await runtime.run(state.say_statements, 100)

    assert [len(each) for each in await said(runtime, one)] == [1] * 10
    assert (await tickets_of(runtime, one))[0].assignee == "agent:anna"


async def test_what_the_platform_does_not_take_is_said_nowhere_and_kept_as_such(runtime: Runtime) -> None:
    one = await begun(runtime)
    await runtime.run(state.approve, EVA, one.id, {"nl": "Te lang voor dit kanaal. " * 100})
    assert await runtime.run(state.say_statements, 100) == 10
    assert await runtime.run(state.say_statements, 100) == 0
    async with runtime.reading() as tx:
        [reach] = (await incidents.list_reaches(tx, [one.id])).values()
    assert (reach.tickets, reach.told) == (10, 0)
    assert await said(runtime, one) == [[]] * 10


async def test_a_later_statement_is_said_too(runtime: Runtime) -> None:
    one = await begun(runtime)
    for text in ("Er is vertraging, {customer_name}.", "De vertraging is over, {customer_name}."):
        await runtime.run(state.approve, EVA, one.id, {"nl": text})
        await runtime.run(state.say_statements, 100)
    assert [len(each) for each in await said(runtime, one)] == [2] * 10


async def test_a_text_with_a_strange_field_is_refused(runtime: Runtime) -> None:
    one = await begun(runtime)
    with pytest.raises(UnknownMergeField):
        await runtime.run(state.approve, EVA, one.id, {"nl": "Dag {naam}"})


async def test_closing_an_incident_closes_its_escalation_and_ends_its_statements(runtime: Runtime) -> None:
    one = await begun(runtime)
    await runtime.run(state.approve, EVA, one.id, SORRY)

    closed = await runtime.run(state.close, EVA, one.id, "Bel eerst de bezorger")

    assert (closed.state, closed.closed_by, closed.lesson) == (IncidentState.CLOSED, "pr:eva", "Bel eerst de bezorger")
    assert await runtime.run(state.say_statements, 100) == 0
    [raised] = await queue(runtime, Wanted(state=Escalated.CLOSED))
    assert raised.lesson == "Bel eerst de bezorger"
    with pytest.raises(IncidentClosed):
        await runtime.run(state.close, EVA, one.id, "nog een")
    with pytest.raises(IncidentClosed):
        await runtime.run(state.approve, EVA, one.id, SORRY)


async def test_a_ticket_whose_clocks_cannot_be_read_keeps_the_statement_from_nobody_else(runtime: Runtime) -> None:
    one = await begun(runtime)
    spoilt = (await tickets_of(runtime, one))[0]
    unreadable = update(clock_table).where(clock_table.c.ticket_id == spoilt.id).values(policy={})
    await runtime.database.transact(lambda tx: tx.execute(unreadable))
    await runtime.run(state.approve, EVA, one.id, SORRY)

    await runtime.run(state.say_statements, 100)

    assert [len(each) for each in await said(runtime, one)] == [0] + [1] * 9
    assert await runtime.run(state.say_statements, 100) == 0
    async with runtime.reading() as tx:
        [reach] = (await incidents.list_reaches(tx, [one.id])).values()
    assert (reach.tickets, reach.told) == (10, 9)
