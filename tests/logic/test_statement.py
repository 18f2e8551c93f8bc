"""What a statement says on one ticket."""

from typing import Any

import pytest

from app.escalation.statements.statement import Filling, UnknownMergeField, check_text, filled

TEXTS = {"nl": "Dag {name}, over {topic} ({number}).", "en": "Hi {name}, about {topic} ({number})."}
SANNE = {"language": "nl", "name": "Sanne", "number": 1001, "topic": {"nl": "je pakket", "en": "your parcel"}}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "Dag Sanne, over je pakket (1001)."),
        ({"language": "en"}, "Hi Sanne, about your parcel (1001)."),
        ({"language": "de"}, "Dag Sanne, over je pakket (1001)."),
        ({"language": None}, "Dag Sanne, over je pakket (1001)."),
        ({"name": None}, "Dag klant, over je pakket (1001)."),
        ({"name": None, "topic": {}, "language": "en"}, "Hi customer, about your message (1001)."),
        ({"name": "{number}"}, "Dag {number}, over je pakket (1001)."),
    ],
)
def test_a_statement_is_filled_in_for_its_ticket(facts: dict[str, Any], said: str) -> None:
    assert filled(TEXTS, Filling(**SANNE | facts)) == said  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["Dag {naam}", "Dag {name} {}", "Dag {name.__class__}", "Dag {0}"])
def test_a_field_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UnknownMergeField) as refused:
        check_text(text, "text.nl")
    assert refused.value.field == "text.nl"
    assert refused.value.facts["allowed"] == ["name", "number", "topic"]


@pytest.mark.parametrize("text", ["Geen veld", "Dag {name}, {number} {topic}", "Een losse { mag"])
def test_a_text_that_can_be_filled_passes(text: str) -> None:
    check_text(text, "text.nl")
