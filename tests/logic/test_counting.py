"""A text is as long as the platform says. Expected figures are the platforms' own: see each case's source."""

import pytest

from app.channels.counting import Way, count

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"  # one emoji of five code points
FLAG = "\N{REGIONAL INDICATOR SYMBOL LETTER N}\N{REGIONAL INDICATOR SYMBOL LETTER L}"
THUMB = "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}"
HEART = "\N{HEAVY BLACK HEART}\ufe0f"
KEYCAP = "1\ufe0f\u20e3"
LONG = "https://poldermobiel.example/help/nummerbehoud?stap=3#formulier"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Goedemorgen!", 12),
        ("één café", 8),  # Latin letters weigh 1
        ("e\u0301", 1),  # composed before it is counted (NFC)
        ("你好", 4),  # twitter-text conformance: CJK weighs 2
        ("\u201cKomt goed\u201d \u2014 echt\u2026", 20),  # quotes and dashes weigh 1, an ellipsis 2
        (FAMILY, 2),  # developer.x.com, counting characters: every emoji counts 2
        (FLAG, 2),
        (THUMB, 2),
        (HEART, 2),
        (KEYCAP, 2),
        (f"{FAMILY}{FLAG}", 4),
        ("€", 2),
        (LONG, 23),  # every link counts 23
        ("http://t.co/a", 23),
        (f"Kijk op {LONG}.", 8 + 23 + 1),  # the full stop is the sentence's
        (f"({LONG})", 25),
        (f"{LONG} en {LONG}", 23 + 4 + 23),
        ("poldermobiel.com", 23),
        ("www.poldermobiel.nl", 23),
        ("poldermobiel.nl/help", 23),
        ("poldermobiel.nl", 15),  # twitter-text: below a country's ending only with a subdomain or a path
        ("info@poldermobiel.com", 21),
        ("i.p.v. een nieuwe", 17),
        ("Klaar.Tot morgen", 16),
    ],
)
def test_x_weighs(text: str, length: int) -> None:
    assert count(text, Way.WEIGHTED) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Goedemorgen!", 12),
        (LONG, 23),
        ("http://a.nl", 23),
        ("@jan@mastodon.example hoi", len("@jan hoi")),
        ("@jan hoi", 8),
        ("jan@poldermobiel.example", 24),  # an address, no person elsewhere
        (FAMILY, 1),
        ("你好", 2),
    ],
)
def test_mastodon_counts_graphemes_links_and_names(text: str, length: int) -> None:
    assert count(text, Way.MASTODON) == length


@pytest.mark.parametrize(
    ("text", "characters", "graphemes", "size"),
    [("abc", 3, 3, 3), ("één", 3, 3, 5), (FAMILY, 5, 1, 18), (FLAG, 2, 1, 8), (HEART, 2, 1, 6), (KEYCAP, 3, 1, 7)],
)
def test_characters_graphemes_and_bytes_differ(text: str, characters: int, graphemes: int, size: int) -> None:
    ways = (Way.CHARACTERS, Way.GRAPHEMES, Way.BYTES)
    assert [count(text, way) for way in ways] == [characters, graphemes, size]


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\ufeff", "\u2028\u00a0", "\u00ad"])
def test_where_there_is_nothing_to_read_the_length_is_0(text: str, way: Way) -> None:
    assert count(text, way) == 0
