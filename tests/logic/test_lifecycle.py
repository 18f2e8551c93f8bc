"""What each act makes of a ticket, and which acts its state allows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.kit.ids import new_id
from app.tickets import lifecycle
from app.tickets.custody import Custody, Holder
from app.tickets.legal import LEGAL, ClaimedByAnother, HeldElsewhere, IllegalMove, NotInFuture, legal_moves
from app.tickets.placement import Placement
from app.tickets.ticket import Event, State, Step, Ticket
from tests.support.clock import MORNING

ANNA, BRAM, SUPPLY = "agent:anna", "agent:bram", "department:supply_chain/els"
LIVE = Placement("delivery_delay", 0.9, "supply_chain", "live", None, "ownership: delivery_delay on forum")
POST = Event("mention.received", "customer", {"mention_id": "m"})
ACTS: dict[str, Callable[[Ticket], Step]] = {
    "claim": lambda one: lifecycle.claim(one, ANNA, MORNING),
    "release": lambda one: lifecycle.release(one, ANNA, MORNING),
    "update": lambda one: lifecycle.update(one, ANNA, priority="high", tags=None),
    "reply": lambda one: lifecycle.reply(one, ANNA, {}, MORNING),
    "reroute": lambda one: lifecycle.reroute(one, ANNA, LIVE, "theirs", MORNING),
    "wait": lambda one: lifecycle.wait(one, ANNA, None, MORNING),
    "resolve": lambda one: lifecycle.resolve(one, ANNA, "solved", None, MORNING),
    "reopen": lambda one: lifecycle.reopen(one, ANNA, "not solved", MORNING),
    "snooze": lambda one: lifecycle.snooze(one, ANNA, MORNING + timedelta(hours=1), MORNING),
}
DEPARTMENTS_ACTS: dict[str, Callable[[Ticket], Step]] = {
    "accept": lambda one: lifecycle.accept(one, SUPPLY),
    "answer": lambda one: lifecycle.answered(one, SUPPLY, {}, MORNING),
    "handback": lambda one: lifecycle.hand_back(one, SUPPLY, {}, MORNING),
}


def ticket(state: State = State.ROUTED, holder: Holder = Holder.WEBCARE, **facts: object) -> Ticket:
    with_whom = "supply_chain" if holder is Holder.DEPARTMENT else None
    standing = Ticket(
        id=new_id(),
        number=1001,
        conversation_id=new_id(),
        author_id=new_id(),
        channel="x",
        account=None,
        language="nl",
        visibility="public",
        state=state,
        topic="delivery_delay",
        confidence=0.9,
        department="supply_chain",
        stage="advise",
        arm=None,
        priority="normal",
        tags=(),
        opened_at=MORNING,
        custody=(Custody(holder, with_whom, MORNING),),
    )
    return replace(standing, **facts)  # type: ignore[arg-type]


def types(step: Step) -> list[str]:
    return [event.type for event in step.events]


@pytest.mark.parametrize(
    ("placement", "state", "holders"),
    [
        (LIVE, State.ROUTED, [Holder.TRIAGE, Holder.DEPARTMENT]),
        (replace(LIVE, stage="advise"), State.ROUTED, [Holder.TRIAGE, Holder.DEPARTMENT]),
        (replace(LIVE, stage="central"), State.ROUTED, [Holder.TRIAGE, Holder.WEBCARE]),
        (Placement(None, 0.1, None, None, None, "triage"), State.TRIAGE, [Holder.TRIAGE]),
    ],
)
def test_an_opened_ticket_stands_with_whoever_its_stage_says(
    placement: Placement, state: State, holders: list[Holder]
) -> None:
    waiting_since = MORNING - timedelta(minutes=5)

    placed = ticket(**lifecycle.first_place(placement, waiting_since, MORNING))

    assert placed.state is state
    assert [entry.holder for entry in placed.custody] == holders
    assert placed.custody[0].since == waiting_since
    step = lifecycle.opened(placed, placement, POST)
    routed = [] if state is State.TRIAGE else ["ticket.routed"]
    assert types(step) == ["mention.received", "ticket.opened", *routed]
    assert step.events[1].counts_from == waiting_since


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("act", [*ACTS, *DEPARTMENTS_ACTS])
def test_acts_that_the_state_does_not_allow_name_the_legal_ones(state: State, act: str) -> None:
    holder = Holder.DEPARTMENT if act in DEPARTMENTS_ACTS else Holder.WEBCARE
    standing = ticket(state, holder, resolved_at=MORNING if state is State.RESOLVED else None)
    acts = ACTS | DEPARTMENTS_ACTS

    if state in LEGAL[act]:
        assert types(acts[act](standing))
    else:
        with pytest.raises(IllegalMove) as refused:
            acts[act](standing)
        assert refused.value.facts["legal"] == legal_moves(standing)


@pytest.mark.parametrize("act", sorted(ACTS.keys() - {"reopen", "update"}))
def test_a_colleagues_lease_keeps_others_hands_off(act: str) -> None:
    annas = lifecycle.claim(ticket(), BRAM, MORNING).ticket

    with pytest.raises(ClaimedByAnother, match="agent:bram has this ticket until"):
        ACTS[act](annas)


@pytest.mark.parametrize(
    ("act", "over"),
    [
        ("claim", {"snoozed_until", "wait_until"}),
        ("reply", {"snoozed_until", "wait_until"}),
        ("reroute", {"assignee", "lease_until", "asked_by", "snoozed_until", "wait_until"}),
        ("wait", {"wait_until", "lease_until"}),
        ("resolve", {"lease_until", "asked_by", "snoozed_until", "wait_until"}),
        ("release", {"assignee", "lease_until"}),
        ("answer", {"assignee", "lease_until", "snoozed_until"}),
        ("handback", {"assignee", "lease_until", "snoozed_until"}),
    ],
)
def test_an_act_takes_away_the_marks_that_no_longer_hold(act: str, over: set[str]) -> None:
    later = MORNING + timedelta(hours=1)
    marks = dict.fromkeys(("lease_until", "snoozed_until", "wait_until"), later) | {
        "assignee": ANNA,
        "asked_by": "billing",
    }
    standing = ticket(State.WORKING, Holder.DEPARTMENT if act in DEPARTMENTS_ACTS else Holder.WEBCARE, **marks)

    after = (ACTS | DEPARTMENTS_ACTS)[act](standing).ticket

    assert {name for name in marks if getattr(after, name) is None} == over


def test_a_new_post_wakes_a_ticket_that_was_put_away() -> None:
    asleep = ticket(State.WORKING, snoozed_until=MORNING + timedelta(days=1), assignee=ANNA)

    woken = lifecycle.customer_posted(asleep, POST, MORNING, MORNING).ticket

    assert (woken.state, woken.snoozed_until, woken.assignee) == (State.WORKING, None, ANNA)


def test_the_third_hand_back_is_marked_and_says_what_was_tried() -> None:
    reasons = [{"reason": "not ours"}, {"reason": "nor ours"}]
    second = lifecycle.hand_back(ticket(holder=Holder.DEPARTMENT), SUPPLY, {}, MORNING, reasons[:1])
    third = lifecycle.hand_back(ticket(holder=Holder.DEPARTMENT), SUPPLY, {}, MORNING, reasons)
    fourth = lifecycle.hand_back(ticket(holder=Holder.DEPARTMENT, tags=("bounced",)), SUPPLY, {}, MORNING, reasons * 2)

    assert (second.ticket.tags, second.events[0].data) == ((), {"bounces": 2})
    assert (third.ticket.tags, third.events[0].data) == (("bounced",), {"bounces": 3, "tried": reasons})
    assert fourth.ticket.tags == ("bounced",)


ANYWHERE = ["assign", "claim", "escalate", "merge", "note", "reply", "reroute", "resolve", "snooze", "update"]
DEPARTMENTS_OWN = ["accept", "answer", "ask", "handback", "inform"]


@pytest.mark.parametrize(
    ("state", "moves"),
    [
        (State.TRIAGE, [*ANYWHERE, "wait"]),
        (State.ROUTED, [*ANYWHERE, *DEPARTMENTS_OWN, "wait"]),
        (State.WORKING, [*ANYWHERE, *DEPARTMENTS_OWN, "wait", "lease", "release"]),
        (State.WAITING_CUSTOMER, [*ANYWHERE, "inform"]),
        (State.RESOLVED, ["escalate", "note", "reopen", "reply", "update"]),
        (State.CLOSED, ["note"]),
    ],
)
def test_the_moves_of_each_state(state: State, moves: list[str]) -> None:
    assert legal_moves(ticket(state)) == sorted(moves)


def test_claiming_what_a_department_has_takes_the_ball_back_and_tells_it() -> None:
    step = lifecycle.claim(ticket(holder=Holder.DEPARTMENT), ANNA, MORNING)

    assert (step.ticket.holder, step.ticket.assignee) == (Holder.WEBCARE, ANNA)
    assert step.events[0].departments == ("supply_chain",)


def test_a_lease_keeps_others_out_until_it_ends() -> None:
    taken = lifecycle.claim(ticket(), ANNA, MORNING).ticket

    with pytest.raises(ClaimedByAnother) as refused:
        lifecycle.claim(taken, BRAM, MORNING)
    after = lifecycle.claim(taken, BRAM, MORNING + lifecycle.LEASE)

    assert refused.value.facts["by"] == ANNA
    assert after.ticket.assignee == BRAM


def test_a_new_post_brings_a_resolved_ticket_back_to_the_department_that_had_it() -> None:
    settled = lifecycle.resolve(ticket(holder=Holder.DEPARTMENT), SUPPLY, "solved", None, MORNING).ticket

    back = lifecycle.customer_posted(settled, POST, MORNING, MORNING + timedelta(hours=1))

    assert back.ticket.with_department == "supply_chain"
    assert (back.ticket.state, back.ticket.close_at) == (State.ROUTED, None)
    assert "ticket.reopened" in types(back)


def test_a_new_post_on_a_waiting_ticket_is_no_reopening() -> None:
    waiting = lifecycle.wait(ticket(), ANNA, None, MORNING).ticket

    back = lifecycle.customer_posted(waiting, POST, MORNING, MORNING)

    assert "ticket.reopened" not in types(back)
    assert back.ticket.holder is Holder.WEBCARE


def test_a_draft_gives_webcare_the_ball_and_a_hand_back_gives_it_to_triage() -> None:
    standing = ticket(holder=Holder.DEPARTMENT)

    assert lifecycle.answered(standing, SUPPLY, {}, MORNING).ticket.holder is Holder.WEBCARE
    back = lifecycle.hand_back(standing, SUPPLY, {}, MORNING).ticket
    assert (back.state, back.department, back.holder) == (State.TRIAGE, None, Holder.TRIAGE)


def test_what_comes_from_a_department_wakes_the_ticket() -> None:
    asleep = ticket(holder=Holder.DEPARTMENT, snoozed_until=MORNING + timedelta(days=1))

    assert lifecycle.answered(asleep, SUPPLY, {}, MORNING).ticket.snoozed_until is None
    assert lifecycle.hand_back(asleep, SUPPLY, {}, MORNING).ticket.snoozed_until is None


def test_only_who_has_the_ball_accepts_answers_or_hands_back() -> None:
    acts: list[Callable[[Ticket], Step]] = [
        lambda one: lifecycle.accept(one, SUPPLY),
        lambda one: lifecycle.answered(one, SUPPLY, {}, MORNING),
        lambda one: lifecycle.hand_back(one, SUPPLY, {}, MORNING),
    ]
    for act in acts:
        with pytest.raises(HeldElsewhere):
            act(ticket(holder=Holder.WEBCARE))


def test_an_agent_cannot_let_go_what_a_department_accepted() -> None:
    accepted = lifecycle.accept(ticket(holder=Holder.DEPARTMENT), SUPPLY).ticket

    with pytest.raises(HeldElsewhere):
        lifecycle.release(accepted, ANNA, MORNING)


@pytest.mark.parametrize("holder", [Holder.DEPARTMENT, Holder.WEBCARE, Holder.CUSTOMER])
def test_a_department_that_loses_a_ticket_is_told(holder: Holder) -> None:
    moved = lifecycle.reroute(
        ticket(holder=holder), ANNA, replace(LIVE, department="billing"), "it is the invoice", MORNING
    )

    assert moved.ticket.with_department == "billing"
    assert moved.events[0].departments == ("supply_chain",)


def test_an_event_concerns_who_had_the_ticket_and_who_has_it_or_one_alone() -> None:
    theirs = ticket(State.WORKING, Holder.DEPARTMENT, department="billing", stage="live")
    moved = replace(theirs, department="network", custody=(Custody(Holder.WEBCARE, None, MORNING),))
    step = Step(theirs, moved, ())

    assert step.departments(Event("ticket.reassigned", "agent:anna", departments=("legal",))) == (
        "billing",
        "legal",
        "network",
        "supply_chain",
    )
    assert step.departments(Event("sla.breached", "system", only_for="billing")) == ("billing",)


def test_a_department_that_never_heard_of_a_ticket_is_not_told_that_it_left() -> None:
    moved = lifecycle.reroute(ticket(stage="central"), ANNA, replace(LIVE, department="billing"), "invoice", MORNING)

    assert moved.events[0].departments == ()


def test_moments_that_have_passed_are_refused() -> None:
    with pytest.raises(NotInFuture):
        lifecycle.snooze(ticket(), ANNA, MORNING, MORNING)


def test_the_end_of_a_wait_brings_the_ticket_back_and_of_the_window_closes_it() -> None:
    waiting = lifecycle.wait(ticket(assignee=ANNA), ANNA, MORNING + timedelta(hours=1), MORNING).ticket
    back = lifecycle.wake(waiting, MORNING + timedelta(hours=1)).ticket
    settled = lifecycle.resolve(ticket(), ANNA, "solved", None, MORNING).ticket

    assert (back.state, back.assignee, back.helped_by) == (State.ROUTED, None, ANNA)
    assert lifecycle.close(settled, MORNING + lifecycle.REOPEN_WINDOW).ticket.holder is Holder.NOBODY


def test_the_end_of_a_snooze_does_not_end_a_longer_wait() -> None:
    snoozed = lifecycle.snooze(ticket(), ANNA, MORNING + timedelta(hours=1), MORNING).ticket
    for until in (None, MORNING + timedelta(hours=2)):
        waiting = lifecycle.wait(snoozed, ANNA, until, MORNING).ticket

        woken = lifecycle.wake(waiting, MORNING + timedelta(hours=1))

        assert (woken.ticket.state, woken.ticket.snoozed_until) == (State.WAITING_CUSTOMER, None)
        assert woken.ticket.wait_until == until
        assert types(woken) == ["ticket.resumed"]


def test_a_reply_to_a_waiting_customer_ends_the_wait() -> None:
    waiting = lifecycle.wait(ticket(), ANNA, MORNING + timedelta(hours=1), MORNING).ticket

    said = lifecycle.reply(waiting, ANNA, {}, MORNING).ticket

    assert (said.state, said.wait_until) == (State.WORKING, None)


def test_changing_nothing_makes_no_event() -> None:
    assert lifecycle.update(ticket(), ANNA, priority="normal", tags=()).events == ()
    assert lifecycle.update(ticket(), ANNA, priority=None, tags=None).events == ()


def test_what_was_changed_is_told_and_the_rest_stays() -> None:
    urgent = lifecycle.update(ticket(tags=("vip",)), ANNA, priority="urgent", tags=None)
    tagged = lifecycle.update(ticket(priority="high"), ANNA, priority=None, tags=("vip",))

    assert (urgent.ticket.priority, urgent.ticket.tags) == ("urgent", ("vip",))
    assert urgent.events[0].data == {"priority": {"from": "normal", "to": "urgent"}}
    assert (tagged.ticket.priority, tagged.ticket.tags) == ("high", ("vip",))
    assert tagged.events[0].data == {"tags": {"from": [], "to": ["vip"]}}


def test_steps_in_a_row_are_one() -> None:
    first = lifecycle.opened(ticket(**lifecycle.first_place(LIVE, MORNING, MORNING)), LIVE, POST)
    both = first.then(lifecycle.customer_posted(first.ticket, POST, MORNING, MORNING))

    assert both.before is None
    assert len(both.events) == len(first.events) + 2


@pytest.mark.parametrize(
    ("stage", "arm", "first_hand"),
    [
        ("central", None, False),
        ("advise", None, False),
        ("pilot", "control", False),
        ("pilot", "first_hand", True),
        ("live", None, True),
        (None, None, False),
    ],
)
def test_who_speaks_to_the_customer_depends_on_the_stage(stage: str | None, arm: str | None, first_hand: bool) -> None:
    assert ticket(stage=stage, arm=arm).answered_first_hand is first_hand
