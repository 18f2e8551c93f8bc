"""Training: a model from texts with labels.

Knows which grams tell topics apart, how topics are learned from them, and how sure the outcome may be. Refuses to know
where labels come from and whether the model is good enough to be used. Only a process of its own imports this: what
trains takes hundreds of megabytes.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from app.kit.errors import Invalid
from app.topics.calibration import evenly, fit_calibration, fit_thresholds
from app.topics.grams import GRAMS, count_grams
from app.topics.label import Label
from app.topics.model import Calibration, Floats, Learned, Model, pack, salient
from app.topics.reading import normalised, readable
from app.topics.words import NO_WORDS, Words

_TOPICS = 2  # fewer are no question
_LEAST = 2  # examples of a topic, so that each is once held out and once learned from
_FOLDS = 5
_MANY = 2_000  # texts: from here on a gram that stands in one of them only is left out
_SMOOTHING = 0.5  # texts that each gram is taken to stand in besides, spread over the topics as all texts are
_TELLS_NOTHING = 1e-3  # of 1: the least that a gram counts for
_LOGISTIC_COST, _MARGIN_COST = 40.0, 2.0  # of a wrong text, against that of large weights
_STEPS = 40  # of the optimiser: what comes after changes no figure
_MEDIANS = 2.0  # of the texts of all topics: so much a topic weighs at most
_MARGINS = 4.0  # makes the scores of margins as wide as those of the logistic regression, so that both count the same
_GUESSES = 3  # topics that a text which is not about one may be about

Places = npt.NDArray[np.int64]


class TooFewLabels(Invalid):
    """Nothing can be told apart: two topics need two examples each."""


class _Fit(NamedTuple):
    """What one fit found: the grams that it knows, and the arrays of `Learned`."""

    grams: Places
    salience: Floats
    weights: Floats
    bias: Floats

    def scores(self, counts: Any) -> Any:
        known = _weighed(counts, self.grams, self.salience)
        return known @ self.weights[1:] + self.bias


def train(labels: Sequence[Label], precision: Mapping[str, float], words: Words = NO_WORDS) -> Model:
    """Learn the topics that `precision` names, from at least two examples of each. Raises `TooFewLabels`.

    `precision` is how often each topic must be right where the model decides alone; what it takes for that is read
    from the labels that prove something. Labels of other topics, and topics with one example, teach nothing. Of the
    same said twice the later counts. The same labels in the same order give the same model.
    """
    labels = list({(label.text, label.topic, label.mine): label for label in labels}.values())
    examples = Counter(label.topic for label in labels if label.mine and label.topic in precision)
    topics = tuple(sorted(topic for topic, count in examples.items() if count >= _LEAST))
    if len(topics) < _TOPICS:
        raise TooFewLabels(f"{len(topics)} topics have {_LEAST} examples or more: write examples for two at least")
    place = {topic: i for i, topic in enumerate(topics)}
    mine = [label for label in labels if label.mine and label.topic in place]
    known = {label.text for label in mine}  # of these it is known what they are about
    denied = [label for label in labels if not label.mine and label.topic in place and label.text not in known]
    texts, others = _counted(mine, words), _counted(denied, words)
    truth = np.array([place[label.topic] for label in mine])
    wrong = np.array([place[label.topic] for label in denied], int)
    folds = _folds(truth)
    scores = np.empty((len(truth), len(topics)))
    for fold in np.unique(folds):
        held, rest = folds == fold, folds != fold
        scores[held] = _fit(texts[rest], truth[rest], others, wrong, len(topics)).scores(texts[held])
    calibration = fit_calibration(scores, truth)
    proves = np.array([label.proves for label in mine])
    fit = _fit(texts, truth, others, wrong, len(topics))
    learned = Learned(
        topics=topics,
        thresholds=fit_thresholds(calibration.probabilities(scores), truth, proves, topics, precision),
        examples={topic: examples[topic] for topic in topics},
        calibration=calibration,
        grams=fit.grams.astype(np.uint32),
        salience=fit.salience,
        weights=fit.weights,
        bias=fit.bias,
    )
    return Model(pack(learned))


def _counted(labels: Sequence[Label], words: Words) -> Any:
    """Texts x grams."""
    grams = count_grams([normalised(readable(label.text, None, words)) for label in labels])
    return csr_array((grams.times, (grams.text, grams.gram)), shape=(grams.texts, GRAMS))


def _folds(truth: Places) -> Places:
    """In which fold each text is held out: every fold has of every topic, and what came one after the other is held out
    together, as it often says nearly the same.
    """
    order = np.argsort(truth, kind="stable")
    count = np.bincount(truth)
    rank = np.arange(len(truth)) - np.repeat(np.cumsum(count) - count, count)
    folds = np.empty_like(truth)
    folds[order] = rank * _FOLDS // count[truth[order]]
    return folds


def _fit(texts: Any, truth: Places, others: Any, wrong: Places, topics: int) -> _Fit:
    """Learn from texts whose topic is known, and then from `others`, of which only a `wrong` one is.

    What the first fit believes that the others are about, but for what they are not, is how much each counts for which
    topic in the second: one step of expectation and maximisation.
    """
    fit = _fit_known(texts, truth, np.ones(len(truth)), topics)
    if not others.shape[0]:
        return fit
    likely = Calibration().probabilities(fit.scores(others))
    likely[np.arange(len(wrong)), wrong] = 0
    guesses = np.argsort(-likely, axis=1, kind="stable")[:, : min(_GUESSES, topics - 1)]
    belief = np.take_along_axis(likely, guesses, axis=1)
    belief /= belief.sum(axis=1, keepdims=True)
    repeated = others[np.repeat(np.arange(len(wrong)), guesses.shape[1])]
    weight = np.concatenate((np.ones(len(truth)), belief.ravel()))
    return _fit_known(vstack((texts, repeated)).tocsr(), np.concatenate((truth, guesses.ravel())), weight, topics)


def _fit_known(texts: Any, truth: Places, weight: npt.NDArray[Any], topics: int) -> _Fit:
    """The sum of two linear models: logistic regression is better with few texts, margins (a support vector machine)
    with many, and both together steadier than either. Frequent topics are likelier, but within bounds: what
    was corrected thirty times last week would else speak for its topic also where nothing else is known.
    """
    weight = weight * evenly(truth, _MEDIANS)
    standing_in = np.bincount(texts.indices, minlength=GRAMS)
    grams = np.flatnonzero(standing_in >= (1 if len(truth) < _MANY else 2))
    salience = _salience(texts[:, grams], truth, topics)
    vectors = _weighed(texts, grams, salience)
    logistic = LogisticRegression(C=_LOGISTIC_COST, max_iter=_STEPS)
    margins = LinearSVC(C=_MARGIN_COST, tol=1e-2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for learner in (logistic, margins):
            learner.fit(vectors, truth, weight)
    weights = logistic.coef_ + _MARGINS * margins.coef_
    bias = logistic.intercept_ + _MARGINS * margins.intercept_
    if topics == _TOPICS:  # scikit-learn gives how much the second is likelier than the first
        weights, bias = np.concatenate((-weights, weights)) / 2, np.concatenate((-bias, bias)) / 2
    unknown = np.zeros((1, topics))
    return _Fit(grams, salience, np.concatenate((unknown, weights.T)).astype(np.float32), bias.astype(np.float32))


def _salience(texts: Any, truth: Places, topics: int) -> Floats:
    """How much each gram tells of the topic, 0..1; the first is of a gram that was not met.

    The root of the divergence (Kullback-Leibler) of the topics of the texts that it stands in from those of all texts,
    where every gram is taken to stand in half a text more, whose topic is as of all.
    """
    prior = np.bincount(truth, minlength=topics) / len(truth)
    met = csr_array((np.ones(len(truth)), (truth, np.arange(len(truth)))), shape=(topics, len(truth))) @ (texts > 0)
    topic, gram = met.nonzero()
    total = np.bincount(gram, met.data, texts.shape[1]) + _SMOOTHING
    share = (met.data + _SMOOTHING * prior[topic]) / total[gram]
    told = np.bincount(gram, share * np.log(share / prior[topic]), texts.shape[1])
    left = _SMOOTHING / total  # the share of all topics that it was not met in is this, of their prior
    told += left * np.log(left) * (1 - np.bincount(gram, prior[topic], texts.shape[1]))
    once = np.log((1 + _SMOOTHING / topics) / (1 + _SMOOTHING) * topics)
    told = np.concatenate(([once], told)) / np.log(topics)
    salience: Floats = np.sqrt(np.maximum(told, _TELLS_NOTHING)).astype(np.float32)
    return salience


def _weighed(texts: Any, grams: Places, salience: Floats) -> Any:
    """Texts x known grams, as a model that serves sees them."""
    row = np.zeros(GRAMS, np.int32)  # as scikit-learn wants its indices
    row[grams] = np.arange(1, len(grams) + 1)
    text, gram = texts.nonzero()
    value = salient(texts.data, salience[row[gram]], text, texts.shape[0])
    known = row[gram] > 0
    place = (text[known].astype(np.int32), row[gram][known] - 1)
    return csr_array((value[known], place), shape=(texts.shape[0], len(grams)))
