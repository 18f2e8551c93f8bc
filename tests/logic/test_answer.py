"""When a department's answer may be said on a ticket, and how much of it was left."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.answers.answer import Answer, AnswerExpired, AnswerNotPublic, AnswerOfAnother, check_use, share_edited
from app.kit.errors import WebcareError
from tests.support.clock import MORNING

HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
LATER = MORNING + timedelta(hours=1)


def given(*, until_later: bool = False, may_publish: bool = True, reusable: bool = False) -> Answer:
    return Answer(
        id=UUID(int=9),
        ticket_id=HERE,
        department="billing",
        actor="department:billing/els",
        text="Dag!",
        first_hand=False,
        valid_until=LATER if until_later else None,
        given_at=MORNING,
        may_publish=may_publish,
        reusable=reusable,
    )


def test_an_answer_may_be_said_where_it_was_given() -> None:
    check_use(given(until_later=True), HERE, public=True, now=MORNING)
    check_use(given(may_publish=False), HERE, public=False, now=MORNING)
    check_use(given(reusable=True), ELSEWHERE, public=True, now=MORNING)


@pytest.mark.parametrize(
    ("answer", "on", "wrong"),
    [
        (given(), ELSEWHERE, AnswerOfAnother),
        (given(until_later=True), HERE, AnswerExpired),
        (given(may_publish=False), HERE, AnswerNotPublic),
    ],
)
def test_an_answer_that_is_anothers_over_or_private_may_not(
    answer: Answer, on: UUID, wrong: type[WebcareError]
) -> None:
    with pytest.raises(wrong):
        check_use(answer, on, public=True, now=LATER)


@pytest.mark.parametrize(
    ("drafted", "published", "share"),
    [
        ("Je pakket komt morgen.", "Je pakket komt morgen.", 0.0),
        ("Je pakket komt  morgen.", "Je pakket\nkomt morgen.", 0.0),
        ("a b c d", "a b c e", 0.25),
        ("a b c d", "a b c d e f g h", 0.333),
        ("a b", "c d", 1.0),
        ("", " ", 0.0),
        ("ja " * 3300, "ja " * 3299 + "nee", 0.0),
    ],
)
def test_how_much_of_an_answer_was_changed_is_told_by_words(drafted: str, published: str, share: float) -> None:
    assert share_edited(drafted, published) == share
