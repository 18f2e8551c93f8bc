"""A statement's words on one ticket: its language, and the merge fields that it fills.

Knows the fields that there are. Refuses to know what is said and why.

    {customer_name}  what the customer is called, or else the neutral word of the language
    {ticket_number}  the number of the ticket
    {topic}          what it is about, in the words of the language

They are called as in macros; `{name}` and `{number}`, as the first two were called before, go on to be filled in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.kit.errors import Invalid

FIELDS = ("customer_name", "ticket_number", "topic")
_FORMERLY = {"name": "customer_name", "number": "ticket_number"}
NOBODY = {"nl": "klant", "en": "customer"}  # where a channel tells no name
ABOUT_NOTHING = {"nl": "je bericht", "en": "your message"}  # where no topic is sure enough
_FIELD = re.compile(r"\{([^{}]*)\}")


class UnknownMergeField(Invalid):
    """A text names a merge field that there is not; `unknown` quotes it, `allowed` lists those that there are."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What one ticket fills in. `topic` maps languages to the topic's name in it; empty: no topic."""

    language: str | None
    name: str | None
    number: int
    topic: Mapping[str, str]


def check_text(text: str, field: str) -> None:
    """Raises `UnknownMergeField` about `field`."""
    unknown = sorted(set(_FIELD.findall(text)) - {*FIELDS, *_FORMERLY})
    if unknown:
        raise UnknownMergeField(
            f"There is no merge field {{{unknown[0]}}}; there are: {', '.join(f'{{{name}}}' for name in FIELDS)}.",
            field=field,
            unknown=unknown,
            allowed=FIELDS,
        )


def filled(texts: Mapping[str, str], filling: Filling) -> str:
    """The words for this ticket, in its language where there are any, else in the first; texts are checked ones."""
    language = filling.language if filling.language and filling.language in texts else next(iter(texts))
    words = {
        "customer_name": filling.name or NOBODY[language],
        "ticket_number": str(filling.number),
        "topic": filling.topic.get(language, ABOUT_NOTHING[language]),
    }
    return _FIELD.sub(lambda field: words[_FORMERLY.get(field[1], field[1])], texts[language])
