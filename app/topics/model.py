"""A model: how likely it is that a text is about each topic, by what texts with labels had in common.

Knows how what was learned stands in a file, and what it makes of texts. Refuses to know how it was learned (training)
and what follows from an opinion (weigh). numpy alone: a process that serves never loads what trains.

The file, all numbers little-endian:

    WEBCARE-MODEL-1    and a line feed: 16 bytes
    SHA-256            32 bytes, over all that follows; its first 12 hex digits name the model
    length             uint32, of the head
    head               JSON {topics, thresholds, examples, temperature, slope, shift, rows}, filled with spaces to a
                       multiple of 8
    grams              rows x uint32, ascending: the grams that it knows
    salience           (1 + rows) x float32: what a gram counts for; the first is of all that it does not know
    weights            (1 + rows) x topics x float32: how each gram speaks for each topic
    bias               topics x float32

A text is the vector of its grams, (1 + ln count) * salience, at length 1. Grams that the model does not know count in
that length: what is mostly unknown is far from every topic. Its scores are vector @ weights + bias; `Calibration` makes
probabilities of them.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.kit.errors import Invalid
from app.topics.grams import GRAMS, count_grams

Floats = npt.NDArray[np.float32]

NEVER = 2.0  # a threshold that no probability reaches

_MAGIC = b"WEBCARE-MODEL-1\n"
_BEFORE_HEAD = len(_MAGIC) + 32 + 4
_BEST = 3  # topics that an opinion names
_DECIMALS = 4
_CALIBRATION = ("temperature", "slope", "shift")  # before 0.4.0 a file had but the first
_TINY = 1e-30  # of 1: no topic has less, so that it has a logarithm


class ModelUnusable(Invalid):
    """These bytes are no model of ours, or not as it was written: train it again, or go back to an older one."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model thinks of a text: at most three topics with their probabilities, best first; none, if it knows none
    of the words. From `threshold` on, the probability of the first is enough to decide alone.
    """

    best: tuple[tuple[str, float], ...]
    threshold: float = NEVER

    @property
    def topic(self) -> str | None:
        """The topic that is sure enough."""
        return self.best[0][0] if self.best and self.best[0][1] >= self.threshold else None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How scores become probabilities: softmax(scores / `temperature`), of which the log-odds of the first topic then
    become `slope` times what they were, and `shift` more. The others share what is left as they did before, and none
    overtakes the first.
    """

    temperature: float = 1.0
    slope: float = 1.0
    shift: float = 0.0

    def probabilities(self, scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Of texts x two or more topics, in the order of the scores; each row adds up to 1."""
        first = scores.argmax(axis=1)[:, None]
        behind = (scores - np.take_along_axis(scores, first, axis=1)) / self.temperature
        raised = np.maximum(np.exp(behind), _TINY)  # the first has 1
        np.put_along_axis(raised, first, 0, axis=1)
        second, others = raised.max(axis=1, keepdims=True), raised.sum(axis=1, keepdims=True)
        left = np.minimum(np.exp(self.slope * np.log(others) - self.shift), others / second)
        raised *= left / others
        np.put_along_axis(raised, first, 1, axis=1)
        likely: npt.NDArray[Any] = raised / (1 + left)
        return likely


@dataclass(frozen=True, slots=True)
class Learned:
    """What training found. `examples` counts the texts of each topic; shapes of the arrays as in the file."""

    topics: tuple[str, ...]
    thresholds: Mapping[str, float]
    examples: Mapping[str, int]
    calibration: Calibration
    grams: npt.NDArray[np.uint32]
    salience: Floats
    weights: Floats
    bias: Floats


class Model:
    """Judges texts; shared by all threads. `content` is the file, `digest` its name."""

    def __init__(self, content: bytes) -> None:
        """Raise `ModelUnusable` for anything but a whole, unchanged file."""
        self.content = content
        self.learned = _unpacked(content)
        self.digest = content[len(_MAGIC) :][:6].hex()
        self._row = np.zeros(GRAMS, np.int32)
        self._row[self.learned.grams] = np.arange(1, len(self.learned.grams) + 1)
        self._thresholds = [self.learned.thresholds[topic] for topic in self.learned.topics]

    def judge(self, texts: Sequence[str]) -> list[Judged]:
        """One opinion for each normalised text, in their order. No text raises."""
        if not texts:
            return []
        scores, known = self.scores(texts)
        likely = self.learned.calibration.probabilities(scores)
        order = np.argsort(-likely, axis=1, kind="stable")[:, :_BEST]
        best = np.take_along_axis(likely, order, axis=1).astype(np.float64).round(_DECIMALS).tolist()
        topics, thresholds = self.learned.topics, self._thresholds
        return [
            Judged(tuple(zip((topics[i] for i in row), chances, strict=True)), thresholds[row[0]])
            if met
            else Judged(())
            for row, chances, met in zip(order.tolist(), best, known, strict=True)
        ]

    def scores(self, texts: Sequence[str]) -> tuple[Floats, list[bool]]:
        """Texts x topics, before calibration; and whether the model knows anything of each text."""
        learned = self.learned
        grams = count_grams(texts)
        row = self._row[grams.gram]
        value = salient(grams.times, learned.salience[row], grams.text, grams.texts)
        row, value, text = row[row > 0], value[row > 0], grams.text[row > 0]
        ends = np.searchsorted(text, np.arange(1, grams.texts + 1))
        scores = np.tile(learned.bias, (grams.texts, 1))
        start = 0
        for place, end in enumerate(ends.tolist()):
            scores[place] += value[start:end] @ learned.weights[row[start:end]]
            start = end
        return scores, np.diff(ends, prepend=0).astype(bool).tolist()


def salient(count: npt.NDArray[Any], salience: Floats, text: npt.NDArray[Any], texts: int) -> Floats:
    """What each gram of each text counts for, so that every text has length 1."""
    value = (1 + np.log(count)) * salience
    length = np.sqrt(np.bincount(text, value * value, texts))
    weighed: Floats = (value / length[text]).astype(np.float32)
    return weighed


def pack(learned: Learned) -> bytes:
    """Write the file. The same content gives the same bytes."""
    head = json.dumps(
        {
            "topics": learned.topics,
            "thresholds": [learned.thresholds[topic] for topic in learned.topics],
            "examples": [learned.examples[topic] for topic in learned.topics],
            **asdict(learned.calibration),
            "rows": len(learned.grams),
        }
    ).encode()
    head += b" " * (-(_BEFORE_HEAD + len(head)) % 8)
    arrays = (
        learned.grams.astype("<u4"),
        *(a.astype("<f4") for a in (learned.salience, learned.weights, learned.bias)),
    )
    body = b"".join((len(head).to_bytes(4, "little"), head, *(array.tobytes() for array in arrays)))
    return _MAGIC + hashlib.sha256(body).digest() + body


def _unpacked(content: bytes) -> Learned:
    """Views on `content`, once all of it was found right."""
    if not content.startswith(_MAGIC):
        raise ModelUnusable("this is no model file, or of a version that this program does not know")
    body = content[len(_MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != content[len(_MAGIC) :][:32]:
        raise ModelUnusable("the model file was changed or cut off after it was written")
    try:
        start = _BEFORE_HEAD + int.from_bytes(content[_BEFORE_HEAD - 4 : _BEFORE_HEAD], "little")
        head = json.loads(content[_BEFORE_HEAD:start])
        topics, rows = tuple(map(str, head["topics"])), int(head["rows"])
        shapes = (("<u4", (rows,)), ("<f4", (1 + rows,)), ("<f4", (1 + rows, len(topics))), ("<f4", (len(topics),)))
        arrays = []
        for kind, shape in shapes:
            arrays.append(np.frombuffer(content, kind, math.prod(shape), start).reshape(shape))
            start += arrays[-1].nbytes
        learned = Learned(
            topics,
            dict(zip(topics, map(float, head["thresholds"]), strict=True)),
            dict(zip(topics, map(int, head["examples"]), strict=True)),
            Calibration(**{name: float(head[name]) for name in _CALIBRATION if name in head}),
            *arrays,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ModelUnusable("the model file does not hold what its head says") from error
    _check(learned, whole=start == len(content))
    return learned


def _check(learned: Learned, *, whole: bool) -> None:
    """Whoever can write a file can also write its sum: nothing in it may lead outside the arrays, or to no number."""
    numbers = (learned.salience, learned.weights, learned.bias)
    sound = (
        whole
        and len({*learned.topics}) == len(learned.topics) > 1
        and learned.calibration.temperature > 0
        and learned.calibration.slope > 0
        and all(map(math.isfinite, (*astuple(learned.calibration), *learned.thresholds.values())))
        and all(np.isfinite(array).all() for array in numbers)
        and bool((learned.salience > 0).all())
        and bool((np.diff(learned.grams.astype(np.int64)) > 0).all())
        and int(learned.grams.max(initial=0)) < GRAMS
    )
    if not sound:
        raise ModelUnusable("the model file holds numbers that no training gives")
