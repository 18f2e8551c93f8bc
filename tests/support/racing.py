"""Processes of their own that stand ready and start at the same moment."""

import asyncio
import sys
from collections.abc import Iterable

from app.settings import PROJECT


async def race(program: str, racers: Iterable[tuple[str, ...]]) -> list[bytes]:
    """What each racer says, when all have ended well; `racers` are the words that each is started with.

    The program prints `ready`, and goes when it reads a line.
    """
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=PROJECT,
        )
        for words in racers
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    told = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [said for said, _ in told]
