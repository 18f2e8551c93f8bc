"""Calibration: how sure a model may be, told from texts that it was not trained on.

Knows how to soften scores into honest probabilities, and from which one on a topic is right often enough. Refuses to
know texts and how the scores came about.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from app.topics.model import NEVER, Calibration

Scores = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

_TEMPERATURES = np.geomspace(0.05, 20, 121)  # steps of 5 %
_DOUBT = 2.0  # how many texts it takes to move temperature and slope away from 1, and the shift away from 0
_FLATTEST = 0.05  # slope: who is surer is never less likely to be right
_STEPS = 500  # to the best slope and shift, each a small one
_BORROWED = 20  # texts: what a topic has by itself counts as much as all others together when it has so many


def fit_calibration(scores: Scores, truth: Places) -> Calibration:
    """The calibration under which held-out texts are most likely; few texts move it little from none.

    `scores` is texts x topics, of models that did not see the text; `truth` is the place of each text's topic. First
    the temperature of all topics (Guo et al., "On Calibration of Modern Neural Networks", 2017), then slope and shift
    of the first alone (Platt, "Probabilistic Outputs for Support Vector Machines", 1999): of many topics the
    temperature is that which suits the many others, and what is decided with is the probability of the first.
    """
    temperature = fit_temperature(scores, truth)
    likely = Calibration(temperature).probabilities(scores)
    first = likely.max(axis=1)
    odds = np.log(first / np.maximum(1 - first, 1e-12))
    slope, shift = _fit_line(odds, likely.argmax(axis=1) == truth)
    return Calibration(temperature, max(slope, _FLATTEST), shift)


def fit_temperature(scores: Scores, truth: Places) -> float:
    """The temperature under which the truth is most likely, with a prior on its logarithm."""
    rows = np.arange(len(truth))
    lost = [
        -np.log(np.maximum(Calibration(one).probabilities(scores)[rows, truth], 1e-12)).sum()
        + _DOUBT * np.log(one) ** 2
        for one in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(lost))])


def _fit_line(odds: Scores, right: Marks) -> tuple[float, float]:
    """Slope and shift of the log-odds of being right: logistic regression with a prior around (1, 0).

    Each step goes to the least of a parabola that lies above the loss, so none leads away (Böhning and Lindsay,
    "Monotonicity of quadratic-approximation algorithms", 1988).
    """
    known = np.column_stack((odds, np.ones_like(odds)))
    none = np.array((1.0, 0.0))
    step = np.linalg.inv(known.T @ known / 4 + 2 * _DOUBT * np.eye(2))
    line = none
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-known @ line))
        line = line - step @ (known.T @ (chance - right) + 2 * _DOUBT * (line - none))
    return float(line[0]), float(line[1])


def fit_thresholds(
    likely: Scores, truth: Places, proves: Marks, topics: Sequence[str], precision: Mapping[str, float]
) -> dict[str, float]:
    """The lowest probability from which each topic is right as often as `precision` wants; `NEVER`, if none is.

    `likely` is texts x topics, of models that did not see the text. What is known of a topic itself counts in full.
    Beside it stands what the others say, as so many texts at most, and one more that was wrong: so it takes 19 texts,
    all right, for 0.95, of whichever topics. Of these others none speaks with more texts than most have: thirty posts
    in the same words prove something of their topic, and nothing of the rest. A text that does not prove counts where
    it was told wrongly, and not where it was told rightly.
    """
    order = np.argsort(-likely.max(axis=1), kind="stable")
    chance, chosen = likely.max(axis=1)[order], likely.argmax(axis=1)[order]
    hit = chosen == truth[order]
    right, counts = hit & proves[order], proves[order] | ~hit
    parts = np.diff(chance, append=-1.0) < 0  # of equal probabilities none comes before the other
    voice = evenly(truth)[order] * counts
    thresholds = {}
    for place, topic in enumerate(topics):
        own = chosen == place
        heard = np.cumsum(voice * ~own) + 1
        lent = np.minimum(heard, _BORROWED)
        others = lent * np.cumsum(voice * (right & ~own)) / heard
        share = (np.cumsum(right & own) + others) / (np.cumsum(own & counts) + lent)
        enough = np.flatnonzero((share >= precision[topic]) & parts)
        thresholds[topic] = round(float(chance[enough[-1]]), 4) if len(enough) else NEVER
    return thresholds


def evenly(truth: Places, medians: float = 1.0) -> Scores:
    """What each text counts for, at most 1, so that no topic has more than so many `medians` of all topics."""
    count = np.bincount(truth)
    weight: Scores = np.minimum(1, medians * np.median(count[count > 0]) / count[truth])
    return weight
