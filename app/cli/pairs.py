"""Options of the form NAME=VALUE, which several commands take."""

from collections.abc import Sequence

from app.kit.errors import Invalid


class WordsUnclear(Invalid):
    """An option's value does not have the form that it takes."""


def pairs(option: str, said: Sequence[str] | None) -> dict[str, str]:
    """Raises `WordsUnclear`, which names the option."""
    parts = [pair.partition("=") for pair in said or ()]
    for name, equals, value in parts:
        if not (name and value):
            raise WordsUnclear(f"{option} takes NAME=VALUE, not '{name}{equals}{value}'.")
    return {name: value for name, _, value in parts}
