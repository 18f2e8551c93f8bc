"""A log line is JSON with the facts, and never holds the words of an exception."""

import json
import logging
from typing import Any

from app.kit.logs import JsonLines

SAID = "mijn nummer is 06-12345678"


def line(message: str, *, error: BaseException | None = None, **facts: Any) -> dict[str, Any]:
    told = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("webcare", logging.INFO, "file", 1, message, (), told)
    record.facts = facts
    read: dict[str, Any] = json.loads(JsonLines().format(record))
    return read


def test_facts_stand_beside_the_action() -> None:
    told = line("ticket.routed", ticket="T-1", rule="default")
    assert (told["action"], told["ticket"], told["rule"], told["level"]) == ("ticket.routed", "T-1", "default", "info")
    assert told["at"].endswith("Z")


def test_a_fact_that_json_does_not_know_is_told_as_text() -> None:
    assert line("rules.loaded", kinds={"x"})["kinds"] == "{'x'}"


def test_an_exception_is_told_by_class_place_and_cause() -> None:
    try:
        try:
            raise KeyError(SAID)
        except KeyError as cause:
            raise ValueError(SAID) from cause
    except ValueError as error:
        told = line("chore.failed", error=error)
    assert told["error"]["class"] == "builtins.ValueError"
    assert told["error"]["cause"]["class"] == "builtins.KeyError"
    assert told["error"]["places"][0].endswith(" test_an_exception_is_told_by_class_place_and_cause")
    assert SAID not in json.dumps(told)
