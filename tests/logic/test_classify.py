"""What counts as evidence, and when evidence is enough."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kit.errors import Invalid
from app.topics.classify import Classification, Classifier, Phrase, Topic, check_phrase, confidence, readable


def topic(slug: str, *phrases: str | Phrase, against: tuple[str, ...] = (), threshold: float = 0.5) -> Topic:
    return Topic(
        slug,
        {"en": slug},
        tuple(Phrase(p) if isinstance(p, str) else p for p in phrases),
        tuple(Phrase(p) for p in against),
        threshold,
    )


def classify(text: str, *topics: Topic, lang: str | None = None) -> Classification:
    return Classifier(topics).classify([readable(text, lang)])[0]


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("factuur", "De FACTUUR klopt niet", "FACTUUR"),
        ("factuur", "facturen", None),
        ("factuur", "spookfactuur", None),
        ("app", "wat een appel", None),
        ("cafe", "in het caf\u00e9 geen bereik", "caf\u00e9"),
        ("caf\u00e9", "in het cafe\u0301", "caf\u00e9"),
        ("waar blijft", "Waar   blijft hij?", "Waar   blijft"),
        ("waar blijft", "waar, o waar \u2013 blijft", "waar \u2013 blijft"),
        ("waar blijft", "waar? blijft hij", None),
        ("pakket*", "pakketje is weg", "pakketje"),
        ("pakket*", "de pakketbezorging", "pakketbezorging"),
        ("pakket*", "postpakket", None),
        ("*storing", "weer internetstoring!!", "internetstoring"),
        ("*storing", "storingen", None),
        ("*storing*", "de internetstoringen", "internetstoringen"),
        ("geen *storing hier", "geen tv-internetstoring hier", None),
        ("weer *storing hier", "weer internetstoring hier", "weer internetstoring hier"),
        ("pakket* kwijt", "pakketje kwijt", "pakketje kwijt"),
        ("waar ... pakket*", "waar is in hemelsnaam mijn pakketje", "waar is in hemelsnaam mijn pakketje"),
        ("waar ... pakket*", "waar pakket", "waar pakket"),
        ("waar ... pakket*", "waar een twee drie vier vijf pakket", None),
        ("waar ... pakket*", "geen idee waar. Een pakket dus", None),
        ("e-mail", "geen email gehad", "email"),
        ("e-mail", "geen e mail gehad", "e mail"),
        ("can't", "i cant call", "cant"),
        ("can't", "i can\u2019t call", "can\u2019t"),
        ("storing", "\U0001f621storing\U0001f621", "storing"),
        ("storing", "#storing!", "storing"),
        ("storing", "sto\u200bring", "storing"),
        ("storing", "\U0001d42c\U0001d42d\U0001d428\U0001d42b\U0001d422\U0001d427\U0001d420", "storing"),
        ("storing", "@storing help", None),
        ("storing", "kijk op https://example.org/storing", None),
        ("factuur", "x" * 4_000 + " factuur", None),
    ],
)
def test_where_a_phrase_is_found(phrase: str, text: str, found: str | None) -> None:
    evidence = classify(text, topic("t", phrase)).evidence
    assert [piece.found for piece in evidence] == ([] if found is None else [found])


@pytest.mark.parametrize(
    "text",
    [
        "Geen klacht over de rekening",
        "Dit gaat niet over mijn rekening",
        "het gaat mij niet om de rekening",
        "niets mis met de rekening",
        "it's not about my bill",
        "I'm not complaining about the bill",
        "This has nothing to do with my bill",
        "Niet de rekening maar de bezorging",
        "not my bill, but the delivery",
    ],
)
def test_a_denied_subject_does_not_count(text: str) -> None:
    assert classify(text, topic("invoice", "rekening", "bill")).topic is None


@pytest.mark.parametrize(
    "text",
    [
        "mijn pakket is NIET aangekomen",
        "ik heb geen pakket ontvangen",
        "I did not get the parcel",
        "Niet de rekening maar het pakket",
        "It's not about my bill but about a parcel",
        "Geen vraag over de rekening, wel over het pakket",
        "no complaints about the shop. Parcel?",
        "niet over het pakket? Jawel, pakket is stuk",  # the second time it is said
    ],
)
def test_a_negation_alone_takes_nothing_away(text: str) -> None:
    assert (
        classify(text, topic("delivery", "pakket", "parcel"), topic("invoice", "rekening", "bill")).topic == "delivery"
    )


def test_a_phrase_may_hold_the_denial() -> None:
    phrases = ("geen problemen met internet", "internet")
    evidence = classify("al jaren geen problemen met internet", topic("compliment", *phrases)).evidence
    assert [piece.phrase for piece in evidence] == ["geen problemen met internet"]


def test_a_phrase_counts_once() -> None:
    assert classify("geld geld geld", topic("t", "geld"), lang="nl") == classify("geld", topic("t", "geld"), lang="nl")


@pytest.mark.parametrize(
    ("told", "weight"), [("nl", 1.0), ("nl-BE", 1.0), ("en", 0.5), ("und", 1.0), (None, 1.0), ("de", 1.0)]
)
def test_a_phrase_of_another_language_counts_half(told: str | None, weight: float) -> None:
    evidence = classify("rekening", topic("t", Phrase("rekening", language="nl")), lang=told).evidence
    assert evidence[0].weight == weight


def test_the_language_is_guessed_when_untold() -> None:
    assert classify("waar is mijn rekening", lang="und").language == "nl"
    assert classify("waar is mijn rekening", lang="de-DE").language == "de"


def test_contradicting_evidence_is_for_a_person() -> None:
    unsure = classify("pakket en rekening", topic("delivery", "pakket"), topic("invoice", "rekening"))
    assert unsure.topic is None
    assert unsure.considered == (("delivery", 1.0), ("invoice", 1.0))
    assert {piece.topic for piece in unsure.evidence} == {"delivery", "invoice"}


def test_a_tie_is_for_a_person_however_low_the_threshold() -> None:
    first, second = topic("a", "pakket", threshold=0.1), topic("b", "rekening", threshold=0.1)
    assert classify("pakket en rekening", first, second).topic is None


def test_more_evidence_wins() -> None:
    sure = classify("pakket kapot, rekening", topic("delivery", "pakket", "kapot"), topic("invoice", "rekening"))
    assert sure.topic == "delivery"
    assert sure.considered == (("delivery", 2.0), ("invoice", 1.0))


def test_evidence_against_is_taken_off_and_shown() -> None:
    doubted = classify("telefoon kapot in de winkel", topic("repair", "telefoon", "kapot", against=("winkel",)))
    assert doubted.considered == (("repair", 1.0),)
    assert [(piece.phrase, piece.weight) for piece in doubted.evidence][-1] == ("winkel", -1.0)
    assert classify("telefoon in winkel", topic("repair", "telefoon", against=("winkel",))).considered == ()


def test_a_topic_may_ask_for_more() -> None:
    assert classify("telefoon", topic("t", "telefoon", threshold=0.63)).topic == "t"
    assert classify("telefoon", topic("t", "telefoon", threshold=0.64)).topic is None


def test_scores_are_rounded_so_that_equal_sums_are_a_draw() -> None:
    tenths = topic("tenths", Phrase("een", 0.1), Phrase("twee", 0.2), Phrase("drie", 1 / 3))
    other = topic("other", Phrase("een twee", 0.3), Phrase("drie", 1 / 3))
    found = classify("een twee drie", tenths, other)
    assert found.topic is None
    assert found.considered == (("other", 0.633), ("tenths", 0.633))
    assert {piece.weight for piece in found.evidence} == {0.1, 0.2, 0.3, 0.333}


def test_three_topics_are_considered() -> None:
    topics = [topic(slug, Phrase(slug, weight)) for slug, weight in [("aa", 1), ("bb", 4), ("cc", 2), ("dd", 3)]]
    assert classify("aa bb cc dd", *topics).considered == (("bb", 4), ("dd", 3), ("cc", 2))


def test_two_topics_may_share_a_phrase() -> None:
    assert classify("pakket", topic("a", "pakket"), topic("b", "Pakket")).considered == (("a", 1.0), ("b", 1.0))


@pytest.mark.parametrize(
    ("best", "next_best", "sure"),
    [(1, 0, 0.632), (2, 0, 0.865), (1, 1, 0.316), (2, 1, 0.576), (3, 2, 0.570), (0.5, 0, 0.393), (1000, 1000, 0.5)],
)
def test_confidence(best: float, next_best: float, sure: float) -> None:
    assert confidence(best, next_best) == pytest.approx(sure, abs=0.001)


def test_answers_stand_in_the_order_of_the_texts() -> None:
    classifier = Classifier([topic("a", "pakket"), topic("b", "rekening")])
    texts = [readable("rekening"), readable("niets"), readable("pakket")]
    assert [answer.topic for answer in classifier.classify(texts)] == ["b", None, "a"]
    assert classifier.classify([]) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "waar " * 4_000,
        "a" * 20_000,
        "waar," * 4_000,
        "niet over " * 2_000,
        "\u200b" * 20_000,
        "\U0001f621" * 20_000,
        "\ufdfa" * 20_000,  # one character that NFKC writes as eighteen
        "e" + "\u0301" * 19_999,
        "\u0623\u064a\u0646 \u0637\u0631\u062f\u064a " * 2_000,
        "\ud800 \x00",
    ],
)
def test_hostile_text_is_only_text(text: str) -> None:
    assert classify(text, topic("t", "waar ... pakket*", "*storing")).topic is None


@settings(max_examples=100)
@given(st.text())
def test_evidence_stands_in_the_text_of_any_spelling(text: str) -> None:
    answer = classify(f"{text} pakket {text}", topic("t", "pakket"))
    assert all("pakket" in piece.found.lower() for piece in answer.evidence)


@pytest.mark.parametrize(
    "text",
    ["factuur", "Waar blijft", "pakket*", "*storing*", "waar ... pakket*", "can\u2019t", "e-mail", "5g", "caf\u00e9"],
)
def test_a_phrase_is_words(text: str) -> None:
    check_phrase(text)


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("", "few words"),
        ("  ", "few words"),
        ("x" * 81, "few words"),
        ("... pakket", "between two words"),
        ("waar ...", "between two words"),
        ("waar ... ... pakket", "between two words"),
        ("waar...pakket", "between words"),
        ("(a+)+$", "letters, digits"),
        ("pak*et", "at an end"),
        ("waar?", "letters, digits"),
        ("*", "letters, digits"),
        ("*a*", "at least 3"),
        ("ab*", "at least 3"),
    ],
)
def test_what_is_no_phrase_is_refused_with_the_way_out(text: str, way_out: str) -> None:
    with pytest.raises(Invalid, match=way_out):
        check_phrase(text)


def test_a_classifier_is_not_built_on_a_wrong_phrase() -> None:
    with pytest.raises(Invalid):
        Classifier([topic("t", "fout!")])


def test_a_phrase_stands_once_under_a_topic_in_whatever_spelling() -> None:
    with pytest.raises(Invalid, match="twice"):
        Classifier([topic("t", Phrase("Caf\u00e9", language="nl"), Phrase("cafe", language="en"))])
    with pytest.raises(Invalid, match="twice"):
        Classifier([topic("t", "cafe", against=("cafe",))])
