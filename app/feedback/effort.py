"""The Customer Effort Score of a group: what the second question comes to.

Knows the arithmetic. Refuses to know whose answers they are and what was asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.feedback.nps import MIN_N

EASY = 5  # from here on it was easy: the usual reading of the seven steps


@dataclass(frozen=True, slots=True)
class Effort:
    """`mean` from 1, the hardest, to 7; `easy_share` the share of 5, 6 and 7. None below ten answers, as scores are."""

    n: int
    mean: float | None
    easy_share: float | None


def effort(answers: Mapping[int, int]) -> Effort:
    """The figures of a group, of which `answers` counts each step."""
    n = sum(answers.values())
    if n < MIN_N:
        return Effort(n, None, None)
    mean = sum(step * count for step, count in answers.items()) / n
    return Effort(n, mean, sum(count for step, count in answers.items() if step >= EASY) / n)
