"""A statement holds for a while, and what contradicts it is found however it is written."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.answers.statements.statement import (
    Contradiction,
    Statement,
    StatementEndsBeforeItBegins,
    check_statement,
    contradiction,
)
from app.kit.ids import new_id
from app.topics.phrase import PhraseUnusable
from tests.support.clock import MORNING

HOUR = timedelta(hours=1)
OUTAGE = Statement(
    id=new_id(),
    topics=("network_outage",),
    channels=None,
    texts={"nl": "We onderzoeken de storing."},
    never_say=("compensatie", "opgelost om ... uur", "vergoed*"),
    begins_at=MORNING,
    valid_until=MORNING + HOUR,
    owner=None,
    actor="pr:pien",
    made_at=MORNING,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Je krijgt compensatie, Sanne!", "compensatie"),
        ("COMPENSATIE volgt", "COMPENSATIE"),
        ("Het is opgelost om 14 uur.", "opgelost om 14 uur"),
        ("We vergoeden de kosten.", "vergoed"),
        ("We geven geen compensatie.", "compensatie"),
        ("a" * 5000 + " compensatie", "compensatie"),  # however far down it stands
        ("é" * 3990 + " compensatie", "compensatie"),
    ],
)
def test_what_is_never_said_is_found(text: str, found: str) -> None:
    assert contradiction(text, [OUTAGE]) == Contradiction(OUTAGE.id, found)


@pytest.mark.parametrize(
    "text", ["We onderzoeken de storing.", "De compensaties van vorig jaar", "Om 14 uur meer.", ""]
)
def test_what_may_be_said_contradicts_nothing(text: str) -> None:
    assert contradiction(text, [OUTAGE]) is None


def test_a_statement_that_forbids_nothing_holds_nothing_back() -> None:
    assert contradiction("Je krijgt compensatie!", [replace(OUTAGE, never_say=())]) is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"never_say": ("a*",)}, PhraseUnusable),
        ({"never_say": ("...",)}, PhraseUnusable),
        ({"valid_until": MORNING}, StatementEndsBeforeItBegins),
    ],
)
def test_a_statement_that_means_nothing_is_refused(changes: dict[str, object], error: type[Exception]) -> None:
    check_statement(OUTAGE)
    with pytest.raises(error):
        check_statement(replace(OUTAGE, **changes))  # type: ignore[arg-type]
