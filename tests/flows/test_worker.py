"""The alarm clock rings, goes on after failures, and ends without dropping what it is doing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from app.runtime import Runtime
from app.worker import Chore, chores, work
from tests.support.patience import PATIENCE

OFTEN = timedelta(milliseconds=100)


async def ring(act: Callable[[int], Awaitable[int]], until: asyncio.Event) -> None:
    """Run one chore of batches of 10 until it says so."""
    stop = asyncio.Event()
    working = asyncio.create_task(work((Chore("tested", OFTEN, 10, act),), stop))
    async with asyncio.timeout(PATIENCE):
        await until.wait()
    stop.set()
    await working


async def test_a_look_takes_one_batch_after_another_until_one_is_not_full() -> None:
    left = [10, 10, 3, 10]

    async def act(limit: int) -> int:
        return left.pop(0)

    await Chore("tested", OFTEN, 10, act).look()
    assert left == [10]


async def test_a_failing_chore_is_logged_without_its_words_and_rings_again(caplog: pytest.LogCaptureFixture) -> None:
    failures: list[ValueError] = []
    done = asyncio.Event()

    async def act(_: int) -> int:
        if len(failures) == 2:
            done.set()
            return 0
        failures.append(ValueError("what the customer wrote"))
        raise failures[-1]

    with caplog.at_level(logging.ERROR, "webcare"):
        await ring(act, done)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("webcare")]
    assert ours == ["chore.failed", "chore.failed"]


async def test_what_runs_when_the_end_comes_is_finished() -> None:
    begun, finished = asyncio.Event(), []

    async def act(_: int) -> int:
        begun.set()
        await asyncio.sleep(0.2)
        finished.append(True)
        return 0

    await ring(act, begun)
    assert finished == [True]


async def test_a_backlog_does_not_put_off_the_end() -> None:
    begun = asyncio.Event()

    async def act(limit: int) -> int:
        begun.set()
        await asyncio.sleep(0.01)
        return limit

    async with asyncio.timeout(PATIENCE):
        await ring(act, begun)


async def test_every_chore_of_the_worker_runs_on_an_empty_database(runtime: Runtime) -> None:
    for chore in chores(runtime):
        assert await chore.act(chore.batch) == 0, chore.name
