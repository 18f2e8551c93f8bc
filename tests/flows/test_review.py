"""A reply that somebody else must look at waits, counts from when it is let go, and is never said unseen."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access.role import Caller, Forbidden, Role
from app.answers.reply import CustomerPostedMeanwhile, Hold, OwnReply, Reply, ReplyInOtherState, ReplyState
from app.answers.store import get_reply, mark_failed
from app.channels.platform import ReplyDoesNotFit, ReplyWindowClosed
from app.delivery import store as outbox
from app.escalation.embargoes.embargo import Scope
from app.escalation.store import Wanted, list_escalations
from app.flows import press
from app.flows.answer import Terms, answer, reply
from app.flows.mend import retry
from app.flows.record import record_one
from app.flows.review import approve, reject, reject_held, release_held
from app.flows.say import Speech
from app.flows.work import escalate
from app.kit.ids import new_id
from app.mentions.mention import Visibility
from app.runtime import Runtime, Unit
from app.tickets import store as tickets
from app.tickets.lifecycle import close
from app.tickets.ticket import State, Ticket
from tests.support.clock import Clock
from tests.support.mentions import GREETING, mention
from tests.support.tickets import ticket_of

ANNA = Caller(new_id(), "anna", Role.AGENT)
BRAM = Caller(new_id(), "bram", Role.AGENT)
PIEN = Caller(new_id(), "pien", Role.PR)
ELS = Caller(new_id(), "els", Role.DEPARTMENT, "supply_chain")
JOBS = {"channel": "instagram", "account": "@WerkenBijPolderMobiel"}  # what is said there, a colleague reads first
HELLO = Speech("Hoi Sanne, waarmee kunnen we je helpen?")


async def opened(runtime: Runtime, text: str = GREETING, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


async def embargoed(runtime: Runtime, *tickets_: Ticket) -> None:
    """PR was asked to look at them, and keeps public replies back."""
    until = runtime.now() + timedelta(days=1)
    for one in tickets_:
        await runtime.run(escalate, ANNA, one.id, None, "Filmt mee")
        async with runtime.reading() as tx:
            [raised] = await list_escalations(tx, Wanted(ticket_id=one.id), limit=2)
        await runtime.run(press.embargo, PIEN, raised.id, Scope.TICKET, until, None)


async def said(runtime: Runtime, ticket: Ticket, by: Caller = ANNA, speech: Speech = HELLO) -> Reply:
    _, given = await runtime.run(reply, by, ticket.id, None, speech)
    return given


async def standing(runtime: Runtime, reply_id: UUID) -> Reply:
    async with runtime.reading() as tx:
        return await get_reply(tx, reply_id)


async def on_their_way(runtime: Runtime) -> list[UUID | None]:
    """The replies that are in the outbox."""
    async with runtime.reading() as tx:
        return [line.subject_id for line in await outbox.list_deliveries(tx, departments=None) if line.type == "reply"]


async def events(runtime: Runtime, ticket: Ticket) -> list[str]:
    async with runtime.reading() as tx:
        return [one.type for one in await tickets.list_events(tx, ticket.id)]


async def due(runtime: Runtime, ticket: Ticket) -> set[str]:
    async with runtime.reading() as tx:
        return set((await tickets.get_ticket(tx, ticket.id)).due)


async def test_a_reply_on_a_reviewed_profile_waits_and_the_customer_with_it(runtime: Runtime) -> None:
    ticket = await opened(runtime, **JOBS)

    held = await said(runtime, ticket)

    assert (held.state, held.held_for, held.reason) == ("held", (Hold.REVIEW,), "a colleague looks at it first")
    assert await on_their_way(runtime) == []
    assert "first_reply" in await due(runtime, ticket)
    assert (await events(runtime, ticket))[-1] == "ticket.reply_held"


async def test_a_colleague_lets_it_go_and_it_counts_from_then(runtime: Runtime, clock: Clock) -> None:
    ticket = await opened(runtime, **JOBS)
    held = await said(runtime, ticket)
    clock.at += timedelta(minutes=4)

    _, freed = await runtime.run(approve, BRAM, held.id)

    assert (freed.state, freed.held_for, freed.reason) == ("queued", (), None)
    assert (freed.decided_by, freed.decided_at) == (BRAM.actor, clock.at)
    assert await on_their_way(runtime) == [held.id]
    assert "first_reply" not in await due(runtime, ticket)
    assert (await events(runtime, ticket))[-1] in {"ticket.replied", "sla.met"}
    with pytest.raises(ReplyInOtherState):
        await runtime.run(approve, BRAM, held.id)


async def test_nobody_approves_their_own_words(runtime: Runtime) -> None:
    held = await said(runtime, await opened(runtime, **JOBS))

    with pytest.raises(OwnReply):
        await runtime.run(approve, ANNA, held.id)

    assert (await standing(runtime, held.id)).state is ReplyState.HELD


async def test_who_approves_may_change_the_words_and_those_written_are_kept(runtime: Runtime) -> None:
    held = await said(runtime, await opened(runtime, **JOBS))

    _, freed = await runtime.run(approve, BRAM, held.id, text="Hoi Sanne, fijn dat je schrijft!")

    assert (freed.text, freed.written_text) == ("Hoi Sanne, fijn dat je schrijft!", HELLO.text)
    async with runtime.reading() as tx:
        [line] = await outbox.list_deliveries(tx, departments=None)
        [row] = await tx.fetch("SELECT body::jsonb ->> 'text' AS text FROM message WHERE id = $1", line.message_id)
    assert row["text"] == freed.text


async def test_what_the_customer_posted_meanwhile_is_shown_before_it_goes(runtime: Runtime, clock: Clock) -> None:
    ticket = await opened(runtime, conversation_id="7", **JOBS)
    held = await said(runtime, ticket)
    clock.at += timedelta(minutes=1)
    await opened(runtime, "Laat maar, het is al gelukt!", conversation_id="7", **JOBS)

    with pytest.raises(CustomerPostedMeanwhile) as caught:
        await runtime.run(approve, BRAM, held.id)
    _, freed = await runtime.run(approve, BRAM, held.id, despite=True)

    assert [post["text"] for post in caught.value.facts["newer"]] == ["Laat maar, het is al gelukt!"]
    assert freed.state is ReplyState.QUEUED


async def test_what_is_rejected_is_never_said_and_its_writer_learns_why(runtime: Runtime) -> None:
    ticket = await opened(runtime, **JOBS)
    held = await said(runtime, ticket)

    _, rejected = await runtime.run(reject, BRAM, held.id, "We tutoyeren hier niet.")

    assert (rejected.state, rejected.reason) == ("rejected", "We tutoyeren hier niet.")
    assert await on_their_way(runtime) == []
    assert "first_reply" in await due(runtime, ticket)
    with pytest.raises(ReplyInOtherState):
        await runtime.run(approve, BRAM, held.id)


async def test_two_colleagues_at_once_send_it_once(runtime: Runtime) -> None:
    held = await said(runtime, await opened(runtime, **JOBS))

    done = await asyncio.gather(
        *(runtime.run(approve, replace(BRAM, name=f"bram-{n}"), held.id) for n in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, ReplyInOtherState) for one in done) == 7
    assert await on_their_way(runtime) == [held.id]


async def test_under_an_embargo_public_words_wait_for_pr_and_private_ones_do_not(runtime: Runtime) -> None:
    ticket = await opened(runtime)
    await embargoed(runtime, ticket)

    public = await said(runtime, ticket)
    private = await said(runtime, ticket, speech=replace(HELLO, visibility=Visibility.PRIVATE))

    assert (public.state, public.held_for, private.state) == ("held", (Hold.EMBARGO,), "queued")
    with pytest.raises(Forbidden) as caught:
        await runtime.run(approve, BRAM, public.id)
    assert caught.value.facts["roles"] == ["admin", "pr"]


async def test_a_reply_that_two_must_let_go_waits_for_both(runtime: Runtime) -> None:
    ticket = await opened(runtime, **JOBS)
    held = await said(runtime, ticket)
    await embargoed(runtime, ticket)  # after it was written: who approves must not let it slip through

    _, waiting = await runtime.run(approve, BRAM, held.id)
    _, freed = await runtime.run(approve, PIEN, held.id)

    assert (waiting.state, waiting.held_for) == ("held", (Hold.EMBARGO,))
    assert (freed.state, freed.decided_by) == ("queued", PIEN.actor)
    assert [one for one in await events(runtime, ticket) if "repl" in one] == [
        "ticket.reply_held",
        "ticket.reply_approved",
        "ticket.replied",
    ]


async def held_on(runtime: Runtime, *texts: str) -> tuple[list[Ticket], list[Reply]]:
    found = [await opened(runtime, text, by=f"u{n}") for n, text in enumerate(texts)]
    await embargoed(runtime, *found)
    return found, [await said(runtime, ticket) for ticket in found]


async def test_pr_releases_what_waits_on_many_tickets_at_once(runtime: Runtime) -> None:
    found, held = await held_on(runtime, GREETING, "Goedenavond", "Hallo daar")
    held.append(await said(runtime, found[0]))

    async def lifted(unit: Unit) -> dict[UUID, Ticket]:
        locked = await tickets.claim_tickets(unit.tx, [ticket.id for ticket in found])
        return await release_held(unit, PIEN.actor, list(locked.values()))

    after = await runtime.run(lifted)

    assert after.keys() == {ticket.id for ticket in found}
    assert set(await on_their_way(runtime)) == {one.id for one in held}
    assert [(await standing(runtime, one.id)).state for one in held] == [ReplyState.QUEUED] * 4
    assert (await events(runtime, found[0])).count("ticket.replied") == 2


async def test_pr_rejects_what_waits_and_a_closed_ticket_has_nobody_to_answer(runtime: Runtime) -> None:
    (kept, late), (first, second) = await held_on(runtime, GREETING, "Goedenavond")

    async def decided(unit: Unit) -> None:
        locked = await tickets.claim_tickets(unit.tx, [kept.id, late.id])
        await reject_held(unit, PIEN.actor, [locked[kept.id]], "We zeggen hier niets over.")
        closed = await record_one(unit, close(locked[late.id], unit.now))
        await release_held(unit, PIEN.actor, [closed])

    await runtime.run(decided)

    one, other = await standing(runtime, first.id), await standing(runtime, second.id)
    assert (one.state, one.reason) == ("rejected", "We zeggen hier niets over.")
    assert (other.state, other.reason) == ("rejected", "the ticket was closed before it was let go")
    assert await on_their_way(runtime) == []


async def test_a_department_has_answered_when_its_words_wait_for_others(runtime: Runtime) -> None:
    ticket = await opened(runtime, "Waar blijft mijn pakketje?", channel="forum")
    await embargoed(runtime, ticket)

    given = await runtime.run(
        answer, ELS, ticket.id, None, Speech("Morgen voor 12:00."), publish=True, resolve=True, terms=Terms()
    )

    assert given.reply is not None
    assert (given.reply.state, given.ticket.state) == ("held", State.WORKING)
    assert "ownership" not in given.ticket.due
    assert "first_reply" in given.ticket.due


async def test_what_comes_too_late_for_the_platform_is_not_released(runtime: Runtime, clock: Clock) -> None:
    ticket = await opened(runtime, visibility=Visibility.PRIVATE, at=clock(), **JOBS)
    held = await said(runtime, ticket)
    clock.at += timedelta(days=2)
    _, freed = await runtime.run(approve, BRAM, held.id)
    late = await said(runtime, ticket)
    clock.at += timedelta(days=5)

    with pytest.raises(ReplyWindowClosed):
        await runtime.run(approve, BRAM, late.id)

    assert freed.state is ReplyState.QUEUED
    async with runtime.reading() as tx:
        [row] = await tx.fetch(
            "SELECT body::jsonb ->> 'reply_window' AS window FROM message WHERE kind = 'publication'"
        )
    assert row["window"] == "human_agent"


async def test_what_failed_is_not_sent_again_when_the_platform_takes_no_reply_any_more(
    runtime: Runtime, clock: Clock
) -> None:
    ticket = await opened(runtime, channel="whatsapp", visibility=Visibility.PRIVATE, at=clock())
    failed = await said(runtime, ticket)
    await runtime.database.transact(lambda tx: mark_failed(tx, failed.id, "refused"))
    clock.at += timedelta(days=1)

    with pytest.raises(ReplyWindowClosed):
        await runtime.run(retry, BRAM, failed.id)


async def test_other_words_must_fit_as_well(runtime: Runtime) -> None:
    held = await said(runtime, await opened(runtime, **JOBS))

    with pytest.raises(ReplyDoesNotFit):
        await runtime.run(approve, BRAM, held.id, text="a" * 2201)
