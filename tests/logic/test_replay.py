"""Whatever happens to a ticket, what its events say that they changed leads to what stands on it."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.kit.errors import Conflict
from app.kit.wire import dump
from app.tickets import lifecycle, press
from app.tickets.custody import Holder
from app.tickets.placement import Placement
from app.tickets.replay import BORN, LASTING, PASSING, changes, passing_aside, replay
from app.tickets.ticket import State, Step, Ticket
from tests.logic.test_lifecycle import ANNA, BRAM, LIVE, POST, ticket
from tests.support.clock import MORNING

CENTRAL = Placement("invoice", 0.7, "billing", "central", None, "rule")
TRIAGE = Placement(None, 0.2, None, None, None, "rule")
AGENTS = st.sampled_from([ANNA, BRAM])


def read_back(changed: dict[str, Any]) -> dict[str, Any]:
    """As the database gives it."""
    found: dict[str, Any] = json.loads(dump(changed))
    return found


class Life(RuleBasedStateMachine):
    """Any acts in any order; those that are not legal are refused and change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.now = MORNING
        self.history: list[dict[str, Any]] = []
        self.ticket: Ticket

    @initialize(placement=st.sampled_from([LIVE, CENTRAL, TRIAGE]))
    def open(self, placement: Placement) -> None:
        born = ticket(**lifecycle.first_place(placement, self.now - timedelta(minutes=3), self.now))
        self.follow(lifecycle.opened(born, placement, POST))

    def follow(self, step: Step) -> None:
        changed = read_back(changes(step.before, step.ticket))
        assert step.events or not changed
        self.history.append(changed)
        self.ticket = step.ticket

    def attempt(self, act: Callable[[Ticket], Step]) -> None:
        self.now += timedelta(minutes=1)
        with suppress(Conflict):
            self.follow(act(self.ticket))

    @rule(by=AGENTS, act=st.sampled_from(["claim", "renew", "release"]))
    def take_or_let_go(self, by: str, act: str) -> None:
        self.attempt(lambda one: getattr(lifecycle, act)(one, by, self.now))

    @rule(by=AGENTS, priority=st.sampled_from([None, "low", "urgent"]), tags=st.sampled_from([None, (), ("vip", "x")]))
    def update(self, by: str, priority: str | None, tags: tuple[str, ...] | None) -> None:
        self.attempt(lambda one: lifecycle.update(one, by, priority=priority, tags=tags))

    @precondition(lambda self: self.ticket.lease_until is not None)
    @rule()
    def the_lease_runs_out(self) -> None:
        self.attempt(lifecycle.expire)

    @rule(by=AGENTS)
    def reply(self, by: str) -> None:
        self.attempt(lambda one: lifecycle.reply(one, by, {}, self.now))

    @rule(by=AGENTS, placement=st.sampled_from([LIVE, CENTRAL, TRIAGE]))
    def reroute(self, by: str, placement: Placement) -> None:
        self.attempt(lambda one: lifecycle.reroute(one, by, placement, "why", self.now))

    @rule(by=AGENTS, minutes=st.one_of(st.none(), st.integers(1, 9)))
    def wait(self, by: str, minutes: int | None) -> None:
        until = None if minutes is None else self.now + timedelta(minutes=minutes)
        self.attempt(lambda one: lifecycle.wait(one, by, until and until + timedelta(minutes=1), self.now))

    @rule(by=AGENTS, minutes=st.integers(2, 9))
    def snooze(self, by: str, minutes: int) -> None:
        self.attempt(lambda one: lifecycle.snooze(one, by, self.now + timedelta(minutes=minutes), self.now))

    @rule(by=AGENTS)
    def settle(self, by: str) -> None:
        self.attempt(lambda one: lifecycle.resolve(one, by, "solved", None, self.now))

    @rule(by=AGENTS)
    def reopen(self, by: str) -> None:
        self.attempt(lambda one: lifecycle.reopen(one, by, "not solved", self.now))

    @rule(act=st.sampled_from(["acknowledge", "embargo", "release", "close"]))
    def pr_acts(self, act: str) -> None:
        acts: dict[str, Callable[[Ticket], Step]] = {
            "acknowledge": lambda one: press.acknowledge(one, "pr:pia", take_over=True, now=self.now),
            "embargo": lambda one: press.embargo(one, "pr:pia", {}, self.now),
            "release": lambda one: press.release(one, "pr:pia", {}, self.now),
            "close": lambda one: press.close(one, "pr:pia", {}, self.now),
        }
        self.attempt(acts[act])

    @rule(act=st.sampled_from(["accept", "answered", "hand_back"]))
    def the_department_acts(self, act: str) -> None:
        acts: dict[str, Callable[[Ticket], Step]] = {
            "accept": lambda one: lifecycle.accept(one, "department:supply_chain/els"),
            "answered": lambda one: lifecycle.answered(one, "department:supply_chain/els", {}, self.now),
            "hand_back": lambda one: lifecycle.hand_back(one, "department:supply_chain/els", {}, self.now),
        }
        self.attempt(acts[act])

    @precondition(lambda self: self.ticket.state is not State.CLOSED)
    @rule()
    def the_customer_posts(self) -> None:
        self.attempt(lambda one: lifecycle.customer_posted(one, POST, self.now, self.now))

    @precondition(lambda self: self.ticket.snoozed_until or self.ticket.wait_until or self.ticket.resolved_at)
    @rule()
    def time_passes(self) -> None:
        over = lifecycle.close if self.ticket.resolved_at else lifecycle.wake
        self.attempt(lambda one: over(one, self.now))

    @invariant()
    def nothing_lies_where_nobody_finds_it(self) -> None:
        """What webcare has is in the queue, or somebody's for as long as a lease lasts."""
        one = self.ticket
        if one.state is State.WORKING and one.holder in {Holder.TRIAGE, Holder.WEBCARE}:
            assert one.assignee is not None
            assert one.lease_until is not None
        if one.lease_until is not None:
            assert one.state is State.WORKING

    @invariant()
    def history_leads_to_the_present(self) -> None:
        assert replay(self.ticket, self.history) == passing_aside(self.ticket)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=20)


def test_every_fact_of_a_ticket_lasts_or_says_why_it_does_not() -> None:
    named = [*BORN, *PASSING, *LASTING, "custody"]
    assert sorted(named) == sorted(field.name for field in fields(Ticket))


def test_an_opening_tells_what_is_not_blank_and_a_step_what_it_changed() -> None:
    opened = lifecycle.opened(ticket(**lifecycle.first_place(LIVE, MORNING, MORNING)), LIVE, POST).ticket
    taken = lifecycle.claim(opened, ANNA, MORNING).ticket

    assert {"state", "topic", "department", "custody"} <= changes(None, opened).keys()
    assert "resolution" not in changes(None, opened)
    assert changes(opened, taken).keys() == {"state", "assignee", "custody"}
    assert changes(opened, taken)["custody"]["kept"] == len(opened.custody)
    assert changes(taken, replace(taken, lease_until=None)) == {}
