"""Computing apart: a module that runs as a process of its own, for what takes more memory and time than a service has.

Knows both ends of the pipe: a task goes in and an answer comes out as bytes. What it takes ends with that process, and
that ends when nobody waits for it. Refuses to know what is computed.
"""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from datetime import timedelta

from app.kit.errors import Unavailable

_POLITE = 10  # as `nice` counts: the service comes first
_ERROR = re.compile(r"([\w.]+)(?::|$)")  # how the last line of a traceback begins, unless it is of a longer message


async def compute(module: str, task: bytes, deadline: timedelta, failed: type[Unavailable]) -> bytes:
    """What `python -m module` answers to this task.

    Raises `failed` when it dies or takes longer than the deadline; when cancelled, that process ends too.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            answer, words = await process.communicate(task)
    except TimeoutError as error:
        raise failed(f"{module} took longer than {deadline}.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # so that nothing of it is left
    if process.returncode != 0:
        told = _ERROR.match(words.decode(errors="replace").strip().rpartition("\n")[2])  # all else may quote customers
        raise failed(f"{module} ended with code {process.returncode}: {told[1] if told else 'no word'}.")
    return answer


def serve(computed: Callable[[bytes], bytes]) -> None:
    """The other end: a task on standard input, the answer on standard output."""
    os.nice(_POLITE)
    sys.stdout.buffer.write(computed(sys.stdin.buffer.read()))
