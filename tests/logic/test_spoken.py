"""Scores that come as replies: what is one, what only looks like one, and who does not want to be asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.feedback.answering import MAX_COMMENT
from app.feedback.spoken import Declined, Spoken, read_reply

SCORES = [
    ("8", 8, None),
    ("10", 10, None),
    ("0", 0, None),
    (" 9 ", 9, None),
    ("9!", 9, None),
    ("9!!", 9, None),
    ("8.", 8, None),
    ("8, snel geholpen", 8, "snel geholpen"),
    ("8, snel geholpen door \u0130brahim", 8, "snel geholpen door \u0130brahim"),  # two characters when small
    ("8 snel geholpen", 8, "snel geholpen"),
    ("8 - snel geholpen", 8, "snel geholpen"),
    ("8: snel geholpen", 8, "snel geholpen"),
    ("8\nSnel geholpen", 8, "Snel geholpen"),
    ("8. Snel geholpen", 8, "Snel geholpen"),
    ("8 omdat het snel ging", 8, "omdat het snel ging"),
    ("8 want Els hielp me meteen", 8, "want Els hielp me meteen"),
    ("2, ik heb 8 dagen gewacht", 2, "ik heb 8 dagen gewacht"),
    ("0, nooit meer", 0, "nooit meer"),
    ("Een 9!", 9, None),
    ("een 9", 9, None),
    ("Een dikke 10!", 10, None),
    ("Een dikke tien", 10, None),
    ("een magere 6", 6, None),
    ("'n 8", 8, None),
    ("acht", 8, None),
    ("Een acht, vriendelijk geholpen", 8, "vriendelijk geholpen"),
    ("één", 1, None),
    ("nul", 0, None),
    ("10/10", 10, None),
    ("10/10!", 10, None),
    ("9 / 10", 9, None),
    ("7/10, kon sneller", 7, "kon sneller"),
    ("8 van de 10", 8, None),
    ("8 uit 10", 8, None),
    ("tien van de tien", 10, None),
    ("10 punten!", 10, None),
    ("een 8+", 8, None),
    ("7-", 7, None),
    ("8,5", 8, None),
    ("Een 7.5, prima", 7, "prima"),
    ("8 👍", 8, "👍"),
    ("10❤️", 10, "❤️"),
    ("8️⃣", 8, None),
    ("1️⃣0️⃣ top", 10, "top"),
    ("🔟", 10, None),
    ("8 voor de snelheid", 8, "voor de snelheid"),
    ("een 10 met een griffel", 10, "met een griffel"),
    ("@PolderMobiel 8, snel geholpen", 8, "snel geholpen"),
    ("@PolderMobiel @Sanne een 9", 9, None),
    ("geef jullie een 2", 2, "geef jullie een 2"),
    ("Geef jullie een 2!", 2, "Geef jullie een 2!"),
    ("Ik geef een 8.", 8, "Ik geef een 8."),
    ("Ik geef jullie een dikke 9", 9, "Ik geef jullie een dikke 9"),
    ("Super service, ik geef jullie een 10", 10, "Super service, ik geef jullie een 10"),
    ("Top geholpen! Van mij krijgen jullie een 9", 9, "Top geholpen! Van mij krijgen jullie een 9"),
    ("Jullie verdienen een 10", 10, "Jullie verdienen een 10"),
    ("Mijn cijfer is een 7", 7, "Mijn cijfer is een 7"),
    ("Cijfer: 3", 3, "Cijfer: 3"),
    ("rapportcijfer 8", 8, "rapportcijfer 8"),
    ("Ik zou jullie een 6 geven", 6, "Ik zou jullie een 6 geven"),
    ("van mij een 9", 9, None),
    ("Wat mij betreft een 8, bedankt", 8, "bedankt"),
    ("Ik geef jullie een 8, had een 10 kunnen zijn", 8, "Ik geef jullie een 8, had een 10 kunnen zijn"),
    ("Fijn geholpen, 10/10", 10, "Fijn geholpen, 10/10"),
    ("a 9", 9, None),
    ("An 8, quick answer", 8, "quick answer"),
    ("8 out of 10", 8, None),
    ("ten out of ten", 10, None),
    ("A solid 9, thanks!", 9, "thanks!"),
    ("I'd say 8", 8, None),
    ("I\u2019d give you a 9", 9, "I\u2019d give you a 9"),
    ("I would give it a 4, waited too long", 4, "I would give it a 4, waited too long"),
    ("I rate you 3", 3, "I rate you 3"),
    ("My score: 7", 7, "My score: 7"),
    ("You get a 10 from me", 10, "You get a 10 from me"),
    ("seven", 7, None),
    ("Great help, 9/10!", 9, "Great help, 9/10!"),
    ("Een  8", 8, None),
    ("een\N{NO-BREAK SPACE}8", 8, None),
    ("Dikke 10!", 10, None),
    ("Een hele dikke tien!", 10, None),
    ("Voor jullie een 9", 9, None),
    ("Doe maar een 8", 8, None),
    ("toch maar een 9", 9, None),
    ("8 hoor", 8, "hoor"),
    ("8 denk ik", 8, "denk ik"),
    ("Prima, een 8", 8, "Prima, een 8"),
    ("Dank je wel, een dikke 9! 👍", 9, "Dank je wel, een dikke 9! 👍"),
    ("Bedankt! 10", 10, "Bedankt! 10"),
    ("Bedankt!\n\n10", 10, "Bedankt!\n\n10"),
    ("Snel geholpen. 9", 9, "Snel geholpen. 9"),
    ("Top geholpen! Van mij een tien.", 10, "Top geholpen! Van mij een tien."),
    ("Thanks, a 9", 9, "Thanks, a 9"),
]
NO_SCORES = [
    "",
    "Dank je wel!",
    "Bedankt voor de hulp",
    "8 dagen wachten",
    "8 dagen wachten is te lang",
    "8 dagen, echt waar",
    "10 minuten later had ik antwoord",
    "2 keer gebeld en nog niets",
    "2x gebeld",
    "3 weken!",
    "Al 8 dagen wacht ik",
    "Ik geef jullie nog 2 dagen",
    "Ik geef jullie 2 dagen",
    "Ik geef jullie 1 kans",
    "ik geef het 5 minuten",
    "i give you 3 days",
    "8123456",
    "Bestelling 8",
    "bestelnummer 10-448812",
    "PM-10",
    "06-12345678",
    "0612345678",
    "8 1234 5678",
    "NL20INGB0001234567",
    "1234 AB 10",
    "9 maart",
    "10 juli besteld",
    "8-11",
    "8-11-2026",
    "8/11",
    "8/10/2026 besteld",
    "Op 8/10 besteld en nog niets",
    "Besteld op 8/10",
    "4/5",
    "9/11",
    "8-9",
    "8 of 9",
    "een 8 of een 9",
    "7 à 8",
    "8 tot 9",
    "€ 10",
    "10 euro te veel",
    "10,50 te veel betaald",
    "€10,- afgeschreven",
    "10%",
    "10% korting",
    "5 gb",
    "5GB bundel",
    "5G werkt niet",
    "een 5G-abonnement",
    "4 sterren",
    "5 stars",
    "10:30",
    "8.30 uur",
    "8 uur",
    "voor 8 uur",
    "100",
    "11",
    "12, snel geholpen",
    "-1",
    "1. Geen internet\n2. Geen bereik",
    "1) geen internet",
    "8?",
    "#8",
    "geen 10",
    "Ik geef jullie geen 10",
    "Van mij krijgen jullie nooit een 10",
    "een",
    "Een medewerker belde me",
    "een vijf voor twaalf situatie",
    "het is 5 voor 12",
    "5 voor 12",
    "Wanneer komt mijn pakket?",
    "Ik wacht op stap 8",
    "één simkaart",
    "2 sims besteld",
    "Mijn toestel krijgt 1 streepje bereik",
    "zeven mensen gesproken",
    "Ik geef jullie een 8, nee een 9 geef ik jullie",
    "10 people waiting",
    "8 times",
    "2 of the 3 parcels",
    "9 am",
    "1 January",
    "een 8 en een 9",
    "ik twijfel, een 7, een 8",
    "Ik heb last van nr. 8",
    "I would never give you a 10",
    "That is not my score: 8",
    "Ik ga jullie niet een 9 geven",
    "8\ndagen gewacht",
    "en nog iets " * 200 + "ik geef een 8",
    "Dorpsstraat, 8",
    "kenmerk 9378.0",
    "Ik stuurde het formulier, een 10 €",
    "Bedankt! 10%",
    "Nummer 4 doet het! 10",
    "Bedankt! 8 dagen gewacht",
    "Dank je wel, een 9 of zo",
    "Mooi! Geen 10",
]  # fmt: skip
STOPS = ["STOP", "stop", "Stop!", "stop met vragen aub", "stop a.u.b.", "Stop aub", "STOP graag", "afmelden",
         "Geen enquêtes meer, alstublieft", "unsubscribe", "opt-out", "No more surveys, please",
         "@PolderMobiel stop", "Don\u2019t ask me again"]  # fmt: skip
NO_STOPS = [
    "stop er een nieuwe simkaart in",
    "mijn internet stopt",
    "Ik stop met mijn abonnement",
    "stopcontact",
    "niet stoppen",
]


@pytest.mark.parametrize(("text", "score", "comment"), SCORES)
def test_a_score_is_read_and_the_rest_is_the_comment(text: str, score: int, comment: str | None) -> None:
    read = read_reply(text)

    assert isinstance(read, Spoken)
    assert (read.score, read.comment) == (score, comment)


@pytest.mark.parametrize("text", NO_SCORES)
def test_what_only_looks_like_a_score_is_left_to_a_person(text: str) -> None:
    assert read_reply(text) is None


@pytest.mark.parametrize("text", STOPS)
def test_who_does_not_want_to_be_asked_says_so_in_a_word(text: str) -> None:
    assert read_reply(text) == Declined()


@pytest.mark.parametrize("text", NO_STOPS)
def test_a_text_with_stop_in_it_is_not_that(text: str) -> None:
    assert read_reply(text) is None


@pytest.mark.parametrize(
    ("text", "wants_more"),
    [
        ("8, snel geholpen", False),
        ("9! Bedankt", False),
        ("8, maar mijn factuur klopt nog niet", True),
        ("7, wanneer komt het pakket?", True),
        ("2, het werkt niet", True),
        ("8, but it still fails", True),
        ("toch maar een 9", False),
        ("doe maar een 8, maar ik wacht nog", True),
    ],
)
def test_a_reply_that_wants_more_says_so(text: str, wants_more: bool) -> None:
    read = read_reply(text)

    assert isinstance(read, Spoken)
    assert read.wants_more is wants_more


def test_a_long_comment_is_cut_and_not_lost_whole() -> None:
    read = read_reply("8, " + "x" * 50_000)

    assert isinstance(read, Spoken)
    assert read.comment == "x" * MAX_COMMENT


@given(st.text(max_size=200))
def test_any_text_is_read_without_fail(text: str) -> None:
    read = read_reply(text)

    assert not isinstance(read, Spoken) or 0 <= read.score <= 10
