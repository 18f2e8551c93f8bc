"""Versions of the rules in the database. Knows which is in force: the newest. Refuses to know what they say."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text

from app.kit.db import Reading, Records, Transaction
from app.kit.errors import NotFound
from app.routing.rules.version import Origin, Version
from app.routing.tables import rules_version

_ONE_AT_A_TIME = text("LOCK TABLE rules_version IN SHARE ROW EXCLUSIVE MODE")  # readers go on
_NEWEST = rules_version.c.number.desc()
_ASKED = """
    SELECT m.id, m.channel, m.account, m.kind, m.language, m.visibility, m.title, m.text, a.followers, a.verified,
           (SELECT ticket_id FROM ticket_mention WHERE mention_id = m.id ORDER BY ticket_id LIMIT 1) AS ticket_id
    FROM mention m JOIN author a ON a.id = m.author_id
    WHERE ($1::uuid IS NULL OR m.id < $1) AND m.conversation_id IS NOT NULL AND m.deleted_at IS NULL
    ORDER BY m.id DESC LIMIT $2"""


class RulesVersionNotFound(NotFound):
    pass


async def claim_rules(tx: Transaction) -> None:
    """Whoever else wants to put rules in force waits until the commit."""
    await tx.execute(_ONE_AT_A_TIME)


async def add_version(
    tx: Transaction,
    digest: str,
    sources: Mapping[str, str],
    origin: Origin,
    actor: str,
    note: str | None,
    at: datetime,
) -> Version:
    """Put rules in force."""
    facts = {"digest": digest, "sources": dict(sources), "origin": origin, "actor": actor, "note": note, "at": at}
    number = await tx.scalar(insert(rules_version).values(facts).returning(rules_version.c.number))
    return Version(number, digest, sources, origin, actor, note, at)


async def find_number(tx: Reading) -> int | None:
    """The number of the version in force; None before the first."""
    found: int | None = await tx.scalar(select(rules_version.c.number).order_by(_NEWEST).limit(1))
    return found


async def find_newest(tx: Reading, origin: Origin | None = None) -> Version | None:
    """The newest version, which is the one in force; with `origin` the newest that came from there."""
    found = select(rules_version).order_by(_NEWEST).limit(1)
    row = await tx.first(found if origin is None else found.where(rules_version.c.origin == origin))
    return None if row is None else Version(**{**row._asdict(), "origin": Origin(row.origin)})


async def get_version(tx: Reading, number: int) -> Version:
    """Raises `RulesVersionNotFound`."""
    row = await tx.first(select(rules_version).where(rules_version.c.number == number))
    if row is None:
        raise RulesVersionNotFound(f"There is no version {number} of the rules; `GET /rules/versions` lists them.")
    return Version(**{**row._asdict(), "origin": Origin(row.origin)})


async def list_versions(tx: Reading, *, before: int | None, limit: int) -> Sequence[Version]:
    """Newest first, without their sources."""
    shown = [column for column in rules_version.columns if column.name != "sources"]
    found = select(*shown).order_by(_NEWEST).limit(limit)
    if before is not None:
        found = found.where(rules_version.c.number < before)
    return [Version(**{**row._asdict(), "sources": {}, "origin": Origin(row.origin)}) for row in await tx.rows(found)]


async def list_sources(tx: Reading, file: str, limit: int) -> list[tuple[datetime, str]]:
    """When each version came into force and the text of one of its files, newest first."""
    found = (
        select(rules_version.c.at, rules_version.c.sources[file].astext.label("source")).order_by(_NEWEST).limit(limit)
    )
    return [(row.at, row.source) for row in await tx.rows(found)]


async def list_asked(tx: Reading, *, before: UUID | None, limit: int) -> Records:
    """Questions of customers with all that a decision is made of, newest first; deleted ones have no words left.

    Rows: id, channel, account, kind, language, visibility, title, text, followers, verified, ticket_id.
    """
    return await tx.fetch(_ASKED, before, limit)
