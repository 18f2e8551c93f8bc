"""Single posts that arrive together: one transaction, an answer for each, and none lost whoever hangs up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import func, select, text

from app.access.role import Role
from app.api.intake import Intake, TooManyWaiting
from app.flows.receive import receive
from app.flows.settle import Received
from app.kit.db import Database
from app.kit.errors import WebcareError
from app.main import create_app
from app.mentions.mention import Mention
from app.mentions.tables import mention as mention_table
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.mentions import as_json, mention
from tests.support.patience import PATIENCE

ONE = "/api/v1/mentions"
Calling = Callable[[Intake, int], Awaitable[list[httpx.Response]]]


class Gate:
    """The real flow behind a gate, so that a test decides what waits while the writers are at work."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.opened = asyncio.Event()
        self.lists: list[int] = []

    async def receive(self, arrivals: Sequence[Mention]) -> list[Received | WebcareError]:
        self.lists.append(len(arrivals))
        await self.opened.wait()
        return await receive(self._runtime, arrivals)


@pytest.fixture
def gate(runtime: Runtime) -> Gate:
    return Gate(runtime)


def arrive(intake: Intake, count: int) -> list[asyncio.Task[Received]]:
    return [asyncio.create_task(intake.submit(mention())) for _ in range(count)]


async def transactions(runtime: Runtime) -> list[int]:
    """How many mentions each transaction wrote, the largest first."""
    async with runtime.reading() as tx:
        written = await tx.rows(select(func.count()).select_from(mention_table).group_by(text("xmin")))
    return sorted((row[0] for row in written), reverse=True)


async def test_posts_that_arrive_while_others_are_written_share_a_transaction(runtime: Runtime, gate: Gate) -> None:
    intake = Intake(gate.receive, writers=1)
    first = arrive(intake, 1)
    await asyncio.sleep(0)
    later = arrive(intake, 30)
    await asyncio.sleep(0)
    gate.opened.set()
    answers = await asyncio.gather(*first, *later)
    assert len({answer.mention_id for answer in answers}) == 31
    assert await transactions(runtime) == [30, 1]


async def test_a_list_has_an_end_and_writers_work_beside_each_other(gate: Gate) -> None:
    intake = Intake(gate.receive, most=10, writers=2)
    waiting = arrive(intake, 25)
    await asyncio.sleep(0.01)
    assert gate.lists == [10, 10]
    gate.opened.set()
    await asyncio.gather(*waiting)
    assert gate.lists == [10, 10, 5]


async def test_who_posts_again_at_once_waits_for_nobody_else(gate: Gate) -> None:
    """Its next post comes between the writer's last look and the writer's end."""
    intake = Intake(gate.receive, writers=1)
    gate.opened.set()
    async with asyncio.timeout(PATIENCE):
        for _ in range(3):
            await intake.submit(mention())
    assert gate.lists == [1, 1, 1]


async def test_a_writer_that_is_cancelled_gives_its_share_back(gate: Gate) -> None:
    intake = Intake(gate.receive, writers=1)
    lost = arrive(intake, 1)
    await asyncio.sleep(0.01)
    for writer in tuple(intake._at_work):  # noqa: SLF001 - what ends a process cancels its tasks
        writer.cancel()
    await asyncio.sleep(0.01)
    gate.opened.set()
    async with asyncio.timeout(PATIENCE):
        assert (await intake.submit(mention())).mention_id is not None
    lost[0].cancel()


async def test_a_caller_that_hangs_up_does_not_lose_its_post(runtime: Runtime, gate: Gate) -> None:
    intake = Intake(gate.receive, writers=1)
    under_way, waiting, staying = arrive(intake, 3)
    await asyncio.sleep(0.01)
    under_way.cancel()
    waiting.cancel()
    gate.opened.set()
    await staying
    assert sum(await transactions(runtime)) == 3


async def test_more_than_will_be_written_soon_are_not_taken_until_there_is_room(gate: Gate) -> None:
    intake = Intake(gate.receive, writers=1, most=1, waiting=2)
    under_way = arrive(intake, 1)
    await asyncio.sleep(0.01)
    waiting = arrive(intake, 2)
    await asyncio.sleep(0.01)
    with pytest.raises(TooManyWaiting):
        await intake.submit(mention())
    gate.opened.set()
    await asyncio.gather(*under_way, *waiting)
    await intake.submit(mention())
    assert gate.lists == [1, 1, 1, 1]


@pytest.fixture
async def calling(runtime: Runtime) -> AsyncIterator[Calling]:
    """Posts mentions to the API over another intake than its own."""
    headers = await token_for(runtime, Role.INGEST)
    app = create_app(runtime)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://webcare.test") as client:

        async def post(intake: Intake, count: int) -> list[httpx.Response]:
            app.state.intake = intake
            bodies = [as_json(mention()) for _ in range(count)]
            return await asyncio.gather(*(client.post(ONE, json=body, headers=headers) for body in bodies))

        yield post


async def test_who_is_not_taken_is_told_when_to_come_back(gate: Gate, calling: Calling) -> None:
    [refused] = await calling(Intake(gate.receive, waiting=0), 1)
    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_waiting")
    assert int(refused.headers["retry-after"]) > 0


async def test_an_unreachable_database_is_told_to_everybody_who_waits_and_recovery_needs_nobody(
    runtime: Runtime, calling: Calling
) -> None:
    nowhere = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    places = [replace(runtime, database=nowhere)]
    intake = Intake(lambda arrivals: receive(places[-1], arrivals), most=10)
    told = await calling(intake, 20)
    assert {(answer.status_code, answer.json()["code"]) for answer in told} == {(503, "database_unreachable")}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in told)
    places.append(runtime)
    [again] = await calling(intake, 1)
    assert again.status_code == 201
    await nowhere.close()
