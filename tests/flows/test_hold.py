"""An embargo reaches tickets, holds what is said in public, and ends: released, or by its time."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from sqlalchemy import update

from app.access.role import Caller, Forbidden, Role
from app.answers.reply import Hold, Reply, ReplyState
from app.answers.store import list_replies
from app.answers.tables import reply as reply_table
from app.delivery import store as outbox
from app.delivery.store import DeliveryState
from app.escalation.embargoes.embargo import LONGEST, EmbargoTooLong, NothingToHold, NothingToRelease, Scope
from app.escalation.embargoes.store import list_embargoes
from app.escalation.store import Escalation, EscalationMovedOn
from app.escalation.tables import embargo
from app.flows import answer, mend, press, review, work
from app.flows.hold import follow_embargoes
from app.flows.say import Speech
from app.kit.ids import new_id
from app.mentions.mention import Visibility
from app.runtime import Runtime
from app.sla.tables import clock as clock_table
from app.tickets.custody import Holder
from app.tickets.legal import NotInFuture
from app.tickets.store import get_ticket, list_events
from app.tickets.ticket import State, Ticket
from tests.conftest import PUBLISH_URL
from tests.flows.test_escalate import ANNA, EVA, arrived, queue
from tests.support.clock import MORNING, Clock
from tests.support.mentions import mention
from tests.support.outbox import AN_HOUR, carry, wait

ELS = Caller(new_id(), "els", Role.DEPARTMENT, "supply_chain")
SOON = MORNING + timedelta(hours=1)  # past by the database's clock, which says when an embargo lapses
NEVER = datetime(2099, 1, 1, tzinfo=UTC)
FALLBACK = "We zoeken dit uit en komen er vandaag op terug."


async def standing(runtime: Runtime, ticket: Ticket) -> Ticket:
    async with runtime.reading() as tx:
        return await get_ticket(tx, ticket.id)


async def said(runtime: Runtime, ticket: Ticket, text: str = "Dag!", visibility: Visibility | None = None) -> Reply:
    _, reply = await runtime.run(answer.reply, ANNA, ticket.id, None, Speech(text, visibility))
    return reply


async def replies(runtime: Runtime, ticket: Ticket) -> list[ReplyState]:
    async with runtime.reading() as tx:
        return [reply.state for reply in await list_replies(tx, ticket.id)]


async def events(runtime: Runtime, ticket: Ticket) -> list[str]:
    async with runtime.reading() as tx:
        return [one.type for one in await list_events(tx, ticket.id) if one.type.startswith("escalation.")]


async def kept_back(runtime: Runtime, raised: Escalation, scope: Scope = Scope.TICKET) -> None:
    """What PR keeps back for as long as a test goes on, also by the database's clock."""
    await runtime.run(press.embargo, EVA, raised.id, scope, runtime.now() + timedelta(hours=1), None)
    lasting = update(embargo).where(embargo.c.escalation_id == raised.id).values(until=NEVER)
    await runtime.database.transact(lambda tx: tx.execute(lasting))


async def held(
    runtime: Runtime, scope: Scope = Scope.TICKET, until: datetime | None = None, fallback: str | None = None
) -> tuple[Ticket, Ticket]:
    """A ticket that escalated by hand, under an embargo, and another one of the same topic."""
    ticket, other = await arrived(runtime, mention()), await arrived(runtime, mention(by="bo"))
    await runtime.run(work.escalate, ANNA, ticket.id, None, "Filmt mee")
    [raised] = await queue(runtime)
    if until is None:
        await kept_back(runtime, raised, scope)
    else:
        await runtime.run(press.embargo, EVA, raised.id, scope, until, fallback)
    return ticket, other


async def test_public_words_wait_and_private_work_goes_on(runtime: Runtime) -> None:
    ticket, other = await held(runtime)
    before = await standing(runtime, ticket)
    assert (before.embargoed, before.holder) == (True, Holder.PR)
    assert before.due["first_reply"] == (await standing(runtime, other)).due["first_reply"]

    waits = await said(runtime, ticket)
    assert (waits.state, waits.held_for) == (ReplyState.HELD, (Hold.EMBARGO,))
    goes = await said(runtime, ticket, "Onder ons", visibility=Visibility.PRIVATE)
    assert goes.state is ReplyState.QUEUED
    assert (await said(runtime, other)).state is ReplyState.QUEUED
    assert (await standing(runtime, ticket)).holder is Holder.PR


async def test_release_lets_replies_go_and_gives_the_ball_back(runtime: Runtime) -> None:
    ticket, _ = await held(runtime)
    await said(runtime, ticket)
    [raised] = await queue(runtime)

    await runtime.run(press.release, EVA, raised.id)

    after = await standing(runtime, ticket)
    assert (after.embargoed, after.holder, after.escalated) == (False, Holder.DEPARTMENT, True)
    assert await replies(runtime, ticket) == [ReplyState.QUEUED]
    assert await events(runtime, ticket) == ["escalation.raised", "escalation.embargoed", "escalation.released"]
    with pytest.raises(NothingToRelease):
        await runtime.run(press.release, EVA, raised.id)


async def test_release_may_reject_what_waited(runtime: Runtime) -> None:
    ticket, other = await held(runtime, Scope.TOPIC)
    for one in (ticket, other):
        await said(runtime, one)
    [raised] = await queue(runtime)

    await runtime.run(press.release, EVA, raised.id, "We zeggen hier niets over")

    assert not (await standing(runtime, ticket)).embargoed
    assert [await replies(runtime, one) for one in (ticket, other)] == [[ReplyState.REJECTED]] * 2


async def test_closing_holds_nothing_any_more(runtime: Runtime) -> None:
    ticket, _ = await held(runtime)
    await said(runtime, ticket)
    [raised] = await queue(runtime)

    await runtime.run(press.close, EVA, raised.id, "sooner")

    after = await standing(runtime, ticket)
    assert (after.embargoed, after.escalated, after.holder) == (False, False, Holder.DEPARTMENT)
    assert await replies(runtime, ticket) == [ReplyState.QUEUED]
    with pytest.raises(EscalationMovedOn):
        await runtime.run(press.embargo, EVA, raised.id, Scope.TICKET, SOON, None)


async def test_a_department_works_on_under_an_embargo(runtime: Runtime) -> None:
    """Its answer counts as given when it is given; PR's time is PR's."""
    ticket, _ = await held(runtime)
    accepted = await runtime.run(answer.accept, ELS, ticket.id, None)
    assert (accepted.holder, accepted.assignee) == (Holder.PR, "department:supply_chain/els")

    given = await runtime.run(
        answer.answer, ELS, ticket.id, None, Speech("Morgen"), publish=False, resolve=False, terms=answer.Terms()
    )
    assert given.ticket.holder is Holder.PR
    [raised] = await queue(runtime)
    await runtime.run(press.release, EVA, raised.id)
    assert (await standing(runtime, ticket)).holder is Holder.WEBCARE


async def test_a_department_that_gets_a_ticket_under_an_embargo_is_handed_it(runtime: Runtime) -> None:
    ticket, _ = await held(runtime)
    moved = await runtime.run(
        work.reroute, ANNA, ticket.id, None, topic=None, department="billing", reason="een dubbele afschrijving"
    )
    assert (moved.holder, moved.with_department) == (Holder.PR, "billing")
    assert {"acceptance", "first_reply"} <= moved.due.keys()
    accepted = await runtime.run(answer.accept, Caller(new_id(), "bo", Role.DEPARTMENT, "billing"), ticket.id, None)
    assert accepted.assignee == "department:billing/bo"


async def test_a_topic_is_held_for_tickets_that_are_there_and_those_to_come(runtime: Runtime) -> None:
    """A reply waits from the first moment; the mark on its ticket follows with the sweep."""
    ticket, other = await held(runtime, Scope.TOPIC)
    assert (await standing(runtime, ticket)).embargoed
    assert (await standing(runtime, other)).embargoed

    new = await arrived(runtime, mention(by="kees"))
    assert (await said(runtime, new)).state is ReplyState.HELD
    assert await runtime.run(follow_embargoes, 100) == 1
    assert await runtime.run(follow_embargoes, 100) == 0
    assert (await standing(runtime, new)).embargoed

    [raised] = await queue(runtime)
    await runtime.run(press.release, EVA, raised.id)
    assert [(await standing(runtime, one)).embargoed for one in (ticket, other, new)] == [False] * 3
    assert await replies(runtime, new) == [ReplyState.QUEUED]


async def test_a_ticket_that_leaves_the_topic_leaves_the_embargo(runtime: Runtime) -> None:
    _, other = await held(runtime, Scope.TOPIC)
    await runtime.run(
        work.reroute, ANNA, other.id, None, topic="invoice_question", department=None, reason="toch een factuur"
    )
    assert await runtime.run(follow_embargoes, 100) == 1
    assert not (await standing(runtime, other)).embargoed


async def test_without_a_fallback_its_time_ends_it(runtime: Runtime, clock: Clock) -> None:
    ticket, _ = await held(runtime, until=SOON)
    assert (await said(runtime, ticket)).state is ReplyState.HELD

    clock.pass_(hours=2)
    assert await runtime.run(follow_embargoes, 100) == 1

    assert not (await standing(runtime, ticket)).embargoed
    assert await replies(runtime, ticket) == [ReplyState.QUEUED]
    assert (await said(runtime, ticket)).state is ReplyState.QUEUED


async def test_with_a_fallback_only_that_may_be_said_once_the_time_is_over(runtime: Runtime, clock: Clock) -> None:
    ticket, _ = await held(runtime, until=SOON, fallback=FALLBACK)
    assert (await said(runtime, ticket, FALLBACK)).state is ReplyState.HELD

    clock.pass_(hours=2)
    assert await runtime.run(follow_embargoes, 100) == 0
    assert await events(runtime, ticket) == ["escalation.raised", "escalation.embargoed", "escalation.lapsed"]
    assert (await said(runtime, ticket, "Iets anders")).state is ReplyState.HELD
    assert (await said(runtime, ticket, f"{FALLBACK}\n")).state is ReplyState.QUEUED

    await runtime.run(follow_embargoes, 100)
    assert (await events(runtime, ticket)).count("escalation.lapsed") == 1


async def test_one_that_ran_out_hides_no_other_with_its_fallback(runtime: Runtime, clock: Clock) -> None:
    ticket, _ = await held(runtime, until=SOON, fallback=FALLBACK)
    [raised] = await queue(runtime)
    await runtime.run(press.embargo, EVA, raised.id, Scope.TOPIC, SOON + timedelta(hours=1), None)

    clock.pass_(hours=3)

    assert (await said(runtime, ticket, "Iets anders")).state is ReplyState.HELD
    assert (await said(runtime, ticket, FALLBACK)).state is ReplyState.QUEUED


async def test_an_embargo_that_stands_is_changed(runtime: Runtime) -> None:
    ticket, _ = await held(runtime, until=SOON)
    [raised] = await queue(runtime)
    await runtime.run(press.embargo, EVA, raised.id, Scope.TICKET, SOON + timedelta(hours=1), FALLBACK)
    async with runtime.reading() as tx:
        [one] = await list_embargoes(tx, [raised.id])
    assert (one.until, one.fallback_text) == (SOON + timedelta(hours=1), FALLBACK)
    assert (await standing(runtime, ticket)).embargoed


async def test_an_embargo_lasts_a_month_at_most(runtime: Runtime) -> None:
    await held(runtime)
    [raised] = await queue(runtime)
    await runtime.run(press.embargo, EVA, raised.id, Scope.TICKET, MORNING + LONGEST, None)
    with pytest.raises(EmbargoTooLong) as caught:
        await runtime.run(press.embargo, EVA, raised.id, Scope.TICKET, MORNING + LONGEST + timedelta(seconds=1), None)
    assert (caught.value.field, caught.value.facts) == ("until", {"longest_days": 31})


async def test_pr_may_let_one_reply_go_and_keep_the_embargo(runtime: Runtime) -> None:
    ticket, _ = await held(runtime)
    waits = await said(runtime, ticket)
    _, approved = await runtime.run(review.approve, EVA, waits.id)
    assert approved.state is ReplyState.QUEUED
    assert (await standing(runtime, ticket)).embargoed


async def test_what_cannot_be_held(runtime: Runtime) -> None:
    unplaced = await arrived(runtime, mention("Schandalig, mijn advocaat gaat naar Kassa hiermee"))
    [raised] = await queue(runtime)
    assert unplaced.topic is None
    with pytest.raises(NothingToHold, match="no topic"):
        await runtime.run(press.embargo, EVA, raised.id, Scope.TOPIC, SOON, None)
    with pytest.raises(NothingToHold, match="no incident"):
        await runtime.run(press.embargo, EVA, raised.id, Scope.INCIDENT, SOON, None)
    with pytest.raises(NotInFuture):
        await runtime.run(press.embargo, EVA, raised.id, Scope.TICKET, MORNING, None)


async def on_their_way(runtime: Runtime) -> list[DeliveryState]:
    async with runtime.reading() as tx:
        lines = await outbox.list_deliveries(tx, departments=None)
    return [line.state for line in lines if line.type == "reply"]


async def test_what_was_given_before_an_embargo_and_has_not_left_waits_for_pr_too(runtime: Runtime) -> None:
    ticket = await arrived(runtime, mention())
    queued = await said(runtime, ticket)
    await said(runtime, ticket, "We bellen je.", Visibility.PRIVATE)
    await runtime.run(work.escalate, ANNA, ticket.id, None, "Filmt mee")
    [raised] = await queue(runtime)

    await kept_back(runtime, raised)
    kept, waiting = await on_their_way(runtime), await replies(runtime, ticket)
    await runtime.run(press.release, EVA, raised.id)

    assert queued.state is ReplyState.QUEUED
    assert waiting == [ReplyState.HELD, ReplyState.QUEUED]
    assert sorted(kept) == [DeliveryState.CANCELLED, DeliveryState.OPEN]
    assert await replies(runtime, ticket) == [ReplyState.QUEUED, ReplyState.QUEUED]
    assert sorted(await on_their_way(runtime)) == [DeliveryState.CANCELLED, DeliveryState.OPEN, DeliveryState.OPEN]


async def test_what_has_not_left_a_ticket_that_is_settled_waits_for_pr_too(runtime: Runtime) -> None:
    settled, other = await arrived(runtime, mention()), await arrived(runtime, mention(by="bo"))
    await said(runtime, settled)
    await runtime.run(work.resolve, ANNA, settled.id, None, "solved", None)
    await runtime.run(work.escalate, ANNA, other.id, None, "Filmt mee")
    [raised] = await queue(runtime)

    await kept_back(runtime, raised, Scope.TOPIC)
    waiting = await replies(runtime, settled)
    await runtime.run(press.release, EVA, raised.id)

    assert waiting == [ReplyState.HELD]
    assert await replies(runtime, settled) == [ReplyState.QUEUED]
    after = await standing(runtime, settled)
    assert (after.state, after.embargoed) == (State.RESOLVED, False)


async def test_prs_own_words_on_their_way_are_not_called_back(runtime: Runtime) -> None:
    ticket = await arrived(runtime, mention())
    await runtime.run(answer.reply, EVA, ticket.id, None, Speech("Wij zoeken dit uit."))
    await runtime.run(work.escalate, ANNA, ticket.id, None, "Filmt mee")
    [raised] = await queue(runtime)

    await kept_back(runtime, raised)

    assert await replies(runtime, ticket) == [ReplyState.QUEUED]


async def test_a_reply_held_before_the_mark_came_goes_with_the_embargo(runtime: Runtime) -> None:
    """An embargo that is over before it marked all its tickets lets go what it held on them."""
    escalated = await arrived(runtime, mention())
    await runtime.run(work.escalate, ANNA, escalated.id, None, "Filmt mee")
    [raised] = await queue(runtime)
    await kept_back(runtime, raised, Scope.TOPIC)
    ticket = await arrived(runtime, mention(by="bo"))
    waiting = await said(runtime, ticket)
    marked = (await standing(runtime, ticket)).embargoed

    await runtime.run(press.release, EVA, raised.id)
    await runtime.run(follow_embargoes, 100)

    assert (waiting.state, marked) == (ReplyState.HELD, False)
    assert await replies(runtime, ticket) == [ReplyState.QUEUED]


async def test_what_the_channel_may_have_already_is_not_called_back(runtime: Runtime) -> None:
    ticket = await arrived(runtime, mention())
    await said(runtime, ticket)
    lease = timedelta(seconds=30)
    await wait(runtime.database)
    await runtime.database.transact(lambda tx: outbox.claim_due(tx, limit=1, lease=lease, per_lane=1, publishing=True))
    await runtime.run(work.escalate, ANNA, ticket.id, None, "Filmt mee")
    [raised] = await queue(runtime)

    await kept_back(runtime, raised)

    assert await replies(runtime, ticket) == [ReplyState.QUEUED]


async def test_a_reply_that_failed_is_not_tried_again_under_an_embargo(runtime: Runtime) -> None:
    ticket, _ = await held(runtime)
    [failed] = [await said(runtime, ticket, "We bellen je.", Visibility.PRIVATE)]
    was_public = {"state": ReplyState.FAILED, "visibility": "public"}
    mark = update(reply_table).where(reply_table.c.id == failed.id).values(**was_public)
    await runtime.database.transact(lambda tx: tx.execute(mark))

    with pytest.raises(Forbidden):
        await runtime.run(mend.retry, ANNA, failed.id)


@respx.mock
async def test_what_was_under_way_waits_when_the_channel_does_not_have_it(runtime: Runtime) -> None:
    """An embargo takes nothing back that may stand there; what is known not to is not said after all."""
    ticket = await arrived(runtime, mention())
    await runtime.run(work.escalate, ANNA, ticket.id, None, "Filmt mee")
    [raised] = await queue(runtime)
    await said(runtime, ticket)
    posted = respx.post(PUBLISH_URL).mock(side_effect=[httpx.Response(502), httpx.Response(200)])
    respx.get(PUBLISH_URL).respond(404, json={"published": False})
    await carry(runtime)
    await kept_back(runtime, raised)
    unknown = await replies(runtime, ticket)

    for _ in range(2):
        await carry(runtime, AN_HOUR)

    assert (unknown, await replies(runtime, ticket)) == ([ReplyState.UNKNOWN], [ReplyState.HELD])
    assert posted.call_count == 1
    await runtime.run(press.release, EVA, raised.id)
    await carry(runtime)
    assert await replies(runtime, ticket) == [ReplyState.PUBLISHED]


async def test_a_ticket_whose_clocks_cannot_be_read_holds_no_embargo_up(runtime: Runtime) -> None:
    unreadable, other = await arrived(runtime, mention()), await arrived(runtime, mention(by="bo"))
    await runtime.run(work.escalate, ANNA, other.id, None, "Filmt mee")
    [raised] = await queue(runtime)
    spoilt = update(clock_table).where(clock_table.c.ticket_id == unreadable.id).values(policy={})
    await runtime.database.transact(lambda tx: tx.execute(spoilt))

    await kept_back(runtime, raised, Scope.TOPIC)
    assert await runtime.run(follow_embargoes, 1) == 0
    marked = [(await standing(runtime, one)).embargoed for one in (unreadable, other)]
    await runtime.run(press.release, EVA, raised.id)

    assert marked == [False, True]
    assert not (await standing(runtime, other)).embargoed
