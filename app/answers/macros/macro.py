"""A macro: a text in Dutch, English or both that is ready to be said, with variables; whose it is and until when.

Knows which variables there are, whether a text is written as it should be, and how it is filled in. Refuses to know
where the values come from and how macros are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from string import Formatter
from uuid import UUID

from app.kit.errors import Conflict, Invalid

# What may stand between braces, and what a customer reads in its place.
VARIABLES: Mapping[str, str] = {
    "customer_name": "the customer's display name, or else the handle",
    "agent_name": "the name of whoever asks for the text",
    "ticket_number": "the ticket's short number",
    "topic": "what the ticket is about, in the language of the text",
    "department": "who owns the ticket, in the language of the text",
    "account": "our own profile that the customer wrote to",
}
_KNOWN = ", ".join(f"{{{name}}}" for name in VARIABLES)


class MacroUnreadable(Invalid):
    """A text names a variable that there is none of, or a brace has no other half."""


class MacroUnfilled(Invalid):
    """A reply still holds a variable where the customer expects a word."""


class MacroNotValid(Conflict):
    """It may not be used yet, or any more."""


class MacroNotInLanguage(Invalid):
    pass


class MacroPeriodEmpty(Invalid):
    """It would be valid until before it is valid."""


class Language(StrEnum):
    DUTCH = "nl"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Macro:
    """`owner` is the department that answers for what it says; `texts` by language, at least one.

    Without `topics` or `channels` it suits all of them. It may be used from `valid_from` until `valid_until`, which is
    not included; None: until further notice. `version` counts its changes and is the ETag; using it is none.
    """

    id: UUID
    name: str
    owner: str
    texts: Mapping[Language, str]
    topics: tuple[str, ...]
    channels: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime | None
    updated_at: datetime
    updated_by: str
    version: int = 1
    used: int = 0
    last_used_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.valid_from <= now and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True)
class Filled:
    """A text to say. `missing` are the variables without a value: they still stand in it, in their braces."""

    text: str
    missing: tuple[str, ...]


def check(macro: Macro) -> None:
    """Raises `MacroUnreadable`, which names the variable and those that there are, and `MacroPeriodEmpty`."""
    for language, text in macro.texts.items():
        _check_text(text, f"texts.{language}")
    if macro.valid_until is not None and macro.valid_until <= macro.valid_from:
        raise MacroPeriodEmpty(
            "`valid_until` lies after `valid_from`; null: until further notice.", field="valid_until"
        )


def check_valid(macro: Macro, now: datetime) -> None:
    """Raises `MacroNotValid`, which names whom to ask."""
    if macro.is_valid(now):
        return
    when = f"may be used from {macro.valid_from:%Y-%m-%d %H:%M}Z on"
    if macro.valid_until is not None and macro.valid_until <= now:
        when = f"was valid until {macro.valid_until:%Y-%m-%d %H:%M}Z"
    raise MacroNotValid(
        f"The macro '{macro.name}' {when}; ask its owner, {macro.owner}.",
        owner=macro.owner,
        valid_from=macro.valid_from,
        valid_until=macro.valid_until,
    )


def check_filled(text: str) -> None:
    """Raises `MacroUnfilled` when a variable was left in a text that is about to be said."""
    left = [name for name in VARIABLES if f"{{{name}}}" in text]
    if left:
        names = ", ".join(f"{{{name}}}" for name in left)
        raise MacroUnfilled(f"The text still holds {names}; write what belongs there.", field="text", variables=left)


def choose(macro: Macro, asked: Language | None, spoken: str | None) -> Language:
    """The language to say it in: the one asked for, else the customer's, else Dutch, as far as it is written in them.

    Raises `MacroNotInLanguage` for one that was asked for and is not there.
    """
    if asked is not None and asked not in macro.texts:
        known = ", ".join(macro.texts)
        raise MacroNotInLanguage(f"The macro '{macro.name}' is written in: {known}.", field="language")
    written = [language for language in Language if language in macro.texts]
    return asked or next((language for language in written if language == spoken), written[0])


def fill(text: str, values: Mapping[str, str | None]) -> Filled:
    """The text with a value for each variable. What a value holds is never read as a variable itself."""
    parts: list[str] = []
    missing: list[str] = []
    for literal, variable, _, _ in Formatter().parse(text):
        parts.append(literal)
        if variable is not None:
            value = values.get(variable)
            parts.append(value or f"{{{variable}}}")
            missing += [] if value else [variable]
    return Filled("".join(parts), tuple(dict.fromkeys(missing)))


def _check_text(text: str, field: str) -> None:
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise MacroUnreadable(
            "A brace has no other half. A variable stands between two, such as {customer_name}; a brace that customers "
            "are to read is written twice.",
            field=field,
            known=list(VARIABLES),
        ) from None
    for _, variable, form, conversion in parts:
        if variable is not None and (variable not in VARIABLES or form or conversion):
            written = f"{{{variable}{'!' + conversion if conversion else ''}{':' + form if form else ''}}}"
            raise MacroUnreadable(
                f"There is no variable {written}; there are: {_KNOWN}.", field=field, known=list(VARIABLES)
            )
