"""What makes an answer to the survey, and how long it may be changed.

Knows the form's fields and their limits. Refuses to know the page and what becomes of an answer.
"""

from dataclasses import dataclass

from app.kit.errors import NotFound

MAX_COMMENT = 2000
SCALE = {str(score): score for score in range(11)}
EFFORTS = {str(effort): effort for effort in range(1, 8)}  # the usual seven steps of a Customer Effort Score


class LinkNotFound(NotFound):
    """One error for a link that is wrong, expired, withdrawn or used: whoever tries links learns nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`score` from 0 to 10; `comment` of at most `MAX_COMMENT` characters, None when nothing was written; `effort`
    from 1, the hardest, to 7, None when that was not asked or not answered.
    """

    score: int
    comment: str | None
    effort: int | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Which parts of a form do not make an answer: what is not from the scale, and a comment that is too long."""

    score: bool = False
    comment: bool = False
    effort: bool = False


def read_answer(score: str, comment: str, effort: str = "") -> Answer | Wrong:
    """What a submitted form says. Line ends become line feeds; U+0000, which PostgreSQL cannot hold, is dropped."""
    said = comment.replace("\r\n", "\n").replace("\x00", "").strip()
    wrong = Wrong(
        score=score not in SCALE, comment=len(said) > MAX_COMMENT, effort=bool(effort) and effort not in EFFORTS
    )
    if wrong != Wrong():
        return wrong
    return Answer(SCALE[score], said or None, EFFORTS.get(effort))
