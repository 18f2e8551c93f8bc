"""A million tickets in minutes: some that the service made of real messages, copied in the database.

Knows how rows are copied: with new ids and keys, each copy a little older than the one before, so that whatever the
service writes is there in believable proportions. Refuses to know what the tickets are wanted for.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from benchmarks.harness import Service, spread

APART = timedelta(minutes=10)  # between one copy and the next older one
BATCH = 500
AT_ONCE = 10  # copies in one transaction
CHANNELS = {"x": 40, "instagram": 20, "facebook": 15, "whatsapp": 15, "forum": 10}  # shares in per cent
LANGUAGES = {"nl": 85, "en": 15}

# Every table that a mention causes rows in. Settled tickets have no clocks and decisions here: nobody asks for them.
ALWAYS = ("author", "conversation", "mention", "mention_key", "ticket", "ticket_mention", "custody", "event")
WHILE_OPEN = ("clock", "decision")
# What is unique in a table and no id; the copies' own number is put behind it.
KEYS = {
    "author": {"key", "external_id"},
    "conversation": {"thread"},
    "mention": {"external_id"},
    "mention_key": {"external_id"},
}
OF_THE_SERVER = {"event": {"place", "xact"}, "mention": {"search"}}  # PostgreSQL fills them in
SETTLED = {
    "state": "'closed'",
    "holder": "'nobody'",
    "closed_at": "t.opened_at",
    "due": "'{}'",
    "next_due_at": "NULL",
    "fall_back_at": "NULL",
    "reply_until": "NULL",
}
# A UUIDv7 begins with its milliseconds: the same id, so much earlier.
EARLIER = """
CREATE FUNCTION pg_temp.earlier(id uuid, ms bigint) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (lpad(to_hex(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint - ms), 12, '0')
        || substr(replace(id::text, '-', ''), 13))::uuid $$"""


@dataclass(frozen=True, slots=True)
class Size:
    """`made` tickets by the service, `copies` in all with those, of which `open_copies` are open."""

    made: int
    copies: int
    open_copies: int

    @property
    def tickets(self) -> int:
        return self.made * self.copies

    @property
    def open(self) -> int:
        return self.made * self.open_copies


async def fill(service: Service, texts: list[str], size: Size) -> None:
    """Make the tickets, and tidy up as autovacuum would over months."""
    bodies = [orjson.dumps({"mentions": posts}) for posts in _posts(texts, size.made)]
    await spread(service, 2, bodies, "/api/v1/mentions/batch", 200)
    connection = await asyncpg.connect(service.dsn)
    await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")  # no keys to check
    await connection.execute(EARLIER)
    for table in (*ALWAYS, *WHILE_OPEN):
        await connection.execute(f"CREATE TEMP TABLE made_{table} AS SELECT * FROM {table}")
    indexes = await _drop_indexes(connection)
    for newest in range(size.copies - 1, 0, -AT_ONCE):
        copies = range(max(1, newest - AT_ONCE + 1), newest + 1)
        for part in (copy for copy in _split(copies, size.open_copies) if copy):
            is_open = part[0] < size.open_copies
            async with connection.transaction():
                for table in (*ALWAYS, *(WHILE_OPEN if is_open else ())):
                    await connection.execute(await _copying(connection, table, is_open=is_open), part[0], part[-1])
    for definition in indexes:
        await connection.execute(definition)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


def _posts(texts: list[str], number: int) -> list[list[dict[str, Any]]]:
    """Posts in batches, each by somebody of its own, so that each opens a ticket."""
    chance = random.Random(3)
    now = datetime.now(UTC)
    posts = [
        {
            "channel": chance.choices([*CHANNELS], [*CHANNELS.values()])[0],
            "external_id": f"made-{n}",
            "account": f"@poldermobiel{chance.randrange(5)}",
            "author": {"external_id": f"u-{n}", "handle": f"klant{n}", "followers": int(chance.paretovariate(1) * 50)},
            "text": chance.choice(texts),
            "lang": chance.choices([*LANGUAGES], [*LANGUAGES.values()])[0],
            "posted_at": (now - timedelta(seconds=chance.randrange(1, 600))).isoformat(),
        }
        for n in range(number)
    ]
    return [posts[start : start + BATCH] for start in range(0, number, BATCH)]


def _split(copies: range, open_copies: int) -> tuple[range, range]:
    """Those that are settled, and those that are open."""
    border = min(max(copies.start, open_copies), copies.stop)
    return range(border, copies.stop), range(copies.start, border)


async def _drop_indexes(connection: Any) -> list[str]:
    """All that keep nothing unique, for building them at once costs less; how they were defined."""
    kept = "SELECT conindid::regclass::text FROM pg_constraint WHERE conindid <> 0"
    rows = await connection.fetch(
        f"""SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY($1)
            AND indexdef NOT LIKE 'CREATE UNIQUE%' AND indexname NOT IN ({kept})""",
        [*ALWAYS, *WHILE_OPEN],
    )
    for row in rows:
        await connection.execute(f"DROP INDEX {row['indexname']}")
    return [row["indexdef"] for row in rows]


async def _copying(connection: Any, table: str, *, is_open: bool) -> str:
    """The statement that copies the rows that the service made, once for each number from $1 to $2."""
    columns = await connection.fetch(
        """SELECT attname AS name, atttypid::regtype::text AS type FROM pg_attribute
           WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped""",
        table,
    )
    ms = APART // timedelta(milliseconds=1)
    chosen: dict[str, str] = {}
    for column in columns:
        name = column["name"]
        if name in OF_THE_SERVER.get(table, ()):
            continue
        chosen[name] = f't."{name}"'
        if name in KEYS.get(table, ()):
            chosen[name] += " || '-' || n"
        elif column["type"] == "uuid":
            chosen[name] = f"pg_temp.earlier({chosen[name]}, n * {ms})"
        elif column["type"] == "timestamp with time zone":
            chosen[name] += f" - n * interval '{ms} milliseconds'"
    if table == "ticket":
        chosen["number"] = "nextval('ticket_number_seq')"
        chosen |= {} if is_open else SETTLED
    names = ", ".join(f'"{name}"' for name in chosen)
    return f"""INSERT INTO {table} ({names}) SELECT {", ".join(chosen.values())}
        FROM made_{table} t, generate_series($1::bigint, $2::bigint) n"""
