"""What waits to be carried to receivers, for tests that carry it.

Knows that what is due goes by the database's clock, which no test sets and which a machine may set back after something
was written: so a moment passes before it is carried. Refuses to know what is carried.
"""

from datetime import timedelta

from sqlalchemy import update

from app.delivery.envelope import Message
from app.delivery.store import add_messages
from app.delivery.tables import delivery
from app.flows.dispatch import dispatch
from app.kit.db import Database
from app.runtime import Runtime
from tests.support.clock import MOMENT

AN_HOUR = timedelta(hours=1)  # longer than any lease or delay that a test waits for


async def wait(database: Database, time: timedelta = MOMENT) -> None:
    """Everything that is to be carried has waited so much longer; also leases are older by it."""
    earlier = update(delivery).values(due_at=delivery.c.due_at - time)
    await database.transact(lambda tx: tx.execute(earlier))


async def put(database: Database, *messages: Message) -> None:
    """Messages that wait since a moment."""
    await database.transact(lambda tx: add_messages(tx, messages))
    await wait(database)


async def carry(runtime: Runtime, after: timedelta = MOMENT) -> int:
    """What is due after this time is carried; how many deliveries that were."""
    await wait(runtime.database, after)
    return await dispatch(runtime, 10)
