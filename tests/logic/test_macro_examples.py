"""The macros that a new team can begin with: as `POST /macros` takes them, about topics of their owner, and short."""

import pytest

from app.answers.macros.macro import Language, fill
from app.api.macros import MacroIn
from app.channels.platform import check_text
from app.mentions.mention import Visibility
from app.settings import PROJECT
from tests.support.rules import shipped

RULES = shipped()
EXAMPLES = [MacroIn.model_validate_json(line) for line in (PROJECT / "docs" / "macros.jsonl").read_text().splitlines()]
VALUES = {"customer_name": "Alexander van Nieuwenhuizen", "agent_name": "Annemarie"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_is_in_both_languages_and_fits_on_the_strictest_platform(example: MacroIn) -> None:
    assert set(example.texts) == set(Language)
    for text in example.texts.values():
        filled = fill(text, VALUES)
        assert filled.missing == ()
        check_text(RULES.platform("x"), Visibility.PUBLIC, filled.text, 0)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_is_about_topics_of_its_owner(example: MacroIn) -> None:
    owners = {owning.department for owning in RULES.routing.ownerships if owning.topic in example.topics}
    assert owners <= {example.owner}
    assert set(example.topics) <= RULES.topics.keys()
