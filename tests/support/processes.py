"""Processes that a test ends, with all that they started.

Knows that one may end by itself while it is looked at: a connection's process, or one whose sibling was killed.
"""

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil  # type: ignore[import-untyped]

from tests.support.patience import PATIENCE


def kill(processes: Iterable[psutil.Process]) -> None:
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.kill()


def wait_until_gone(processes: Iterable[psutil.Process]) -> None:
    deadline = time.monotonic() + PATIENCE
    while living := [one for one in processes if _lives(one)]:
        assert time.monotonic() < deadline, f"still alive: {living}"
        time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
