"""Whose word on a text counts, and what a hand-back says about a topic."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.topics.classify import Example, Topic
from app.topics.label import Label
from app.topics.labels.labelling import Labelling, Source, hand_back_says, in_force
from app.topics.versions.material import material
from tests.support.clock import MORNING

POST = UUID(int=1)


def said(topic: str, *, mine: bool = True, minutes: int = 0, **text: object) -> Labelling:
    about = text or {"mention_id": POST}
    at = MORNING + timedelta(minutes=minutes)
    return Labelling(topic, mine, Source.CORRECTION, "agent:anna", at, **about)  # type: ignore[arg-type] # either


def test_of_what_a_post_is_about_the_last_word_counts() -> None:
    first, second = said("roaming"), said("coverage", minutes=1)
    assert in_force([first, second]) == [second]


def test_what_a_post_is_not_about_stands_beside_what_it_is_about() -> None:
    about, denied = said("coverage"), said("roaming", mine=False, minutes=1)
    assert in_force([about, denied]) == [about, denied]


def test_a_denial_takes_back_the_same_topic_and_is_taken_back_by_it() -> None:
    about, denied, again = said("roaming"), said("roaming", mine=False, minutes=1), said("roaming", minutes=2)
    assert in_force([about, denied]) == [denied]
    assert in_force([about, denied, again]) == [again]


def test_texts_of_files_are_told_apart_by_what_they_say() -> None:
    one, other, changed = (
        said("roaming", text="Bellen in Spanje"),
        said("coverage", text="Geen bereik"),
        said("network_outage", text="Geen bereik", minutes=1),
    )
    assert in_force([one, other, changed]) == [one, changed]


@pytest.mark.parametrize(
    ("topic", "suggested", "wrong_topic", "says"),
    [
        ("roaming", "coverage", False, [("coverage", True), ("roaming", False)]),
        ("roaming", None, True, [("roaming", False)]),
        ("roaming", None, False, []),
        ("roaming", "roaming", False, [("roaming", True)]),
        ("roaming", "roaming", True, [("roaming", True)]),
        (None, "coverage", True, [("coverage", True)]),
        (None, None, True, []),
    ],
)
def test_what_a_hand_back_says(
    topic: str | None, suggested: str | None, wrong_topic: bool, says: list[tuple[str, bool]]
) -> None:
    given = hand_back_says(
        topic, suggested, wrong_topic=wrong_topic, actor="department:billing/els", at=MORNING, mention_id=POST
    )
    assert [(one.topic, one.mine) for one in given] == says


def test_examples_teach_and_what_people_say_of_posts_proves_besides() -> None:
    examples = (Example("Wat kost bellen in Spanje"), Example("Spaanse les", counter=True))
    topics = {"roaming": Topic("roaming", {}, (), examples=examples)}
    assert material(topics, [said("roaming", text="Bellen in Spanje"), said("gone", text="Fax")]) == [
        Label("Wat kost bellen in Spanje", "roaming", proves=False),
        Label("Spaanse les", "roaming", mine=False, proves=False),
        Label("Bellen in Spanje", "roaming"),
    ]
