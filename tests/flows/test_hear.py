"""A score that comes as a reply is counted, settles nothing anew, and loses no question of the customer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.access.role import Caller, Role
from app.feedback import store
from app.feedback.follow_ups.store import FollowUp, FollowUpNotFound, Outcome, find_follow_up
from app.feedback.invitation import OPT_OUT_TAG, Reason, State
from app.feedback.store import Feedback
from app.feedback.tables import follow_up, invitation, response
from app.flows import survey, work
from app.flows.follow_up import follow_up as close_follow_up
from app.flows.follow_up import tell_overdue
from app.flows.receive import receive, withdraw
from app.flows.record import record_one
from app.flows.settle import Outcome as Fate
from app.flows.settle import Received
from app.kit.ids import new_id
from app.mentions.mention import Mention, Visibility
from app.rulebook import Rulebook
from app.runtime import Runtime, Unit
from app.sla.business_time import add
from app.tickets import lifecycle
from app.tickets.store import claim_ticket, get_ticket, list_events
from app.tickets.ticket import State as Stands
from app.tickets.ticket import Ticket
from tests.support.clock import AN_HOUR_AGO, Clock
from tests.support.mentions import mention
from tests.support.surveys import make_due, only_invitation

ANNA = Caller(new_id(), "anna", Role.AGENT)
PUBLIC, PRIVATE = {"conversation_id": "thread-1"}, {"conversation_id": "dm-1", "visibility": Visibility.PRIVATE}


@pytest.fixture
def rulebook(rulebook: Rulebook) -> Rulebook:
    """Everybody is asked, so that no test depends on a ticket's lot."""
    return replace(rulebook, feedback=replace(rulebook.feedback, channels={}))


@pytest.fixture
async def ticket(runtime: Runtime, clock: Clock) -> Ticket:
    """Sanne's ticket on X was resolved, and she was asked about it in private."""
    opened = await said(runtime, mention(conversation_id="thread-1"))
    assert opened.ticket is not None
    settled = await runtime.run(work.resolve, ANNA, opened.ticket.id, None, "solved", None)
    clock.pass_(hours=1)
    await make_due(runtime)
    assert await runtime.run(survey.send_due, 10) == 1
    await runtime.database.transact(
        lambda tx: tx.execute(update(invitation).values(due_at=clock.at - timedelta(minutes=30)))
    )
    return settled


async def said(runtime: Runtime, *posts: Mention) -> Received:
    """What became of the last of these."""
    received = (await receive(runtime, posts))[-1]
    assert isinstance(received, Received)
    return received


async def replied(runtime: Runtime, clock: Clock, text: str, **facts: Any) -> Received:
    return await said(runtime, mention(text, at=clock.at, **facts))


async def now(runtime: Runtime, ticket: Ticket) -> Ticket:
    async with runtime.reading() as tx:
        return await get_ticket(tx, ticket.id)


async def feedback_of(runtime: Runtime, ticket: Ticket) -> Feedback:
    async with runtime.reading() as tx:
        found = await store.find_feedback(tx, ticket.id)
    assert found is not None
    return found


async def follow_up_of(runtime: Runtime, ticket: Ticket) -> FollowUp | None:
    async with runtime.reading() as tx:
        return await find_follow_up(tx, ticket.id)


async def types_of(runtime: Runtime, ticket: Ticket) -> list[str]:
    async with runtime.reading() as tx:
        return [event.type for event in await list_events(tx, ticket.id)]


async def close(unit: Unit, ticket: Ticket) -> None:
    await record_one(unit, lifecycle.close(await claim_ticket(unit.tx, ticket.id), unit.now))


@pytest.mark.parametrize("where", [PUBLIC, PRIVATE], ids=["below the ticket", "in private"])
async def test_a_score_in_a_reply_is_counted_and_reopens_nothing(
    runtime: Runtime, clock: Clock, ticket: Ticket, where: dict[str, Any]
) -> None:
    received = await replied(runtime, clock, "8, snel geholpen", **where)

    assert received.outcome is Fate.JOINED
    assert [(one["code"], one["facts"]) for one in received.reasons] == [("score", {"score": 8})]
    assert received.ticket is not None
    assert (received.ticket.id, received.ticket.state) == (ticket.id, Stands.RESOLVED)
    assert await feedback_of(runtime, ticket) == Feedback(State.ANSWERED, None, 8, "snel geholpen", clock.at)
    assert (await types_of(runtime, ticket))[-2:] == ["mention.received", "feedback.received"]
    async with runtime.reading() as tx:
        assert await tx.scalar(select(response.c.mention_id)) == received.mention_id


async def test_a_score_is_counted_after_closing_too(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    await runtime.run(close, ticket)

    received = await replied(runtime, clock, "Een 9!", **PUBLIC)

    assert received.ticket is not None
    assert (received.ticket.id, received.ticket.state) == (ticket.id, Stands.CLOSED)
    assert (await feedback_of(runtime, ticket)).score == 9


async def test_the_score_stays_in_sight_when_the_ticket_is_resolved_again(
    runtime: Runtime, clock: Clock, ticket: Ticket
) -> None:
    await replied(runtime, clock, "3, mijn pakket is er nog steeds niet", **PUBLIC)
    clock.pass_(hours=1)
    await runtime.run(work.resolve, ANNA, ticket.id, None, "solved", None)

    assert (await feedback_of(runtime, ticket)).score == 3


async def test_a_reply_that_wants_more_is_counted_and_reopens(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    received = await replied(runtime, clock, "7, maar wanneer komt het pakket?", **PUBLIC)

    assert received.outcome is Fate.REOPENED
    assert (await now(runtime, ticket)).state is not Stands.RESOLVED
    assert (await feedback_of(runtime, ticket)).score == 7


@pytest.mark.parametrize("text", ["8 dagen wachten", "Bestelling 8123456", "Dank je wel!"])
async def test_what_is_no_score_takes_its_usual_course(
    runtime: Runtime, clock: Clock, ticket: Ticket, text: str
) -> None:
    received = await replied(runtime, clock, text, **PUBLIC)

    assert received.outcome is Fate.REOPENED
    assert (await feedback_of(runtime, ticket)).score is None


async def test_a_number_is_no_score_where_nothing_was_asked(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    elsewhere = await replied(runtime, clock, "8", conversation_id="thread-2")
    somebody_else = await replied(runtime, clock, "8", by="joost", **PRIVATE)
    too_early = await said(runtime, mention("8", at=clock.at - timedelta(hours=2), **PRIVATE))

    assert [one.outcome for one in (elsewhere, somebody_else)] == [Fate.OPENED] * 2
    assert too_early.outcome is Fate.OPENED
    assert (await feedback_of(runtime, ticket)).state is State.QUEUED


async def test_a_number_answers_the_agent_while_a_ticket_is_at_work(
    runtime: Runtime, clock: Clock, ticket: Ticket
) -> None:
    await runtime.run(work.reopen, ANNA, ticket.id, None, "how many SIM cards?")

    received = await replied(runtime, clock, "8", **PUBLIC)

    assert received.outcome is Fate.JOINED
    assert (await feedback_of(runtime, ticket)).score is None


async def test_a_second_reply_within_the_hour_changes_the_score(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    first_at = clock.at
    await replied(runtime, clock, "3", **PUBLIC)
    clock.pass_(minutes=10)
    await replied(runtime, clock, "toch een 8", **PUBLIC)
    changed = await feedback_of(runtime, ticket)
    assert (changed.score, changed.received_at, changed.changed_at) == (8, first_at, clock.at)

    clock.pass_(hours=1)
    late = await replied(runtime, clock, "een 2", **PUBLIC)

    assert late.outcome is Fate.REOPENED
    assert (await feedback_of(runtime, ticket)).score == 8


async def test_an_answer_leaves_it_at_when_the_question_arrived(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    arrived_at = clock.at
    await runtime.run(survey.note_sent, ticket.id, await only_invitation(runtime))
    clock.pass_(minutes=10)
    await replied(runtime, clock, "8", **PUBLIC)
    async with runtime.reading() as tx:
        assert await tx.scalar(select(invitation.c.sent_at)) == arrived_at


async def test_two_scores_in_one_batch_are_read_one_by_one(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    posts = [mention(text, at=clock.at, **PRIVATE) for text in ("9", "10")]

    await said(runtime, *posts)

    assert (await feedback_of(runtime, ticket)).score == 9


async def test_stop_as_a_reply_ends_the_asking(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    received = await replied(runtime, clock, "STOP", **PUBLIC)

    assert received.outcome is Fate.JOINED
    after = await now(runtime, ticket)
    assert (after.state, OPT_OUT_TAG in after.tags) == (Stands.RESOLVED, True)
    assert (await feedback_of(runtime, ticket)).reason is Reason.OPTED_OUT
    assert (await types_of(runtime, ticket))[-1] == "feedback.declined"


async def test_words_that_their_author_deletes_are_gone_and_the_score_stays(
    runtime: Runtime, clock: Clock, ticket: Ticket
) -> None:
    post = mention("4, bel mij op 06 12345678", at=clock.at, **PUBLIC)
    await said(runtime, post)
    async with runtime.reading() as tx:
        assert await tx.scalar(select(response.c.verbatim)) == "bel mij op [phone]"

    await runtime.run(withdraw, post.key)

    kept = await feedback_of(runtime, ticket)
    assert (kept.score, kept.comment) == (4, None)
    async with runtime.reading() as tx:
        assert await tx.scalar(select(response.c.verbatim)) is None


async def test_who_is_not_content_is_followed_up_in_the_departments_own_hours(
    runtime: Runtime, clock: Clock, ticket: Ticket
) -> None:
    await replied(runtime, clock, "2", **PUBLIC)

    opened = await follow_up_of(runtime, ticket)

    rules = runtime.rulebook
    assert ticket.department is not None
    hours = rules.calendars[rules.departments[ticket.department].calendar]
    assert opened is not None
    assert (opened.department, opened.opened_at) == (ticket.department, clock.at)
    assert opened.due_at == add(hours, clock.at, rules.feedback.follow_up)
    assert "follow_up" in (await now(runtime, ticket)).tags


async def test_who_is_content_after_all_is_not_followed_up(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    await replied(runtime, clock, "2", **PUBLIC)
    await replied(runtime, clock, "toch een 9", **PUBLIC)

    dropped = await follow_up_of(runtime, ticket)
    assert dropped is not None
    assert (dropped.done_by, dropped.outcome) == ("customer", Outcome.CHANGED)
    assert "follow_up" not in (await now(runtime, ticket)).tags

    await replied(runtime, clock, "nou een 1", **PUBLIC)

    again = await follow_up_of(runtime, ticket)
    assert again is not None
    assert again.done_at is None


async def test_a_department_ends_its_own_follow_up_and_nobody_elses(
    runtime: Runtime, clock: Clock, ticket: Ticket
) -> None:
    await replied(runtime, clock, "2", **PUBLIC)
    own = Caller(new_id(), "els", Role.DEPARTMENT, ticket.department)
    other = Caller(new_id(), "bob", Role.DEPARTMENT, "legal")
    with pytest.raises(FollowUpNotFound):
        await runtime.run(close_follow_up, other, ticket.id, None, Outcome.SPOKEN, None)

    done = await runtime.run(close_follow_up, own, ticket.id, None, Outcome.SETTLED, "gebeld")

    assert (done.done_at, done.done_by, done.outcome, done.note) == (clock.at, own.actor, Outcome.SETTLED, "gebeld")
    assert await follow_up_of(runtime, ticket) == done
    assert "follow_up" not in (await now(runtime, ticket)).tags
    assert (await types_of(runtime, ticket))[-1] == "feedback.followed_up"
    with pytest.raises(FollowUpNotFound):
        await runtime.run(close_follow_up, own, ticket.id, None, Outcome.SETTLED, None)


async def test_a_department_is_told_once_that_it_is_late(runtime: Runtime, clock: Clock, ticket: Ticket) -> None:
    await replied(runtime, clock, "2", **PUBLIC)
    later = update(follow_up).values(due_at=func.now() + timedelta(minutes=1))
    await runtime.database.transact(lambda tx: tx.execute(later))
    assert await runtime.run(tell_overdue, 10) == 0
    await runtime.database.transact(lambda tx: tx.execute(update(follow_up).values(due_at=AN_HOUR_AGO)))

    assert [await runtime.run(tell_overdue, 10) for _ in range(2)] == [1, 0]

    assert (await types_of(runtime, ticket)).count("feedback.overdue") == 1
    late = await follow_up_of(runtime, ticket)
    assert late is not None
    assert late.overdue_at == late.due_at
