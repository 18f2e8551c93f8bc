"""A ticket's history as facts: what each step changed, and the present that follows from all of them.

Knows which facts of a ticket last and how a change of them is written as JSON. Refuses to know which act changed them
and why.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, replace
from datetime import datetime
from itertools import takewhile
from operator import attrgetter
from typing import Any, get_type_hints
from uuid import UUID

from app.tickets.custody import Custody, Holder
from app.tickets.ticket import CALM, State, Ticket

# A ticket is born with these, and they never change.
BORN = frozenset(
    {"id", "number", "conversation_id", "author_id", "previous_id", "channel", "account", "language", "visibility"}
    | {"opened_at"}
)
# Not history: a lease is renewed without a word, due moments are read from clocks, signals from posts and how a
# hand-over fares from deliveries, and events count themselves.
PASSING = frozenset(
    {"lease_until", "due", "next_due_at", "signals", "hand_over", "fall_back_at", "sequence", "version"}
)

_FACTS = tuple(field for field in fields(Ticket) if field.name not in BORN | PASSING | {"custody"})
LASTING = tuple(field.name for field in _FACTS)
_BLANK = tuple(None if field.default is MISSING else field.default for field in _FACTS)
_values = attrgetter(*LASTING)
_READ: Mapping[Any, Callable[[Any], Any]] = {
    State: State,
    datetime | None: datetime.fromisoformat,
    UUID | None: UUID,
    tuple[str, ...]: tuple,
}
_READERS = {name: _READ[kind] for name, kind in get_type_hints(Ticket).items() if name in LASTING and kind in _READ}


def changes(before: Ticket | None, after: Ticket) -> dict[str, Any]:
    """The lasting facts that a step changed, with their new values; all that are not blank when it opened the ticket.

    `custody` holds how many of the entries before are `kept` and which are `added` behind them.
    """
    known = _BLANK if before is None else _values(before)
    changed = {
        name: new
        for name, old, new in zip(LASTING, known, _values(after), strict=True)
        if new is not old and new != old
    }
    held = () if before is None else before.custody
    if held != after.custody:
        kept = kept_of(held, after.custody)
        changed["custody"] = {"kept": kept, "added": after.custody[kept:]}
    return changed


def kept_of(before: tuple[Custody, ...], after: tuple[Custody, ...]) -> int:
    """How many entries the two begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))


def replay(born: Ticket, history: Iterable[Mapping[str, Any]]) -> Ticket:
    """The ticket that follows from the changes of its steps, oldest first, as JSON gives them back.

    Of `born` only what never changes is taken; what is not history is blank.
    """
    facts: dict[str, Any] = dict(zip(LASTING, _BLANK, strict=True))
    custody: tuple[Custody, ...] = ()
    for changed in history:
        for name, value in changed.items():
            if name == "custody":
                custody = (*custody[: value["kept"]], *map(_entry, value["added"]))
            else:
                facts[name] = _READERS[name](value) if value is not None and name in _READERS else value
    return replace(passing_aside(born), **facts, custody=custody)


def passing_aside(ticket: Ticket) -> Ticket:
    """The ticket without what is not history."""
    blank = dict.fromkeys(("lease_until", "next_due_at", "hand_over", "fall_back_at"))
    return replace(ticket, **blank, due={}, signals=CALM, sequence=0, version=0)  # type: ignore[arg-type]


def _entry(entry: Mapping[str, str]) -> Custody:
    return Custody(Holder(entry["holder"]), entry["department"], datetime.fromisoformat(entry["since"]))
