"""A client of the live stream, as a browser's EventSource is one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.patience import PATIENCE


@dataclass
class Heard:
    """`id` is the last that was seen so far, as a browser keeps it, also when the event itself has none."""

    type: str
    data: dict[str, Any]
    id: str


class Stream:
    """An open stream; what it says is read when it is asked for."""

    def __init__(self, lines: AsyncIterator[str], last_id: str) -> None:
        self._lines = lines
        self.last_id = last_id

    async def next(self, within: float = PATIENCE) -> Heard:
        """The next event. Raises `TimeoutError`, and `StopAsyncIteration` at the end of the stream."""
        async with asyncio.timeout(within):
            fields: dict[str, str] = {}
            while True:
                line = await anext(self._lines)
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                    continue
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    return Heard(fields["event"], json.loads(fields["data"]), self.last_id)
                fields = {}

    async def until(self, count: int, within: float = PATIENCE) -> list[Heard]:
        """The next so many."""
        async with asyncio.timeout(within):
            return [await self.next(within) for _ in range(count)]

    async def opened(self) -> None:
        """Wait until the stream said from where it goes on."""
        async with asyncio.timeout(PATIENCE):
            while line := await anext(self._lines):
                name, _, value = line.partition(":")
                if name == "id":
                    self.last_id = value.strip()


@asynccontextmanager
async def listening(url: str, headers: dict[str, str], last_id: str = "", **asked: str) -> AsyncIterator[Stream]:
    """`url` of the server; the stream has begun."""
    sent = {**headers, **({"Last-Event-ID": last_id} if last_id else {})}
    async with (
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=None) as client,
        client.stream("GET", "/api/v1/stream", headers=sent, params=asked) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = Stream(answer.aiter_lines(), last_id)
        if not last_id:
            await stream.opened()
        yield stream
