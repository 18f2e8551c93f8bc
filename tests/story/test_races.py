"""Twenty posts of one conversation arrive on several processes at once: one ticket has them all."""

from sqlalchemy import func, select

from app.kit.db import Database
from app.tickets.tables import ticket, ticket_mention
from tests.support.racing import race

PROCESSES, POSTS = 4, 5

RECEIVE = """
import asyncio, sys, tempfile
from pathlib import Path
from app.flows.receive import receive
from app.runtime import build_runtime
from app.settings import Settings
from tests.support.mentions import mention

async def main(url: str, number: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with build_runtime(Settings(data_dir=Path(folder)), database_url=url) as runtime:
            said = [mention(external_id=f"{number}-{n}", conversation_id="c-1") for n in range(int(sys.argv[3]))]
            print("ready", flush=True)
            sys.stdin.readline()
            await asyncio.gather(*(receive(runtime, [one]) for one in said))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


async def test_posts_of_one_conversation_on_several_processes_make_one_ticket(
    database: Database, database_url: str
) -> None:
    await race(RECEIVE, [(database_url, str(number), str(POSTS)) for number in range(PROCESSES)])

    async with database.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(ticket)) == 1
        assert await tx.scalar(select(func.count()).select_from(ticket_mention)) == PROCESSES * POSTS
