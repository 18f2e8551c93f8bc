"""A colleague says that two people on different channels are one, or are not after all.

Knows what is gathered and written. Refuses to know what makes two people one (mentions.people.person).
"""

from uuid import UUID

from app.access.role import Caller
from app.kit.errors import Invalid
from app.kit.ids import new_id
from app.mentions.people import store
from app.mentions.people.person import joined
from app.mentions.people.store import Known
from app.runtime import Unit


class SameAuthor(Invalid):
    """An author is the same person as itself without anybody saying so."""


async def link(unit: Unit, caller: Caller, author_id: UUID, other_id: UUID) -> tuple[Known, ...]:
    """From now on both are one person, with all that were known as either.

    Raises `AuthorNotFound`, `SameAuthor`, `CustomerNumbersDiffer`.
    """
    if author_id == other_id:
        raise SameAuthor("Name another author; this one is itself already.", field="author_id")
    before = await store.claim_people(unit.tx, [author_id, other_id])
    person = joined(before[author_id], before[other_id], new_id())
    await store.record_people(unit.tx, before, {author_id: person, other_id: person}, caller.actor, unit.now)
    return await store.list_known(unit.tx, author_id)


async def part(unit: Unit, author_id: UUID) -> tuple[Known, ...]:
    """From now on the author is known as nobody else; the others stay together. Raises `AuthorNotFound`."""
    await store.mark_parted(unit.tx, author_id)
    return await store.list_known(unit.tx, author_id)
