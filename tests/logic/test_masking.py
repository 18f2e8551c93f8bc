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


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Volgens mevrouw Jansen wel, maar Jansen belt niet", "Volgens mevrouw [name] wel, maar [name] belt niet"),
        ("Meneer van der Berg en dhr. J.P. de Vries", "Meneer [name] en dhr. [name]"),
        ("Mr Smith asked me to call Mrs. O'Brien-Jones", "Mr [name] asked me to call Mrs. [name]"),
        ("Mijn naam is Jan Willem de Groot en ik wacht", "Mijn naam is [name] en ik wacht"),
        ("ik ben Sanne, klant van jullie. I'm Joe", "ik ben [name], klant van jullie. I'm [name]"),
        ("Al weken!\nMet vriendelijke groet,\nŁukasz Çelik", "Al weken!\nMet vriendelijke groet,\n[name]"),
        ("Hoi Lisa, waar is het? Dear John! Bye", "Hoi [name], waar is het? Dear [name]! Bye"),
        ("Monteur Ahmed kwam niet, mijn dochter Emma wachtte", "Monteur [name] kwam niet, mijn dochter [name] wachtte"),
        ("My agent called Kim left. Best regards John Doe", "My agent called [name] left. Best regards [name]"),
    ],
)
def test_names_that_words_announce_are_replaced_wherever_they_stand(said: str, left: str) -> None:
    assert masked(said, GUARD) == left


@pytest.mark.parametrize(
    "said",
    [
        "Geachte heer/mevrouw, mijn factuur klopt niet",
        "Hoi waar blijft Mijn Pakket",
        "Mag mijn zoon de Vossenjacht spelen",
        "Ik ben het zat. De monteur kwam niet in Utrecht",
        "MS Teams werkt niet op mijn HR scan",
        "met vriendelijke groet vanuit Utrecht",
        # Told in docs/drift.md: without a capital, in capitals alone, or unannounced.
        "MEVROUW JANSEN ZEI DAT HET KOMT",
        "volgens mevrouw jansen",
        "Piet belde en Fatima ook",
        "السيد أحمد",
    ],
)
def test_what_is_not_announced_as_a_name_stays(said: str) -> None:
    assert masked(said, GUARD) == said


def test_small_words_of_a_name_stay_elsewhere() -> None:
    said = "Het pakket van mevrouw Van der Dam ligt bij de buren van de overkant van der Dam"
    assert masked(said, GUARD, ["Kees van Dam"]) == (
        "Het pakket van mevrouw Van der [name] ligt bij de buren van de overkant van der [name]"
    )


@pytest.mark.parametrize("said", ["Mr " + "van " * 5_000, "Mr " + "A" * 20_000, "mijn naam is " * 1_500])
def test_hostile_text_is_only_text(said: str) -> None:
    assert masked(said, GUARD) == said
