"""A real browser, headless, driven as a person with a keyboard drives it.

Speaks the DevTools protocol over the socket that Chromium opens; nothing has to be installed beside Chromium itself.
"""

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from tests.support.patience import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39}
_TYPED = {"Enter": "\r", " ": " "}


class Page:
    """One page in one window."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer; events that come in between are passed over."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            told = await self._socket.receive_json(timeout=PATIENCE)
            if told.get("id") == number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    async def evaluate(self, expression: str) -> Any:
        """What the page's own document says; works although the page itself may run nothing."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def open(self, url: str, *, width: int = 360, height: int = 740, dark: bool = False) -> None:
        """As a phone of this size would, by day or by night, with scripts switched off."""
        await self.call("Emulation.setScriptExecutionDisabled", value=True)
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def until(self, expression: str, within: float = PATIENCE) -> None:
        async with asyncio.timeout(within):
            while not await self.evaluate(expression):
                await asyncio.sleep(0.02)

    async def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            about = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": _KEYS[key]}
            typed = {"text": _TYPED[key]} if key in _TYPED else {}
            await self.call("Input.dispatchKeyEvent", type="keyDown", **about, **typed)
            await self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    async def write(self, text: str) -> None:
        await self.call("Input.insertText", text=text)

    async def heard(self) -> list[tuple[str, str]]:
        """What a screen reader finds, in order: the role and the name of everything that has both."""
        tree = (await self.call("Accessibility.getFullAXTree"))["nodes"]
        nodes = [node for node in tree if not node["ignored"] and node.get("name", {}).get("value")]
        return [(node["role"]["value"], node["name"]["value"]) for node in nodes]

    async def picture(self) -> bytes:
        """A PNG of the whole page, however long it is."""
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = await self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


@asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """A window of a Chromium of its own, which ends with it."""
    assert CHROMIUM is not None
    with TemporaryDirectory(prefix="webcare-browser-", ignore_cleanup_errors=True) as folder:
        arguments = (*_QUIET, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank")
        nowhere = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(CHROMIUM, *arguments, stdout=nowhere, stderr=nowhere)
        try:
            port = await _port(Path(folder, "DevToolsActivePort"))
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = [one for one in await answer.json() if one["type"] == "page"]
                async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            process.terminate()
            await process.wait()


async def _port(file: Path) -> str:
    """The port that Chromium chose, which it writes down when it listens."""
    async with asyncio.timeout(PATIENCE):
        while "\n" not in (written := await asyncio.to_thread(_written, file)):
            await asyncio.sleep(0.05)
    return written.split("\n", 1)[0]


def _written(file: Path) -> str:
    return file.read_text() if file.exists() else ""
