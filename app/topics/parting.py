"""Parting: the pieces of a post that may each be about something else, and what follows when they are.

Knows where a sentence ends, what joins two of them, and when a post goes by its parts. Refuses to know how a piece, or
the whole, is decided (weigh).

A part is a piece that, read for itself, is decided. A topic that phrases of the whole post speak against has no part.

- A post that is decided as a whole keeps its topic; parts about others are its further topics.
- One that is not, but of which two parts are, has nothing doubtful about it: it belongs to its first part.
- Phrases and model that contradict each other about the whole were both right when each has its topic among the parts.
  Else one of them is wrong, and parts that the same two told count for nothing: what was decided stays.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from app.topics.denial import denied
from app.topics.reading import Readable
from app.topics.weigh import Classification, Part, Verdict

_MOST = 8  # pieces; what is said behind them is one more
_WORDS = 3  # fewer are no statement: "pakket en rekening" says nothing of either
_NEAR = (
    0.1  # the least probability with which a model names a topic: of thirty it gives each 0.03 where it knows nothing
)
_PART = 300  # characters of a part that are kept
_CONTRADICTIONS = frozenset({Verdict.CONTRADICTED, Verdict.OVERRULED, Verdict.OPPOSED})

Joint: TypeAlias = "re.Pattern[bytes]"
JOINTS: tuple[Joint, ...] = (
    re.compile(rb"(?<!\d)\.|\.(?!\d)|[ ,]+(?:en|maar|daarnaast|bovendien|and|but|also|plus) "),
    re.compile(rb"(?<!\d),|,(?!\d)"),
)
"""What parts statements, in folded text: sentences first, then clauses, as most commas part nothing."""


def pieces(text: Readable, joint: Joint) -> list[Readable]:
    """The text once for each piece that may say something, with the others blank: all stands where it stood.

    What its author denies is blank in all of them, as a piece may hold no more of "niet de factuur maar" than its half.
    """
    plain = text.plain
    for start, end in denied(plain):
        plain = plain[:start] + b" " * (end - start) + plain[end:]
    found: list[tuple[int, int]] = []
    begin = 0
    for between in joint.finditer(plain):
        if len(found) == _MOST - 1:
            break
        found.append((begin, between.start()))
        begin = between.end()
    found.append((begin, len(plain)))
    return [
        text._replace(plain=b" " * start + plain[start:end] + b" " * (len(plain) - end))
        for start, end in found
        if len(plain[start:end].replace(b",", b" ").split()) >= _WORDS
    ]


def words_of(piece: Readable) -> str:
    """What its author wrote in a piece."""
    end = len(piece.plain.rstrip(b" .,"))
    return piece.quoted(end - len(piece.plain[:end].lstrip(b" .,")), end)


def names_several(whole: Classification) -> bool:
    """Whether anything in it speaks for more than one topic."""
    named = {topic for topic, _ in whole.considered}
    if whole.estimate is not None:
        named.update(topic for topic, chance in whole.estimate.best if chance >= _NEAR)
    return len(named) > 1


def in_parts(whole: Classification, said: Iterable[tuple[str, Classification]]) -> Classification:
    """The whole with its parts, if it has several topics. `said` are its pieces, each with the words and what is said
    about it alone; of several about one topic the surest counts.
    """
    denied = {evidence.topic for evidence in whole.opposed}
    found: dict[str, Part] = {}
    for words, one in said:
        plain = (Part(one.topic, words[:_PART], one.confidence),) if one.topic else ()
        for part in one.parts or plain:
            if part.topic not in denied and (part.topic not in found or part.confidence > found[part.topic].confidence):
                found[part.topic] = part
    about = found.keys() | {whole.topic} - {None}
    if len(about) < 2 or not _contradicting(whole) <= found.keys():  # noqa: PLR2004 - one topic is no several
        return whole
    parts = tuple(found.values())
    if whole.topic is None:
        first = parts[0]
        whole = replace(whole, topic=first.topic, confidence=first.confidence, verdict=Verdict.PARTS)
    return replace(whole, parts=parts)


def _contradicting(whole: Classification) -> set[str]:
    """The topics about which its sources contradict each other."""
    if whole.estimate is None or whole.verdict not in _CONTRADICTIONS:
        return set()
    return {topic for topic, _ in (*whole.considered[:1], whole.estimate.best[0])}
