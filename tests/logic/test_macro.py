"""Macros: what may stand in a text, in which language it is said, and until when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.answers.macros.macro import (
    VARIABLES,
    Filled,
    Language,
    Macro,
    MacroNotInLanguage,
    MacroNotValid,
    MacroPeriodEmpty,
    MacroUnfilled,
    MacroUnreadable,
    check,
    check_filled,
    check_valid,
    choose,
    fill,
)
from app.kit.ids import new_id
from tests.support.clock import MORNING

HOUR = timedelta(hours=1)
MACRO = Macro(
    id=new_id(),
    name="Pakket te laat",
    owner="supply_chain",
    texts={Language.DUTCH: "Dag {customer_name}!", Language.ENGLISH: "Hi {customer_name}!"},
    topics=(),
    channels=(),
    valid_from=MORNING,
    valid_until=MORNING + HOUR,
    updated_at=MORNING,
    updated_by="manager:eva",
)
ENGLISH = replace(MACRO, texts={Language.ENGLISH: "Hi!"})


@pytest.mark.parametrize(
    "text",
    ["Dag", "Dag {customer_name}, hier {agent_name}.", "Kies {{1}} in het menu", *(f"{{{v}}}" for v in VARIABLES)],
)
def test_a_text_may_hold_any_variable_that_there_is(text: str) -> None:
    check(replace(MACRO, texts={Language.DUTCH: text}))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Dag {naam}", "{naam}"),
        ("Dag {}", "{}"),
        ("Dag {customer_name!r}", "{customer_name!r}"),
        ("Dag {customer_name:>9999999999}", "{customer_name:>9999999999}"),
        ("Dag {customer_name.__class__}", "{customer_name.__class__}"),
        ("Dag {customer_name", "no other half"),
        ("Dag customer_name}", "no other half"),
    ],
)
def test_any_other_is_refused_by_name_with_those_that_there_are(text: str, named: str) -> None:
    with pytest.raises(MacroUnreadable) as refused:
        check(replace(MACRO, texts={Language.ENGLISH: "Hi", Language.DUTCH: text}))
    assert named in refused.value.message
    assert "{customer_name}" in refused.value.message
    assert refused.value.field == "texts.nl"
    assert refused.value.facts == {"known": list(VARIABLES)}


def test_it_ends_after_it_begins() -> None:
    with pytest.raises(MacroPeriodEmpty):
        check(replace(MACRO, valid_until=MORNING))


@pytest.mark.parametrize(
    ("after", "valid"),
    [
        (-timedelta(microseconds=1), False),
        (timedelta(0), True),
        (HOUR - timedelta(microseconds=1), True),
        (HOUR, False),
    ],
)
def test_it_is_valid_from_its_first_moment_until_its_end(after: timedelta, valid: bool) -> None:
    assert MACRO.is_valid(MORNING + after) is valid


def test_further_notice_never_comes_by_itself() -> None:
    assert replace(MACRO, valid_until=None).is_valid(MORNING + 9999 * HOUR)


@pytest.mark.parametrize(("now", "said"), [(MORNING - HOUR, "may be used from"), (MORNING + HOUR, "was valid until")])
def test_what_is_not_valid_is_refused_with_whom_to_ask(now: object, said: str) -> None:
    with pytest.raises(MacroNotValid, match=said) as refused:
        check_valid(MACRO, now)  # type: ignore[arg-type] # moments by parametrize
    assert "supply_chain" in refused.value.message
    assert refused.value.facts["owner"] == "supply_chain"


@pytest.mark.parametrize(
    ("macro", "asked", "spoken", "chosen"),
    [
        (MACRO, Language.ENGLISH, "nl", Language.ENGLISH),
        (MACRO, None, "en", Language.ENGLISH),
        (MACRO, None, None, Language.DUTCH),
        (MACRO, None, "fr", Language.DUTCH),
        (ENGLISH, None, "nl", Language.ENGLISH),
    ],
)
def test_it_is_said_as_asked_or_as_the_customer_speaks(
    macro: Macro, asked: Language | None, spoken: str | None, chosen: Language
) -> None:
    assert choose(macro, asked, spoken) is chosen


def test_a_language_that_it_is_not_written_in_is_refused() -> None:
    with pytest.raises(MacroNotInLanguage, match="written in: en"):
        choose(ENGLISH, Language.DUTCH, "nl")


def test_a_value_is_never_read_as_a_variable() -> None:
    values = {"customer_name": "{agent_name} {x", "agent_name": None}
    filled = fill("Dag {customer_name}, {{ {agent_name} }} en {agent_name}", values)
    assert filled == Filled("Dag {agent_name} {x, { {agent_name} } en {agent_name}", ("agent_name",))


def test_what_was_not_filled_in_is_not_said() -> None:
    check_filled("Dag Sanne { } {iets}")
    with pytest.raises(MacroUnfilled) as refused:
        check_filled("Dag {customer_name}, {topic}")
    assert refused.value.facts == {"variables": ["customer_name", "topic"]}
