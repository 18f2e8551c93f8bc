"""Two tickets become one and two again: posts, promises, custody and history go along."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.access.role import Caller, Role
from app.answers.store import list_replies
from app.flows import combine, work
from app.flows.answer import reply
from app.flows.receive import receive, withdraw
from app.flows.say import Speech
from app.flows.settle import Outcome, Received
from app.flows.watch import pass_time
from app.kit.errors import WebcareError
from app.kit.ids import new_id
from app.runtime import Runtime
from app.sla.clock import Clock as Promise
from app.sla.clock import State as Promised
from app.sla.policy import Metric
from app.sla.store import list_clocks
from app.tickets import store as tickets
from app.tickets.custody import Holder, seconds_by_holder
from app.tickets.links.store import Linked, TicketsNotLinked, list_links
from app.tickets.merging import (
    DifferentCustomers,
    LinkKind,
    NotMerged,
    NotOpenToMerge,
    SameTicket,
)
from app.tickets.ticket import State, Ticket
from tests.support.clock import Clock
from tests.support.mentions import GREETING, LATE_PARCEL, mention
from tests.support.tickets import ticket_of

ANNA = Caller(new_id(), "anna", Role.AGENT)


async def post(runtime: Runtime, thread: str, text: str = GREETING, **facts: Any) -> Received:
    (received,) = await receive(runtime, [mention(text, conversation_id=thread, **facts)])
    assert isinstance(received, Received)
    return received


async def opened(runtime: Runtime, thread: str, text: str = GREETING, **facts: Any) -> Ticket:
    ticket = (await post(runtime, thread, text, **facts)).ticket
    assert ticket is not None
    return ticket


async def merge(runtime: Runtime, ticket: Ticket, into: Ticket, *, confirmed: bool = False) -> Ticket:
    return await runtime.run(combine.merge, ANNA, ticket.id, None, into.id, confirmed=confirmed)


async def unmerge(runtime: Runtime, ticket: Ticket) -> Ticket:
    return await runtime.run(combine.unmerge, ANNA, ticket.id, None, "another order")


async def stands(runtime: Runtime, ticket: Ticket) -> Ticket:
    async with runtime.reading() as tx:
        return await tickets.get_ticket(tx, ticket.id)


async def texts(runtime: Runtime, ticket: Ticket) -> list[str]:
    async with runtime.reading() as tx:
        return [row["text"] for row in await tickets.list_mentions(tx, ticket.id)]


async def promises(runtime: Runtime, ticket: Ticket) -> dict[Metric, Promise]:
    """The last of each metric."""
    async with runtime.reading() as tx:
        return {one.metric: one for one in (await list_clocks(tx, [ticket.id])).get(ticket.id, ())}


async def links(runtime: Runtime, ticket: Ticket) -> list[Linked]:
    async with runtime.reading() as tx:
        return [*await list_links(tx, ticket.id)]


async def test_posts_stand_on_the_ticket_that_goes_on_and_so_does_all_that_comes(runtime: Runtime) -> None:
    first, second = await opened(runtime, "a", "Hallo?"), await opened(runtime, "b", "Hallo!")

    merged = await merge(runtime, first, second)
    later = await post(runtime, "a", "Nog steeds niets")

    assert (merged.state, merged.merged_into_id, merged.resolution) == (State.CLOSED, second.id, "merged")
    assert later.ticket is not None
    assert (later.ticket.id, later.outcome) == (second.id, Outcome.JOINED)
    assert await texts(runtime, second) == ["Hallo?", "Hallo!", "Nog steeds niets"]
    assert [(one.kind, one.number) for one in await links(runtime, first)] == [("whole", second.number)]
    assert [(one.kind, one.number) for one in await links(runtime, second)] == [("part", first.number)]


async def test_posts_of_both_conversations_in_one_list_stand_on_the_one_ticket(runtime: Runtime) -> None:
    first, second = await opened(runtime, "a"), await opened(runtime, "b")
    await merge(runtime, first, second)

    got = await receive(runtime, [mention(f"nr {n}", conversation_id="ab"[n % 2]) for n in range(4)])

    assert {one.ticket.id for one in got if isinstance(one, Received) and one.ticket} == {second.id}
    assert len(await texts(runtime, second)) == 6


async def test_what_is_merged_twice_goes_on_in_the_last(runtime: Runtime) -> None:
    first, second, third = [await opened(runtime, thread) for thread in "abc"]
    await merge(runtime, first, second)
    await merge(runtime, second, third)

    later = await post(runtime, "a")

    assert later.ticket is not None
    assert later.ticket.id == third.id
    assert len(await texts(runtime, third)) == 4


async def test_a_post_that_its_author_deletes_after_the_merge_is_gone_from_both(runtime: Runtime) -> None:
    said = mention("weg ermee", conversation_id="a")
    first, second = await ticket_of(runtime, said), await opened(runtime, "b")
    await merge(runtime, first, second)

    gone = await runtime.run(withdraw, said.key)

    assert gone.ticket is not None
    assert gone.ticket.id == second.id
    assert "weg ermee" not in [*await texts(runtime, second), *await texts(runtime, first)]


async def test_of_two_promises_the_sooner_counts_and_the_other_is_neither_kept_nor_broken(
    runtime: Runtime, clock: Clock
) -> None:
    older = await opened(runtime, "a", at=clock() - timedelta(minutes=30))
    newer = await opened(runtime, "b")
    asked = await promises(runtime, older)

    await merge(runtime, older, newer)

    left, taken = await promises(runtime, older), await promises(runtime, newer)
    for metric in (Metric.FIRST_REPLY, Metric.RESOLUTION):
        assert (left[metric].state, left[metric].ended_at) == (Promised.CANCELLED, clock())
        assert (taken[metric].started_at, taken[metric].due_at) == (asked[metric].started_at, asked[metric].due_at)
    assert (await stands(runtime, newer)).next_due_at == asked[Metric.FIRST_REPLY].due_at


async def test_an_unanswered_post_makes_an_answered_ticket_owe_a_reply(runtime: Runtime, clock: Clock) -> None:
    answered = await opened(runtime, "b")
    await runtime.run(reply, ANNA, answered.id, None, Speech("Dag!"))
    waiting = await opened(runtime, "a", at=clock() - timedelta(minutes=10))

    await merge(runtime, waiting, answered)

    owed = (await promises(runtime, answered))[Metric.NEXT_REPLY]
    assert (owed.state, owed.started_at) == (Promised.RUNNING, clock() - timedelta(minutes=10))


async def test_the_life_of_the_older_ticket_becomes_the_beginning_of_the_newer(runtime: Runtime, clock: Clock) -> None:
    older = await opened(runtime, "a", LATE_PARCEL, channel="forum")
    clock.pass_(minutes=60)
    newer = await opened(runtime, "b", channel="forum", at=clock())
    clock.pass_(minutes=60)

    await merge(runtime, older, newer)

    spent = seconds_by_holder((await stands(runtime, newer)).custody, clock())
    assert sum(spent.values()) == timedelta(minutes=125).total_seconds()
    assert spent[Holder.DEPARTMENT] == timedelta(minutes=60).total_seconds()


async def test_taken_apart_both_are_what_they_were(runtime: Runtime, clock: Clock) -> None:
    first = await opened(runtime, "a", LATE_PARCEL, channel="forum", at=clock() - timedelta(minutes=30))
    second = await opened(runtime, "b", channel="forum")
    before = [await stands(runtime, one) for one in (first, second)]
    owed = [await promises(runtime, one) for one in (first, second)]
    await merge(runtime, first, second)
    later = await post(runtime, "a", "Nog iets", channel="forum")
    clock.pass_(minutes=5)

    alone = await unmerge(runtime, first)

    left = await stands(runtime, second)
    assert later.ticket is not None
    assert (alone.state, alone.department, alone.with_department) == (State.ROUTED, "supply_chain", "supply_chain")
    assert (alone.merged_into_id, alone.resolution, alone.closed_at) == (None, None, None)
    assert left.custody == before[1].custody
    assert await texts(runtime, first) == [LATE_PARCEL, "Nog iets"]
    assert await texts(runtime, second) == [GREETING]
    for ticket, were in zip((first, second), owed, strict=True):
        stand = await promises(runtime, ticket)
        for metric in (Metric.FIRST_REPLY, Metric.RESOLUTION):
            assert (stand[metric].started_at, stand[metric].state) == (were[metric].started_at, Promised.RUNNING)
    assert (await post(runtime, "a", "En nu?", channel="forum")).ticket is not None
    assert len(await texts(runtime, first)) == 3


async def test_a_ticket_that_owed_nothing_owes_nothing_again(runtime: Runtime, clock: Clock) -> None:
    answered, waiting = await opened(runtime, "b"), await opened(runtime, "a")
    await runtime.run(reply, ANNA, answered.id, None, Speech("Dag!"))
    await merge(runtime, waiting, answered)

    await unmerge(runtime, waiting)

    assert (await promises(runtime, answered))[Metric.NEXT_REPLY].state is Promised.CANCELLED
    assert "next_reply" not in (await stands(runtime, answered)).due


async def test_a_ticket_that_owes_more_since_keeps_the_sooner_promise(runtime: Runtime, clock: Clock) -> None:
    waiting = await opened(runtime, "a", at=clock() - timedelta(minutes=20))
    other = await opened(runtime, "b")
    await merge(runtime, waiting, other)
    await post(runtime, "b", "Ik ook nog")

    await unmerge(runtime, waiting)

    assert (await promises(runtime, other))[Metric.FIRST_REPLY].started_at == clock() - timedelta(minutes=20)


async def test_a_waiting_ticket_comes_back_when_it_gets_a_question(runtime: Runtime) -> None:
    waiting, question = await opened(runtime, "b"), await opened(runtime, "a")
    await runtime.run(work.wait, ANNA, waiting.id, None, None)

    await merge(runtime, question, waiting)

    assert (await stands(runtime, waiting)).state is State.TRIAGE


async def test_the_department_that_had_it_is_told(runtime: Runtime) -> None:
    theirs = await opened(runtime, "a", LATE_PARCEL, channel="forum")
    other = await opened(runtime, "b", channel="forum")

    await merge(runtime, theirs, other)

    async with runtime.reading() as tx:
        told = [one for one in await tickets.list_events(tx, theirs.id) if one.type == "ticket.merged"]
    assert told[0].data == {"into": str(other.id), "number": other.number}
    assert (await promises(runtime, theirs))[Metric.ACCEPTANCE].state is Promised.CANCELLED


async def test_what_cannot_be_one_ticket_is_refused(runtime: Runtime) -> None:
    first, second, done = [await opened(runtime, thread) for thread in "abc"]
    stranger = await opened(runtime, "d", by="piet")
    await runtime.run(work.resolve, ANNA, done.id, None, "solved", None)

    with pytest.raises(SameTicket):
        await merge(runtime, first, first)
    with pytest.raises(NotOpenToMerge):
        await merge(runtime, first, done)
    with pytest.raises(DifferentCustomers):
        await merge(runtime, first, stranger)
    with pytest.raises(NotMerged):
        await unmerge(runtime, first)
    await merge(runtime, first, stranger, confirmed=True)
    with pytest.raises(NotOpenToMerge) as gone:
        await merge(runtime, second, first)
    assert gone.value.facts["merged_into"] == str(stranger.id)


async def test_what_is_merged_stays_merged_when_the_other_is_closed(runtime: Runtime, clock: Clock) -> None:
    first, second, third = [await opened(runtime, thread) for thread in "abc"]
    await merge(runtime, first, second)
    await merge(runtime, second, third)

    with pytest.raises(NotOpenToMerge):
        await unmerge(runtime, first)
    await unmerge(runtime, second)
    await unmerge(runtime, first)

    assert [len(await texts(runtime, one)) for one in (first, second, third)] == [1, 1, 1]


async def test_two_who_merge_in_opposite_directions_make_no_circle(runtime: Runtime) -> None:
    for number in range(10):
        one, two = await opened(runtime, f"a{number}"), await opened(runtime, f"b{number}")

        ended = await asyncio.gather(
            merge(runtime, one, two), merge(runtime, two, one), merge(runtime, one, two), return_exceptions=True
        )

        states = {(await stands(runtime, ticket)).state for ticket in (one, two)}
        assert sum(isinstance(end, Ticket) for end in ended) == 1
        assert all(isinstance(end, Ticket | WebcareError) for end in ended)
        assert State.CLOSED in states
        assert len(states) == 2


async def test_a_post_that_comes_while_its_ticket_is_merged_stands_on_the_one_that_is_open(runtime: Runtime) -> None:
    for number in range(10):
        one, two = await opened(runtime, f"a{number}"), await opened(runtime, f"b{number}")

        (_, came) = await asyncio.gather(merge(runtime, one, two), post(runtime, f"a{number}", "nu"))

        assert came.ticket is not None
        assert "nu" in await texts(runtime, two)
        assert (await stands(runtime, two)).state is State.TRIAGE


async def test_links_show_on_both_and_can_be_taken_away(runtime: Runtime) -> None:
    one, two = await opened(runtime, "a"), await opened(runtime, "b")

    linked = await runtime.run(combine.link, ANNA, one.id, None, two.id, LinkKind.SAME_CAUSE)
    again = await runtime.run(combine.link, ANNA, two.id, None, one.id, LinkKind.SAME_CAUSE)

    for ticket, other in ((one, two), (two, one)):
        [shown] = await links(runtime, ticket)
        assert (shown.ticket_id, shown.kind, shown.actor) == (other.id, "same_cause", "agent:anna")
    assert again.version == linked.version
    await runtime.run(combine.unlink, ANNA, two.id, None, one.id)
    assert await links(runtime, one) == []
    with pytest.raises(TicketsNotLinked):
        await runtime.run(combine.unlink, ANNA, two.id, None, one.id)


async def test_a_new_ticket_of_the_same_conversation_is_linked_by_itself(runtime: Runtime, clock: Clock) -> None:
    clock.pass_(days=-20)  # what is closed in time is what the database's own clock says
    first = await opened(runtime, "a", at=clock())
    await runtime.run(work.resolve, ANNA, first.id, None, "solved", None)
    clock.pass_(days=8)
    await runtime.run(pass_time)

    later = await opened(runtime, "a", at=clock())

    assert [(one.kind, one.ticket_id) for one in await links(runtime, later)] == [("previous", first.id)]
    assert [(one.kind, one.ticket_id) for one in await links(runtime, first)] == [("next", later.id)]


async def test_a_reply_goes_to_the_conversation_of_the_ticket_that_goes_on(runtime: Runtime) -> None:
    into = await opened(runtime, "b", channel="forum")
    other = await opened(runtime, "a", channel="whatsapp")
    await merge(runtime, other, into, confirmed=True)

    await runtime.run(reply, ANNA, into.id, None, Speech("Dag!"))

    async with runtime.reading() as tx:
        [said] = await list_replies(tx, into.id)
        posts = {post["id"]: post["channel"] for post in await tickets.list_mentions(tx, into.id)}
    assert sorted(posts.values()) == ["forum", "whatsapp"]
    assert said.mention_id is not None
    assert posts[said.mention_id] == "forum"


async def test_taken_apart_a_ticket_asks_for_as_much_care_as_before(runtime: Runtime) -> None:
    angry = await opened(runtime, "a", "Mijn advocaat neemt contact op, en ik bel Kassa")
    await merge(runtime, angry, await opened(runtime, "b"))

    alone = await unmerge(runtime, angry)
    later = await post(runtime, "a", "En nu?")

    assert angry.risk > 0
    assert (alone.signals, alone.risk) == (angry.signals, angry.risk)
    assert later.ticket is not None
    assert (later.ticket.id, later.ticket.signals.risks) == (angry.id, angry.signals.risks)


async def test_a_post_that_comes_while_its_ticket_is_taken_apart_stands_on_its_own_ticket(runtime: Runtime) -> None:
    for number in range(10):
        one, two = await opened(runtime, f"a{number}"), await opened(runtime, f"b{number}")
        await merge(runtime, one, two)

        await asyncio.gather(unmerge(runtime, one), post(runtime, f"a{number}", "nu"))

        assert "nu" in await texts(runtime, one)
        assert "nu" not in await texts(runtime, two)
