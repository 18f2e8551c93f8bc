"""Whoever follows the journal misses nothing and reads nothing twice, in whatever order transactions commit."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from functools import partial
from itertools import count

import pytest
from sqlalchemy import delete, text

from app.kit.clock import utc_now
from app.kit.db import Database, Transaction
from app.kit.ids import new_id
from app.migrating import RestoredElsewhere, check_schema, migrate
from app.tickets.journal.position import BEGINNING, Position, parse
from app.tickets.journal.store import Entry, find_foreign, find_position, get_head, list_entries
from app.tickets.tables import event
from app.tickets.ticket import Ticket
from tests.support.patience import PATIENCE
from tests.support.standing import add_ticket


@pytest.fixture
async def ticket(database: Database) -> Ticket:
    """One without events; those of these tests are numbered as each test likes."""
    ticket = await database.transact(lambda tx: add_ticket(tx, utc_now()))
    await database.transact(lambda tx: tx.execute(delete(event)))
    return ticket


async def happen(tx: Transaction, ticket: Ticket, sequence: int) -> None:
    row = {"ticket_id": ticket.id, "sequence": sequence, "id": new_id(), "type": "ticket.noted", "actor": "agent:anna"}
    await tx.insert(event, [{**row, "at": utc_now(), "data": {}, "departments": ()}])
    await tx.flush()


async def read(database: Database, after: Position, limit: int = 100) -> tuple[Entry, ...]:
    async with database.reading() as tx:
        return await list_entries(tx, after, limit=limit)


async def test_what_commits_late_is_read_before_what_was_begun_later(database: Database, ticket: Ticket) -> None:
    """The slow one has the lower place. A reader that went by place alone would pass it over for good."""
    may_commit = asyncio.Event()
    has_its_place = asyncio.Event()

    async def slow(tx: Transaction) -> None:
        await happen(tx, ticket, 1)
        has_its_place.set()
        await may_commit.wait()

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as writing:
        writing.create_task(database.transact(slow))
        await has_its_place.wait()
        await database.transact(lambda tx: happen(tx, ticket, 2))

        assert await read(database, BEGINNING) == ()
        async with database.reading() as tx:
            assert await get_head(tx) == BEGINNING
        may_commit.set()

    first, second = await read(database, BEGINNING)
    assert (first.sequence, second.sequence) == (1, 2)
    async with database.reading() as tx:
        assert await get_head(tx) == second.position
        assert await list_entries(tx, BEGINNING, until=first.position, limit=9) == (first,)
        assert await find_position(tx, second.position) == second.position
        assert await find_position(tx, Position(second.position.xact, first.position.place)) is None


async def test_places_that_were_taken_in_turns_hide_nothing(database: Database, ticket: Ticket) -> None:
    """One transaction has places 1 and 3 and commits; the other has place 2, and commits when 3 was read."""
    turns = [asyncio.Event() for _ in range(3)]

    async def first(tx: Transaction) -> None:
        await happen(tx, ticket, 1)
        turns[0].set()
        await turns[1].wait()
        await happen(tx, ticket, 3)

    async def second(tx: Transaction) -> None:
        await turns[0].wait()
        await happen(tx, ticket, 2)
        turns[1].set()
        await turns[2].wait()

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as writing:
        writing.create_task(database.transact(second))
        await database.transact(first)
        seen = await read(database, BEGINNING)
        turns[2].set()
    seen += await read(database, seen[-1].position)

    assert [entry.sequence for entry in seen] == [1, 3, 2]


async def test_readers_beside_many_writers_see_each_event_once_and_in_the_same_order(
    database: Database, ticket: Ticket
) -> None:
    numbers, written, done = count(1), set[int](), asyncio.Event()

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        readers = [group.create_task(follow(database, done)) for _ in range(3)]
        await asyncio.gather(*(write(database, ticket, numbers, written) for _ in range(4)))
        done.set()
    first, *others = [reader.result() for reader in readers]

    assert len(first) == len(set(first))
    assert set(first) == written
    assert others == [first, first]


async def write(database: Database, ticket: Ticket, numbers: Iterator[int], written: set[int]) -> None:
    """Transactions of several events that take their time; some are given up."""
    for _ in range(15):
        mine = [next(numbers) for _ in range(random.randint(1, 4))]
        gives_up = random.random() < 0.2

        async def unit(tx: Transaction, mine: list[int] = mine, gives_up: bool = gives_up) -> None:
            for number in mine:
                await happen(tx, ticket, number)
                await asyncio.sleep(random.random() * 0.01)
            if gives_up:
                raise LookupError

        with contextlib.suppress(LookupError):
            await database.transact(unit)
            written.update(mine)


async def follow(database: Database, done: asyncio.Event) -> list[int]:
    """What a reader sees that goes on until there is nothing more after the last writer ended."""
    seen: list[int] = []
    position = BEGINNING
    while True:
        is_last = done.is_set()
        page = await read(database, position, limit=random.randint(1, 5))
        seen += [entry.sequence for entry in page]
        if page:
            position = page[-1].position
        elif is_last:
            return seen


async def test_what_was_restored_from_another_server_is_put_before_what_this_one_writes(
    database: Database, database_url: str, ticket: Ticket
) -> None:
    """Its transactions have numbers that this server comes to much later, and would hide until then."""
    for number in (1, 2, 3):
        await database.transact(partial(happen, ticket=ticket, sequence=number))
    await database.transact(lambda tx: tx.execute(text("UPDATE event SET xact = xact + 10^15 WHERE sequence < 3")))
    async with database.reading() as tx:
        assert await find_foreign(tx) is not None
        with pytest.raises(RestoredElsewhere, match="webcare migrate"):
            await check_schema(tx)

    await migrate(database_url)
    await database.transact(lambda tx: happen(tx, ticket, 4))

    async with database.reading() as tx:
        await check_schema(tx)
    assert [entry.sequence for entry in await read(database, BEGINNING)] == [1, 2, 3, 4]


@pytest.mark.parametrize("written", ["", "7", "7-", "7-8-9", "-7-8", "x-y", "7-8 ", "9" * 19 + "-1"])
def test_what_is_no_position_is_told_apart(written: str) -> None:
    assert parse(written) is None


def test_a_position_reads_as_it_is_written() -> None:
    assert parse(str(Position(812, 55))) == Position(812, 55)
