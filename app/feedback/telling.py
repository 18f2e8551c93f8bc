"""Which of many comments tell most about a topic, so that ten can be read instead of a thousand.

Knows one formula, by which anybody can check why a comment was chosen. Refuses to know where comments stand and who
reads them.

    telling(c) = extremeness(score) * (the five largest weights of words of c, added, / 5)
    weight(w)  = (share of the topic's comments with w) * ln((1 + n) / (1 + n_w))

n are the comments of all topics, n_w those of them with w: a word weighs much that many say of this topic and few of
others (tf-idf: K. Sparck Jones, Journal of Documentation 28, 1972, 11-21; here a topic's comments are the document).
Extremeness is 0 in the middle of the passives, between 7 and 8, and 1 at both ends of the scale. Fewer than five
telling words count as they are, so that "Top!" is no quote.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Generic, TypeVar

T = TypeVar("T")

_WORDS = 5
_MIDDLE, _LOWEST, _HIGHEST = 7.5, 0, 10
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Comment(Generic[T]):
    """What somebody wrote; `of` is whatever the caller knows it by."""

    of: T
    topic: str | None
    score: int
    text: str


def most_telling(comments: Sequence[Comment[T]], most: int) -> dict[str | None, list[T]]:
    """Of each topic the `most` telling comments, the most telling first; of equals the earlier in the list."""
    words = [frozenset(_WORD.findall(one.text.lower())) for one in comments]
    by_topic: dict[str | None, list[int]] = defaultdict(list)
    for place, one in enumerate(comments):
        by_topic[one.topic].append(place)
    anywhere = Counter(word for said in words for word in said)
    chosen = {}
    for topic, places in by_topic.items():
        here = Counter(word for place in places for word in words[place])
        weights = {word: n / len(places) * log((1 + len(comments)) / (1 + anywhere[word])) for word, n in here.items()}
        ranked = sorted(places, key=lambda place: -_telling(comments[place].score, words[place], weights))
        chosen[topic] = [comments[place].of for place in ranked[:most]]
    return chosen


def extremeness(score: int) -> float:
    """How far a score lies from the middle of the passives, 0 to 1 on either side."""
    end = _HIGHEST if score > _MIDDLE else _LOWEST
    return (score - _MIDDLE) / (end - _MIDDLE)


def _telling(score: int, words: frozenset[str], weights: Mapping[str, float]) -> float:
    heaviest = sorted((weights[word] for word in words), reverse=True)[:_WORDS]
    return extremeness(score) * sum(heaviest) / _WORDS
