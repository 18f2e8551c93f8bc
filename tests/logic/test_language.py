"""A guess is right, or it is not made."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.topics.language import TOLD_APART, guess


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Waar blijft mijn pakketje? Zou gisteren komen", "nl"),
        ("Geen internet, alweer niet!", "nl"),
        ("hoe lang nog", "nl"),
        ("IK WIL MIJN GELD TERUG", "nl"),
        ("where is my parcel", "en"),
        ("can\u2019t log in :(", "en"),
        ("No signal all day, thanks", "en"),
        ("de app crashed when i tried to log in", "en"),
    ],
)
def test_short_posts(text: str, language: str) -> None:
    assert guess(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("niemand neemt op", "nl"),
        ("tering wat traag weer", "nl"),
        ("die delivery was echt een fail", "nl"),
        ("worst service ever", "en"),
        ("omg fix this app pls", "en"),
        ("wo bleibt mein paket", "de"),
        ("Ich habe mein Paket noch nicht erhalten, warum?", "de"),
        ("quelqu'un peut m'aider svp", "fr"),
        ("Je n'ai pas re\u00e7u le colis depuis une semaine et personne ne r\u00e9pond", "fr"),
        ("kargom nerede, 3 g\u00fcnd\u00fcr bekliyorum", "tr"),
        ("abi internet yok 3 g\u00fcnd\u00fcr wtf", "tr"),
        ("paczka nie dotar\u0142a", "pl"),
        ("\u0623\u064a\u0646 \u0637\u0631\u062f\u064a", "ar"),
        ("\u202b\u0623\u064a\u0646 \u0637\u0631\u062f\u064a\u202c @poldermobiel https://example.org", "ar"),
    ],
)
def test_what_small_words_do_not_tell_the_library_does(text: str, language: str) -> None:
    assert guess(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "???",
        "\U0001f621\U0001f621\U0001f621",
        "\u200b\u200b",
        "@poldermobiel https://example.org/waar-blijft-mijn-pakket",
        "12345678",
        "\u4eca\u65e5\u306f\u5bd2\u3044\u3067\u3059\u306d",  # a language that we do not tell apart
        "\ud800\x00",
    ],
)
def test_unsure_is_none(text: str) -> None:
    assert guess(text) is None


@settings(max_examples=50)
@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert guess(text) in TOLD_APART | {None}


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    assert guess("ik heb mijn pakket niet. " + "where is my parcel and why " * 100) == "en"
    assert guess("ik heb mijn pakket niet. " + "x" * 600 + " where is my parcel and why" * 100) == "nl"
