"""What signals weigh, and from when on PR is asked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.escalation.risk import Level, RiskRules, Watchdog, growth, heard, score, weigh, weighed
from app.tickets.signals import Signals
from app.tickets.ticket import Event, State, Step
from app.topics.hearing import Heard, Tone
from tests.logic.test_lifecycle import ticket

RULES = RiskRules(
    threshold=50,
    risks={"legal": 35, "media": 40},
    phrases={"advocaat": "legal", "rechtszaak": "legal", "naar kassa": "media"},
    watchdogs={"naar kassa": Watchdog("Kassa", "programme")},
    reach=(Level(1_000, 20), Level(100_000, 50)),
    verified=10,
    unanswered=(Level(3, 15), Level(5, 30)),
    engagement={"likes": 1, "reposts": 3},
    growth=(Level(50, 20), Level(200, 40)),
    tones={"mood": (Level(3, 5), Level(6, 15)), "leaving": (Level(2, 10),)},
    told=("pr",),
)
POSTED = Event("mention.received", "customer")


@pytest.mark.parametrize(
    ("signals", "parts"),
    [
        (Signals(), []),
        (Signals(followers=999), []),
        (Signals(followers=1_000), [("reach", 20, {"followers": 1_000})]),
        (Signals(followers=250_000), [("reach", 50, {"followers": 250_000})]),
        (Signals(followers=7, verified=True), [("reach", 10, {"followers": 7, "verified": True})]),
        (Signals(followers=1_000, verified=True), [("reach", 30, {"followers": 1_000, "verified": True})]),
        (Signals(risks={"legal": "advocaat"}), [("legal", 35, {"phrase": "advocaat"})]),
        (
            Signals(risks={"media": "naar kassa"}),
            [("media", 40, {"phrase": "naar kassa", "watchdog": "Kassa", "kind": "programme"})],
        ),
        (Signals(tones={"mood": 2}), []),
        (Signals(tones={"mood": 3}), [("mood", 5, {"mood": 3})]),
        (Signals(tones={"mood": 9, "leaving": 1}), [("mood", 15, {"mood": 9})]),
        (Signals(tones={"mood": 9, "leaving": 4}), [("mood", 15, {"mood": 9}), ("leaving", 10, {"leaving": 4})]),
        (Signals(tones={"retired": 9}), []),
        (Signals(unanswered=2), []),
        (Signals(unanswered=4), [("unanswered", 15, {"posts": 4})]),
        (Signals(growth=49.9), []),
        (Signals(growth=200), [("growth", 40, {"per_hour": 200})]),
        (Signals(risks={"retired": "that nobody weighs any more"}), []),
        (
            Signals(followers=1_000, unanswered=3, risks={"legal": "advocaat"}),
            [
                ("legal", 35, {"phrase": "advocaat"}),
                ("reach", 20, {"followers": 1_000}),
                ("unanswered", 15, {"posts": 3}),
            ],
        ),
    ],
)
def test_each_part_names_its_figure(signals: Signals, parts: list[tuple[str, int, dict[str, Any]]]) -> None:
    found = weigh(signals, RULES)
    assert [(part.code, part.points, part.figures) for part in found] == parts
    assert score(found) == sum(points for _, points, _ in parts)


def test_a_score_ends_at_a_hundred() -> None:
    worst = Signals(250_000, True, {"legal": "advocaat", "media": "naar kassa"}, {"mood": 9}, 500, 9)
    assert score(weigh(worst, RULES)) == 100


@pytest.mark.parametrize(
    ("said", "risks", "tones"),
    [
        (Heard(), {}, {}),
        (Heard({"advocaat": "Advocaat", "rechtszaak": "rechtszaak"}), {"legal": "advocaat"}, {}),
        (Heard({}, {"mood": Tone(-3, 3, ()), "leaving": Tone(2, 2, ())}), {}, {"mood": 3, "leaving": 2}),
        (Heard({}, {"mood": Tone(1, 0, ())}), {}, {}),
        (Heard({"route": "a phrase of routes"}), {}, {}),
    ],
)
def test_what_a_post_tells(said: Heard, risks: dict[str, str], tones: dict[str, float]) -> None:
    told = heard(said, followers=None, verified=False, growth=0, unanswered=1, rules=RULES)
    assert told == Signals(risks=risks, tones=tones, unanswered=1)


@pytest.mark.parametrize(
    ("metrics", "reposts", "age", "per_hour"),
    [
        ({}, 0, timedelta(0), 0),
        ({"likes": 60}, 0, timedelta(minutes=1), 60),
        ({"likes": 60, "views": 9_000}, 10, timedelta(hours=1), 90),
        ({"likes": 60}, 10, timedelta(hours=3), 30),
    ],
)
def test_growth_is_per_hour_and_the_first_hour_counts_whole(
    metrics: dict[str, int], reposts: int, age: timedelta, per_hour: float
) -> None:
    assert growth(metrics, reposts, age, RULES) == per_hour


def test_signals_add_up_over_the_posts_of_a_ticket() -> None:
    calm = Signals(followers=10, risks={"legal": "advocaat"}, tones={"mood": 1, "leaving": 2}, growth=3, unanswered=2)
    risks = {"legal": "rechtszaak", "media": "kassa"}
    angry = Signals(followers=5, verified=True, risks=risks, tones={"mood": 4, "leaving": 1}, growth=1, unanswered=1)
    together = {"mood": 4, "leaving": 2}
    assert calm.with_(angry) == Signals(10, True, {"legal": "advocaat", "media": "kassa"}, together, 3, 3)
    assert angry.with_(calm) == Signals(10, True, {"legal": "rechtszaak", "media": "kassa"}, together, 3, 3)
    assert calm.answered() == replace(calm, unanswered=0)


def posted(signals: Signals, **facts: Any) -> Step:
    before = ticket(State.ROUTED, **facts)
    return Step(before, replace(before, signals=signals), (POSTED,))


def test_below_the_threshold_only_the_figure_changes() -> None:
    step = weighed(posted(Signals(risks={"legal": "advocaat"})), RULES)
    assert (step.ticket.risk, step.ticket.escalated, step.events) == (35, False, (POSTED,))


def test_at_the_threshold_pr_is_asked_for_every_part() -> None:
    step = weighed(posted(Signals(risks={"legal": "advocaat"}, unanswered=3)), RULES)
    assert (step.ticket.risk, step.ticket.escalated, step.ticket.escalated_for) == (50, True, ("legal", "unanswered"))
    raised = step.events[-1]
    assert (raised.type, raised.actor, raised.departments) == ("escalation.raised", "system", ("pr",))
    assert raised.data["reasons"][0] == {
        "code": "legal",
        "text": "legal: phrase 'advocaat'",
        "figures": {"phrase": "advocaat", "points": 35},
    }


def test_a_reason_that_pr_knows_is_not_given_again_and_a_new_one_is() -> None:
    risky = Signals(risks={"legal": "advocaat"}, unanswered=5)
    known = ("legal", "unanswered")
    again = weighed(posted(risky, escalated_for=known), RULES)
    assert (again.ticket.risk, again.events) == (65, (POSTED,))

    spread = weighed(posted(replace(risky, growth=60), escalated_for=known), RULES)
    assert [reason["code"] for reason in spread.events[-1].data["reasons"]] == ["growth"]


def test_an_answer_lowers_the_risk_and_takes_nothing_back() -> None:
    before = ticket(State.ROUTED, signals=Signals(unanswered=5), risk=30, escalated=True, escalated_for=("unanswered",))
    step = weighed(Step(before, replace(before, signals=before.signals.answered()), (POSTED,)), RULES)
    assert (step.ticket.risk, step.ticket.escalated, step.events) == (0, True, (POSTED,))


def test_a_step_that_tells_nothing_new_stays_as_it_is() -> None:
    step = posted(Signals())
    assert weighed(step, RULES) is step


def test_a_closed_ticket_escalates_no_more() -> None:
    closed = ticket(State.CLOSED)
    step = Step(closed, replace(closed, signals=Signals(followers=250_000)), (POSTED,))
    assert weighed(step, RULES).events == (POSTED,)
