"""Whose turn it is, in the database. Knows that a slot is taken once; refuses to know what is done in it."""

from datetime import timedelta

from app.kit.db import Transaction

_TAKE = """
    INSERT INTO turn (name, slot_at) VALUES ($1, date_bin($2, now(), timestamptz '2000-01-03 00:00Z'))
    ON CONFLICT (name) DO UPDATE SET slot_at = excluded.slot_at WHERE turn.slot_at < excluded.slot_at
    RETURNING name"""


async def claim_turn(tx: Transaction, name: str, every: timedelta) -> bool:
    """Whether this slot of the database's clock is ours to use; who comes while we are at it waits, and hears no.

    It is ours with the commit: who fails leaves it to the next.
    """
    return bool(await tx.fetch(_TAKE, name, every))
