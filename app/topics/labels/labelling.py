"""Labelling: somebody said what a text is about, or what it is not about.

Knows who may be right when two disagree, and what a hand-back says about a topic. Refuses to know how a model learns
from it, and where the texts are kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Source(StrEnum):
    """Where labels come from: an agent who names the topic, a department's hand-back, a file of labelled texts."""

    CORRECTION = "correction"
    HAND_BACK = "hand_back"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Labelling:
    """One person's word on one text. `mine` False: the text is *not* about `topic`.

    A post of a customer is given by `mention_id`, so that its words go when they are erased there; only the text of an
    imported label stands here.
    """

    topic: str
    mine: bool
    source: Source
    actor: str
    at: datetime
    mention_id: UUID | None = None
    text: str | None = None
    language: str | None = None


def hand_back_says(
    topic: str | None, suggested: str | None, *, wrong_topic: bool, actor: str, at: datetime, mention_id: UUID
) -> tuple[Labelling, ...]:
    """What a department says about the topic of what it hands back.

    The topic that it suggests is a label. The topic that stood is denied where the department says so or suggests
    another; "not our department" alone says nothing about the topic.
    """
    said: list[tuple[str, bool]] = []
    if suggested is not None:
        said.append((suggested, True))
    if topic is not None and topic != suggested and (wrong_topic or suggested is not None):
        said.append((topic, False))
    return tuple(Labelling(name, mine, Source.HAND_BACK, actor, at, mention_id) for name, mine in said)


def in_force(said: Iterable[Labelling]) -> list[Labelling]:
    """What is left when the last word on each text counts; `said` is in the order in which it was said.

    Of what a text is about, the newest label stands. What it is not about stands beside that, but for a topic that it
    later turned out to be about.
    """
    about: dict[object, Labelling] = {}
    denied: dict[tuple[object, str], Labelling] = {}
    for one in said:
        text = one.mention_id or one.text
        if one.mine:
            about[text] = one
            denied.pop((text, one.topic), None)
        else:
            denied[text, one.topic] = one
            if text in about and about[text].topic == one.topic:
                del about[text]
    return sorted([*about.values(), *denied.values()], key=lambda one: one.at)
