"""People in the database: authors of several channels that are one person.

Knows the rows: authors with the same `person` are the same. An author without a row is known as nobody else. Refuses
to know who may say so and what follows from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.kit.db import OnConflict, Reading, Transaction
from app.kit.errors import NotFound
from app.mentions.people.person import is_by_hand
from app.mentions.tables import identity

BY_CHANNEL = "channel"


class AuthorNotFound(NotFound):
    pass


@dataclass(frozen=True, slots=True)
class Known:
    """An author who is the person that was asked about; `told_by` None: nobody said more than the channel's own id."""

    author_id: UUID
    channel: str
    handle: str | None
    display_name: str | None
    told_by: str | None
    told_at: datetime | None


_LIST = """
    SELECT a.id AS author_id, a.channel, a.handle, a.display_name, i.told_by, i.told_at
    FROM author a LEFT JOIN identity i ON i.author_id = a.id
    WHERE a.id = $1 OR i.person = (SELECT person FROM identity WHERE author_id = $1)
    ORDER BY a.id <> $1, a.channel, a.id"""
_PEOPLE = """
    SELECT a.id, i.person FROM author a LEFT JOIN identity i ON i.author_id = a.id
    WHERE a.id = ANY($1::uuid[]) ORDER BY a.id FOR NO KEY UPDATE OF a"""
_FOLLOW = "UPDATE identity SET person = $2 WHERE person = $1"


async def list_known(tx: Reading, author_id: UUID) -> tuple[Known, ...]:
    """The author first, then the others that are the same person. Raises `AuthorNotFound`."""
    found = tuple(Known(**row) for row in await tx.fetch(_LIST, author_id))
    if not found:
        raise AuthorNotFound("There is no such author.")
    return found


async def claim_people(tx: Transaction, author_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """The person of each author, locked until the commit. Raises `AuthorNotFound`."""
    found = {row["id"]: row["person"] for row in await tx.fetch(_PEOPLE, list(author_ids))}
    if len(found) < len(set(author_ids)):
        raise AuthorNotFound("There is no such author.")
    return found


async def record_people(
    tx: Transaction, before: Mapping[UUID, str | None], people: Mapping[UUID, str], told_by: str, now: datetime
) -> None:
    """These authors are these people; whoever was known as the same by hand alone goes along."""
    for author_id, person in people.items():
        known_as = before[author_id]
        if known_as is not None and known_as != person and is_by_hand(known_as):
            await tx.fetch(_FOLLOW, known_as, person)
    rows = [
        {"author_id": author_id, "person": people[author_id], "told_by": told_by, "told_at": now}
        for author_id in sorted(people)
        if before[author_id] != people[author_id]
    ]
    await tx.insert(identity, rows, on_conflict=OnConflict.REPLACE)


async def record_references(tx: Transaction, people: Mapping[UUID, str], now: datetime) -> None:
    """What a channel tells of who authors are. Costs nothing where it tells nothing, and one look where it is known."""
    if not people:
        return
    before = await claim_people(tx, list(people))
    changed = {author_id: person for author_id, person in people.items() if before[author_id] != person}
    await record_people(tx, before, changed, BY_CHANNEL, now)


async def mark_parted(tx: Transaction, author_id: UUID) -> None:
    """The author is known as nobody else any more. Raises `AuthorNotFound`."""
    await claim_people(tx, [author_id])
    await tx.execute(identity.delete().where(identity.c.author_id == author_id))
