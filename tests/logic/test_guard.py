"""What a public reply must not show is found, and what agents write all day is not taken for it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answers.guard import Finding, Guard, PatternUnusable, PersonalDataFound, check_public

ORDER = r"\bPM-?\d{8}\b"
CUSTOMER = r"(?i)\bklantnummer[ :]{1,3}(\d{6,10})\b"
GUARD = Guard(
    "NL",
    {"order_number": (ORDER,), "customer_number": (CUSTOMER,)},
    ("help@poldermobiel.example", "020-2080100", "Kabelweg 21, 1014 BA Amsterdam"),
)


def found(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in GUARD.find(text)]


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        # account numbers: of any country, however they are written
        ("Je IBAN NL91ABNA0417164300 klopt.", [("iban", "NL91ABNA0417164300")]),
        ("Je IBAN NL91 ABNA 0417 1643 00 klopt.", [("iban", "NL91 ABNA 0417 1643 00")]),
        ("nl91abna0417164300 is van jou", [("iban", "nl91abna0417164300")]),
        ("NL91-ABNA-0417-1643-00", [("iban", "NL91-ABNA-0417-1643-00")]),
        ("Rekening BE68 5390 0754 7034, toch?", [("iban", "BE68 5390 0754 7034")]),
        ("your account GB82 WEST 1234 5698 7654 32 is set", [("iban", "GB82 WEST 1234 5698 7654 32")]),
        # citizen numbers that pass the eleven-test
        ("BSN 111222333 hebben we niet nodig", [("bsn", "111222333")]),
        ("bsn: 1112.22.333", [("bsn", "1112.22.333")]),
        ("bsn 123 456 782.", [("bsn", "123 456 782")]),
        # telephone numbers of people
        ("We bellen je op 06-12345678.", [("phone", "06-12345678")]),
        ("We bellen je op 06 1234 5678 morgen", [("phone", "06 1234 5678")]),
        ("0612345678 of 0687654321?", [("phone", "0612345678"), ("phone", "0687654321")]),
        ("We'll call +31 6 12345678 at 10:00", [("phone", "+31 6 12345678")]),
        ("0031612345678", [("phone", "0031612345678")]),
        ("(020) 123 45 67 staat bij ons", [("phone", "(020) 123 45 67")]),
        ("We call you on +44 20 7946 0958", [("phone", "+44 20 7946 0958")]),
        ("+32 470 12 34 56 klopt?", [("phone", "+32 470 12 34 56")]),
        # addresses on the net and on the street
        ("Mail kwam van jan.jansen+x@gmail.com.", [("email", "jan.jansen+x@gmail.com")]),
        ("Sent to Sara@Post.Example, ok?", [("email", "Sara@Post.Example")]),
        ("Bezorgd op Dorpsstraat 12a, 1234 AB Utrecht", [("address", "12a, 1234 AB")]),
        ("Bezorgd op Dorpsstraat 12-2 1234AB", [("address", "12-2 1234AB")]),
        ("Postcode 1234 AB, huisnummer 12", [("address", "1234 AB, huisnummer 12")]),
        ("postcode 1234ab 12", [("address", "1234ab 12")]),
        # our own numbers
        ("Bestelling PM-20261122 komt eraan", [("order_number", "PM-20261122")]),
        ("Je klantnummer: 88123456", [("customer_number", "88123456")]),
        # several at once, in the order of the text, none twice
        (
            "PM20261122 gaat naar 12, 1234 AB; bel 0612345678 of mail jan@post.example",
            [
                ("order_number", "PM20261122"),
                ("address", "12, 1234 AB"),
                ("phone", "0612345678"),
                ("email", "jan@post.example"),
            ],
        ),
    ],
)
def test_personal_data_is_found_where_it_stands(text: str, findings: list[tuple[str, str]]) -> None:
    assert found(text) == findings


@pytest.mark.parametrize(
    "text",
    [
        "Je abonnement kost € 27,50 per maand, dus € 1.250,00 over vier jaar.",
        "De factuur van 22-11-2026 is € 45,95; dat is 3 x 15,32.",
        "Vanaf 22-11-2026 10:30 tot 2026-11-23 08:00 doen we onderhoud.",
        "We zijn er van 08:00-22:00, in het weekend 10.00-18.00 uur.",
        "Je ticket is 100123, we kijken ernaar.",
        "Your ticket number is 1001. We reply within 24 hours.",
        "Bel 1200 vanaf je mobiel, of gratis 0800-0102.",
        "Op 0900-1234567 betaal je 0,45 per gesprek.",
        "Bel onze zakelijke lijn 088-1234567.",
        "Mail help@poldermobiel.example of bel 020 208 0100, of +31 20 2080100.",
        "Onze winkel: Kabelweg 21, 1014 BA Amsterdam.",
        "Je hebt 5000 MB, 2 weken geldig; daarna 1000 MB 3 dagen.",
        "Met 2048 MB 1 jaar vooruit!",
        "In 2026 EN 2027 12 maanden korting.",  # a year is no postcode with a house: letters stand apart
        "De code is 4721. Toets *100# en dan 2.",
        "Kijk op https://poldermobiel.example/help/123456782?tel=0612345678",
        "Volg je pakket: www.bezorger.example/t/3SABCD111222333NL",
        "Stuur ons een DM met je postcode en huisnummer.",
        "Je woont in 1234 AB? Daar is nu een storing.",
        "Dank je @jan@mastodon.example, we zoeken het uit!",
        "De IBAN NL91ABNA0417164301 klopt niet",  # no account has these check digits
        "Nummer 123456789 kennen we niet.",  # fails the eleven-test
        "IMEI 356938035643809 is niet geblokkeerd.",
        "Simkaart 8931440300000000000 is actief.",
        "Bij ons: 1.000.000 klanten, 10 9 8 7 6 5 ...",
        "Iphone 15 Pro Max 256 GB, 12 + 12 maanden",
        "Versie 17.1.2 (21B101) lost het op.",
        "BTW-nummer NL111222333B01",
        "Het is 3 tegen 4, 50/50 dus.",
    ],
)
def test_what_agents_write_all_day_is_not_taken_for_it(text: str) -> None:
    assert found(text) == []


def test_a_finding_shows_its_ends_only_and_has_one_name_however_it_is_written() -> None:
    [one] = GUARD.find("Bel 06-12345678")
    [same] = GUARD.find("of +31 6 1234 5678")
    [other] = GUARD.find("Bel 06-12345679")
    assert one.excerpt == "06-\N{BULLET}\N{BULLET}\N{BULLET}\N{BULLET}\N{BULLET}\N{BULLET}78"
    assert one.id == same.id != other.id
    assert one.id.startswith("phone-")


def test_what_is_confirmed_by_kind_or_by_id_is_said() -> None:
    both = GUARD.find("Bel 0612345678 of mail jan@post.example")
    [phone, email] = both

    check_public(both, ["phone", email.id], field="text")
    check_public((), [], field="text")
    with pytest.raises(PersonalDataFound) as caught:
        check_public(both, [email.id, "bsn"], field="text")

    assert [one["id"] for one in caught.value.facts["findings"]] == [phone.id]
    assert caught.value.field == "text"
    assert "0612345678" not in str(caught.value.facts) + caught.value.message


@pytest.mark.parametrize("pattern", ["(", r"\d*", "a{1001}", r"(?<=a)b"])
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    with pytest.raises(PatternUnusable):
        Guard("NL", {"order_number": (pattern,)}, ())


@given(st.text(st.sampled_from("0123456789 -./,:@abNL\n\u00e9\N{BULLET}"), max_size=200))
def test_whatever_is_written_findings_lie_within_it_and_apart(text: str) -> None:
    findings = GUARD.find(text)
    places = [place for one in findings for place in (one.start, one.end)]
    assert places == sorted(places)
    assert all(isinstance(one, Finding) and 0 <= one.start < one.end <= len(text) for one in findings)


@pytest.mark.parametrize(
    "part", ["NL11 ", "NL91ABNA0417164300 ", "0612345678", "06 ", "a+", "12, 1234 AB ", "(0", "1.1-"]
)
def test_the_longest_of_texts_is_read_at_once(part: str) -> None:
    """However somebody repeats what almost is personal: 10,000 characters in a moment of the event loop."""
    text = (part * 10_000)[:10_000]
    started = time.process_time()
    GUARD.find(text)
    assert time.process_time() - started < 1
