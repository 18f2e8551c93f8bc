"""Where the day is played: a service that runs already, or a fresh one that is gone afterwards.

Knows how to start `webcare up` in a temporary folder. Refuses to play.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import yaml

from app.delivery.signing import secret_from
from app.kit.errors import Unavailable
from app.settings import Settings

AT_ONCE = "0 minutes"
_READY_PATIENCE = 60.0
_END_PATIENCE = 30.0
_TOLD_LINES = 12


class FreshServiceFailed(Unavailable):
    pass


@dataclass(frozen=True, slots=True)
class Place:
    """`publish_secret` None: what the service publishes is not verified. `fresh`: nobody else is on it."""

    url: str
    admin_token: str
    publish_secret: str | None
    fresh: bool = False


@contextlib.asynccontextmanager
async def fresh_place(publish_url: str, rules: Path) -> AsyncIterator[Place]:
    """A service of its own, on a free port, with these rules but the survey's delay. Raises `FreshServiceFailed`."""
    with TemporaryDirectory(prefix="webcare-demo-", ignore_cleanup_errors=True) as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        place = Place(
            url=f"http://127.0.0.1:{port}",
            admin_token=f"wc_admin_{secrets.token_urlsafe(32)}",
            publish_secret=secret_from(secrets.token_bytes(32)),
            fresh=True,
        )
        environment = {
            "WEBCARE_DATA_DIR": f"{folder}/data",
            "WEBCARE_RULES_DIR": str(_rules_that_ask_at_once(rules, Path(folder))),
            "WEBCARE_PORT": str(port),
            "WEBCARE_ADMIN_TOKEN": place.admin_token,
            "WEBCARE_PUBLISH_URL": publish_url,
            "WEBCARE_PUBLISH_SECRET": place.publish_secret or "",
        }
        async with _running(environment, Path(folder, "log")) as process:
            await _until_ready(place, process, Path(folder, "log"))
            yield place


def _rules_that_ask_at_once(rules: Path, folder: Path) -> Path:
    """A copy of the rulebook in which nobody has to wait for the survey."""
    copy = Path(shutil.copytree(rules, folder / "rules"))
    file = copy / "feedback.yaml"
    content = yaml.safe_load(file.read_text("utf-8"))
    content["feedback"]["delay"] = AT_ONCE
    for asking in content["feedback"]["channels"].values():
        asking.pop("delay", None)
    file.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")
    return copy


@contextlib.asynccontextmanager
async def _running(environment: dict[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    others = {name: value for name, value in os.environ.items() if name not in _own_settings()}
    with log.open("wb") as lines:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.cli", "up"),
            env=others | environment,
            stdout=lines,
            stderr=lines,
            start_new_session=True,  # Ctrl-C is for us, who then end it in order
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_END_PATIENCE):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def _own_settings() -> set[str]:
    return {f"WEBCARE_{name.upper()}" for name in Settings.model_fields}


async def _until_ready(place: Place, process: asyncio.subprocess.Process, log: Path) -> None:
    """Until it lets our token in, which is a moment after it answers at all."""
    headers = {"Authorization": f"Bearer {place.admin_token}"}
    with contextlib.suppress(TimeoutError):
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client, asyncio.timeout(_READY_PATIENCE):
            while process.returncode is None:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{place.url}/api/v1/rules", headers=headers)).is_success:
                        return
                await asyncio.sleep(0.1)
    raise FreshServiceFailed(f"The fresh service did not start. Its last words:\n{_last_words(log)}")


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-_TOLD_LINES:])
