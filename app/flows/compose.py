"""What is agreed to say is written down as macros, and made into a text for one ticket.

Knows whose macros a caller may write, what each names and where the values of variables come from. Refuses to know how
a text is said (say).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from app.access.role import Caller, Forbidden, Role
from app.answers.macros import store as macros
from app.answers.macros.macro import Filled, Language, Macro, check, check_filled, check_valid, choose, fill
from app.answers.macros.store import MacroChangedMeanwhile
from app.kit import logs
from app.kit.ids import new_id
from app.routing.by_hand import check_channels, check_names
from app.routing.ownership import WEBCARE
from app.runtime import Unit
from app.tickets import store as tickets
from app.tickets.ticket import Ticket


class Changes(TypedDict, total=False):
    """What is to be different; what is not in it stays as it is. `valid_until` None: until further notice."""

    name: str
    owner: str
    texts: Mapping[Language, str]
    topics: tuple[str, ...]
    channels: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A macro made ready for a ticket, in one language."""

    macro: Macro
    language: Language
    filled: Filled


async def write(unit: Unit, caller: Caller, *, name: str, texts: Mapping[Language, str], facts: Changes) -> Macro:
    """A new macro; without an owner it is the caller's department's, or webcare's. Raises as `change`."""
    blank = Macro(
        id=new_id(),
        name=name,
        owner=caller.department or WEBCARE,
        texts=texts,
        topics=(),
        channels=(),
        valid_from=unit.now,
        valid_until=None,
        updated_at=unit.now,
        updated_by=caller.actor,
    )
    written = _changed(unit, caller, blank, facts)
    await macros.add_macro(unit.tx, written)
    _log("written", written, caller)
    return written


async def change(unit: Unit, caller: Caller, macro_id: UUID, expected: int | None, changes: Changes) -> Macro:
    """Raises `MacroNotFound`, `MacroChangedMeanwhile`, `Forbidden`, `MacroUnreadable`, `MacroPeriodEmpty`,
    `UnknownTopic`, `UnknownDepartment`, `UnknownChannel`.
    """
    standing = await _claim(unit, caller, macro_id, expected)
    changed = replace(_changed(unit, caller, standing, changes), version=standing.version + 1)
    await macros.mark_changed(unit.tx, changed)
    _log("changed", changed, caller)
    return changed


async def remove(unit: Unit, caller: Caller, macro_id: UUID, expected: int | None) -> None:
    """Raises `MacroNotFound`, `MacroChangedMeanwhile`, `Forbidden`."""
    standing = await _claim(unit, caller, macro_id, expected)
    await macros.mark_removed(unit.tx, macro_id, unit.now)
    _log("removed", standing, caller)


async def render(unit: Unit, caller: Caller, macro_id: UUID, ticket_id: UUID, asked: Language | None) -> Rendered:
    """The text for a ticket, for a person to send. Raises `MacroNotFound`, `TicketNotFound`, `MacroNotValid`,
    `MacroNotInLanguage`.
    """
    macro = await macros.get_macro(unit.tx, macro_id)
    ticket = await tickets.get_ticket(unit.tx, ticket_id, department=caller.department)
    check_valid(macro, unit.now)
    language = choose(macro, asked, ticket.language)
    values = await _values(unit, caller, ticket, language)
    return Rendered(macro, language, fill(macro.texts[language], values))


async def use(unit: Unit, macro_id: UUID, text: str) -> None:
    """A text that a macro gave is about to be said. Raises `MacroNotFound`, `MacroNotValid`, `MacroUnfilled`."""
    check_valid(await macros.get_macro(unit.tx, macro_id), unit.now)
    check_filled(text)
    await macros.mark_used(unit.tx, macro_id, unit.now)


def _changed(unit: Unit, caller: Caller, standing: Macro, changes: Changes) -> Macro:
    changed = replace(standing, updated_at=unit.now, updated_by=caller.actor, **changes)
    _check_owner(caller, changed.owner)
    rules = unit.rulebook
    check_names(rules.routing, None, changed.owner, topics={})
    for topic in changed.topics:
        check_names(rules.routing, topic, None, topics=rules.topics)
    check_channels(changed.channels, named=rules.accounts)
    check(changed)
    return changed


async def _claim(unit: Unit, caller: Caller, macro_id: UUID, expected: int | None) -> Macro:
    standing = await macros.claim_macro(unit.tx, macro_id)
    _check_owner(caller, standing.owner)
    if expected is not None and expected != standing.version:
        raise MacroChangedMeanwhile(
            f"{standing.updated_by} changed the macro after you read it; read it again.", version=standing.version
        )
    return standing


def _check_owner(caller: Caller, owner: str) -> None:
    if caller.department not in {None, owner}:
        raise Forbidden(
            f"This macro is {owner}'s; you write those of {caller.department}.",
            field="owner",
            roles=[Role.MANAGER, Role.ADMIN],
        )


async def _values(unit: Unit, caller: Caller, ticket: Ticket, language: Language) -> dict[str, str | None]:
    """What each of `VARIABLES` stands for on a ticket; None where nothing is known."""
    newest = (await tickets.list_latest_mentions(unit.tx, [ticket.id])).get(ticket.id)
    topic = unit.rulebook.topics.get(ticket.topic) if ticket.topic else None
    department = unit.rulebook.departments.get(ticket.department) if ticket.department else None
    return {
        "customer_name": (newest.author_display_name or newest.author_handle) if newest else None,
        "agent_name": caller.name,
        "ticket_number": str(ticket.number),
        "topic": topic.name[language] if topic else None,
        "department": department.name[language] if department else None,
        "account": ticket.account,
    }


def _log(done: str, macro: Macro, caller: Caller) -> None:
    logs.transition(f"macro.{done}", macro=str(macro.id), owner=macro.owner, actor=caller.actor)
