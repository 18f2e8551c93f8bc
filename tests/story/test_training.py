"""Topics are learned from a handful of texts. Not among the pure tests, as what trains takes seconds to load."""

from dataclasses import replace

import pytest

from app.topics.label import Label
from app.topics.model import NEVER, Model
from app.topics.reading import normalised, readable
from app.topics.training import TooFewLabels, train

EXAMPLES = {
    "billing": (
        "mijn factuur klopt niet",
        "waarom is de factuur zo hoog",
        "dubbel bedrag afgeschreven op de factuur",
        "ik snap deze rekening niet",
        "factuur ontvangen met een fout bedrag",
    ),
    "delivery": (
        "waar blijft mijn pakket",
        "pakket nog steeds niet bezorgd",
        "bezorger is nooit langs geweest met mijn pakket",
        "wanneer wordt het bezorgd",
        "mijn bestelling is niet bezorgd",
    ),
    "network": (
        "geen bereik in de trein",
        "weer een storing, geen internet",
        "internet ligt eruit door storing",
        "storing in amsterdam",
        "al de hele dag geen bereik",
    ),
}
LABELS = [Label(text, topic) for topic, texts in EXAMPLES.items() for text in texts]
WANTED = dict.fromkeys(EXAMPLES, 0.95)


def best(model: Model, text: str) -> str | None:
    judged = model.judge([normalised(readable(text))])[0]
    return judged.best[0][0] if judged.best else None


def test_five_examples_of_each_topic_are_enough_to_be_useful() -> None:
    model = train(LABELS, WANTED)
    said = {"deze factuur is veel te hoog": "billing", "pakketje niet bezorgd": "delivery", "storing hier?": "network"}
    assert {text: best(model, text) for text in said} == said
    assert dict(model.learned.examples) == dict.fromkeys(EXAMPLES, 5)


def test_the_same_labels_give_the_same_model() -> None:
    assert train(LABELS, WANTED).content == train([*LABELS, *LABELS], WANTED).content


def test_what_a_text_is_not_about_makes_that_less_likely_and_the_rest_likelier() -> None:
    text = "mijn factuur is niet bezorgd"
    before, after = train(LABELS, WANTED), train([*LABELS, Label(text, "billing", mine=False)], WANTED)
    chances = [dict(model.judge([normalised(readable(text))])[0].best) for model in (before, after)]
    assert chances[1]["billing"] < chances[0]["billing"]
    assert chances[1]["delivery"] > chances[0]["delivery"]


def test_a_text_known_to_be_about_one_topic_teaches_nothing_by_not_being_about_another() -> None:
    text, topic = LABELS[0].text, "network"
    assert train([*LABELS, Label(text, topic, mine=False)], WANTED).content == train(LABELS, WANTED).content


def test_topics_that_are_unknown_or_have_one_example_are_left_out() -> None:
    labels = [*LABELS, Label("werken bij jullie", "jobs"), *(Label(f"fax {i}", "gone") for i in range(5))]
    model = train(labels, {**WANTED, "jobs": 0.95})
    assert model.learned.topics == ("billing", "delivery", "network")


@pytest.mark.parametrize(
    "labels",
    [
        [],
        LABELS[:5],
        [LABELS[0], LABELS[5]],
        [LABELS[0], LABELS[0], LABELS[5], LABELS[5]],
        [Label(one.text, one.topic, mine=False) for one in LABELS],
    ],
)
def test_fewer_than_two_topics_with_two_examples_are_refused(labels: list[Label]) -> None:
    with pytest.raises(TooFewLabels, match="examples for two at least"):
        train(labels, WANTED)


def test_two_topics_are_enough_and_one_is_the_others_rest() -> None:
    model = train(LABELS[:10], WANTED)
    judged = model.judge([normalised(readable("pakket bezorgd"))])[0]
    assert judged.best[0][0] == "delivery"
    assert sum(chance for _, chance in judged.best) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(
    "text", ["", "\U0001f621\U0001f621", "\u200b", "\u0645\u0631\u062d\u0628\u0627", "x" * 20_000, "?"]
)
def test_odd_texts_are_learned_from_and_judged_without_a_word(text: str) -> None:
    model = train([*LABELS, Label(text, "billing"), Label(text, "network", mine=False)], WANTED)
    assert len(model.judge([normalised(readable(text))])[0].best) in {0, 3}


def test_a_topic_with_many_texts_does_not_get_what_nobody_knows() -> None:
    many = [Label(f"mijn wifibol knippert paars, nummer {number}", "network") for number in range(30)]
    model = train([*LABELS, *many], WANTED)
    known, unknown = model.judge(
        [normalised(readable(text)) for text in ("de bol knippert paars", "lekker weer vandaag")]
    )
    assert known.topic == "network"
    assert dict(unknown.best)["network"] == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize("proves", [True, False])
def test_what_was_written_to_teach_is_learned_and_lets_nothing_be_decided(proves: bool) -> None:
    many = [Label(f"mijn wifibol knippert paars, nummer {number}", "network", proves=proves) for number in range(30)]
    (judged,) = train([*LABELS, *many], WANTED).judge([normalised(readable("de bol knippert paars"))])
    assert judged.best[0][0] == "network"
    assert judged.topic == ("network" if proves else None)


def test_a_customers_post_proves_although_an_example_says_the_same() -> None:
    taught = [replace(label, proves=False) for label in LABELS]
    assert train([*taught, *LABELS], WANTED).content == train(LABELS, WANTED).content


def test_a_model_that_was_tried_on_few_texts_decides_little_alone() -> None:
    demanding = train(LABELS, dict.fromkeys(EXAMPLES, 0.99))
    assert set(demanding.learned.thresholds.values()) == {NEVER}
