"""Of many comments the few that say most about a topic."""

from math import log

import pytest

from app.feedback.telling import Comment, extremeness, most_telling


def comments(*said: tuple[str, int, str]) -> list[Comment[str]]:
    return [Comment(text, topic, score, text) for topic, score, text in said]


def test_what_many_say_of_this_topic_and_few_of_others_comes_first() -> None:
    told = comments(
        ("delivery", 2, "De bezorger heeft het pakket bij de buren achtergelaten"),
        ("delivery", 1, "Bezorger belde niet aan en het pakket is weg"),
        ("delivery", 2, "Wat een heel erg vervelende ervaring was dit zeg"),
        ("invoice", 3, "Dit was een heel erg vervelende ervaring met de factuur"),
        ("invoice", 9, "Erg vervelende factuur, wel een heel fijne ervaring"),
    )

    assert most_telling(told, 2)["delivery"] == [
        "Bezorger belde niet aan en het pakket is weg",
        "De bezorger heeft het pakket bij de buren achtergelaten",
    ]


def test_the_formula_is_the_one_that_is_written_down() -> None:
    """Five words, each in one of two comments of the topic and in none of the other: 1/2 ln(4/2) each."""
    told = comments(
        ("coverage", 0, "alpha beta gamma delta epsilon"),
        ("coverage", 6, "zeta zeta eta"),
        ("invoice", 0, "theta"),
    )
    ranked = most_telling(told, 2)["coverage"]

    first, second = 1.0 * 0.5 * log(4 / 2), 0.2 * 2 * 0.5 * log(4 / 2) / 5
    assert first > second
    assert ranked == ["alpha beta gamma delta epsilon", "zeta zeta eta"]


def test_the_five_words_that_weigh_most_count_wherever_they_stand_and_a_sixth_no_more() -> None:
    common = "dat was echt niet goed"
    told = comments(
        ("coverage", 2, f"{common} zeta"),
        ("coverage", 2, "alpha beta gamma delta epsilon"),
        ("coverage", 2, f"{common} maar vijf andere woorden hier vandaag"),
        ("invoice", 2, common),
        ("invoice", 2, common),
    )

    assert most_telling(told, 3)["coverage"] == [told[1].of, told[2].of, told[0].of]


@pytest.mark.parametrize(
    ("score", "weight"), [(0, 1.0), (3, 0.6), (6, 0.2), (7, 1 / 15), (8, 0.2), (9, 0.6), (10, 1.0)]
)
def test_both_ends_of_the_scale_weigh_the_same(score: int, weight: float) -> None:
    assert extremeness(score) == pytest.approx(weight)


def test_the_same_words_with_a_stronger_score_tell_more() -> None:
    told = [Comment(score, "coverage", score, "geen bereik in huis") for score in (7, 5, 8, 0)]
    other = [Comment(99, "invoice", 5, "dubbel afgeschreven")]

    assert most_telling([*told, *other], 4)["coverage"] == [0, 5, 8, 7]


def test_one_word_is_no_quote() -> None:
    told = comments(("coverage", 10, "Top"), ("coverage", 9, "Eindelijk weer bereik in ons dorp"), ("invoice", 5, "x"))

    assert most_telling(told, 1)["coverage"] == ["Eindelijk weer bereik in ons dorp"]


def test_no_more_are_chosen_than_asked_and_none_of_nothing() -> None:
    assert most_telling([], 3) == {}
    assert len(most_telling(comments(*[("coverage", 1, f"woord nummer {n}") for n in range(9)]), 3)["coverage"]) == 3
