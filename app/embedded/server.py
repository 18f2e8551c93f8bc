"""One private cluster in the data folder: made, started, joined and stopped.

Knows initdb, postmaster.pid, locks and signals. Refuses to know as whom it runs (account) and what the database is for.

Who holds the lock file owns the server and alone may stop it; everybody else joins. The kernel drops the lock when
its holder dies, however it dies, so the next one to come takes over the server that was left behind.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sqlalchemy import URL

from app.embedded.account import EmbeddedFailed, as_owner_of, environment, program, unprivileged_account

ROLE = "webcare"
DATABASE = "webcare"
RECOVERY_LIMIT = timedelta(minutes=15)  # a crash at full load replays up to max_wal_size before it answers
STOP_LIMIT = timedelta(seconds=60)
_LAUNCHES = 5  # what is left of a killed server may hold its shared memory for a moment
_PID_LINES = 8  # of postmaster.pid, the last one the state (miscadmin.h, LOCK_FILE_LINE_PM_STATUS)
_SOCKET_LOCK = ".s.PGSQL.5432.lock"
_SOCKET_PATH_LIMIT = 103  # bytes of sun_path that macOS leaves us, the smallest of the systems we run on
# Tells the parser of full text search letters from other signs. By plain C every sign beyond ASCII is a letter, and a
# word in curly quotes or beside an emoji another word.
_CTYPE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
_CONFIGURATION = {
    # Nobody but this machine's own processes, through a folder that only the owner may enter.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    # A 2xx is a promise: these two are PostgreSQL's defaults, and written down so that nobody turns them off.
    "fsync": "on",
    "synchronous_commit": "on",
    # Small enough for a laptop; the queue, the timers and the dedupe keys of a busy day stay in memory.
    "shared_buffers": "256MB",
    # What is not there is in the system's memory: handing such reads to other processes (18's default) costs searches a
    # quarter of their time. What is on the disk is still asked for ahead.
    "io_method": "sync",
    "max_connections": "100",
    # Fewer checkpoints halve the WAL of a steady stream of inserts; recovery replays at most this much.
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    # Short statements: planning machine code costs more than it gives.
    "jit": "off",
    "timezone": "UTC",
    # A week of logs, without the words of customers: a constraint's DETAIL line and parameters hold them.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


class Embedded:
    """The cluster under `<data_dir>/postgres`; a context manager around `start` and `stop`.

    The folder holds `cluster` (PostgreSQL's own), `password`, `socket`, `startup.log` and `lock`.
    """

    def __init__(self, data_dir: Path) -> None:
        self.home = (data_dir / "postgres").resolve()
        self._cluster = self.home / "cluster"
        self._password = self.home / "password"
        self._lock: IO[bytes] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # Ctrl-C during a long recovery included
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def owned(self) -> bool:
        """Whether this object started the server, and so stops it."""
        return self._lock is not None

    def url(self, database: str = DATABASE) -> str:
        """SQLAlchemy's address, driver asyncpg. It contains the password; never log it."""
        return URL.create(
            "postgresql+asyncpg",
            username=ROLE,
            password=self._password.read_text().strip(),
            database=database,
            query={"host": str(self._socket_folder())},
        ).render_as_string(hide_password=False)

    def start(self, limit: timedelta = RECOVERY_LIMIT) -> None:
        """Return when the server answers: joined if it runs, started if not, made first if there is none.

        `limit` includes crash recovery. On Linux the server ends with the thread that started it: call this from the
        main one. Raises `EmbeddedFailed`.
        """
        deadline = time.monotonic() + limit.total_seconds()
        self._make_home()
        launches = 0
        while time.monotonic() < deadline:
            if not self._lock and (lock := _locked(self.home / "lock")):
                self._lock = lock
                self._end_server(STOP_LIMIT)  # left behind by an owner that was killed, and perhaps ending
            if self._lock and not self._living():
                if launches == _LAUNCHES:
                    raise self._failed("ended before it was ready")
                time.sleep(0.5 * launches)
                self._launch()
                launches += 1
            elif self._is_ready():
                return
            time.sleep(0.02)
        raise self._failed(f"was not ready within {limit}")

    def stop(self, limit: timedelta = STOP_LIMIT) -> None:
        """Fast shutdown by its owner: sessions end, everything is flushed. After `limit`, the hard way.

        A server that had to be ended the hard way recovers by itself at its next start.
        """
        if not self._lock:
            return
        self._end_server(limit)
        self._lock.close()
        self._lock = None

    def leave(self) -> None:
        """In a copy (fork) of the owner: let go, so that the lock ends with the owner alone."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def is_running(self) -> bool:
        return self._running_pid() is not None

    # -- making

    def _make_home(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.geteuid() == 0 and self.home.stat().st_uid == 0:
                account = unprivileged_account()
                os.chown(self.home, account.pw_uid, account.pw_gid)
        except OSError as error:
            raise EmbeddedFailed(
                f"{self.home} cannot be made: {error.strerror}. Set WEBCARE_DATA_DIR to a folder of your own."
            ) from error
        if os.geteuid() not in (0, self.home.stat().st_uid):
            raise EmbeddedFailed(
                f"{self.home} belongs to another account. Run as that account, or set WEBCARE_DATA_DIR."
            )

    def _launch(self) -> None:
        """Start the server of a cluster that no living server holds; make the cluster if there is none."""
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster()
        self._write_configuration()
        self._disown_reused_pid()
        with (self.home / "startup.log").open("wb") as log:
            self._child = subprocess.Popen(  # noqa: S603
                [*as_owner_of(self.home), program("postgres"), "-D", str(self._cluster)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                env=environment(),
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops its children in order
            )

    def _make_cluster(self) -> None:
        """Made beside the final place, renamed when complete: a crash half-way leaves nothing that looks whole."""
        unfinished = self.home / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._write(self._password, secrets.token_urlsafe(32))
        self._run(
            "initdb",
            f"--pgdata={unfinished}",
            f"--username={ROLE}",
            f"--pwfile={self._password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            f"--lc-ctype={_CTYPE}",
            "--data-checksums",
            "--no-instructions",
        )
        create_database = f"CREATE DATABASE {DATABASE}\n"
        self._run("postgres", "--single", "-D", str(unfinished), "postgres", given=create_database)
        with (unfinished / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude = 'webcare.conf'\n")
        unfinished.rename(self._cluster)
        _sync_folder(self.home)

    def _write_configuration(self) -> None:
        """Anew at every start, so that an upgrade of webcare reaches clusters made before it."""
        values = {**_CONFIGURATION, "unix_socket_directories": str(self._socket_folder())}
        quoted = {name: value.replace("'", "''") for name, value in values.items()}
        self._write(self._cluster / "webcare.conf", "".join(f"{k} = '{v}'\n" for k, v in quoted.items()))

    def _write(self, path: Path, text: str) -> None:
        owner = self.home.stat()
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _run(self, name: str, *arguments: str, given: str = "") -> None:
        ended = subprocess.run(  # noqa: S603
            [*as_owner_of(self.home), program(name), *arguments],
            input=given,
            cwd=self.home,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise EmbeddedFailed(f"{name} failed: {ended.stderr.strip() or ended.stdout.strip()}")

    # -- watching

    def _socket_folder(self) -> Path:
        """Inside the data folder, or in /tmp under a name derived from it when the path is too long."""
        inside = self.home / "socket"
        fits = len(os.fsencode(inside / _SOCKET_LOCK)) <= _SOCKET_PATH_LIMIT
        mark = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        folder = inside if fits else Path(f"/tmp/webcare-{mark}")  # noqa: S108 - checked below; TMPDIR may differ
        owner = self.home.stat()
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(folder, owner.st_uid, owner.st_gid)
        found = folder.lstat()
        if found.st_uid != owner.st_uid or stat.filemode(found.st_mode) != "drwx------":
            raise EmbeddedFailed(f"{folder} is not a private folder of the data's owner; remove it and try again.")
        return folder

    def _pid_lines(self) -> list[str]:
        with suppress(OSError):
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        return []

    def _running_pid(self) -> int | None:
        """The living server of this very cluster; a number that another process got since does not count."""
        lines = self._pid_lines()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if pid and _works_in(pid, self._cluster) else None

    def _living(self) -> int | None:
        """The server's number, also when our child has not got as far as writing it."""
        if self._child and self._child.poll() is None:
            return self._child.pid
        return self._running_pid()

    def _is_ready(self) -> bool:
        lines = self._pid_lines()
        return len(lines) >= _PID_LINES and lines[-1].strip() == "ready" and self._running_pid() is not None

    def _end_server(self, limit: timedelta) -> None:
        for word in (signal.SIGINT, signal.SIGQUIT):
            deadline = time.monotonic() + limit.total_seconds()
            if pid := self._living():
                with suppress(ProcessLookupError):
                    os.kill(pid, word)
            while self._living() and time.monotonic() < deadline:
                time.sleep(0.02)
        self._child = None

    def _disown_reused_pid(self) -> None:
        """Let the server start although the number in a stale lock file now belongs to somebody else.

        PostgreSQL takes its parent's number in postmaster.pid for stale and still looks at the old server's shared
        memory, which it would not do if we removed the file. The socket's lock guards nothing more.
        """
        (self._socket_folder() / _SOCKET_LOCK).unlink(missing_ok=True)
        if lines := self._pid_lines():
            self._write(self._cluster / "postmaster.pid", "\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    def _failed(self, what: str) -> EmbeddedFailed:
        self.stop()
        log = self.home / "startup.log"
        words = log.read_text(errors="replace").strip() if log.exists() else ""
        return EmbeddedFailed(f"PostgreSQL {what}. Its own words, more in {self._cluster / 'log'}:\n{words[-2000:]}")


def _locked(path: Path) -> IO[bytes] | None:
    """The open file as long as the lock is held; None when another process holds it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _works_in(pid: int, folder: Path) -> bool:
    """Whether the process lives and has this working directory, as a server has its cluster's."""
    try:
        if Path("/proc/self/cwd").exists():
            return Path(f"/proc/{pid}/cwd").readlink() == folder
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
