"""A model as a file, and what it makes of texts."""

import hashlib
import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.topics.calibration import fit_calibration, fit_temperature, fit_thresholds
from app.topics.model import NEVER, Calibration, Model, ModelUnusable, pack
from tests.support.learned import model_of

MODEL = model_of({"billing": ["factuur", "rekening"], "delivery": ["pakket", "bezorgd"], "network": ["storing"]})
HEAD = 16 + 32 + 4


def sealed(body: bytes) -> bytes:
    """With a sum that fits, as somebody would write it who means harm."""
    return b"WEBCARE-MODEL-1\n" + hashlib.sha256(body).digest() + body


def headed(change: Callable[[dict[str, object]], object]) -> bytes:
    """The same arrays behind a head that says something else."""
    length = int.from_bytes(MODEL.content[HEAD - 4 : HEAD], "little")
    head = json.loads(MODEL.content[HEAD : HEAD + length])
    change(head)
    written = json.dumps(head).encode()
    return sealed(len(written).to_bytes(4, "little") + written + MODEL.content[HEAD + length :])


def test_a_model_names_the_topic_whose_words_it_reads() -> None:
    judged = MODEL.judge(["mijn factuur klopt niet", "pakket niet bezorgd", "storing"])
    assert [one.topic for one in judged] == ["billing", "delivery", "network"]
    assert all(0.9 < one.best[0][1] <= 1 for one in judged)


def test_the_best_three_come_in_order_and_words_of_two_topics_leave_it_unsure() -> None:
    judged = MODEL.judge(["factuur pakket"])[0]
    assert judged.topic is None
    assert {topic for topic, _ in judged.best} == {"billing", "delivery", "network"}
    assert [chance for _, chance in judged.best] == sorted((chance for _, chance in judged.best), reverse=True)


def test_what_is_mostly_unknown_is_less_sure() -> None:
    plain, drowned = MODEL.judge(["factuur", "factuur " + " ".join(f"zeldzaam{i}" for i in range(40))])
    assert plain.best[0][1] > drowned.best[0][1]
    assert plain.best[0][0] == drowned.best[0][0]


@pytest.mark.parametrize("text", ["", "\u0645", "\U0001f621\U0001f621", "   "])
def test_a_text_without_a_known_word_gets_no_opinion(text: str) -> None:
    assert MODEL.judge([text])[0].best == ()
    assert MODEL.judge([text])[0].topic is None


def test_alone_and_in_a_list_a_text_gets_the_same_answer() -> None:
    texts = ["mijn factuur", "", "pakket", "storing " * 1_000, "factuur pakket storing"]
    assert MODEL.judge(texts) == [MODEL.judge([text])[0] for text in texts]
    assert MODEL.judge([]) == []


def test_a_file_comes_back_as_it_was_written() -> None:
    again = Model(MODEL.content)
    assert pack(again.learned) == MODEL.content
    assert again.digest == MODEL.digest == hashlib.sha256(MODEL.content[48:]).hexdigest()[:12]
    assert again.judge(["mijn factuur"]) == MODEL.judge(["mijn factuur"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 something else",
        MODEL.content[:-1],
        MODEL.content[:20],
        MODEL.content + b"\0",
        MODEL.content[:100] + bytes([MODEL.content[100] ^ 1]) + MODEL.content[101:],
    ],
)
def test_a_file_that_is_foreign_cut_off_or_changed_is_refused(content: bytes) -> None:
    with pytest.raises(ModelUnusable):
        Model(content)


@pytest.mark.parametrize(
    "content",
    [
        sealed(b""),
        sealed(MODEL.content[48:-4]),
        sealed(MODEL.content[48:] + b"\0\0\0\0"),
        sealed(MODEL.content[48:-4] + b"\0\0\xc0\x7f"),
        sealed(b"\x02\0\0\0[]"),
        sealed(b"\x02\0\0\0{}"),
        headed(lambda head: head.update(rows=2**40)),
        headed(lambda head: head.update(rows=-1)),
        headed(lambda head: head.update(temperature=0)),
        headed(lambda head: head.update(slope=-1)),
        headed(lambda head: head.update(shift=float("inf"))),
        headed(lambda head: head.update(topics=["billing", "billing", "network"])),
        headed(lambda head: head.update(thresholds=[0.9])),
        headed(lambda head: head.pop("examples")),
    ],
)
def test_a_forged_file_is_refused_even_when_its_sum_is_right(content: bytes) -> None:
    with pytest.raises(ModelUnusable):
        Model(content)


def test_temperature_undoes_what_makes_scores_too_bold() -> None:
    rng = np.random.default_rng(7)
    honest = rng.normal(0, 1.5, (4_000, 4))
    truth = np.array([rng.choice(4, p=row) for row in Calibration().probabilities(honest)])
    assert fit_temperature(honest * 5, truth) == pytest.approx(5, rel=0.08)
    assert fit_temperature(honest / 3, truth) == pytest.approx(1 / 3, rel=0.08)


def test_few_texts_move_the_temperature_little() -> None:
    scores, truth = np.eye(2)[[0, 1, 0]] * 3, np.array([0, 1, 0])
    assert 0.3 < fit_temperature(scores, truth) < fit_temperature(scores[:1], truth[:1]) < 1


def test_a_file_of_before_is_read_without_slope_and_shift() -> None:
    old = Model(headed(lambda head: [head.pop(name) for name in ("slope", "shift")]))
    assert old.learned.calibration == Calibration(MODEL.learned.calibration.temperature)


def test_a_first_that_is_surer_than_it_is_right_is_brought_down_while_the_others_keep_their_shares() -> None:
    rng = np.random.default_rng(7)
    known = Calibration(2.0, 0.7, 0.3)
    scores = rng.normal(0, 4, (20_000, 5))
    truth = np.array([rng.choice(5, p=row) for row in known.probabilities(scores)])
    found = fit_calibration(scores, truth).probabilities(scores)
    assert found.max(axis=1) == pytest.approx(known.probabilities(scores).max(axis=1), abs=0.02)
    plain = Calibration(2.0).probabilities(scores)
    rest = plain.argsort(axis=1)[:, :-1]
    shares = [np.take_along_axis(one, rest, axis=1) for one in (plain, known.probabilities(scores))]
    assert shares[0] / shares[0].sum(axis=1, keepdims=True) == pytest.approx(
        shares[1] / shares[1].sum(axis=1, keepdims=True)
    )


@given(
    st.lists(st.lists(st.floats(-50, 50, width=32), min_size=3, max_size=3), min_size=1, max_size=5),
    st.floats(0.05, 20),
    st.floats(0.05, 5),
    st.floats(-5, 5),
)
def test_no_calibration_changes_who_is_first_or_the_sum(
    rows: list[list[float]], temperature: float, slope: float, shift: float
) -> None:
    scores = np.array(rows, np.float32)
    found = Calibration(temperature, slope, shift).probabilities(scores)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.take_along_axis(found, scores.argmax(axis=1)[:, None], axis=1)[:, 0] == pytest.approx(found.max(axis=1))
    assert (found >= 0).all()


@pytest.mark.parametrize("right", [True, False])
def test_a_few_that_were_all_right_or_all_wrong_prove_little(*, right: bool) -> None:
    scores = np.eye(2)[[0, 1, 0]] * 3
    found = fit_calibration(scores, np.array([0, 1, 0] if right else [1, 0, 1]))
    assert 0.3 < found.slope < 1.5
    assert abs(found.shift) < 1


def likely(chances: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    chance = np.array(chances)
    return np.column_stack((chance, 1 - chance)), np.where(right, 0, 1)


def all_prove(truth: np.ndarray) -> np.ndarray:
    return np.ones(len(truth), bool)


def test_a_threshold_is_the_lowest_from_which_the_wanted_precision_holds() -> None:
    chances, truth = likely([0.99 - i / 1_000 for i in range(200)], [True] * 100 + [False, True] * 50)
    found = fit_thresholds(chances, truth, all_prove(truth), ("a", "b"), {"a": 0.9, "b": 0.9})
    above = chances[:, 0] >= found["a"]
    assert (truth[above] == 0).mean() >= 0.9
    assert above.sum() > 100


def test_a_topic_without_texts_takes_nineteen_of_others_that_are_right() -> None:
    for count, decides in ((18, False), (19, True)):
        chances, truth = likely([0.9] * count, [True] * count)
        found = fit_thresholds(chances, truth, all_prove(truth), ("a", "b"), {"a": 0.95, "b": 0.95})
        assert (found["b"] < NEVER) is decides


def test_a_topic_that_is_often_wrong_needs_more_than_the_others() -> None:
    chances = np.array([[0.8, 0.1, 0.1]] * 100 + [[0.1, 0.8, 0.1]] * 100)
    truth = np.array([0] * 100 + [1] * 80 + [2] * 20)
    found = fit_thresholds(chances, truth, all_prove(truth), ("a", "b", "c"), {"a": 0.88, "b": 0.88, "c": 0.88})
    assert found["a"] == 0.8
    assert found["b"] == NEVER


def test_many_texts_of_one_topic_prove_something_of_it_and_nothing_of_the_others() -> None:
    chances = np.array([[0.9, 0.05, 0.05]] * 30 + [[0.05, 0.9, 0.05]] * 2 + [[0.05, 0.05, 0.9]] * 2)
    truth = np.repeat([0, 1, 2], [30, 2, 2])
    found = fit_thresholds(chances, truth, all_prove(truth), ("a", "b", "c"), dict.fromkeys("abc", 0.95))
    assert found == {"a": 0.9, "b": NEVER, "c": NEVER}


@pytest.mark.parametrize(
    ("taught", "decides"),
    [
        pytest.param([], True, id="nothing was written to teach"),
        pytest.param([True] * 30, True, id="what was told rightly changes nothing"),
        pytest.param([False], False, id="what was told wrongly speaks against"),
    ],
)
def test_a_text_that_does_not_prove_counts_only_where_it_is_wrong(taught: list[bool], decides: bool) -> None:
    chances, truth = likely([0.9] * (19 + len(taught)), [True] * 19 + taught)
    proves = np.arange(len(truth)) < 19
    found = fit_thresholds(chances, truth, proves, ("a", "b"), dict.fromkeys("ab", 0.95))
    assert {topic: threshold < NEVER for topic, threshold in found.items()} == {"a": decides, "b": decides}


def test_texts_of_which_none_proves_let_nothing_be_decided() -> None:
    chances, truth = likely([0.9] * 100, [True] * 100)
    found = fit_thresholds(chances, truth, ~all_prove(truth), ("a", "b"), dict.fromkeys("ab", 0.95))
    assert set(found.values()) == {NEVER}
