"""What may stand in words.yaml, and what its vocabulary holds."""

import pytest

from app.rulebook import RulebookInvalid
from tests.support.rules import FILES, edited, loaded, shipped

SPELLING = "nl: {factuur: [faktuur]}"
EMOJI = '{angryface: "\U0001f621"}'


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            SPELLING,
            "nl: {factuur: [rekening, bill]}",
            (
                "words.yaml:2: 'bill' is read as 'factuur', so that phrase 'bill' is never found; "
                "leave it out here, or write 'factuur' there"
            ),
        ),
        (
            SPELLING,
            "nl: {factuur: [faktuur], rekening: [faktuur]}",
            "words.yaml:1: 'faktuur' is read as 'factuur' and as 'rekening'; keep one of them",
        ),
        (
            SPELLING,
            "nl: {factuur: [faktuur], nota: [factuur]}",
            "words.yaml:1: 'factuur' is what others are read as, and is itself read otherwise; write 'nota'",
        ),
        (
            EMOJI,
            '{angryface: "\U0001f621", sadface: "\U0001f621"}',
            "words.yaml:1: emoji \U0001f621 says 'angryface' and 'sadface'; keep it under one of them",
        ),
    ],
)
def test_a_mistake_is_told_with_the_way_out(old: str, new: str, problem: str) -> None:
    with pytest.raises(RulebookInvalid) as caught:
        loaded(edited("words.yaml", old, new))
    assert [str(one) for one in caught.value.problems] == [problem]


def test_a_phrase_is_found_as_people_write_it() -> None:
    rulebook = loaded(FILES)
    [found] = rulebook.classifier.classify([rulebook.read("Mijn FAKTUUR klopt niet")])
    assert [(piece.phrase, piece.found) for piece in found.evidence] == [("factuur", "FAKTUUR")]


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("#wanneerkomtmijnpakket ?", "order_status"),
        ("krijg geen contact met de klanten service", "service_contact"),
        ("mn reking klopt niet", "invoice_wrong"),
        ("wher is my parcle", "delivery_delay"),
        ("#worstcustomerservice #neveragain", "service_contact"),
    ],
)
def test_messy_posts_get_their_topic_by_the_rules_that_are_shipped(text: str, topic: str) -> None:
    rulebook = shipped()
    assert rulebook.classifier.classify([rulebook.read(text)])[0].topic == topic
