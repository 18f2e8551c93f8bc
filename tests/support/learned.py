"""A small model made by hand: what it says follows from the weights that stand here."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.topics.grams import count_grams
from app.topics.model import Calibration, Learned, Model, pack


def model_of(words: Mapping[str, Sequence[str]], *, threshold: float = 0.9, strength: float = 1.0) -> Model:
    """Each word, and all its runs of letters, speak for one topic: `{"billing": ["factuur", ...], ...}`."""
    topics = tuple(words)
    weight = {
        gram: place for place, topic in enumerate(topics) for word in words[topic] for gram in count_grams([word]).gram
    }
    grams = np.array(sorted(weight), np.uint32)
    weights = np.zeros((1 + len(grams), len(topics)), np.float32)
    weights[np.arange(1, 1 + len(grams)), [weight[gram] for gram in grams.tolist()]] = strength
    return Model(
        pack(
            Learned(
                topics=topics,
                thresholds=dict.fromkeys(topics, threshold),
                examples=dict.fromkeys(topics, 5),
                calibration=Calibration(),
                grams=grams,
                salience=np.ones(1 + len(grams), np.float32),
                weights=weights,
                bias=np.zeros(len(topics), np.float32),
            )
        )
    )
