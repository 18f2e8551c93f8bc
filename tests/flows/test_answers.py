"""The customer answers, may change the answer for an hour, and may decline to be asked."""

import asyncio
from dataclasses import replace

import pytest

from app.feedback import store
from app.feedback.answering import Answer, LinkNotFound
from app.feedback.invitation import Reason, State
from app.feedback.store import Feedback
from app.flows import hear
from app.rulebook import Rulebook
from app.runtime import Runtime
from app.tickets.store import get_ticket, list_events
from tests.support.clock import Clock
from tests.support.surveys import (
    asked,
    close,
    events_of,
    feedback_of,
    only_invitation,
    resolved,
    token_of,
)

PROMOTER, DETRACTOR = Answer(9, "snel geholpen"), Answer(3, None)


@pytest.fixture
def rulebook(rulebook: Rulebook) -> Rulebook:
    """Everybody is asked, so that no test depends on a ticket's lot."""
    return replace(rulebook, feedback=replace(rulebook.feedback, channels={}))


async def test_an_answer_is_kept_and_told(runtime: Runtime, clock: Clock) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))
    clock.pass_(days=3)

    await runtime.run(hear.answer, token, PROMOTER)

    assert await feedback_of(runtime, ticket) == Feedback(State.ANSWERED, None, 9, "snel geholpen", clock.at)
    told = (await events_of(runtime, ticket))["feedback.received"]
    assert (told["score"], told["follow_up"]) == (9, False)
    assert "snel geholpen" not in str(told)


@pytest.mark.parametrize(("given", "follows"), [(PROMOTER, False), (Answer(7, None), False), (DETRACTOR, True)])
async def test_only_a_detractor_is_followed_up(runtime: Runtime, given: Answer, follows: bool) -> None:
    ticket = await resolved(runtime)
    await runtime.run(hear.answer, token_of(await asked(runtime)), given)

    async with runtime.reading() as tx:
        after = await get_ticket(tx, ticket.id)
    assert ("follow_up" in after.tags) is follows
    assert (await events_of(runtime, ticket))["feedback.received"]["follow_up"] is follows


async def test_answers_at_the_same_moment_follow_each_other(runtime: Runtime) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))

    await asyncio.gather(*(runtime.run(hear.answer, token, Answer(score, None)) for score in range(5)))

    async with runtime.reading() as tx:
        told = [event.data for event in await list_events(tx, ticket.id) if event.type == "feedback.received"]
    assert sorted(one["score"] for one in told) == [0, 1, 2, 3, 4]
    assert [one.get("score_before") for one in told] == [None, *(one["score"] for one in told[:-1])]
    assert (await feedback_of(runtime, ticket)).score == told[-1]["score"]


async def test_an_answer_may_be_changed_for_an_hour(runtime: Runtime, clock: Clock) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))
    given_at = clock.at
    await runtime.run(hear.answer, token, DETRACTOR)
    clock.pass_(minutes=59)

    await runtime.run(hear.answer, token, Answer(9, "toch goed", 6))

    changed = Feedback(State.ANSWERED, None, 9, "toch goed", given_at, 6, clock.at)
    assert await feedback_of(runtime, ticket) == changed
    clock.pass_(minutes=1)
    with pytest.raises(LinkNotFound):
        await runtime.run(hear.answer, token, PROMOTER)
    assert await feedback_of(runtime, ticket) == changed


async def test_the_same_form_sent_twice_is_one_answer(runtime: Runtime) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))

    await runtime.run(hear.answer, token, PROMOTER)
    await runtime.run(hear.answer, token, PROMOTER)

    async with runtime.reading() as tx:
        assert [event.type for event in await list_events(tx, ticket.id)].count("feedback.received") == 1


async def test_who_declines_is_not_asked_again(runtime: Runtime, clock: Clock) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))
    invitation_id = await only_invitation(runtime)
    await runtime.database.transact(lambda tx: store.mark_sent(tx, invitation_id, clock.at))

    await runtime.run(hear.decline, token)

    declined = await feedback_of(runtime, ticket)
    assert (declined.state, declined.reason) == (State.SENT, Reason.OPTED_OUT)
    with pytest.raises(LinkNotFound):
        await runtime.run(hear.answer, token, PROMOTER)
    clock.pass_(days=91)
    again = await resolved(runtime, at=clock.at)
    assert (await feedback_of(runtime, again)).reason is Reason.OPTED_OUT


async def test_a_link_works_until_it_expires(runtime: Runtime, clock: Clock) -> None:
    await resolved(runtime)
    token = token_of(await asked(runtime))
    clock.at += runtime.rulebook.feedback.expires

    with pytest.raises(LinkNotFound):
        await runtime.run(hear.answer, token, PROMOTER)
    clock.pass_(seconds=-1)
    await runtime.run(hear.answer, token, PROMOTER)


async def test_an_answer_is_taken_after_the_ticket_was_closed(runtime: Runtime) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))
    await runtime.run(close, ticket.id)

    await runtime.run(hear.answer, token, DETRACTOR)

    assert (await feedback_of(runtime, ticket)).score == DETRACTOR.score


async def test_an_invented_link_is_not_found(runtime: Runtime) -> None:
    with pytest.raises(LinkNotFound):
        await runtime.run(hear.answer, "wcs_invented", PROMOTER)


async def test_what_the_channel_says_later_does_not_undo_an_answer(runtime: Runtime, clock: Clock) -> None:
    ticket = await resolved(runtime)
    token = token_of(await asked(runtime))
    await runtime.run(hear.answer, token, PROMOTER)

    invitation_id = await only_invitation(runtime)
    await runtime.database.transact(lambda tx: store.mark_failed(tx, invitation_id))
    await runtime.database.transact(lambda tx: store.mark_sent(tx, invitation_id, clock.at))

    assert (await feedback_of(runtime, ticket)).state is State.ANSWERED
