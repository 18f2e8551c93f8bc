"""The customer is asked once per resolution, on time, and answers once."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import func, select, update

from app.access.role import Caller, Role
from app.delivery.tables import message
from app.feedback import store
from app.feedback.invitation import OPT_OUT_TAG, Answer, LinkNotFound, Reason, State
from app.feedback.store import Feedback
from app.feedback.tables import invitation
from app.flows import survey, work
from app.flows.combine import merge
from app.flows.receive import receive
from app.flows.record import record
from app.flows.settle import Received
from app.kit.db import Transaction
from app.kit.ids import digest, new_id
from app.rulebook import Rulebook
from app.runtime import Runtime, Unit
from app.tickets import lifecycle
from app.tickets.store import claim_tickets, get_ticket, list_events
from app.tickets.tagging import Tagging
from app.tickets.ticket import Ticket
from tests.support.clock import Clock
from tests.support.mentions import mention

ANNA = Caller(new_id(), "anna", Role.AGENT)
PROMOTER, DETRACTOR = Answer(9, "snel geholpen"), Answer(3, None)


@pytest.fixture
def rulebook(rulebook: Rulebook) -> Rulebook:
    """Everybody is asked, so that no test depends on a ticket's lot."""
    return replace(rulebook, feedback=replace(rulebook.feedback, channels={}))


async def opened(runtime: Runtime, by: str = "sanne", **facts: Any) -> Ticket:
    (received,) = await receive(runtime, [mention(by=by, **facts)])
    assert isinstance(received, Received)
    assert received.ticket is not None
    return received.ticket


async def resolved(runtime: Runtime, by: str = "sanne", code: str = "solved", **facts: Any) -> Ticket:
    ticket = await opened(runtime, by, **facts)
    return await runtime.run(work.resolve, ANNA, ticket.id, None, code, None)


async def feedback_of(runtime: Runtime, ticket: Ticket) -> Feedback:
    async with runtime.reading() as tx:
        found = await store.find_feedback(tx, ticket.id)
    assert found is not None
    return found


async def events_of(runtime: Runtime, ticket: Ticket) -> dict[str, Mapping[str, Any]]:
    async with runtime.reading() as tx:
        return {event.type: event.data for event in await list_events(tx, ticket.id)}


async def close(unit: Unit, ticket_id: UUID) -> None:
    (ticket,) = (await claim_tickets(unit.tx, [ticket_id])).values()
    await record(unit, [lifecycle.close(ticket, unit.now)])


async def only_invitation(runtime: Runtime) -> UUID:
    async with runtime.reading() as tx:
        (row,) = await tx.rows(select(invitation.c.id))
    invitation_id: UUID = row.id
    return invitation_id


async def make_due(runtime: Runtime) -> None:
    """The sweep goes by the database's clock, which tests cannot set."""
    await runtime.database.transact(lambda tx: tx.execute(update(invitation).values(due_at=func.now())))


async def asked(runtime: Runtime) -> dict[str, Any]:
    """Send what waits; the only publication there is."""
    await make_due(runtime)
    assert await runtime.run(survey.send_due, 10) == 1
    async with runtime.reading() as tx:
        (row,) = await tx.rows(select(message.c.body).where(message.c.type == "survey"))
    body: dict[str, Any] = orjson.loads(row.body)
    return body


def token_of(body: dict[str, Any]) -> str:
    return str(body["link"]).rpartition("/s/")[2]


async def test_a_resolution_is_asked_about_after_the_delay_and_not_before(runtime: Runtime, clock: Clock) -> None:
    ticket = await resolved(runtime)
    async with runtime.reading() as tx:
        waiting = (await tx.rows(select(invitation)))[0]

    assert await feedback_of(runtime, ticket) == Feedback(State.WAITING, None, None, None, None)
    assert waiting.due_at == clock.at + runtime.rulebook.feedback.delay
    assert (waiting.topic, waiting.department, waiting.stage) == (ticket.topic, ticket.department, ticket.stage)

    later = update(invitation).values(due_at=func.now() + timedelta(minutes=1))
    await runtime.database.transact(lambda tx: tx.execute(later))
    assert await runtime.run(survey.send_due, 10) == 0


async def test_the_question_goes_to_the_customer_alone_below_the_last_post(runtime: Runtime) -> None:
    ticket = await resolved(runtime, external_id="post-a", conversation_id="thread-7")

    body = await asked(runtime)

    assert body["type"] == "survey"
    assert (body["channel"], body["conversation_id"], body["in_reply_to"]) == ("x", "thread-7", "post-a")
    assert body["visibility"] == "private"
    assert body["text"] == runtime.rulebook.feedback.texts["nl"].invitation
    assert body["link"].startswith(f"{runtime.knobs.public_url}/s/")
    assert "feedback.invited" in await events_of(runtime, ticket)


async def test_who_wrote_last_in_a_merged_conversation_is_asked_there(runtime: Runtime) -> None:
    into = await opened(runtime)
    other = await opened(runtime, channel="forum", external_id="the-newest")
    await runtime.run(merge, ANNA, other.id, None, into.id, confirmed=True)
    await runtime.run(work.resolve, ANNA, into.id, None, "solved", None)

    body = await asked(runtime)

    assert (body["channel"], body["in_reply_to"]) == ("forum", "the-newest")


async def test_the_link_stands_in_the_message_and_nowhere_else(runtime: Runtime) -> None:
    await resolved(runtime)
    token = token_of(await asked(runtime))

    async with runtime.reading() as tx:
        assert await tx.scalar(select(invitation.c.digest)) == digest(token)
        assert await tx.scalar(select(func.count()).where(message.c.body.contains(token))) == 1


async def test_an_answer_is_kept_and_told(runtime: Runtime, clock: Clock) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))
    clock.pass_(days=3)

    await runtime.run(survey.answer, token, PROMOTER)

    assert await feedback_of(runtime, ticket) == Feedback(State.ANSWERED, None, 9, "snel geholpen", clock.at)
    told = (await events_of(runtime, ticket))["feedback.received"]
    assert (told["score"], told["follow_up"]) == (9, False)
    assert "snel geholpen" not in str(told)


@pytest.mark.parametrize(("given", "follows"), [(PROMOTER, False), (Answer(7, None), False), (DETRACTOR, True)])
async def test_only_a_detractor_is_followed_up(runtime: Runtime, given: Answer, follows: bool) -> None:
    ticket = await resolved(runtime)
    await runtime.run(survey.answer, token_of(await asked(runtime)), given)

    async with runtime.reading() as tx:
        after = await get_ticket(tx, ticket.id)
    assert ("follow_up" in after.tags) is follows
    assert (await events_of(runtime, ticket))["feedback.received"]["follow_up"] is follows


async def test_a_link_works_once(runtime: Runtime) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))

    outcomes = await asyncio.gather(
        *(runtime.run(survey.answer, token, Answer(score, None)) for score in range(5)), return_exceptions=True
    )

    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LinkNotFound) for outcome in outcomes) == 4
    assert (await feedback_of(runtime, ticket)).score == outcomes.index(None)


async def test_a_link_works_until_it_expires(runtime: Runtime, clock: Clock) -> None:
    await resolved(runtime)
    token = token_of(await asked(runtime))
    clock.at += runtime.rulebook.feedback.expires

    with pytest.raises(LinkNotFound):
        await runtime.run(survey.answer, token, PROMOTER)
    clock.pass_(seconds=-1)
    await runtime.run(survey.answer, token, PROMOTER)


async def test_an_answer_is_taken_after_the_ticket_was_closed(runtime: Runtime) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))
    await runtime.run(close, ticket.id)

    await runtime.run(survey.answer, token, DETRACTOR)

    assert (await feedback_of(runtime, ticket)).score == DETRACTOR.score


async def test_an_invented_link_is_not_found(runtime: Runtime) -> None:
    with pytest.raises(LinkNotFound):
        await runtime.run(survey.answer, "wcs_invented", PROMOTER)


async def test_a_ticket_that_reopens_first_is_not_asked_about(runtime: Runtime) -> None:
    ticket = await resolved(runtime, conversation_id="thread-1")
    await opened(runtime, conversation_id="thread-1")
    await make_due(runtime)

    assert await runtime.run(survey.send_due, 10) == 0
    withdrawn = await feedback_of(runtime, ticket)
    assert (withdrawn.state, withdrawn.reason) == (State.WITHDRAWN, Reason.REOPENED)


async def test_a_second_resolution_is_asked_about_when_the_first_was_withdrawn(runtime: Runtime, clock: Clock) -> None:
    ticket = await resolved(runtime)
    await runtime.run(work.reopen, ANNA, ticket.id, None, "not solved")
    clock.pass_(hours=1)

    await runtime.run(work.resolve, ANNA, ticket.id, None, "solved", None)

    assert (await feedback_of(runtime, ticket)).state is State.WAITING


async def test_nobody_is_asked_twice_within_the_cool_down(runtime: Runtime, clock: Clock) -> None:
    await resolved(runtime)
    await asked(runtime)
    invitation_id = await only_invitation(runtime)
    await runtime.database.transact(lambda tx: store.mark_sent(tx, invitation_id, clock.at))
    clock.pass_(days=89)
    early = await resolved(runtime, at=clock.at)
    clock.pass_(days=2)
    late = await resolved(runtime, at=clock.at)

    assert (await feedback_of(runtime, early)).reason is Reason.COOL_DOWN
    assert (await feedback_of(runtime, late)).state is State.WAITING


async def test_two_tickets_of_one_person_resolved_at_once_are_asked_about_once(runtime: Runtime) -> None:
    tickets = [await opened(runtime) for _ in range(4)]

    await asyncio.gather(*(runtime.run(work.resolve, ANNA, ticket.id, None, "solved", None) for ticket in tickets))

    states = [(await feedback_of(runtime, ticket)).state for ticket in tickets]
    assert sorted(states) == [State.SKIPPED, State.SKIPPED, State.SKIPPED, State.WAITING]


async def test_one_person_in_a_list_is_asked_about_the_first(runtime: Runtime, clock: Clock) -> None:
    tickets = [await opened(runtime) for _ in range(3)]
    settled = [replace(ticket, resolved_at=clock.at, resolution="solved") for ticket in tickets]

    await runtime.run(survey.invite, settled)

    assert [(await feedback_of(runtime, ticket)).reason for ticket in tickets] == [
        None,
        Reason.COOL_DOWN,
        Reason.COOL_DOWN,
    ]


async def test_the_same_resolution_is_decided_once(runtime: Runtime) -> None:
    ticket = await resolved(runtime)

    await runtime.run(survey.invite, [ticket])

    async with runtime.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(invitation)) == 1


async def test_who_opted_out_on_one_ticket_is_asked_about_none(runtime: Runtime) -> None:
    before = await opened(runtime)
    await runtime.run(work.update, ANNA, before.id, None, priority=None, tags=Tagging((OPT_OUT_TAG,)))

    ticket = await resolved(runtime)

    assert (await feedback_of(runtime, ticket)).reason is Reason.OPTED_OUT


async def test_who_is_not_asked_is_kept_with_the_reason(runtime: Runtime) -> None:
    ticket = await resolved(runtime, code="spam")

    assert await feedback_of(runtime, ticket) == Feedback(State.SKIPPED, Reason.RESOLUTION, None, None, None)


async def test_two_workers_send_each_question_once(runtime: Runtime) -> None:
    for person in range(6):
        await resolved(runtime, by=f"person-{person}")
    await make_due(runtime)

    sent = await asyncio.gather(*(runtime.run(survey.send_due, 4) for _ in range(3)))
    sent.append(await runtime.run(survey.send_due, 10))

    async with runtime.reading() as tx:
        assert sum(sent) == await tx.scalar(select(func.count()).where(message.c.type == "survey")) == 6


async def test_a_ticket_that_somebody_works_on_does_not_hold_up_the_others(runtime: Runtime) -> None:
    busy = await resolved(runtime, by="busy")
    await resolved(runtime, by="free")
    await make_due(runtime)

    async def send_while_busy(tx: Transaction) -> int:
        await claim_tickets(tx, [busy.id])
        return await runtime.run(survey.send_due, 10)

    assert await runtime.database.transact(send_while_busy) == 1
    assert (await feedback_of(runtime, busy)).state is State.WAITING


async def test_what_the_channel_says_later_does_not_undo_an_answer(runtime: Runtime, clock: Clock) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))
    await runtime.run(survey.answer, token, PROMOTER)

    invitation_id = await only_invitation(runtime)
    await runtime.database.transact(lambda tx: store.mark_failed(tx, invitation_id))
    await runtime.database.transact(lambda tx: store.mark_sent(tx, invitation_id, clock.at))

    assert (await feedback_of(runtime, ticket)).state is State.ANSWERED


async def test_a_question_that_failed_does_not_cool_anybody_down(runtime: Runtime) -> None:
    await resolved(runtime)
    await asked(runtime)
    invitation_id = await only_invitation(runtime)
    await runtime.database.transact(lambda tx: store.mark_failed(tx, invitation_id))

    again = await resolved(runtime)

    assert (await feedback_of(runtime, again)).state is State.WAITING
