"""Chores that one process does for all, once a slot of the database's clock: for tests that do them again at once."""

from sqlalchemy import delete

from app.kit.db import Database
from app.topics.tables import turn


async def end_turns(database: Database) -> None:
    """No turn was taken in this slot, whatever it is by now: a machine may set its clock back to the one before."""
    await database.transact(lambda tx: tx.execute(delete(turn)))
