"""Grouping, in a process of its own. Knows both ends of the pipe; refuses to know what groups mean.

What it takes in memory and time ends with that process: `python -m app.topics.proposals.client`.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import timedelta

import orjson

from app.kit.errors import Unavailable
from app.kit.wire import dump

DEADLINE = timedelta(minutes=5)  # three thousand posts take some seconds
_POLITE = 10  # as `nice` counts: the service comes first

Found = tuple[tuple[int, ...], tuple[str, ...]]
"""Places in the list of texts, and telling words (grouping.Group)."""


class GroupingFailed(Unavailable):
    """The process that groups posts died or took too long."""


async def list_groups(texts: Sequence[str]) -> list[Found]:
    """Raises `GroupingFailed`; when cancelled, that process ends too."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # its words may quote customers
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(DEADLINE.total_seconds()):
            answer, _ = await process.communicate(dump(list(texts)))
    except TimeoutError as error:
        raise GroupingFailed(f"Grouping took longer than {DEADLINE}.") from error
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        raise GroupingFailed(f"The process that groups posts ended with code {process.returncode}.")
    return [(tuple(members), tuple(words)) for members, words in orjson.loads(answer)]


def main() -> None:
    """The other end: texts on standard input, groups on standard output."""
    from app.topics.proposals.grouping import group  # noqa: PLC0415 - scikit-learn, which only this process may load

    os.nice(_POLITE)
    sys.stdout.buffer.write(orjson.dumps([list(one) for one in group(orjson.loads(sys.stdin.buffer.read()))]))


if __name__ == "__main__":
    main()
