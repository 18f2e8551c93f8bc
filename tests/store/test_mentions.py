"""What stands in the tables of what people said is found at the price of what is asked, whatever else stands there."""

from sqlalchemy import text

from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.mentions.mention import Author
from app.mentions.store import claim_authors, claim_conversations

# As many as a small shop has: reading all of them would seem cheap to who does not know that one is asked.
_STANDING = """
    INSERT INTO author (id, channel, key, verified, first_seen_at)
        SELECT gen_random_uuid(), 'x', 'id:' || n, false, now() FROM generate_series(1, 3000) n;
    INSERT INTO conversation (id, channel, thread, author_id)
        SELECT gen_random_uuid(), 'x', 'p:' || key, id FROM author;
    ANALYZE author, conversation"""
_READ_WHOLE = text("SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname IN ('author', 'conversation')")
_UNTIL_A_PLAN_IS_KEPT = 8  # PostgreSQL looks at the values of a statement five times


async def test_claiming_reads_no_table_whole(database: Database) -> None:
    async def unit(tx: Transaction) -> tuple[int, int]:
        for statement in _STANDING.split(";"):
            await tx.execute(text(statement))
        before = await tx.scalar(_READ_WHOLE)
        for n in range(_UNTIL_A_PLAN_IS_KEPT):
            people = {("x", f"id:{number}"): Author() for number in (2000 + n, 4000 + n)}
            authors = await claim_authors(tx, people, utc_now())
            await claim_conversations(tx, [("x", f"p:{key}", author_id) for (_, key), author_id in authors.items()])
        return before, await tx.scalar(_READ_WHOLE)

    before, after = await database.transact(unit)
    assert after == before
