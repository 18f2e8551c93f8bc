"""A customer's words without the customer."""

import pytest

from app.answers.guard import Guard
from app.answers.masking import masked

GUARD = Guard("NL", {"order_number": [r"\bPM-\d{8}\b"]}, [])


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Bel me op 06 12345678, of mail jan@voorbeeld.nl", "Bel me op [phone], of mail [email]"),
        ("Rekening NL91 ABNA 0417 1643 00, order PM-20261122", "Rekening [iban], order [order_number]"),
        ("@PolderMobiel waarom? cc @jan.de_boer", "[handle] waarom? cc [handle]"),
        ("zie https://voorbeeld.nl/jan?id=7", "zie [link]"),
        ("klantnummer 12-345.678", "klantnummer [number]"),
        ("Al 14 dagen, 2026 was beter", "Al 14 dagen, 2026 was beter"),
        ("", ""),
    ],
)
def test_what_tells_who_wrote_it_is_replaced(said: str, left: str) -> None:
    assert masked(said, GUARD) == left


def test_the_authors_own_names_are_replaced_wherever_they_stand() -> None:
    names = ("sanne_b", "Sanne de Boer", None)
    assert masked("Groet, Sanne de BOER (sanne_b)", GUARD, names) == "Groet, [name] ([name])"
    assert masked("Dag, Sanne! Met mevrouw Boer, sanne_b", GUARD, names) == "Dag, [name]! Met mevrouw [name], [name]"
    assert masked("Sannes pakket bij de boerderij", GUARD, names) == "Sannes pakket bij de boerderij"


def test_a_name_that_is_a_pattern_or_a_placeholder_harms_nothing() -> None:
    assert masked("mail jan@voorbeeld.nl (.*)+$", GUARD, ("email (.*)+$",)) == "mail [email] (.*)+$"
