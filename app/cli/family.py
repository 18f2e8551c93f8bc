"""Processes that are copies of this one: started, started again when they die, ended with us.

A copy (fork) has every module loaded already: it works at once and shares the memory of the code. That asks for a
parent with one thread and no event loop, so whatever needs either is done in a copy. Refuses to know what they do.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from app.kit import logs
from app.kit.errors import Unavailable, WebcareError

STEADY = timedelta(seconds=30)  # who lived this long died of something new
PATIENCE = 5  # deaths in a row, none of them steady
END_PATIENCE = timedelta(seconds=25)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ProcessFailed(Unavailable):
    pass


@dataclass(slots=True)
class Member:
    """A process, or the wish for one: after its end `pid` is None and `code` its exit code."""

    name: str
    work: Callable[[], None]
    pid: int | None = None
    code: int | None = None
    started: float = 0.0
    due: float = 0.0
    deaths: int = 0

    def is_running(self) -> bool:
        if self.pid is not None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.pid, self.code = None, os.waitstatus_to_exitcode(status)
        return self.pid is not None


class Family:
    """The processes of one parent. `at_birth` runs first in each, to let go of what is the parent's alone."""

    def __init__(self, at_birth: Callable[[], None]) -> None:
        self._at_birth = at_birth
        self._kept: list[Member] = []
        self._members: list[Member] = []
        self._lifeline, self._held = os.pipe()  # nothing is ever written: it closes when we die, however we die

    def keep(self, name: str, work: Callable[[], None]) -> None:
        """Run this from now on: whoever calls `look_after` has it started again when it dies."""
        self._kept.append(self._start(Member(name, work)))

    def run_once(self, name: str, work: Callable[[], None]) -> None:
        """Run this to its end and look after the others meanwhile. Raises `ProcessFailed`."""
        member = self._start(Member(name, work))
        while member.is_running():
            self.look_after()
            time.sleep(0.01)
        if member.code:
            raise ProcessFailed(f"The {name} process failed; its own words are above.")

    def look_after(self) -> None:
        """Start again who died, after waits that double. Raises `ProcessFailed` when that does not help."""
        for member in self._kept:
            if member.is_running():
                continue
            if member.code is not None:
                _mourn(member)
            elif time.monotonic() >= member.due:
                self._start(member)

    def end(self) -> None:
        """Ask all to end, and make those who do not."""
        for word in (signal.SIGTERM, signal.SIGKILL):
            living = [member for member in self._members if member.is_running()]
            for member in living:
                os.kill(member.pid or os.getpid(), word)
            deadline = time.monotonic() + END_PATIENCE.total_seconds()
            while any(member.is_running() for member in living) and time.monotonic() < deadline:
                time.sleep(0.01)

    def _start(self, member: Member) -> Member:
        sys.stdout.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # none may come before we know whom to end
        try:
            member.started, member.code = time.monotonic(), None
            member.pid = os.fork() or self._live(member.work)
            self._members = [*(other for other in self._members if other.pid and other is not member), member]
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        return member

    def _live(self, work: Callable[[], None]) -> NoReturn:
        """The whole life of a copy; it never comes back to what its parent was doing."""
        code = 1
        try:
            os.setsid()  # Ctrl-C is for the parent alone
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(self._held)
            threading.Thread(target=self._end_with_parent, daemon=True).start()
            self._at_birth()
            work()
            code = 0
        except WebcareError as error:
            sys.stderr.write(f"{error.message}\n")
        except BaseException as error:  # noqa: BLE001 - nothing may leave; the parent reads the code
            logs.failure("process.failed", error)
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _end_with_parent(self) -> None:
        os.read(self._lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)


def _mourn(member: Member) -> None:
    now = time.monotonic()
    member.deaths = 1 if now - member.started > STEADY.total_seconds() else member.deaths + 1
    logs.transition("process.died", process=member.name, code=member.code, deaths=member.deaths)
    if member.deaths == PATIENCE:
        raise ProcessFailed(f"The {member.name} process died {PATIENCE} times in a row; its own words are above.")
    member.code, member.due = None, now + 0.5 * 2 ** (member.deaths - 1)
