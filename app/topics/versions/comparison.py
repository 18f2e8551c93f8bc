"""Comparison: whether a new model decides better than what is in force, on labels that neither has learned from.

Knows what is held out, what a right, a wrong and no answer are worth, and when a topic may not get worse. Refuses to
know how a model is trained and what it is made of: it sees answers.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.topics.labels.labelling import Labelling

HELD_OUT = 1 / 3  # of the labels that the model in force has not seen; the rest teach the one that is compared
MOST = 2_000  # held out; more would make no figure surer and training slower
LEAST = 8  # held out, to tell better from luck
WRONG_COSTS = 3  # tickets that a person reads in triage: what a department that gets another's ticket costs
MATTERS = 30  # labels from which a topic counts for itself


class JudgedOn(StrEnum):
    """Labels that neither model had learned from, or, where those are too few, that both had."""

    UNSEEN = "unseen"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Fared:
    """What was decided about posts of a topic: `right`, `wrong` (another topic) or `triage`.

    `taken` counts posts of other topics, or that are known not to be of this one, that were given to it.
    """

    right: int = 0
    wrong: int = 0
    triage: int = 0
    taken: int = 0

    @property
    def worth(self) -> int:
        """To the owner of the topic, who misses what goes elsewhere and gets what is not theirs."""
        return self.right - WRONG_COSTS * (self.wrong + self.taken)


@dataclass(frozen=True, slots=True)
class Compared:
    """One topic: how many labels it has in all, and how it fared before and after."""

    labels: int
    before: Fared
    after: Fared

    @property
    def worse(self) -> bool:
        return self.labels >= MATTERS and self.after.worth < self.before.worth


@dataclass(frozen=True, slots=True)
class Comparison:
    """`against` is the number of the model in force; None: phrases alone. `posts` were judged."""

    judged_on: JudgedOn
    against: int | None
    posts: int
    topics: Mapping[str, Compared]

    @property
    def worse(self) -> list[str]:
        """Topics that it may not get worse at, and does."""
        return [topic for topic, one in self.topics.items() if one.worse]

    @property
    def better(self) -> bool:
        """Worth more on what neither has seen; or, where that is too little to tell, no less on what both have."""
        before, after = (_worth(one) for one in (self.before, self.after))
        enough = after > before if self.judged_on is JudgedOn.UNSEEN else after >= before
        return enough and not self.worse

    @property
    def before(self) -> Fared:
        return _together(one.before for one in self.topics.values())

    @property
    def after(self) -> Fared:
        return _together(one.after for one in self.topics.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "evidence": self.judged_on,
            "against": self.against,
            "posts": self.posts,
            "better": self.better,
            "worse": self.worse,
            "before": _shown(self.before),
            "after": _shown(self.after),
            "topics": {
                topic: {"labels": one.labels, "before": _shown(one.before), "after": _shown(one.after)}
                for topic, one in self.topics.items()
            },
        }


def hold_out(
    labels: Iterable[Labelling], seen_until: datetime | None
) -> tuple[JudgedOn, list[Labelling], list[Labelling]]:
    """Part labels into those that teach and the newest that judge.

    Judged is by the newest third of what the model in force has not seen, which is what came after `seen_until`. Where
    that is too little, all labels teach, and the newest of them judge. Labels of one moment, as of a file, are parted
    by chance, but always the same.
    """
    known = sorted(labels, key=lambda one: (one.at, _chance(one)))
    unseen = [one for one in known if seen_until is None or one.at > seen_until]
    count = min(int(len(unseen) * HELD_OUT), MOST)
    if count < LEAST:
        return JudgedOn.KNOWN, known, known[-MOST:]
    return JudgedOn.UNSEEN, known[:-count], known[-count:]


def compare(
    judged_on: JudgedOn,
    against: int | None,
    judged: Sequence[Labelling],
    before: Sequence[str | None],
    after: Sequence[str | None],
    labels: Mapping[str, int],
) -> Comparison:
    """`before` and `after` are the topics decided on each of `judged`; `labels` counts all labels by topic."""
    both = fared(judged, before), fared(judged, after)
    topics = sorted(both[0].keys() | both[1].keys())
    compared = {topic: Compared(labels.get(topic, 0), *(one.get(topic, Fared()) for one in both)) for topic in topics}
    return Comparison(judged_on, against, len(judged), compared)


def fared(judged: Sequence[Labelling], decided: Sequence[str | None]) -> dict[str, Fared]:
    """How each topic fared."""
    counts: dict[str, dict[str, int]] = {}

    def count(topic: str, what: str) -> None:
        counts.setdefault(topic, dict.fromkeys(("right", "wrong", "triage", "taken"), 0))[what] += 1

    for label, topic in zip(judged, decided, strict=True):
        if label.mine:
            count(label.topic, "right" if topic == label.topic else "triage" if topic is None else "wrong")
        if topic is not None and (topic != label.topic) == label.mine:
            count(topic, "taken")
    return {topic: Fared(**found) for topic, found in counts.items()}


def _together(topics: Iterable[Fared]) -> Fared:
    all_ = list(topics)
    return Fared(*(sum(getattr(one, what) for one in all_) for what in ("right", "wrong", "triage", "taken")))


def _worth(total: Fared) -> int:
    """To all topics together: what one missed another was given, so each mistake counts once."""
    return total.right - WRONG_COSTS * total.taken


def _shown(one: Fared) -> dict[str, int]:
    return {"right": one.right, "wrong": one.wrong, "triage": one.triage, "taken": one.taken}


def _chance(label: Labelling) -> bytes:
    return hashlib.blake2b((label.text or "").encode(), digest_size=8).digest()
