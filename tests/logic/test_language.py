"""A guess is right, or it is not made."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.topics.language import guess


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
    "text",
    [
        "",
        "\U0001f621\U0001f621\U0001f621",
        "iPhone 15 Pro 256GB",
        "thanks jullie",  # one vote each
        "Je n'ai pas re\u00e7u le colis depuis une semaine et personne ne r\u00e9pond",
        "Ich habe mein Paket noch nicht erhalten, warum?",
        "\u0623\u064a\u0646 \u0637\u0631\u062f\u064a",
    ],
)
def test_unsure_is_none(text: str) -> None:
    assert guess(text) is None


@settings(max_examples=50)
@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert guess(text) in {"nl", "en", None}


def test_what_stands_far_behind_does_not_count() -> None:
    assert guess("ik heb mijn pakket niet. " + "where is my parcel and why " * 100) == "en"
    assert guess("ik heb mijn pakket niet. " + "x" * 600 + " where is my parcel and why" * 100) == "nl"
