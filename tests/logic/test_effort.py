"""How easy it was: the second question in figures."""

import pytest

from app.feedback.effort import Effort, effort


def test_mean_and_share_of_those_for_whom_it_was_easy() -> None:
    assert effort({1: 2, 4: 3, 5: 1, 7: 4}) == Effort(10, 4.7, 0.5)


@pytest.mark.parametrize("answers", [{}, {7: 9}])
def test_a_few_answers_are_no_figure(answers: dict[int, int]) -> None:
    assert effort(answers) == Effort(sum(answers.values()), None, None)
