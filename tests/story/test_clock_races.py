"""Sweeps on two processes race with people on two others, who pause, reassign, settle and close the same tickets.

A round is one ticket. `WEBCARE_RACE_ROUNDS`, a multiple of four, asks for more than the usual ones.
"""

import asyncio
import os

from sqlalchemy import func, select

from app.flows.verify import verify
from app.kit.clock import utc_now
from app.kit.db import Database
from app.rulebook import Rulebook
from app.sla.tables import clock
from app.tickets.tables import event
from tests.support.house import LONG_AGO, House
from tests.support.racing import race

ROUNDS = int(os.environ.get("WEBCARE_RACE_ROUNDS", "200"))
AT_ONCE = 4

RACE = """
import asyncio, random, sys, tempfile
from pathlib import Path
from sqlalchemy import select
from app.access.role import Caller, Role
from app.flows import work
from app.flows.record import record_one
from app.flows.watch import tell, watch
from app.kit import logs
from app.kit.ids import new_id
from app.runtime import build_runtime
from app.settings import Settings
from app.tickets import lifecycle
from app.tickets.legal import ClaimedByAnother, HeldElsewhere, IllegalMove
from app.tickets.store import claim_ticket
from app.tickets.tables import ticket

_, url, role, seed = sys.argv
draw = random.Random(int(seed))
caller = Caller(new_id(), f"agent{seed}", Role.AGENT)

async def close(unit, _, ticket_id, __):
    return await record_one(unit, lifecycle.close(await claim_ticket(unit.tx, ticket_id), unit.now))

ACTS = (
    (work.claim, {}),
    (work.wait, {"until": None}),
    (work.reroute, {"topic": None, "department": "network", "reason": "theirs"}),
    (work.reroute, {"topic": None, "department": "billing", "reason": "theirs"}),
    (work.update, {"priority": "urgent"}),
    (work.resolve, {"code": "solved", "note_text": None}),
    (close, {}),
)

async def main():
    logs.configure("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        async with build_runtime(Settings(data_dir=Path(folder)), database_url=url) as runtime:
            async with runtime.reading() as tx:
                ids = [row.id for row in await tx.rows(select(ticket.c.id).order_by(ticket.c.id))]
            print("ready", flush=True)
            sys.stdin.readline()
            if role == "sweep":
                while await runtime.run(watch, 10) or await runtime.run(tell, 10):
                    pass
                return
            for ticket_id in ids:
                act, words = draw.choice(ACTS)
                try:
                    await runtime.run(act, caller, ticket_id, None, **words)
                except (ClaimedByAnother, HeldElsewhere, IllegalMove):
                    pass  # the other one was faster

asyncio.run(main())
"""


async def test_whatever_people_do_while_sweeps_run_every_clock_tells_its_story_once(
    database: Database, database_url: str, rulebook: Rulebook
) -> None:
    house = House(database, rulebook)
    for _ in range(0, ROUNDS, AT_ONCE):
        await asyncio.gather(*(house.open(LONG_AGO) for _ in range(AT_ONCE)))
    await race(RACE, [(database_url, role, str(seed)) for seed, role in enumerate(["sweep", "act", "sweep", "act"])])
    await house.watch_all()

    told = select(event.c.type, event.c.ticket_id, event.c.data["metric"].astext, event.c.data["round"].astext).where(
        event.c.type.in_(["sla.warning", "sla.breached"])
    )
    async with database.reading() as tx:
        stories = await tx.rows(told)
        warned = await tx.scalar(select(func.count(clock.c.warned_at)))
        breached = await tx.scalar(select(func.count(clock.c.breached_at)))
        waiting = await tx.scalar(select(func.count()).where(clock.c.next_at < func.now()))
    assert len(stories) == len(set(stories)) == warned + breached
    assert breached >= ROUNDS
    assert waiting == 0
    found = await database.transact(
        lambda tx: verify(house.unit(tx, utc_now()), None, ROUNDS, repair=False, past=False)
    )
    assert (found.tickets, found.findings) == (ROUNDS, ())
