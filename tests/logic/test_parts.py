"""Who writes about several things is told apart, part by part."""

import pytest

from app.routing.ownership import Owned, Stage
from app.routing.secondary import Secondary, consults, of_another
from app.rulebook import load
from app.settings import PROJECT
from app.topics.classify import Classification, Classifier, Phrase, Topic, readable
from app.topics.parting import pieces, words_of
from app.topics.weigh import Part, Verdict

TOPICS = [
    Topic("delivery", {}, (Phrase("pakket", 1.5), Phrase("kwijt"))),
    Topic("invoice", {}, (Phrase("rekening", 1.5),)),
    Topic("app", {}, (Phrase("app", 1.5),)),
]


def classify(text: str) -> Classification:
    return Classifier(TOPICS).classify([readable(text)])[0]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("Waar is mijn pakket", ["Waar is mijn pakket"]),
        ("Waar is mijn pakket? De rekening klopt niet!!", ["Waar is mijn pakket", "De rekening klopt niet"]),
        ("Waar is mijn pakket, en de rekening klopt niet", ["Waar is mijn pakket", "de rekening klopt niet"]),
        ("pakket en rekening", []),  # no statements
        ("dat kost 24.95 per maand", ["dat kost 24.95 per maand"]),
        ("een twee drie. " * 20, ["een twee drie"] * 7 + [("een twee drie. " * 13).strip(" .")]),
    ],
)
def test_pieces_are_sentences_and_what_en_joins(text: str, parts: list[str]) -> None:
    assert [words_of(piece) for piece in pieces(readable(text))] == parts


def test_an_undecided_text_belongs_to_its_first_plain_part() -> None:
    found = classify("Hoi! Waar is mijn pakket toch? En de rekening klopt ook niet.")
    assert (found.topic, found.verdict) == ("delivery", Verdict.PARTS)
    assert found.parts == (
        Part("delivery", "Waar is mijn pakket toch", 0.777),
        Part("invoice", "de rekening klopt ook niet", 0.777),
    )


def test_a_decided_text_keeps_its_topic_and_tells_the_other_parts() -> None:
    found = classify("De rekening klopt niet. Mijn pakket is kwijt, waar is het pakket")
    assert (found.topic, [part.topic for part in found.parts]) == ("delivery", ["invoice", "delivery"])


def test_one_sentence_about_two_things_is_for_a_person() -> None:
    assert (classify("is mijn pakket bij de rekening").topic, classify("is mijn pakket bij de rekening").parts) == (
        None,
        (),
    )


@pytest.mark.parametrize("text", ["en " * 1_300, ". " * 2_000, "pakket en rekening. " * 200, "pakket.rekening." * 250])
def test_hostile_text_is_only_text(text: str) -> None:
    assert len(pieces(readable(text))) <= 8
    assert len(classify(text).parts) <= len(TOPICS)


MINE = Owned("logistics", Stage.ADVISE, None, "r")


@pytest.mark.parametrize(
    ("owner", "consulted"),
    [
        (Owned("billing", Stage.ADVISE, None, "r"), True),
        (Owned("billing", Stage.LIVE, None, "r"), True),
        (Owned("billing", Stage.CENTRAL, None, "r"), False),  # webcare answers for it
        (Owned("logistics", Stage.LIVE, None, "r"), False),  # has the ticket
    ],
)
def test_who_is_consulted(owner: Owned, consulted: bool) -> None:
    other = of_another(Part("invoice", "De rekening", 0.8), owner, MINE)
    assert other == Secondary("invoice", owner.department, "De rekening", 0.8, consulted)
    assert consults([other, other]) == ({owner.department: ["invoice", "invoice"]} if consulted else {})


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("Mijn pakket is niet aangekomen. En mijn factuur klopt niet.", ["delivery_delay", "invoice_wrong"]),
        ("My parcel never arrived and I was charged twice for it", ["delivery_delay", "invoice_wrong"]),
        ("Waar blijft mijn pakket? Zou gisteren komen!", []),
    ],
)
def test_the_rules_that_are_shipped_tell_parts_apart(text: str, topics: list[str]) -> None:
    rulebook = load(PROJECT / "routing_rules")
    [found] = rulebook.classifier.classify([rulebook.read(text)])
    assert [part.topic for part in found.parts] == topics
