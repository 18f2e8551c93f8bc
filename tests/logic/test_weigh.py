"""What is decided when phrases and a model are silent, agree, or contradict each other."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.topics.classify import Classifier, Phrase, Topic, readable
from app.topics.weigh import Classification, Contradiction, Estimate, Evidence, Verdict, sentences, weigh
from tests.support.learned import model_of

PHRASE = Evidence("late", "waar blijft", "waar blijft", 1.5)
SAID = Classification("late", 0.63, "nl", (PHRASE,), (("late", 1.0),))
SILENT = Classification(None, 0.0, "nl", (), ())
DRAWN = Classification(None, 0.5, "nl", (PHRASE,), (("late", 1.0), ("bill", 1.0)))
NOT_BILL = Evidence("bill", "geen rekening", "geen rekening", -1.0)


def thinks(chance: float, topic: str = "bill", threshold: float = 0.9, precision: float = 0.95) -> Estimate:
    return Estimate(7, ((topic, chance), ("sim", 0.01)), threshold, precision)


@pytest.mark.parametrize(
    ("found", "estimate", "topic", "confidence", "verdict"),
    [
        (SAID, None, "late", 0.63, Verdict.PHRASES),
        (SILENT, None, None, 0.0, Verdict.UNSURE),
        (SILENT, thinks(0.93), "bill", 0.93, Verdict.MODEL),
        (SILENT, thinks(0.9), "bill", 0.9, Verdict.MODEL),
        (SILENT, thinks(0.89), None, 0.89, Verdict.UNSURE),
        (DRAWN, thinks(0.93), "bill", 0.93, Verdict.MODEL),
        (DRAWN, thinks(0.3), None, 0.5, Verdict.UNSURE),
        (SAID, thinks(0.89), "late", 0.63, Verdict.PHRASES),
        (SAID, thinks(0.95, "late"), "late", 0.95, Verdict.AGREED),
        (SAID, thinks(0.5, "late"), "late", 0.63, Verdict.PHRASES),
        (SAID, thinks(0.95), None, 0.63, Verdict.CONTRADICTED),
        (SAID, thinks(0.995), "bill", 0.992, Verdict.OVERRULED),
        (replace(SAID, confidence=0.95), thinks(0.995), None, 0.95, Verdict.CONTRADICTED),
        (replace(SILENT, opposed=(NOT_BILL,)), thinks(0.99), None, 0.0, Verdict.OPPOSED),
        (replace(SAID, opposed=(NOT_BILL,)), thinks(0.999), "late", 0.63, Verdict.PHRASES),
    ],
)
def test_what_is_decided(
    found: Classification, estimate: Estimate | None, topic: str | None, confidence: float, verdict: Verdict
) -> None:
    decided = weigh(found, estimate, Contradiction.WEIGH)
    assert (decided.topic, decided.confidence, decided.verdict) == (topic, confidence, verdict)
    assert decided.estimate == estimate


@pytest.mark.parametrize(
    ("contradiction", "topic", "verdict"),
    [
        (Contradiction.WEIGH, "bill", Verdict.OVERRULED),
        (Contradiction.PHRASES, "late", Verdict.PHRASES),
        (Contradiction.TRIAGE, None, Verdict.CONTRADICTED),
    ],
)
def test_the_rulebook_says_what_a_contradiction_does(
    contradiction: Contradiction, topic: str | None, verdict: Verdict
) -> None:
    decided = weigh(SAID, thinks(0.999), contradiction)
    assert (decided.topic, decided.verdict) == (topic, verdict)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.5, 1))
def test_the_model_never_decides_below_its_threshold_nor_against_phrases_below_the_wanted_precision(
    chance: float, sure: float, threshold: float
) -> None:
    decided = weigh(replace(SAID, confidence=sure), thinks(chance, threshold=threshold), Contradiction.WEIGH)
    if decided.topic == "bill":
        assert chance >= threshold
        assert decided.confidence >= 0.95 - 0.001
    assert 0 <= decided.confidence <= 1


def test_the_evidence_against_what_the_model_says_is_shown() -> None:
    assert weigh(replace(SILENT, opposed=(NOT_BILL,)), thinks(0.99), Contradiction.WEIGH).evidence == (NOT_BILL,)


@pytest.mark.parametrize(
    ("found", "estimate", "said"),
    [
        (SAID, None, []),
        (SILENT, thinks(0.93), ["model 7 thinks of bill with 93%, sim 1%; it decides from 90% on"]),
        (
            SILENT,
            thinks(0.93, threshold=2.0),
            ["model 7 thinks of bill with 93%, sim 1%; it never decides this alone"],
        ),
        (
            SAID,
            thinks(0.95),
            [
                "model 7 thinks of bill with 95%, sim 1%; it decides from 90% on",
                "phrases say late, the model says bill: both are sure, so a person looks",
            ],
        ),
        (
            SAID,
            thinks(0.999),
            [
                "model 7 thinks of bill with 100%, sim 1%; it decides from 90% on",
                "phrases say late, but the model is sure of bill even with these against it",
            ],
        ),
        (
            replace(SAID, opposed=(NOT_BILL,)),
            thinks(0.999),
            [
                "model 7 thinks of bill with 100%, sim 1%; it decides from 90% on",
                "phrases say late, the model says bill: phrases decide",
            ],
        ),
    ],
)
def test_a_contradiction_is_said_in_words(found: Classification, estimate: Estimate | None, said: list[str]) -> None:
    decided = weigh(found, estimate, Contradiction.WEIGH)
    assert [text for _, text in sentences(decided)] == said


TOPICS = [
    Topic("late", {"en": "Late"}, (Phrase("waar blijft"),)),
    Topic("bill", {"en": "Bill"}, (Phrase("factuur", 0.4),), (Phrase("geen factuur", 2.0),)),
]
MODEL = model_of({"bill": ["bedrag", "incasso"], "gone": ["fax"], "late": ["pakket"]})


@pytest.mark.parametrize(
    ("text", "topic", "verdict"),
    [
        ("waar blijft hij", "late", Verdict.PHRASES),
        ("incasso bedrag", "bill", Verdict.MODEL),
        ("geen factuur incasso bedrag", None, Verdict.OPPOSED),
        ("fax", None, Verdict.UNSURE),  # the taxonomy does not have it any more
        ("iets anders", None, Verdict.UNSURE),
        ("", None, Verdict.UNSURE),
    ],
)
def test_a_classifier_with_a_model_weighs_both(text: str, topic: str | None, verdict: Verdict) -> None:
    decided = Classifier(TOPICS).mounted(MODEL, 3).classify([readable(text)])[0]
    assert (decided.topic, decided.verdict) == (topic, verdict)


def test_without_its_model_a_classifier_is_what_it_was() -> None:
    phrases = Classifier(TOPICS)
    texts = [readable("incasso bedrag"), readable("waar blijft hij")]
    assert phrases.mounted(MODEL, 3).mounted(None, None).classify(texts) == phrases.classify(texts)
    assert [one.estimate for one in phrases.classify(texts)] == [None, None]
