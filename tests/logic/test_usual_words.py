"""A post is read in usual words, and quoted as its author wrote it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.topics.classify import Classifier, Phrase, Topic
from app.topics.phrase import folded
from app.topics.reading import normalised, readable
from app.topics.words import Words

WORDS = Words(
    known=["wanneer", "komt", "mijn", "pakket", "heel", "zo", "zoo", "klanten", "service", "super", "weer", "a"],
    spelling={"nl": {"mn": "mijn", "m'n": "mijn", "'t": "het", "faktuur": "factuur"}, "en": {"pls": "please"}},
    emoji={"\U0001f621": "angryface"},
    compounds=["klantenservice"],
)

PIECES = ["#", "mn ", "heeel", "pakket", " ", ".", "\U0001f621", "klanten service", "x", "\u00e9"]


def quotes(text: str, phrase: str, words: Words = WORDS, language: str | None = None) -> list[str]:
    topic = Topic("t", {}, (Phrase(phrase),))
    return [piece.found for piece in Classifier([topic]).classify([readable(text, language, words)])[0].evidence]


@pytest.mark.parametrize(
    ("text", "phrase", "quoted"),
    [
        ("Wat is dit, m'n Faktuur klopt niet", "mijn factuur", "m'n Faktuur"),
        ("\u2018t is 'faktuur'", "het", "\u2018t"),
        ("heeeeel erg", "heel", "heeeeel"),
        ("zoooo", "zoo", "zoooo"),  # both are known: the longer
        ("suppppper", "super", "suppppper"),
        ("zzzzucht", "zucht", "zzzzucht"),  # known or not
        ("wat een raaaamp", "raamp", "raaaamp"),  # nothing tells, so a long vowel stays long
        ("#wanneerkomtmijnpakket nu", "wanneer komt", "wanneerkomtmijnpakket"),
        ("nou #wanneerkomtmijnpakket nu", "pakket nu", "wanneerkomtmijnpakket nu"),
        ("#WaarBlijftHet", "waar blijft", "WaarBlijftHet"),
        ("#waarblijfthet", "waar blijft", None),  # neither known nor told by capitals
        ("wanneerkomtmijnpakket", "wanneer komt", None),  # no hashtag
        ("boos \U0001f621 ja", "angryface", "\U0001f621"),
        ("waar \U0001f621 blijft het", "waar blijft", "waar \U0001f621 blijft"),  # an emoji parts no phrase
        ("de klanten service weer", "klantenservice", "klanten service"),
        ("de klanten service weer", "service weer", "service weer"),
        ("van klanten. Service is traag", "klantenservice", None),
    ],
)
def test_a_text_is_read_in_usual_words_and_quoted_as_it_stands(text: str, phrase: str, quoted: str | None) -> None:
    assert quotes(text, phrase) == ([] if quoted is None else [quoted])


@pytest.mark.parametrize(
    ("language", "read"), [("nl", b"mijn pls"), ("en", b"mn please"), (None, b"mijn please"), ("de", b"mijn please")]
)
def test_the_spelling_of_a_language_is_its_own(language: str | None, read: bytes) -> None:
    assert readable("mn pls", language, WORDS).plain == read


def test_most_posts_are_read_as_they_stand() -> None:
    read = readable("Waar blijft mijn pakket?", None, WORDS)
    assert read.moved == ()
    assert read.plain == b"waar blijft mijn pakket."


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("@poldermobiel m'n faktuur 90817263?", "mijn factuur xxnumber xxask"),
        ("Kijk: https://example.org/pakket", "kijk xxlink"),
        (
            "pakket \U0001f621\U0001f92f",
            "pakket angryface xxemoji_pouting_face xxemoji_shocked_face_with_exploding_head",
        ),
        ("\u0623\u064a\u0646 \u0637\u0631\u062f\u064a", "\u0623\u064a\u0646 \u0637\u0631\u062f\u064a"),
        ("caf\u00e9", "cafe"),
        ("", ""),
    ],
)
def test_what_a_model_reads(text: str, read: str) -> None:
    assert normalised(readable(text, None, WORDS)) == read


def test_the_fewest_words_make_a_hashtag() -> None:
    words = Words(known=["klantenservice", "klanten", "service", "weer", "en", "a"])
    assert words.parted(b"klantenserviceweer") == b"klantenservice weer"
    assert words.parted(b"klantenservice") is None  # a word as it is
    assert words.parted(b"klantenservicex") is None


@pytest.mark.parametrize(
    "text",
    [
        "#" * 20_000,
        "#" + "a" * 20_000,
        "#a" * 10_000,
        "a" * 20_000,
        "aaab" * 5_000,
        "mn " * 7_000,
        "klanten service " * 1_300,
        "\U0001f621" * 20_000,
        "\u202e#wanneerkomtmijnpakket\u202c",
        "\ud800#\x00mn",
        "\u0440\u0430kket mn",  # Cyrillic letters in a Latin word
    ],
)
def test_hostile_text_is_only_text(text: str) -> None:
    read = readable(text, None, WORDS)
    assert len(read.plain) <= 4 * 4_000
    assert len(normalised(read)) <= 50 * 4_000


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_all_that_is_read_can_be_quoted(text: str) -> None:
    read = readable(text, None, WORDS)
    assert [move.start for move in read.moved] == sorted(move.start for move in read.moved)
    for move in read.moved:
        assert read.quoted(move.start, move.end) == read.shown[move.shown_start : move.shown_end]
    rewritten = {place for move in read.moved for place in range(move.start, move.end)}
    for place in set(range(len(read.plain))) - rewritten:
        if read.plain[place : place + 1].isalnum():
            assert folded(read.quoted(place, place + 1)) == read.plain[place : place + 1]
