"""Parting: the pieces of a post that may each be about something else.

Knows where a sentence ends and what joins two of them. Refuses to know topics.
"""

import re

from app.topics.reading import Readable

_MOST = 8  # pieces; what is said behind them is one more
_WORDS = 3  # fewer are no statement: "pakket en rekening" says nothing of either
_JOINT = re.compile(rb"(?<!\d)\.|\.(?!\d)|[ ,]+(?:en|maar|daarnaast|bovendien|and|but|also|plus) ")


def pieces(text: Readable) -> list[Readable]:
    """The text once for each piece that may say something, with the others blank: all stands where it stood."""
    plain = text.plain
    found: list[tuple[int, int]] = []
    start = 0
    for joint in _JOINT.finditer(plain):
        if len(found) == _MOST - 1:
            break
        found.append((start, joint.start()))
        start = joint.end()
    found.append((start, len(plain)))
    return [
        text._replace(plain=b" " * begin + plain[begin:end] + b" " * (len(plain) - end))
        for begin, end in found
        if len(plain[begin:end].replace(b",", b" ").split()) >= _WORDS
    ]


def words_of(piece: Readable) -> str:
    """What its author wrote in a piece."""
    end = len(piece.plain.rstrip(b" .,"))
    return piece.quoted(end - len(piece.plain[:end].lstrip(b" .,")), end)
