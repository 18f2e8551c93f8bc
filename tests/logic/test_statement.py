"""What a statement says on one ticket."""

from typing import Any

import pytest

from app.escalation.statements.statement import Filling, UnknownMergeField, check_text, filled

TEXTS = {
    "nl": "Dag {customer_name}, over {topic} ({ticket_number}).",
    "en": "Hi {customer_name}, about {topic} ({ticket_number}).",
}
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
        ({"name": "{ticket_number}"}, "Dag {ticket_number}, over je pakket (1001)."),
    ],
)
def test_a_statement_is_filled_in_for_its_ticket(facts: dict[str, Any], said: str) -> None:
    assert filled(TEXTS, Filling(**SANNE | facts)) == said  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["Dag {naam}", "Dag {customer_name} {}", "Dag {customer_name.__class__}", "Dag {0}"])
def test_a_field_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UnknownMergeField) as refused:
        check_text(text, "text.nl")
    assert refused.value.field == "text.nl"
    assert refused.value.facts["allowed"] == ("customer_name", "ticket_number", "topic")


@pytest.mark.parametrize("text", ["Geen veld", "Dag {customer_name}, {ticket_number} {topic}", "Een losse { mag"])
def test_a_text_that_can_be_filled_passes(text: str) -> None:
    check_text(text, "text.nl")


def test_fields_are_filled_in_by_their_former_names() -> None:
    check_text("Dag {name} ({number})", "text.nl")
    assert filled({"nl": "Dag {name} ({number})"}, Filling(**SANNE)) == "Dag Sanne (1001)"  # type: ignore[arg-type]
