"""The customer is asked once per resolution, on time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.delivery.tables import message
from app.escalation.incidents.incident import Incident, Scope, Subject
from app.escalation.incidents.store import add_incident
from app.escalation.tables import escalation, incident_mention
from app.feedback import store
from app.feedback.invitation import OPT_OUT_TAG, Asking, Reason, State
from app.feedback.store import Feedback
from app.feedback.tables import invitation
from app.flows import know, survey, work
from app.flows.combine import merge
from app.flows.receive import receive
from app.kit.db import Transaction
from app.kit.ids import digest, new_id
from app.mentions.mention import Author, Visibility
from app.rulebook import Rulebook
from app.runtime import Runtime
from app.sla.tables import clock as clock_table
from app.tickets.store import claim_tickets, list_mentions
from app.tickets.tagging import Tagging
from tests.support.clock import Clock
from tests.support.mentions import mention
from tests.support.surveys import (
    ANNA,
    asked,
    events_of,
    feedback_of,
    make_due,
    only_invitation,
    opened,
    resolved,
    token_of,
)


@pytest.fixture
def rulebook(rulebook: Rulebook) -> Rulebook:
    """Everybody is asked, so that no test depends on a ticket's lot."""
    return replace(rulebook, feedback=replace(rulebook.feedback, channels={}))


async def test_a_resolution_is_asked_about_after_the_delay_and_not_before(runtime: Runtime, clock: Clock) -> None:
    unresolved = await opened(runtime)
    await runtime.run(work.claim, ANNA, unresolved.id, None)
    ticket = await runtime.run(work.resolve, ANNA, unresolved.id, None, "solved", None)
    async with runtime.reading() as tx:
        waiting = (await tx.rows(select(invitation)))[0]

    assert await feedback_of(runtime, ticket) == Feedback(State.WAITING, None, None, None, None)
    assert waiting.due_at == clock.at + runtime.rulebook.feedback.delay
    assert (waiting.topic, waiting.department) == (ticket.topic, ticket.department)
    assert (waiting.stage, waiting.arm, waiting.agent) == ("pilot", ticket.arm, "agent:anna")
    assert ticket.arm is not None

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


async def test_the_link_stands_in_the_message_and_nowhere_else(runtime: Runtime, clock: Clock) -> None:
    await resolved(runtime)
    token = token_of(await asked(runtime))

    async with runtime.reading() as tx:
        assert await tx.scalar(select(invitation.c.expires_at)) == clock.at + runtime.rulebook.feedback.expires
        assert await tx.scalar(select(invitation.c.digest)) == digest(token)
        assert await tx.scalar(select(func.count()).where(message.c.body.contains(token))) == 1


async def test_what_came_between_is_looked_at_once_more_when_the_question_leaves(
    runtime: Runtime, rulebook: Rulebook, clock: Clock
) -> None:
    """The decision to ask was right when it was made; by now the platform takes no word any more."""
    ticket = await resolved(runtime, channel="whatsapp")
    await make_due(runtime)
    late = replace(rulebook.feedback, channels={"whatsapp": Asking(reply_window=timedelta(hours=24))})
    runtime.rules.put(replace(rulebook, feedback=late), 2)
    clock.pass_(days=1)

    assert await runtime.run(survey.send_due, 10) == 1

    dropped = await feedback_of(runtime, ticket)
    assert (dropped.state, dropped.reason) == (State.WITHDRAWN, Reason.REPLY_WINDOW)
    async with runtime.reading() as tx:
        assert await tx.scalar(select(func.count()).where(message.c.type == "survey")) == 0


async def test_a_channel_may_be_asked_in_public_and_at_its_own_time(
    runtime: Runtime, rulebook: Rulebook, clock: Clock
) -> None:
    asking = Asking(delay=timedelta(hours=2), by=Visibility.PUBLIC)
    runtime.rules.put(replace(rulebook, feedback=replace(rulebook.feedback, channels={"forum": asking})), 2)
    await resolved(runtime, channel="forum")

    async with runtime.reading() as tx:
        assert await tx.scalar(select(invitation.c.due_at)) == clock.at + timedelta(hours=2)
    assert (await asked(runtime))["visibility"] == "public"


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


def sanne(channel: str) -> Author:
    """Sanne, who proved to be a customer on each of these channels."""
    return Author(external_id=f"{channel}-sanne", customer_ref="K-1")


async def test_a_person_on_two_channels_is_asked_once(runtime: Runtime) -> None:
    on_x = await resolved(runtime, author=sanne("x"))
    on_forum = await resolved(runtime, channel="forum", author=sanne("forum"))
    somebody_else = await resolved(runtime, channel="forum")

    assert (await feedback_of(runtime, on_x)).state is State.WAITING
    assert (await feedback_of(runtime, on_forum)).reason is Reason.COOL_DOWN
    assert (await feedback_of(runtime, somebody_else)).state is State.WAITING


async def test_a_person_on_two_channels_whose_tickets_are_resolved_at_once_is_asked_once(runtime: Runtime) -> None:
    tickets = [await opened(runtime, channel=channel, author=sanne(channel)) for channel in ("x", "forum", "mastodon")]

    await asyncio.gather(*(runtime.run(work.resolve, ANNA, ticket.id, None, "solved", None) for ticket in tickets))

    states = [(await feedback_of(runtime, ticket)).state for ticket in tickets]
    assert sorted(states) == [State.SKIPPED, State.SKIPPED, State.WAITING]


async def test_people_who_are_linked_while_the_questions_wait_are_asked_once(runtime: Runtime) -> None:
    on_x = await resolved(runtime)
    on_forum = await resolved(runtime, channel="forum")
    await runtime.run(know.link, ANNA, on_x.author_id, on_forum.author_id)
    await make_due(runtime)

    assert await runtime.run(survey.send_due, 10) == 2

    found = [await feedback_of(runtime, ticket) for ticket in (on_x, on_forum)]
    assert {(one.state, one.reason) for one in found} == {
        (State.QUEUED, None),
        (State.WITHDRAWN, Reason.COOL_DOWN),
    }


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


async def test_what_went_before_is_of_the_ticket_and_of_its_author_and_of_nobody_else(
    runtime: Runtime, clock: Clock
) -> None:
    async def mark_sent(tx: Transaction) -> None:
        unsent = update(invitation).where(invitation.c.sent_at.is_(None))
        await tx.execute(unsent.values(state=State.SENT, sent_at=clock.at))

    async def trouble(tx: Transaction) -> None:
        """Somebody else's: PR was asked to look at it, and it belongs to an incident."""
        about = {"id": new_id(), "ticket_id": others.id, "state": "raised"}
        await tx.insert(escalation, [about | {"raised_at": clock.at, "due_at": clock.at}])
        outage = Incident(new_id(), Subject(Scope.TOPIC, "outage"), "raised", clock.at, 9, 1.0, 0.0)
        await add_incident(tx, outage)
        [post] = await list_mentions(tx, others.id)
        part = {"incident_id": outage.id, "mention_id": post["id"], "ticket_id": others.id, "proves": True}
        await tx.insert(incident_mention, [part | {"attached_at": clock.at}])

    for _ in range(2):
        await resolved(runtime, at=clock.at)
        await asked(runtime)
        await runtime.database.transact(mark_sent)
        asked_at = clock.at
        clock.pass_(days=100)
    ticket = await opened(runtime, at=clock.at - timedelta(hours=2), conversation_id="thread")
    posted_at = clock.at - timedelta(hours=1)
    await receive(runtime, [mention("En nu?", at=posted_at, conversation_id="thread")])
    others = await opened(runtime, "bram", at=clock.at)
    await runtime.run(work.update, ANNA, others.id, None, priority=None, tags=Tagging((OPT_OUT_TAG,)))
    await runtime.database.transact(trouble)

    async with runtime.reading() as tx:
        histories = await store.list_histories(tx, [ticket.id, others.id])
    own, of_others = histories[ticket.id], histories[others.id]
    assert (own.last_post_at, own.last_asked_at, own.opted_out, own.with_pr) == (posted_at, asked_at, False, False)
    assert (of_others.last_asked_at, of_others.opted_out, of_others.with_pr) == (None, True, True)


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


async def test_a_ticket_whose_clocks_cannot_be_read_keeps_the_question_from_nobody_else(runtime: Runtime) -> None:
    spoilt, other = await resolved(runtime, by="sanne"), await resolved(runtime, by="joost")
    unreadable = update(clock_table).where(clock_table.c.ticket_id == spoilt.id).values(policy={})
    await runtime.database.transact(lambda tx: tx.execute(unreadable))
    await make_due(runtime)

    assert [await runtime.run(survey.send_due, 10) for _ in range(2)] == [2, 0]

    states = [(await feedback_of(runtime, ticket)).state for ticket in (spoilt, other)]
    assert states == [State.WAITING, State.QUEUED]


async def test_a_ticket_that_somebody_works_on_does_not_hold_up_the_others(runtime: Runtime) -> None:
    busy = await resolved(runtime, by="busy")
    await resolved(runtime, by="free")
    await make_due(runtime)

    async def send_while_busy(tx: Transaction) -> int:
        await claim_tickets(tx, [busy.id])
        return await runtime.run(survey.send_due, 10)

    assert await runtime.database.transact(send_while_busy) == 1
    assert (await feedback_of(runtime, busy)).state is State.WAITING


async def test_a_question_that_failed_does_not_cool_anybody_down(runtime: Runtime) -> None:
    await resolved(runtime)
    await asked(runtime)
    invitation_id = await only_invitation(runtime)
    await runtime.database.transact(lambda tx: store.mark_failed(tx, invitation_id))

    again = await resolved(runtime)

    assert (await feedback_of(runtime, again)).state is State.WAITING
