"""Drafts that nobody comes back to are forgotten, and no others."""

from datetime import timedelta

from app.answers.drafts.store import Draft, add_draft, list_writers
from app.flows.draft import FORGOTTEN_AFTER, forget_drafts
from app.kit.clock import utc_now
from app.kit.db import Transaction
from app.runtime import Runtime
from tests.support.standing import add_ticket


async def test_a_draft_is_forgotten_a_month_after_it_was_touched(runtime: Runtime) -> None:
    now = utc_now()  # the database's clock decides
    ages = {"agent:anna": FORGOTTEN_AFTER + timedelta(hours=1), "agent:bram": FORGOTTEN_AFTER - timedelta(hours=1)}
    ticket = await runtime.database.transact(lambda tx: add_ticket(tx, now))

    async def write(tx: Transaction) -> None:
        for actor, age in ages.items():
            await add_draft(tx, Draft(ticket.id, actor, "Dag", None, 1, now - age))

    await runtime.database.transact(write)

    assert await runtime.run(forget_drafts) == 1
    async with runtime.reading() as tx:
        assert [one["actor"] for one in await list_writers(tx, ticket.id)] == ["agent:bram"]
