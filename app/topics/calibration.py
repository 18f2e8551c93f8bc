"""Calibration: how sure a model may be, told from texts that it was not trained on.

Knows how to soften scores into honest probabilities, and from which one on a topic is right often enough. Refuses to
know texts and how the scores came about.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from app.topics.model import NEVER, probabilities

Scores = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_TEMPERATURES = np.geomspace(0.05, 20, 241)  # steps of 2.5 %
_DOUBT = 2.0  # how many texts it takes to move the temperature away from 1
_BORROWED = 20  # texts: what a topic has by itself counts as much as all topics together when it has so many


def fit_temperature(scores: Scores, truth: Places) -> float:
    """The temperature under which the truth is most likely; few texts move it little from 1.

    `scores` is texts x topics, of models that did not see the text; `truth` is the place of each text's topic. Guo
    et al., "On Calibration of Modern Neural Networks" (2017), with a prior on the logarithm of the temperature.
    """
    rows = np.arange(len(truth))
    lost = [
        -np.log(np.maximum(probabilities(scores, one)[rows, truth], 1e-12)).sum() + _DOUBT * np.log(one) ** 2
        for one in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(lost))])


def fit_thresholds(
    likely: Scores, truth: Places, topics: Sequence[str], precision: Mapping[str, float]
) -> dict[str, float]:
    """The lowest probability from which each topic is right as often as `precision` wants; `NEVER`, if none is.

    `likely` is texts x topics, of models that did not see the text. All topics together say how often a probability is
    right, as if one more text had been wrong: so a topic of which no text is known takes 19 of others, all right, for
    0.95. What is known of a topic itself weighs against that by the number of its texts.
    """
    order = np.argsort(-likely.max(axis=1), kind="stable")
    chance, chosen = likely.max(axis=1)[order], likely.argmax(axis=1)[order]
    right = chosen == truth[order]
    overall = np.cumsum(right) / (np.arange(len(right)) + 2)
    parts = np.diff(chance, append=-1.0) < 0  # of equal probabilities none comes before the other
    thresholds = {}
    for place, topic in enumerate(topics):
        own = chosen == place
        share = (np.cumsum(right & own) + _BORROWED * overall) / (np.cumsum(own) + _BORROWED)
        enough = np.flatnonzero((share >= precision[topic]) & parts)
        thresholds[topic] = round(float(chance[enough[-1]]), 4) if len(enough) else NEVER
    return thresholds
