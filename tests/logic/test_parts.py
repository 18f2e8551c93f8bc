"""Who writes about several things is told apart, part by part."""

from dataclasses import replace

import pytest

from app.routing.ownership import Owned, Stage
from app.routing.secondary import Secondary, consults, of_another
from app.topics.classify import Classification, Classifier, Contradiction, Phrase, Topic, readable
from app.topics.parting import JOINTS, in_parts, names_several, pieces, words_of
from app.topics.weigh import Estimate, Evidence, Part, Verdict, sentences
from tests.support.learned import model_of
from tests.support.rules import shipped

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
    assert [words_of(piece) for piece in pieces(readable(text), JOINTS[0])] == parts


def test_a_sentence_falls_apart_at_its_commas() -> None:
    found = pieces(readable("Mijn pakket is kwijt, kost 24,95 euro, helaas, de rekening klopt niet"), JOINTS[1])
    assert [words_of(piece) for piece in found] == ["Mijn pakket is kwijt", "kost 24,95 euro", "de rekening klopt niet"]


def test_what_is_denied_is_no_piece() -> None:
    said = "Het gaat niet om de rekening van mei. Niet de app maar mijn pakket is kwijt."
    assert [words_of(piece) for piece in pieces(readable(said), JOINTS[0])] == [
        "Het gaat niet om",
        "mijn pakket is kwijt",
    ]


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


def test_clauses_of_one_sentence_are_parts_as_well() -> None:
    found = classify("Waar is mijn pakket toch, de rekening klopt ook niet.")
    assert (found.topic, [part.topic for part in found.parts]) == ("delivery", ["delivery", "invoice"])


def test_a_part_counts_beside_a_topic_that_only_the_whole_tells() -> None:
    found = classify("Al weken kwijt, en nog steeds. Het is vast kwijt, dat pakket. De rekening klopt niet.")
    assert (found.topic, found.parts[-1].topic) == ("delivery", "invoice")


def test_what_the_author_denies_is_no_part() -> None:
    found = classify("Niet de rekening maar mijn pakket is kwijt. En de app doet het ook niet.")
    assert [part.topic for part in found.parts] == ["delivery", "app"]


EACH = [("waar is mijn pakket", "delivery"), ("de rekening klopt niet", "invoice")]
SURE = Estimate(3, (("invoice", 0.96), ("delivery", 0.03)), 0.9, 0.95)


def whole(topic: str | None, verdict: Verdict, estimate: Estimate | None = SURE, *against: str) -> Classification:
    considered = (("delivery", 1.5), ("invoice", 1.5))
    opposed = tuple(Evidence(one, "geen", "geen", -1.0) for one in against)
    return Classification(topic, 0.4, "nl", (), considered, opposed, estimate, verdict)


def parted(one: Classification, *said: tuple[str, str | None]) -> Classification:
    return in_parts(one, [(words, Classification(topic, 0.8, "nl", (), ())) for words, topic in said])


@pytest.mark.parametrize(
    ("one", "said", "topic", "verdict", "parts"),
    [
        (whole(None, Verdict.UNSURE, None), EACH, "delivery", Verdict.PARTS, ["delivery", "invoice"]),
        (whole(None, Verdict.UNSURE, None), [*EACH[::-1]], "invoice", Verdict.PARTS, ["invoice", "delivery"]),
        (whole(None, Verdict.UNSURE, None), [EACH[0], ("en de rest", None)], None, Verdict.UNSURE, []),
        # Each source was right about a part; or one of them is wrong.
        (whole(None, Verdict.CONTRADICTED), EACH, "delivery", Verdict.PARTS, ["delivery", "invoice"]),
        (whole(None, Verdict.CONTRADICTED), [EACH[0], ("de app hapert", "app")], None, Verdict.CONTRADICTED, []),
        (whole("invoice", Verdict.OVERRULED), EACH, "invoice", Verdict.OVERRULED, ["delivery", "invoice"]),
        (whole("invoice", Verdict.OVERRULED), EACH[:1], "invoice", Verdict.OVERRULED, []),
        # What phrases of the whole speak against is no part.
        (whole(None, Verdict.OPPOSED, SURE, "invoice"), EACH, None, Verdict.OPPOSED, []),
        (whole("delivery", Verdict.PHRASES, None, "invoice"), EACH, "delivery", Verdict.PHRASES, []),
        (whole("app", Verdict.MODEL), EACH, "app", Verdict.MODEL, ["delivery", "invoice"]),
    ],
)
def test_what_parts_make_of_a_whole(
    one: Classification, said: list[tuple[str, str | None]], topic: str | None, verdict: Verdict, parts: list[str]
) -> None:
    found = parted(one, *said)
    assert (found.topic, found.verdict, [part.topic for part in found.parts]) == (topic, verdict, parts)


def test_a_topic_that_the_model_alone_names_is_looked_for() -> None:
    phrases = Classification("delivery", 0.8, "nl", (), (("delivery", 1.5),))
    assert not names_several(phrases)
    assert names_several(replace(phrases, estimate=SURE))
    unsure = Estimate(3, (("delivery", 0.9), ("invoice", 0.09)), 0.9, 0.95)
    assert not names_several(replace(phrases, estimate=unsure))


def test_phrases_and_a_model_that_are_each_right_about_a_part_do_not_contradict_each_other() -> None:
    model = model_of({"invoice": ["incasso", "bedrag", "dubbel"], "delivery": ["pakket"]}, strength=3.0)
    classifier = Classifier(TOPICS, Contradiction.TRIAGE).mounted(model, 3)
    [found] = classifier.classify([readable("Waar is mijn pakket toch? Incasso bedrag dubbel!")])
    assert (found.topic, [part.topic for part in found.parts]) == ("delivery", ["delivery", "invoice"])
    assert [text for code, text in sentences(found) if code == "contradiction"] == [
        "phrases say delivery, the model says invoice: each of another part of the post"
    ]


def test_one_sentence_about_two_things_is_for_a_person() -> None:
    assert (classify("is mijn pakket bij de rekening").topic, classify("is mijn pakket bij de rekening").parts) == (
        None,
        (),
    )


@pytest.mark.parametrize("text", ["en " * 1_300, ". " * 2_000, "pakket en rekening. " * 200, "pakket.rekening." * 250])
def test_hostile_text_is_only_text(text: str) -> None:
    assert all(len(pieces(readable(text), joint)) <= 8 for joint in JOINTS)
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
    rulebook = shipped()
    [found] = rulebook.classifier.classify([rulebook.read(text)])
    assert [part.topic for part in found.parts] == topics
