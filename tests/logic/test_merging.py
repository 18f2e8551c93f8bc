"""What a merge makes of both tickets, and which two are not merged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.kit.ids import new_id
from app.tickets import lifecycle, merging
from app.tickets.custody import Custody, Holder
from app.tickets.legal import ClaimedByAnother, IllegalMove, legal_moves
from app.tickets.merging import DifferentCustomers, NotOpenToMerge, SameTicket, UnderEmbargo, WithPr
from app.tickets.signals import Signals
from app.tickets.ticket import Event, State, Step, Ticket
from tests.logic.test_lifecycle import ANNA, BRAM, ticket, types
from tests.support.clock import MORNING

HOUR = timedelta(hours=1)


def merged(one: Ticket, into: Ticket, *, confirmed: bool = True) -> tuple[Step, Step]:
    return merging.merge(one, into, ANNA, MORNING, posts=[], waiting=None, waited=None, confirmed=confirmed)


def test_the_one_is_closed_and_nobodys_and_the_other_goes_on() -> None:
    one, into = ticket(assignee=ANNA, snoozed_until=MORNING + HOUR), ticket(State.WORKING, assignee=BRAM)

    gone, stays = merged(one, into)

    assert (gone.ticket.state, gone.ticket.holder, gone.ticket.assignee) == (State.CLOSED, Holder.NOBODY, None)
    assert (gone.ticket.merged_into_id, gone.ticket.snoozed_until) == (into.id, None)
    assert (stays.ticket.state, stays.ticket.assignee) == (State.WORKING, BRAM)
    assert types(gone) == types(stays) == ["ticket.merged"]
    assert legal_moves(gone.ticket) == ["note", "unmerge"]
    assert (gone.ticket.resolution, gone.ticket.closed_at) == ("merged", MORNING)


def test_what_was_merged_keeps_no_mark_and_its_department_is_told() -> None:
    later = MORNING + HOUR
    one = ticket(holder=Holder.DEPARTMENT, lease_until=later, wait_until=later, reply_until=later)

    gone, _ = merged(one, ticket())

    assert (gone.ticket.lease_until, gone.ticket.wait_until, gone.ticket.reply_until) == (None, None, None)
    assert gone.events[0].departments == ("supply_chain",)
    assert merged(ticket(), ticket())[0].events[0].departments == ()


def test_what_was_before_the_others_beginning_stands_in_front_of_it() -> None:
    early = (Custody(Holder.TRIAGE, None, MORNING - 3 * HOUR), Custody(Holder.PR, None, MORNING - HOUR))
    late = (Custody(Holder.WEBCARE, None, MORNING - 2 * HOUR),)

    _, stays = merged(ticket(custody=early), ticket(custody=late))
    _, of_younger = merged(ticket(custody=late), ticket(custody=early))

    assert stays.ticket.custody == (early[0], *late)
    assert of_younger.ticket.custody == early


def test_what_asks_for_care_on_either_asks_for_it_on_the_one() -> None:
    loud = ticket(risk=70, signals=Signals(followers=90_000))

    _, stays = merged(loud, ticket(risk=10, signals=Signals(verified=True)))

    assert stays.ticket.risk == merged(ticket(risk=10), loud)[1].ticket.risk == 70
    assert stays.ticket.signals == Signals(followers=90_000, verified=True)


def test_a_waiting_ticket_comes_back_only_for_one_that_does_not_wait() -> None:
    waiting = lifecycle.wait(ticket(), ANNA, None, MORNING).ticket

    assert merged(ticket(), waiting)[1].ticket.state is State.ROUTED
    assert merged(replace(waiting, id=new_id()), waiting)[1].ticket.state is State.WAITING_CUSTOMER


def test_pr_is_not_asked_again_for_what_it_was_asked_on_the_merged_ticket() -> None:
    asked = replace(ticket(), escalated_for=("legal", "reach"))
    assert merged(asked, replace(ticket(), escalated_for=("reach", "media")))[1].ticket.escalated_for == (
        "reach",
        "media",
        "legal",
    )


def test_two_that_cannot_be_one_are_refused() -> None:
    one, into = ticket(), ticket()

    with pytest.raises(SameTicket):
        merged(one, one)
    with pytest.raises(DifferentCustomers):
        merged(one, into, confirmed=False)
    with pytest.raises(UnderEmbargo):
        merged(replace(one, embargoed=True), into)
    with pytest.raises(WithPr):
        merged(replace(one, escalated=True), into)
    with pytest.raises(IllegalMove):
        merged(replace(one, state=State.RESOLVED), into)
    with pytest.raises(ClaimedByAnother):
        merged(lifecycle.claim(one, BRAM, MORNING).ticket, into)
    for state in (State.RESOLVED, State.CLOSED):
        with pytest.raises(NotOpenToMerge):
            merged(one, replace(into, state=state))
    assert merged(one, replace(into, author_id=one.author_id), confirmed=False)


def taken_apart(one: Ticket, into: Ticket, *since: Event, taken: Sequence[UUID] = ()) -> tuple[Step, Step]:
    """Merged, and an hour later two tickets again; somebody waited on `into` for an hour when they became one."""
    gone, stays = merging.merge(one, into, ANNA, MORNING, posts=[], waiting=None, waited=MORNING - HOUR, confirmed=True)
    [joined] = stays.events
    return merging.unmerge(
        *(gone.ticket, stays.ticket, ANNA, "two things", MORNING + HOUR),
        was=one,
        joined=joined,
        since=since,
        own=[],
        taken=taken,
    )


@pytest.mark.parametrize(
    ("happened", "as_before"),
    [
        ("ticket.noted", True),
        ("mention.received", False),
        ("ticket.replied", False),
        ("ticket.merged", False),
        ("ticket.unmerged", False),
    ],
)
def test_what_was_owed_is_owed_again_unless_more_came_since(happened: str, as_before: bool) -> None:
    early = (Custody(Holder.TRIAGE, None, MORNING - 3 * HOUR),)

    _, lone = taken_apart(ticket(custody=early), ticket(), Event(happened, "somebody", {"mention_id": "later"}))

    assert lone.events[0].data["as_before"] is as_before
    assert lone.events[0].counts_from == (MORNING - HOUR if as_before else None)
    assert len(lone.ticket.custody) == (1 if as_before else 2)


def test_a_post_that_leaves_with_its_ticket_is_not_owed_by_the_other() -> None:
    post = new_id()
    back, lone = taken_apart(
        ticket(), ticket(), Event("mention.received", "customer", {"mention_id": str(post)}), taken=[post]
    )

    assert lone.events[0].data["as_before"] is True
    assert (back.mentions, lone.without) == ((post,), (post,))


def test_what_comes_back_is_with_whoever_had_it_and_a_department_hears_of_it() -> None:
    theirs, _ = taken_apart(ticket(State.WORKING, Holder.DEPARTMENT), ticket())
    ours, _ = taken_apart(ticket(), ticket())

    assert (theirs.ticket.state, theirs.ticket.with_department) == (State.WORKING, "supply_chain")
    assert types(theirs) == ["ticket.unmerged", "ticket.routed"]
    assert (ours.ticket.holder, types(ours)) == (Holder.WEBCARE, ["ticket.unmerged"])


def test_nothing_is_taken_out_of_what_is_closed() -> None:
    one, into = ticket(), ticket()
    gone, stays = merged(one, into)
    [joined] = stays.events
    closed = replace(stays.ticket, state=State.CLOSED)

    with pytest.raises(NotOpenToMerge, match="what was merged into it stays there"):
        merging.unmerge(gone.ticket, closed, ANNA, "late", MORNING, was=one, joined=joined, since=[], own=[], taken=[])
