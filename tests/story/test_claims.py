"""Fifty agents on several processes reach for one ticket, then empty a queue: nobody gets what a colleague has."""

import json
from collections import Counter
from typing import Any

from app.kit.db import Database
from tests.support.clock import MORNING
from tests.support.racing import race
from tests.support.standing import add_ticket

PROCESSES, AGENTS, TICKETS = 2, 25, 80

# Each agent reaches for the one ticket; then takes the next, and the next, until nothing is left.
REACH = """
import asyncio, json, sys, tempfile
from pathlib import Path
from uuid import UUID
from app.access.role import Caller, Role
from app.flows import work
from app.kit.ids import new_id
from app.runtime import build_runtime
from app.settings import Settings
from app.tickets.legal import ClaimedByAnother
from app.tickets.queue.wanted import OURS, Wanted

async def reach(runtime, caller, one):
    try:
        won = (await runtime.run(work.claim, caller, one, None)).assignee == caller.actor
        refused = None
    except ClaimedByAnother as error:
        won, refused = False, error.facts["by"]
    taken = []
    while (ticket := await runtime.run(work.claim_next, caller, Wanted(holder=OURS))) is not None:
        taken.append(str(ticket.id))
    return {"actor": caller.actor, "won": won, "refused": refused, "taken": taken}

async def main(url, number, agents, one):
    callers = [Caller(new_id(), f"agent{number}-{n}", Role.AGENT) for n in range(int(agents))]
    with tempfile.TemporaryDirectory() as folder:
        async with build_runtime(Settings(data_dir=Path(folder)), database_url=url) as runtime:
            print("ready", flush=True)
            sys.stdin.readline()
            told = await asyncio.gather(*(reach(runtime, caller, UUID(one)) for caller in callers))
            print(json.dumps(told), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_fifty_agents_on_two_processes(database: Database, database_url: str) -> None:
    one, *others = await database.transact(_stand)
    said = await race(REACH, [(database_url, str(number), str(AGENTS), str(one)) for number in range(PROCESSES)])
    told: list[dict[str, Any]] = [agent for agents in said for agent in json.loads(agents)]

    winners = [agent["actor"] for agent in told if agent["won"]]
    assert len(winners) == 1
    assert Counter(agent["refused"] for agent in told) == {winners[0]: PROCESSES * AGENTS - 1, None: 1}
    taken = [ticket_id for agent in told for ticket_id in agent["taken"]]
    assert sorted(taken) == sorted(map(str, others))


async def _stand(tx: Any) -> list[Any]:
    return [(await add_ticket(tx, MORNING)).id for _ in range(TICKETS)]
