"""A ticket escalates: by what customers post, by hand, and once for each reason whoever is first."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.access.role import Caller, Role
from app.escalation import store as escalations
from app.escalation.store import Escalation, EscalationMovedOn, EscalationState, Wanted
from app.feedback.invitation import Reason
from app.feedback.invitation import State as Asked
from app.feedback.store import find_feedback
from app.flows import answer, press, work
from app.flows.receive import receive
from app.flows.record import record_one
from app.flows.say import Speech
from app.flows.settle import Outcome
from app.kit.errors import WebcareError
from app.kit.ids import new_id
from app.mentions.mention import Author, Kind, Mention
from app.runtime import Runtime, Unit
from app.tickets import lifecycle
from app.tickets.custody import Holder
from app.tickets.legal import IllegalMove
from app.tickets.store import claim_ticket, get_ticket, list_events, list_mentions
from app.tickets.ticket import Ticket
from tests.support.clock import MORNING, Clock
from tests.support.mentions import mention

ANNA = Caller(new_id(), "anna", Role.AGENT)
EVA = Caller(new_id(), "eva", Role.PR)
ANGRY = "Schandalig. Mijn pakket is er niet, mijn advocaat belt jullie en ik stap naar Kassa"


async def arrived(runtime: Runtime, *said: Mention) -> Ticket:
    """The ticket on which the last of them stands."""
    *_, last = await receive(runtime, said)
    assert not isinstance(last, WebcareError)
    assert last.ticket is not None
    return last.ticket


async def queue(runtime: Runtime, wanted: Wanted | None = None) -> tuple[Escalation, ...]:
    async with runtime.reading() as tx:
        return await escalations.list_escalations(tx, wanted or Wanted(), limit=100)


async def happened(runtime: Runtime, ticket_id: UUID) -> list[str]:
    async with runtime.reading() as tx:
        return [one.type for one in await list_events(tx, ticket_id)]


def codes(one: Escalation) -> list[str]:
    return [reason.code for reason in one.reasons]


async def test_an_ordinary_post_asks_nobody(runtime: Runtime) -> None:
    ticket = await arrived(runtime, mention())
    assert (ticket.risk, ticket.escalated) == (0, False)
    assert await queue(runtime) == ()


async def test_a_post_that_risks_much_is_in_prs_queue_with_its_figures(runtime: Runtime) -> None:
    ticket = await arrived(runtime, mention(ANGRY))

    [raised] = await queue(runtime)
    assert (raised.ticket_id, raised.state, raised.due_at) == (
        ticket.id,
        EscalationState.RAISED,
        MORNING + timedelta(minutes=30),
    )
    assert {reason.code: reason.figures for reason in raised.reasons} == {
        "media": {"phrase": "naar kassa", "watchdog": "Kassa (BNNVARA)", "kind": "programme", "points": 40},
        "legal": {"phrase": "advocaat", "points": 35},
        "mood": {"mood": 3.0, "points": 5},
    }
    assert (ticket.risk, ticket.escalated) == (80, True)
    assert await happened(runtime, ticket.id) == ["mention.received", "ticket.opened", "escalation.raised"]


async def test_a_denied_risk_is_none(runtime: Runtime) -> None:
    ticket = await arrived(
        runtime, mention("Waar blijft mijn pakket? Geen klacht over discriminatie of een datalek hoor")
    )
    assert (ticket.risk, ticket.escalated) == (0, False)


async def test_who_posts_again_and_again_unanswered_adds_up(runtime: Runtime, clock: Clock) -> None:
    """A lawyer alone is not enough; posts that nobody answers add what is missing, and an answer takes it away."""
    first = await arrived(runtime, mention("Mijn advocaat belt over mijn pakket", conversation_id="c-1"))
    assert (first.risk, first.escalated) == (35, False)

    await runtime.run(answer.reply, ANNA, first.id, None, Speech("We zoeken het uit"))
    for _ in range(3):
        clock.pass_(minutes=5)
        ticket = await arrived(runtime, mention("Hallo?", at=clock.at, conversation_id="c-1"))

    assert (ticket.id, ticket.risk, ticket.escalated_for) == (first.id, 50, ("legal", "unanswered"))
    assert codes((await queue(runtime))[0]) == ["legal", "unanswered"]

    await runtime.run(answer.reply, ANNA, first.id, None, Speech("Morgen is het er"))
    async with runtime.reading() as tx:
        assert (await get_ticket(tx, first.id)).risk == 35


async def test_risk_in_a_later_post_raises_and_tags_as_in_the_first(runtime: Runtime) -> None:
    first = await arrived(runtime, mention(conversation_id="c-1"))
    later = await arrived(runtime, mention("Mijn advocaat belt jullie nog", conversation_id="c-1"))
    assert (first.priority, later.id, later.priority, later.tags) == ("normal", first.id, "high", ("legal",))
    assert "ticket.updated" in await happened(runtime, first.id)


async def test_an_edit_that_names_a_programme_counts(runtime: Runtime) -> None:
    said = mention("Mijn advocaat belt over mijn pakket")
    worse = Mention(
        "x", said.external_id, said.author, "Mijn advocaat belt over mijn pakket, en ik ga naar Radar", said.posted_at
    )
    await arrived(runtime, said)
    ticket = await arrived(runtime, worse)
    assert ticket.escalated_for == ("media", "legal")


async def test_a_known_reason_adds_nothing_and_a_new_one_adds_to_the_open_escalation(runtime: Runtime) -> None:
    await arrived(runtime, mention(ANGRY, conversation_id="c-1"))
    await arrived(runtime, mention("Nogmaals: mijn advocaat, en naar Kassa. Schandalig!", conversation_id="c-1"))
    assert [codes(one) for one in await queue(runtime)] == [["legal", "media", "mood"]]

    famous = Author(external_id="u-sanne", handle="sanne", followers=20_000)
    await arrived(runtime, mention("En nu mijn volgers ook", author=famous, conversation_id="c-1"))
    assert [codes(one) for one in await queue(runtime)] == [["legal", "media", "mood", "reach", "unanswered"]]


async def test_after_closing_only_a_new_reason_escalates_again(runtime: Runtime) -> None:
    ticket = await arrived(runtime, mention(ANGRY, conversation_id="c-1"))
    [raised] = await queue(runtime)
    closed = await runtime.run(press.close, EVA, raised.id, "sooner next time")
    assert (closed.state, closed.lesson, closed.closed_by) == (EscalationState.CLOSED, "sooner next time", "pr:eva")

    again = await arrived(runtime, mention("Mijn advocaat gaat naar Kassa, schandalig", conversation_id="c-1"))
    assert (again.escalated, len(await queue(runtime))) == (False, 1)

    racist = await arrived(runtime, mention("Het is nog racistisch ook", conversation_id="c-1"))
    assert racist.escalated
    assert [codes(one) for one in await queue(runtime, Wanted(ticket_id=ticket.id))] == [
        ["legal", "media", "mood"],
        ["discrimination", "unanswered"],
    ]


async def test_asking_by_hand(runtime: Runtime) -> None:
    ticket = await arrived(runtime, mention())
    first = await runtime.run(work.escalate, ANNA, ticket.id, None, "Heeft een programma op tv")
    again = await runtime.run(work.escalate, ANNA, ticket.id, None, "Heeft een programma op tv")
    assert again.version == first.version

    await runtime.run(work.escalate, ANNA, ticket.id, None, "Filmt mee")
    [raised] = await queue(runtime, Wanted(reason="by_hand"))
    assert {reason.text for reason in raised.reasons} == {"Heeft een programma op tv", "Filmt mee"}
    assert {reason.actor for reason in raised.reasons} == {"agent:anna"}
    assert (await happened(runtime, ticket.id)).count("escalation.raised") == 2


async def test_a_closed_ticket_is_not_escalated(runtime: Runtime) -> None:
    ticket = await arrived(runtime, mention())

    async def shut(unit: Unit) -> None:
        await record_one(unit, lifecycle.close(await claim_ticket(unit.tx, ticket.id), unit.now))

    await runtime.run(shut)
    with pytest.raises(IllegalMove):
        await runtime.run(work.escalate, ANNA, ticket.id, None, "te laat")


async def test_two_reasons_at_once_make_one_escalation(runtime: Runtime) -> None:
    """On connections of their own: whoever comes second adds to what the first one opened."""
    tickets = [await arrived(runtime, mention()) for _ in range(5)]
    await asyncio.gather(
        *(
            runtime.run(work.escalate, ANNA, ticket.id, None, reason)
            for ticket in tickets
            for reason in ("Filmt mee", "Heeft een programma", "Belt de krant")
        )
    )
    raised = await queue(runtime)
    assert {one.ticket_id for one in raised} == {ticket.id for ticket in tickets}
    assert [len(one.reasons) for one in raised] == [3] * 5


async def test_pr_acknowledges_once_and_takes_over(runtime: Runtime, clock: Clock) -> None:
    ticket = await arrived(runtime, mention(ANGRY))
    [raised] = await queue(runtime)
    clock.pass_(minutes=31)
    assert await queue(runtime, Wanted(overdue_at=clock.at)) == (raised,)

    seen = await runtime.run(press.acknowledge, EVA, raised.id, take_over=True)
    assert (seen.state, seen.acknowledged_at, seen.acknowledged_by) == (
        EscalationState.ACKNOWLEDGED,
        clock.at,
        "pr:eva",
    )
    assert await queue(runtime, Wanted(overdue_at=clock.at)) == ()
    async with runtime.reading() as tx:
        taken = await get_ticket(tx, ticket.id)
    assert (taken.holder, taken.assignee) == (Holder.PR, "pr:eva")
    assert taken.due["first_reply"] == ticket.due["first_reply"]

    with pytest.raises(EscalationMovedOn, match="acknowledged already"):
        await runtime.run(press.acknowledge, EVA, raised.id, take_over=False)


async def test_reposts_of_a_post_are_a_signal_on_its_ticket(runtime: Runtime, clock: Clock) -> None:
    """Twenty weigh sixty in the first hour; the ticket is written once for them, and once more when PR is asked."""
    said = mention(at=clock.at)
    ticket = await arrived(runtime, said)

    def reposts(count: int, start: int) -> list[Mention]:
        return [
            mention("RT @sanne: Waar blijft", by=f"r{start + n}", kind=Kind.REPOST, parent_id=said.external_id)
            for n in range(count)
        ]

    await receive(runtime, reposts(20, 0))
    async with runtime.reading() as tx:
        grown = await get_ticket(tx, ticket.id)
    assert (grown.risk, grown.version, grown.escalated) == (20, ticket.version + 1, False)

    await receive(runtime, reposts(5, 100))
    async with runtime.reading() as tx:
        assert (await get_ticket(tx, ticket.id)).version == grown.version

    await receive(runtime, reposts(320, 200))
    [raised] = await queue(runtime)
    assert {reason.code: reason.figures for reason in raised.reasons} == {"growth": {"per_hour": 1035.0, "points": 60}}
    assert (await happened(runtime, ticket.id)).count("mention.taken_up") == 2


async def test_metrics_that_grow_are_a_signal_though_nobody_edits(runtime: Runtime, clock: Clock) -> None:
    said = mention(at=clock.at, metrics={"likes": 3})
    ticket = await arrived(runtime, said)
    liked = replace(said, metrics={"likes": 900, "reposts": 40})
    [again] = await receive(runtime, [liked])
    assert not isinstance(again, WebcareError)
    assert (again.outcome, again.ticket and again.ticket.risk) == (Outcome.DUPLICATE, 60)
    assert [codes(one) for one in await queue(runtime)] == [["growth"]]
    async with runtime.reading() as tx:
        [stored] = await list_mentions(tx, ticket.id)
    assert stored["metrics"] == {"likes": 900, "reposts": 40}
    assert stored["revision"] == 0


async def test_whoever_was_with_pr_is_not_asked_for_a_score(runtime: Runtime) -> None:
    """Also when PR is done with it."""
    ticket = await arrived(runtime, mention(ANGRY))
    [raised] = await queue(runtime)
    await runtime.run(press.close, EVA, raised.id, "sooner")
    await runtime.run(work.resolve, ANNA, ticket.id, None, "solved", None)
    async with runtime.reading() as tx:
        asked = await find_feedback(tx, ticket.id)
    assert asked is not None
    assert (asked.state, asked.reason) == (Asked.SKIPPED, Reason.ESCALATED)
