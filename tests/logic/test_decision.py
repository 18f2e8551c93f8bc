import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.routing.decision import (
    Decision,
    Escalation,
    Priority,
    Reach,
    Risk,
    Route,
    Routing,
    Subject,
    Then,
    When,
    as_record,
    decide,
    in_words,
)
from app.routing.ownership import Department, Owning, Stage
from app.topics.classify import Classification, Evidence
from app.topics.hearing import Heard
from app.topics.weigh import Part, Verdict

DIGEST = "0123456789ab"
FOUND = Evidence("late", "waar blijft", "waar blijft", 1.5)
LATE = Classification("late", 0.8, "nl", (FOUND,), (("late", 1.5), ("bill", 0.4)))
UNSURE = Classification(None, 0.3, "nl", (), (("late", 0.4),))
DIVIDED = Classification(None, 0.9, "nl", (), (("late", 2.0), ("bill", 2.0)))  # the model is as sure of something else
SILENT = Classification(None, 0.0, None, (), ())
MENTION = Subject(
    ticket_id=UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
    channel="x",
    account="poldermobiel",
    kind="mention",
    language="nl",
    followers=120,
    verified=False,
    visibility="public",
    classification=LATE,
)
DEPARTMENTS = {
    slug: Department(slug, {"nl": name, "en": name}, "a process", "office")
    for slug, name in {"supply_chain": "Supply Chain", "legal": "Legal"}.items()
}
OWNERSHIPS = (
    Owning("late", frozenset({"x"}), "supply_chain", Stage.PILOT, 99),
    Owning("late", None, "legal", Stage.CENTRAL),
)
CALM = Escalation()


def decided(*routes: Route, escalation: Escalation = CALM, **facts: Any) -> Decision:
    rules = Routing(routes, OWNERSHIPS, DEPARTMENTS, escalation)
    return decide(replace(MENTION, **facts), rules, DIGEST)


def test_a_post_that_goes_with_its_first_part_says_so() -> None:
    first = Part("late", "Waar blijft mijn pakket", 0.7)
    parted = Classification("late", 0.7, "nl", (), (), verdict=Verdict.PARTS, parts=(first,))
    assert [(one.code, one.text, one.facts) for one in decided(classification=parted).reasons][:2] == [
        ("topic", "topic late, confidence 0.70", {"topic": "late", "confidence": 0.7}),
        (
            "first_part",
            "'Waar blijft mijn pakket' is plainly about late: undecided as a whole, the post goes by its first part",
            {"topic": "late", "text": "Waar blijft mijn pakket", "confidence": 0.7},
        ),
    ]


@pytest.mark.parametrize(("stage", "follows"), [(Stage.ADVISE, "Legal is consulted"), (Stage.CENTRAL, "of Legal")])
def test_a_part_about_something_else_says_whose_it_is(stage: Stage, follows: str) -> None:
    parts = (Part("late", "Waar blijft mijn pakket", 0.7), Part("bill", "De rekening klopt niet", 0.8))
    rules = Routing((), (*OWNERSHIPS, Owning("bill", None, "legal", stage)), DEPARTMENTS)
    decision = decide(replace(MENTION, classification=replace(LATE, parts=parts)), rules, DIGEST)

    assert [one.text for one in decision.reasons if one.code == "part"] == [
        f"'De rekening klopt niet' is about bill (0.80): {follows}"
    ]
    assert [(one.topic, one.department, one.consulted) for one in decision.secondary] == [
        ("bill", "legal", stage is Stage.ADVISE)
    ]


def urgent(when: When) -> Route:
    return Route("urgent_one", when, Then(priority=Priority.URGENT))


def test_without_routes_the_owner_gets_it_at_normal_priority() -> None:
    decision = decided()
    assert (decision.topic, decision.department, decision.stage, decision.arm) == (
        "late",
        "supply_chain",
        "pilot",
        "first_hand",
    )
    assert (decision.priority, decision.tags, decision.rule) == ("normal", (), "ownership: late on x")
    assert (decision.digest, decision.confidence, decision.evidence) == (DIGEST, 0.8, (FOUND,))


@pytest.mark.parametrize("classification", [UNSURE, SILENT])
def test_without_a_topic_it_waits_in_triage(classification: Classification) -> None:
    route = Route("to_legal", When(), Then("legal", Stage.ADVISE, Priority.HIGH, ("seen",)))
    decision = decided(route, classification=classification)
    assert (decision.topic, decision.department, decision.stage, decision.arm) == (None, None, None, None)
    assert (decision.rule, decision.priority, decision.tags) == ("triage", "high", ("seen",))


@pytest.mark.parametrize(
    ("when", "fits", "fails"),
    [
        (When(topics=frozenset({"late"})), {}, {"classification": UNSURE}),
        (When(channels=frozenset({"x", "forum"})), {}, {"channel": "facebook"}),
        (When(accounts=frozenset({"poldermobiel"})), {"account": "@PolderMobiel"}, {"account": None}),
        (When(kinds=frozenset({"dm"})), {"kind": "dm"}, {}),
        (When(languages=frozenset({"en"})), {"language": "en"}, {"language": None}),
        (When(visibility="private"), {"visibility": "private"}, {}),
        (When(followers_min=120), {}, {"followers": 119}),
        (When(followers_min=1), {}, {"followers": None}),
        (When(verified=True), {"verified": True}, {}),
        (When(verified=False), {}, {"verified": True}),
        (When(words=("avg", "gdpr")), {"heard": Heard({"gdpr": "GDPR"})}, {"heard": Heard({"legal": "legal"})}),
        (When(channels=frozenset({"x"}), kinds=frozenset({"dm"})), {"kind": "dm"}, {"channel": "forum", "kind": "dm"}),
    ],
)
def test_a_route_matches_when_all_it_asks_holds(when: When, fits: Mapping[str, Any], fails: Mapping[str, Any]) -> None:
    assert decided(urgent(when), **fits).priority is Priority.URGENT
    assert decided(urgent(when), **fails).priority is Priority.NORMAL


def test_a_route_says_only_what_it_gives() -> None:
    tagging = Route("seen_one", When(), Then(tags=("seen", "kept")))
    assert "route 'seen_one' matches; tags seen, kept" in in_words(as_record(decided(tagging)))


def test_the_first_route_that_matches_counts() -> None:
    narrow = Route("narrow", When(kinds=frozenset({"dm"})), Then(priority=Priority.LOW, tags=("narrow",)))
    broad = Route("broad", When(), Then(priority=Priority.HIGH, tags=("broad",)))
    assert decided(narrow, broad, kind="dm").tags == ("narrow",)
    assert decided(narrow, broad).tags == ("broad",)


def test_a_route_may_give_another_department() -> None:
    decision = decided(Route("to_legal", When(), Then("legal", Stage.ADVISE)))
    assert (decision.department, decision.stage, decision.arm) == ("legal", "advise", None)
    assert decision.rule == "route: to_legal"


RISKY = Escalation(
    risks=(Risk("legal", ("advocaat", "rechter"), Priority.HIGH), Risk("safety", ("in brand",), Priority.URGENT)),
    reach=(Reach(10_000, Priority.HIGH), Reach(100_000, Priority.URGENT)),
)


@pytest.mark.parametrize(
    ("facts", "priority", "tags"),
    [
        ({}, "normal", ()),
        ({"heard": Heard({"rechter": "rechter"})}, "high", ("legal",)),
        ({"heard": Heard({"rechter": "rechter", "in brand": "in brand"})}, "urgent", ("legal", "safety")),
        ({"followers": 9_999}, "normal", ()),
        ({"followers": 10_000}, "high", ()),
        ({"followers": 2_000_000}, "urgent", ()),
        ({"followers": None}, "normal", ()),
    ],
)
def test_risk_and_reach_raise_the_priority(facts: Mapping[str, Any], priority: str, tags: tuple[str, ...]) -> None:
    decision = decided(escalation=RISKY, **facts)
    assert (decision.priority, decision.tags) == (priority, tags)


def test_nothing_lowers_what_a_route_gave() -> None:
    decision = decided(urgent(When()), escalation=RISKY, heard=Heard({"advocaat": "advocaat"}))
    assert decision.priority is Priority.URGENT


def test_a_tag_is_given_once() -> None:
    route = Route("legal_one", When(words=("advocaat",)), Then(tags=("legal",)))
    assert decided(route, escalation=RISKY, heard=Heard({"advocaat": "Advocaat"})).tags == ("legal",)


def test_a_decision_says_why_in_words() -> None:
    decision = decided(
        urgent(When(words=("gdpr",))),
        escalation=RISKY,
        heard=Heard({"gdpr": "GDPR", "advocaat": "mijn Advocaat"}),
        followers=15_000,
    )
    assert in_words(as_record(decision)) == [
        "phrase 'waar blijft' found: 'waar blijft', speaks for late",
        "topic late, confidence 0.80",
        "route 'urgent_one' matches, phrase 'gdpr' found: 'GDPR'; priority urgent",
        "goes to Supply Chain, stage pilot, arm first_hand (ownership: late on x)",
        "risk 'legal': phrase 'advocaat' found: 'mijn Advocaat'; priority at least high",
        "15000 followers, from 10000 on priority is at least high",
        "placed by ownership: late on x, rulebook 0123456789ab",
    ]


@pytest.mark.parametrize(
    ("classification", "sentence"),
    [
        (UNSURE, "no topic is sure enough: best by phrases is late, confidence 0.33"),
        (DIVIDED, "no topic is sure enough: best by phrases is late, confidence 0.43"),
        (
            replace(UNSURE, verdict=Verdict.CONTRADICTED),
            "no topic is sure enough: phrases and model contradict each other",
        ),
        (SILENT, "no topic is sure enough: no phrase was found"),
        (
            replace(UNSURE, evidence=(replace(FOUND, weight=-1.0),)),
            "phrase 'waar blijft' found: 'waar blijft', speaks against late",
        ),
    ],
)
def test_triage_says_what_was_missing(classification: Classification, sentence: str) -> None:
    assert sentence in in_words(as_record(decided(classification=classification)))


def test_a_record_survives_the_database() -> None:
    record = as_record(decided(urgent(When()), escalation=RISKY, heard=Heard({"advocaat": "advocaat"})))
    stored = json.loads(json.dumps(record))
    assert stored == record
    assert stored["considered"] == [{"topic": "late", "score": 1.5}, {"topic": "bill", "score": 0.4}]
    assert in_words(stored) == in_words(record)
