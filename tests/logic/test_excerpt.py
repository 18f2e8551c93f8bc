"""The part of a text that shows why it was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.excerpt import BLANK, JOINTS, LEAD, LENGTH, START, STOP, Piece, excerpt


def shown(text: str, marked: str) -> str:
    return "".join(f"[{piece.text}]" if piece.match else piece.text for piece in excerpt(text, marked))


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("Waar blijft mijn <pakketje>?", "Waar blijft mijn [pakketje]?"),
        ("<Pakket> kwijt, <pakket> terug", "[Pakket] kwijt, [pakket] terug"),
        ("Geen woord", "Geen woord"),
        ("", ""),
    ],
)
def test_matches_stand_apart(marked: str, expected: str) -> None:
    plain = marked.replace("<", "").replace(">", "")
    assert shown(plain, marked.replace("<", START).replace(">", STOP)) == expected


def test_a_long_text_is_cut_around_its_first_match() -> None:
    text = "woord " * 50 + "pakket" + " woord" * 50
    pieces = excerpt(text, text.replace("pakket", f"{START}pakket{STOP}"))
    assert [piece.text for piece in pieces if piece.match] == ["pakket"]
    assert pieces[0] == Piece("\u2026", match=False)
    assert pieces[1].text.startswith("woord ")
    assert len(pieces[1].text) <= LEAD
    assert pieces[-1].text.endswith("\u2026")
    assert sum(len(piece.text) for piece in pieces) <= LENGTH + 2


def test_what_is_shown_is_the_text_itself_with_its_signs() -> None:
    text = "bestelling PM-2026-12345 <b>"
    assert shown(text, f"bestelling PM {START}2026{STOP} 12345 <b>") == "bestelling PM-[2026]-12345 <b>"


@given(st.text(max_size=600), st.lists(st.tuples(st.integers(0, 600), st.integers(1, 9)), max_size=5))
def test_the_pieces_are_one_stretch_of_the_text(text: str, places: list[tuple[int, int]]) -> None:
    plain = text.translate(str.maketrans(JOINTS, BLANK))
    marked, at = "", 0
    for begin, length in sorted(places):
        if at <= begin < len(plain):
            marked += plain[at:begin] + START + plain[begin : begin + length] + STOP
            at = min(begin + length, len(plain))
    pieces = excerpt(text, marked + plain[at:])
    whole = "".join(piece.text for piece in pieces)
    assert whole.strip("\u2026") in text
    assert len(whole) <= LENGTH + 2
    assert any(piece.match for piece in pieces) == (START in marked)
