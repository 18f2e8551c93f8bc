"""What may stand in tones.yaml, and what follows from it."""

import pytest

from app.routing.decision import Escalation, Heeded, Priority, care
from app.rulebook import RulebookInvalid
from app.topics.hearing import Heard, Hit, Tone
from tests.logic.test_decision import decided
from tests.support.rules import edited, loaded, shipped

LEVELS = "levels: [{at: -3, points: 5}]"
WORDS = "words: {nl: {-3: [schandalig]}}"
CORRECT = "correct a word, its weight or the example"
LEAVE_OUT = "leave it out here, or write 'factuur' there"
HEEDED = Escalation(
    tones=(
        Heeded("mood", {"en": "mood of the words"}, ((3, None),)),
        Heeded("leaving", {"en": "words of leaving"}, ((2, Priority.HIGH), (5, Priority.URGENT)), "churn"),
    )
)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            LEVELS,
            "levels: [{at: -3}, {at: 3}]",
            "tones.yaml:2: levels on both sides of zero; let a tone ask for care above zero or below it",
        ),
        (
            WORDS,
            "words: {nl: {-3: [schandalig], -1: [Schandalig]}}",
            "tones.yaml:2: 'Schandalig' stands twice; keep one, with the weight that you mean",
        ),
        (
            WORDS,
            "words: {nl: {-2: [schandalig]}}",
            f"tones.yaml:6: 'Schandalig!' wants at most -3 in mood and gets -2, on 'Schandalig' -2; {CORRECT}",
        ),
        (
            WORDS,
            "words: {nl: {-3: [schandalig, faktuur]}}",
            f"words.yaml:2: 'faktuur' is read as 'factuur', so that phrase 'faktuur' is never found; {LEAVE_OUT}",
        ),
        (
            "tones:\n",
            "negations: {nl: [niet zo]}\ntones:\n",
            "tones.yaml:1: 'niet zo' is no single word; write one word",
        ),
    ],
)
def test_a_mistake_is_told_with_the_way_out(old: str, new: str, problem: str) -> None:
    with pytest.raises(RulebookInvalid) as caught:
        loaded(edited("tones.yaml", old, new))
    assert problem in map(str, caught.value.problems)


@pytest.mark.parametrize(
    ("leaving", "priority", "tags"),
    [(1, "normal", ()), (2, "high", ("churn",)), (5, "urgent", ("churn",))],
)
def test_a_tone_raises_and_tags_from_its_levels_on(leaving: float, priority: str, tags: tuple[str, ...]) -> None:
    heard = Heard({}, {"leaving": Tone(leaving, leaving, ())})
    decision = decided(escalation=HEEDED, heard=heard)
    assert (decision.priority, decision.tags) == (priority, tags)
    assert care(heard, HEEDED) == (() if leaving < 2 else (Priority(priority),), tags)


def test_a_tone_explains_itself_also_where_nothing_follows() -> None:
    tone = Tone(-1.5, 1.5, (Hit("slecht", "slecht", -1.5, "heel"),))
    told = [one for one in decided(escalation=HEEDED, heard=Heard({}, {"mood": tone})).reasons if one.code == "tone"]
    assert [one.text for one in told] == ["mood of the words: 'slecht' -1.5 (after 'heel'); together -1.5"]
    assert told[0].facts == {
        "tone": "mood",
        "score": -1.5,
        "words": [{"phrase": "slecht", "found": "slecht", "weight": -1.5, "after": "heel"}],
        "priority": None,
    }


def test_a_tone_says_to_which_priority_it_raises() -> None:
    leaving = Heard({}, {"leaving": Tone(2, 2, (Hit("weg", "weg", 2.0, None),))})
    told = [one.text for one in decided(escalation=HEEDED, heard=leaving).reasons if one.code == "tone"]
    assert told == ["words of leaving: 'weg' +2; together +2; priority at least high"]


def test_the_rules_that_are_shipped_have_tones_of_both_languages_with_examples() -> None:
    rulebook = shipped()
    [heard] = rulebook.hear([rulebook.read("Ben er klaar mee, ik stap over naar de concurrent #nooitmeer \U0001f621")])
    assert heard.tones.keys() == {"mood", "leaving"}
    assert {heeded.tone for heeded in rulebook.routing.escalation.tones} == {"mood", "urgency", "leaving", "abuse"}
