"""A receiver that costs little: `python -m benchmarks.receiver PORT LOG` answers posts and writes down which came.

Knows by the path what to answer: `/hang` nothing ever, `/bomb` 50 MB in 50 kB, `/endless` without end, else 200.
Refuses to know what is in a body.
"""

import asyncio
import gzip
import os
import sys
import time
from typing import cast

import httptools
import uvloop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BOMB = gzip.compress(b"\0" * 50_000_000)
PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + b"x" * 65_536 + b"\r\n"


class Receiver(asyncio.Protocol):
    def __init__(self, log: int) -> None:
        self._log = log
        self._parser = httptools.HttpRequestParser(self)
        self._path = self._id = b""
        self._pouring = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own kind

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"webhook-id":
            self._id = value

    def on_message_complete(self) -> None:
        os.write(self._log, b"%s %.6f\n" % (self._id, time.time()))
        if self._path == b"/endless":
            self._transport.write(ENDLESS)
            self._pouring = True
            self.resume_writing()
        elif self._path != b"/hang":
            self._transport.write(PACKED if self._path == b"/bomb" else OK)

    def resume_writing(self) -> None:
        """Pour until the other side takes no more; the transport says when it does again."""
        while self._pouring and not self._transport.is_closing() and not self._transport.get_write_buffer_size():
            self._transport.write(CHUNK)


async def main(port: int, log: str) -> None:
    written = os.open(log, os.O_WRONLY | os.O_APPEND)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Receiver(written), "127.0.0.1", port)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
