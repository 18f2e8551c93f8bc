"""The part of a text that shows why it was found, in pieces that match and pieces that do not.

Knows marks and where a long text may be cut. Refuses to know what matches. Pieces are plain text: whoever shows them
decides how a match looks, and no mark can be forged by what a customer writes.
"""

from dataclasses import dataclass

START, STOP = "\ue000", "\ue001"  # of no script
# Signs that join words, as the index reads them too, and the marks themselves: all are read as blanks, one for one, so
# that places stay the same.
JOINTS = f"-/{START}{STOP}"
BLANK = " " * len(JOINTS)

LEAD = 60  # characters shown before the first match
LENGTH = 200  # characters shown in all


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    match: bool


def excerpt(text: str, marked: str) -> tuple[Piece, ...]:
    """The pieces around the first match, or the beginning of a text without one.

    `marked` is the text with marks around matches and blanks for `JOINTS`. What is left out reads as an ellipsis.
    """
    spans = _spans(marked)
    first = spans[0][0] if spans else 0
    start = 0 if first <= LEAD else _word_after(text, first - LEAD, first)
    end = min(len(text), start + LENGTH)
    pieces = [Piece("\u2026", match=False)] if start else []
    at = start
    for begin, stop in spans:
        if begin >= end:
            break
        pieces += [Piece(text[at:begin], match=False), Piece(text[begin : min(stop, end)], match=True)]
        at = min(stop, end)
    pieces.append(Piece(text[at:end] + ("\u2026" if end < len(text) else ""), match=False))
    return tuple(piece for piece in pieces if piece.text)


def _spans(marked: str) -> list[tuple[int, int]]:
    """Where matches begin and end in the text without marks."""
    before, *parts = marked.split(START)
    at = len(before)
    spans = []
    for part in parts:
        inside, _, outside = part.partition(STOP)
        spans.append((at, at + len(inside)))
        at += len(inside) + len(outside)
    return spans


def _word_after(text: str, start: int, latest: int) -> int:
    """The beginning of the first word from `start` on, so that an excerpt does not begin in the middle of one."""
    blank = text.find(" ", start, latest)
    return start if blank < 0 else blank + 1
