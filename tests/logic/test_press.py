"""What PR's acts leave on a ticket: marks, and whose the ball is."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.tickets import lifecycle, press
from app.tickets.custody import Custody, Holder, held, seconds_by_holder
from app.tickets.legal import ClaimedByAnother
from app.tickets.press import Reason
from app.tickets.ticket import State, Step, Ticket
from tests.logic.test_lifecycle import ANNA, BRAM, LIVE, POST, SUPPLY, ticket
from tests.support.clock import MORNING

EVA = "pr:eva"
LEGAL, REACH = Reason("legal", "a lawyer"), Reason("reach", "12000 followers", {"followers": 12_000})
LATER = MORNING + timedelta(minutes=10)
OURS = [Holder.TRIAGE, Holder.WEBCARE, Holder.DEPARTMENT]


def holders(one: Ticket) -> list[Holder]:
    return [entry.holder for entry in one.custody]


def test_a_ticket_escalates_once_for_each_reason() -> None:
    first = press.escalate(ticket(), "system", [LEGAL, LEGAL], told=("pr",))
    assert (first.ticket.escalated, first.ticket.escalated_for) == (True, ("legal",))
    assert first.events[0].data == {"reasons": [{"code": "legal", "text": "a lawyer", "figures": {}}]}

    again = press.escalate(first.ticket, "system", [LEGAL, REACH])
    assert again.ticket.escalated_for == ("legal", "reach")
    assert [reason["code"] for reason in again.events[0].data["reasons"]] == ["reach"]

    assert press.escalate(again.ticket, "system", [REACH]).events == ()


def test_escalating_moves_no_ball() -> None:
    standing = ticket(holder=Holder.DEPARTMENT)
    assert press.escalate(standing, ANNA, [LEGAL]).ticket.custody == standing.custody


def test_a_persons_other_words_are_another_reason() -> None:
    assert press.by_hand("films along") == press.by_hand("films along")
    assert press.by_hand("films along").code != press.by_hand("has a programme").code


@pytest.mark.parametrize("holder", OURS)
def test_taking_over_gives_pr_the_ball_and_closing_gives_it_back(holder: Holder) -> None:
    standing = press.escalate(ticket(holder=holder, assignee=ANNA), "system", [LEGAL]).ticket

    taken = press.acknowledge(standing, EVA, take_over=True, now=LATER).ticket
    with pytest.raises(ClaimedByAnother, match="took this ticket over"):
        lifecycle.claim(taken, "agent:bram", LATER)
    with pytest.raises(ClaimedByAnother, match="took this ticket over"):
        lifecycle.reply(taken, "agent:bram", {}, LATER)
    assert (taken.holder, taken.assignee) == (Holder.PR, EVA)

    done = press.close(taken, EVA, {"lesson": "sooner"}, LATER + timedelta(minutes=5)).ticket
    assert (done.holder, done.with_department) == (holder, standing.with_department)
    assert (done.escalated, done.assignee, done.escalated_for) == (False, None, ("legal",))


def test_only_looking_moves_nothing() -> None:
    standing = ticket(holder=Holder.DEPARTMENT, assignee=ANNA)
    looked = press.acknowledge(standing, EVA, take_over=False, now=LATER)
    assert looked.ticket is standing
    assert [event.type for event in looked.events] == ["escalation.acknowledged"]


@pytest.mark.parametrize("holder", OURS)
def test_an_embargo_is_prs_custody_until_its_release(holder: Holder) -> None:
    held_ = press.embargo(ticket(holder=holder), EVA, {"until": "2026-11-18T12:00:00Z"}, LATER).ticket
    assert (held_.embargoed, held_.holder) == (True, Holder.PR)

    free = press.release(held_, EVA, {}, LATER + timedelta(hours=1)).ticket
    assert (free.embargoed, free.holder) == (False, holder)
    assert seconds_by_holder(free.custody, LATER + timedelta(hours=2)) == {holder: 4200, Holder.PR: 3600}


def test_an_embargo_leaves_the_customers_turn_to_the_customer() -> None:
    waiting = ticket(
        State.WAITING_CUSTOMER, custody=(Custody(Holder.WEBCARE, None, MORNING), Custody(Holder.CUSTOMER, None, LATER))
    )
    held_ = press.embargo(waiting, EVA, {}, LATER).ticket
    assert (held_.embargoed, held_.holder) == (True, Holder.CUSTOMER)

    posted = lifecycle.customer_posted(held_, POST, LATER, LATER).ticket
    assert posted.holder is Holder.PR
    assert press.release(posted, EVA, {}, LATER).ticket.holder is Holder.WEBCARE


def test_private_work_goes_on_under_an_embargo() -> None:
    """A department answers, an agent claims, a ticket is rerouted: PR keeps the ball, and gives it to who is next."""
    held_ = press.embargo(ticket(holder=Holder.DEPARTMENT), EVA, {}, LATER).ticket

    answered = lifecycle.answered(held_, SUPPLY, {}, LATER).ticket
    assert answered.holder is Holder.PR
    assert press.release(answered, EVA, {}, LATER).ticket.holder is Holder.WEBCARE

    claimed = lifecycle.claim(held_, ANNA, LATER).ticket
    assert (claimed.holder, claimed.assignee) == (Holder.PR, ANNA)
    assert press.release(claimed, EVA, {}, LATER).ticket.holder is Holder.WEBCARE

    moved = lifecycle.reroute(claimed, ANNA, LIVE, "theirs", LATER).ticket
    assert (moved.holder, moved.with_department) == (Holder.PR, "supply_chain")
    freed = press.release(moved, EVA, {}, LATER).ticket
    assert freed.with_department == "supply_chain"
    assert [stretch.holder for stretch in held(freed.custody, LATER + timedelta(1))] == [Holder.DEPARTMENT] * 2


def test_what_pr_does_not_hold_stays_where_it_is() -> None:
    waiting = press.escalate(lifecycle.wait(ticket(), ANNA, None, MORNING).ticket, "system", [LEGAL]).ticket
    annas = press.escalate(ticket(State.WORKING, assignee=ANNA), "system", [LEGAL]).ticket

    assert press.close(waiting, EVA, {}, LATER).ticket.holder is Holder.CUSTOMER
    assert press.close(annas, EVA, {}, LATER).ticket.assignee == ANNA


def test_what_is_closed_is_taken_over_by_nobody() -> None:
    looked = press.acknowledge(ticket(State.CLOSED, Holder.NOBODY), EVA, take_over=True, now=LATER).ticket
    assert (looked.assignee, looked.holder) == (None, Holder.NOBODY)


def test_taking_over_ends_a_lease_and_wakes_the_ticket() -> None:
    asleep = ticket(State.WORKING, assignee=ANNA, lease_until=LATER, snoozed_until=LATER)
    taken = press.acknowledge(asleep, EVA, take_over=True, now=MORNING).ticket
    assert (taken.lease_until, taken.snoozed_until) == (None, None)


def test_a_department_hears_of_what_pr_does_with_its_ticket_and_of_others_nothing() -> None:
    acts: list[Callable[[Ticket], Step]] = [
        lambda one: press.acknowledge(one, EVA, take_over=True, now=LATER),
        lambda one: press.embargo(one, EVA, {}, LATER),
        lambda one: press.release(one, EVA, {}, LATER),
        lambda one: press.close(one, EVA, {}, LATER),
    ]
    for act in acts:
        assert [one.departments for one in act(ticket(holder=Holder.DEPARTMENT)).events] == [("supply_chain",)]
        assert [one.departments for one in act(ticket()).events] == [()]


@pytest.mark.parametrize(
    "standing",
    [
        lifecycle.wait(ticket(State.WORKING, assignee=ANNA, lease_until=LATER), ANNA, None, MORNING).ticket,
        press.embargo(ticket(State.WORKING, Holder.DEPARTMENT, assignee=SUPPLY), EVA, {}, MORNING).ticket,
        press.embargo(ticket(State.WORKING, assignee=ANNA, lease_until=LATER), EVA, {}, MORNING).ticket,
    ],
    ids=["waits for the customer", "under an embargo for a department", "under an embargo, its lease over"],
)
def test_only_what_pr_took_over_has_to_be_given_back(standing: Ticket) -> None:
    assert lifecycle.claim(standing, BRAM, LATER).ticket.assignee == BRAM


def test_closing_leaves_an_embargo_in_force() -> None:
    held_ = press.embargo(press.escalate(ticket(), "system", [LEGAL]).ticket, EVA, {}, LATER).ticket
    done = press.close(held_, EVA, {"lesson": "l"}, LATER).ticket
    assert (done.escalated, done.embargoed, done.holder) == (False, True, Holder.PR)
