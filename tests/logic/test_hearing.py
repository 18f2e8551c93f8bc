"""Tones are sums of words, each with its reason."""

import pytest

from app.topics.hearing import Grammar, Hearing, Lexicon, Term
from app.topics.reading import readable
from app.topics.words import Words

MOOD = Lexicon(
    "mood",
    (
        Term("slecht", -2, "nl"),
        Term("goed", 2, "nl"),
        Term("niet te doen", -3, "nl"),
        Term("slecht* bereik", -4, "nl"),
        Term("awful", -2, "en"),
        Term("angryface", -1),
    ),
    direction=-1,
    negated=-0.5,
)
LEAVING = Lexicon("leaving", (Term("opzeggen", 2, "nl"),))
GRAMMAR = Grammar(frozenset({"niet", "geen", "don't"}), {"heel": 1.5, "beetje": 0.5})
HEARING = Hearing(["advocaat", "opzeggen"], [MOOD, LEAVING], GRAMMAR)
WORDS = Words(emoji={"\U0001f621": "angryface"})


def hits(text: str, tone: str = "mood", language: str | None = "nl") -> list[tuple[str, float, str | None]]:
    [heard] = HEARING.hear([readable(text, language, WORDS)])
    return [(hit.found, hit.weight, hit.after) for hit in heard.tones[tone].hits] if tone in heard.tones else []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Slecht, slecht, slecht", [("Slecht", -2, None)]),
        ("goed maar slecht", [("goed", 2, None), ("slecht", -2, None)]),
        ("niet goed", [("goed", -1, "niet")]),
        ("niet heel erg goed", [("goed", -1, "niet")]),
        ("geen idee wat er goed is", [("goed", 2, None)]),  # too far
        ("niet nodig, goed zo", [("goed", 2, None)]),  # another clause
        ("werkt niet. Goed geregeld", [("Goed", 2, None)]),  # another sentence
        ("heel slecht", [("slecht", -3, "heel")]),
        ("een beetje slecht", [("slecht", -1, "beetje")]),
        ("dit is niet te doen", [("niet te doen", -3, None)]),  # holds its own denial
        ("heel slecht bereik hier", [("slecht bereik", -6, "heel")]),  # the longer phrase alone
        ("awful service", [("awful", -1, None)]),  # a word of the other language
        ("ok \U0001f621", [("\U0001f621", -1, None)]),
        ("geen klacht over hoe slecht het is", []),  # denied as the subject
        ("gewoon", []),
    ],
)
def test_each_word_weighs_where_it_stands(text: str, found: list[tuple[str, float, str | None]]) -> None:
    assert hits(text) == found


def test_a_language_that_we_do_not_speak_halves_nothing() -> None:
    assert hits("awful und slecht", language="de") == [("awful", -2, None), ("slecht", -2, None)]


def test_behind_a_negation_a_word_may_count_nothing() -> None:
    assert hits("ik ga niet opzeggen", "leaving") == [("opzeggen", 0, "niet")]


def test_care_is_asked_for_in_one_direction() -> None:
    [bad, good] = HEARING.hear([readable("heel slecht", "nl"), readable("goed", "nl")])
    assert (bad.tones["mood"].score, bad.tones["mood"].care) == (-3, 3)
    assert (good.tones["mood"].score, good.tones["mood"].care) == (2, 0)


def test_what_is_noticed_is_heard_beside_the_tones() -> None:
    [heard] = HEARING.hear([readable("Mijn Advocaat zegt: opzeggen!", "nl")])
    assert heard.words == {"advocaat": "Advocaat", "opzeggen": "opzeggen"}
    assert heard.tones.keys() == {"leaving"}


def test_a_hit_says_itself_in_words() -> None:
    [heard] = HEARING.hear([readable("heel slecht, niet goed", "nl")])
    assert [str(hit) for hit in heard.tones["mood"].hits] == ["'slecht' -3 (after 'heel')", "'goed' -1 (after 'niet')"]


@pytest.mark.parametrize("text", ["", "heel " * 5_000, "slecht " * 3_000, "\U0001f621" * 20_000, "niet" * 5_000])
def test_hostile_text_is_only_text(text: str) -> None:
    [heard] = HEARING.hear([readable(text, None, WORDS)])
    assert all(len(tone.hits) <= len(MOOD.terms) for tone in heard.tones.values())
