"""The sender against receivers that hang, drip, redirect, lie and lead inwards. Real sockets, no database."""

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.delivery.retrying import Fault, Outcome
from app.delivery.sender import KEPT_BYTES, Sender
from app.kit.http import Reach, guarded_client, plain_client
from app.kit.transport import Resolve
from app.runtime import build_runtime
from app.settings import Settings
from tests.support.patience import PATIENT

LOCAL = Reach(networks=(ip_network("127.0.0.1/32"),))
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def receiver(behave: Behaviour) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A local server that reads a request and then behaves; gives its port and the requests that came in."""
    requests: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        requests.append(head + await reader.readexactly(length))
        with suppress(ConnectionError):
            await behave(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], requests


def says(response: bytes) -> Behaviour:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()

    return behave


def leads_to(*addresses: str) -> Resolve:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


async def post(
    url: str, *, reach: Reach = LOCAL, resolve: Resolve | None = None, deadline: timedelta = PATIENT
) -> Outcome:
    sender = Sender(guarded_client(reach, resolve), deadline=deadline)
    try:
        return await sender.post(url, {"webhook-id": "m1"}, b'{"type": "ticket.routed"}')
    finally:
        await sender.close()


async def test_the_very_bytes_arrive_and_the_answer_comes_back() -> None:
    async with receiver(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\0")) as (port, requests):
        outcome = await post(f"http://127.0.0.1:{port}/in")
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert body == b'{"type": "ticket.routed"}'
    assert b"webhook-id: m1" in head
    assert b"Content-Type: application/json" in head
    assert (outcome.status, outcome.fault, outcome.answer) == (200, None, "fine\N{REPLACEMENT CHARACTER}")
    assert timedelta(0) < outcome.duration < PATIENT


async def test_a_redirect_is_not_followed_and_a_cookie_not_kept() -> None:
    response = b"HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    async with receiver(says(response)) as (port, requests):
        sender = Sender(guarded_client(LOCAL), deadline=PATIENT)
        outcomes = [await sender.post(f"http://127.0.0.1:{port}/in", {}, b"{}") for _ in range(2)]
        await sender.close()
    assert [outcome.status for outcome in outcomes] == [307, 307]
    assert b"cookie" not in requests[1].lower()


async def test_the_receivers_wish_to_wait_comes_back_as_written() -> None:
    async with receiver(says(b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n")) as (port, _):
        assert (await post(f"http://127.0.0.1:{port}/")).retry_after == "120"


async def test_one_deadline_holds_for_an_answer_that_drips() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _second in range(100):
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with receiver(drip) as (port, _):
        outcome = await post(f"http://127.0.0.1:{port}/", deadline=timedelta(seconds=0.3))
    assert outcome.fault is Fault.TIMED_OUT


async def test_no_more_than_the_beginning_of_an_endless_answer_is_read() -> None:
    written = 0

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            written += 65536
            await writer.drain()

    async with receiver(pour) as (port, _):
        outcome = await post(f"http://127.0.0.1:{port}/")
    assert (outcome.status, outcome.answer) == (200, "x" * KEPT_BYTES)
    assert written < 50_000_000


async def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    async with receiver(says(head + bomb)) as (port, _):
        outcome = await post(f"http://127.0.0.1:{port}/")
    assert outcome.status == 200
    assert len(outcome.answer) <= KEPT_BYTES


async def test_a_connection_is_kept_and_one_that_the_receiver_closed_meanwhile_costs_no_attempt() -> None:
    peers: list[int] = []
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    async def answer_twice_then_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[1])
        writer.write(answer)
        await reader.readuntil(b"{}")
        peers.append(writer.get_extra_info("peername")[1])
        writer.write(answer)
        await writer.drain()

    async with receiver(answer_twice_then_close) as (port, _):
        sender = Sender(guarded_client(LOCAL), deadline=PATIENT)
        outcomes = [await sender.post(f"http://127.0.0.1:{port}/", {}, b"{}") for _ in range(4)]
        await sender.close()
    assert [outcome.status for outcome in outcomes] == [200] * 4
    assert peers[0] == peers[1] != peers[2] == peers[3]


async def test_a_receiver_that_dies_before_it_answers_is_asked_once_an_attempt() -> None:
    async with receiver(says(b"")) as (port, requests):
        assert (await post(f"http://127.0.0.1:{port}/")).fault is Fault.CONNECTION_BROKEN
    assert len(requests) == 1


async def test_what_is_published_never_goes_out_again_over_a_connection_that_broke(tmp_path: Path) -> None:
    """The adapter may have said it before the connection broke: a second time it would stand there twice."""
    taken: list[bytes] = []

    async def answer_and_die_over_the_next(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        taken.append(await reader.read(1000))

    async with (
        receiver(answer_and_die_over_the_next) as (port, requests),
        build_runtime(Settings(data_dir=tmp_path), database_url="postgresql+asyncpg://127.0.0.1:1/none") as runtime,
    ):
        outcomes = [await runtime.publisher.post(f"http://127.0.0.1:{port}/", {}, b"{}") for _ in range(2)]
    assert [outcome.status for outcome in outcomes] == [200, 200]
    assert (len(requests), b"".join(taken)) == (2, b""), "each over a connection of its own, on which nothing follows"


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"]]
)
async def test_a_name_of_which_any_address_is_not_public_is_never_connected_to(addresses: list[str]) -> None:
    async with receiver(says(b"HTTP/1.1 200 OK\r\n\r\n")) as (port, requests):
        reach = Reach(ports=frozenset({port}))
        outcome = await post(f"http://inside.example:{port}/", reach=reach, resolve=leads_to(*addresses))
    assert outcome.fault is Fault.ADDRESS_FORBIDDEN
    assert requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "0177.0.0.1", "2130706433", "localhost", "[::1]"])
async def test_no_way_of_writing_an_inner_address_gets_past(host: str) -> None:
    outcome = await post(f"http://{host}/", reach=Reach())
    assert outcome.fault in (Fault.ADDRESS_FORBIDDEN, Fault.URL_INVALID)


async def test_the_connection_goes_to_the_checked_address_under_the_name_that_was_asked_for() -> None:
    async with receiver(says(b"HTTP/1.1 204 No\r\n\r\n")) as (port, requests):
        outcome = await post(f"http://hooks.example:{port}/", resolve=leads_to("127.0.0.1"))
    assert outcome.status == 204
    assert f"Host: hooks.example:{port}".encode() in requests[0]


async def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    reach = Reach(networks=(ip_network("127.0.0.0/8"),))
    async with receiver(says(b"HTTP/1.1 204 No\r\n\r\n")) as (port, _):
        outcome = await post(f"http://hooks.example:{port}/", reach=reach, resolve=leads_to("127.0.0.9", "127.0.0.1"))
    assert outcome.status == 204


async def unknown(_host: str, _port: int) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "unknown")


async def test_each_way_to_fail_has_its_name() -> None:
    async with receiver(says(b"")) as (port, _):
        assert (await post(f"http://127.0.0.1:{port}/")).fault is Fault.CONNECTION_BROKEN
    async with receiver(says(b"this is no HTTP\r\n\r\n")) as (port, _):
        assert (await post(f"http://127.0.0.1:{port}/")).fault is Fault.CONNECTION_BROKEN
    assert (await post(f"http://127.0.0.1:{port}/")).fault is Fault.UNREACHABLE
    assert (await post("http://hooks.example/", resolve=unknown)).fault is Fault.NAME_UNKNOWN
    assert (await post("http://" + "a" * 70 + ".example/")).fault is Fault.NAME_UNKNOWN


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http://127.0.0.1:no/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "https://xn--a/",
        "http://127.0.0.1/\ud800",
    ],
)
async def test_what_is_no_url_is_a_fault_and_never_raised(url: str) -> None:
    assert (await post(url)).fault is Fault.URL_INVALID


async def test_a_server_that_speaks_no_tls_is_a_tls_failure() -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0)
    async with server:
        outcome = await post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert outcome.fault is Fault.TLS_FAILED


async def test_the_operators_client_reaches_his_own_network() -> None:
    sender = Sender(plain_client(), deadline=PATIENT)
    async with receiver(says(b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"external_id": "7"}')) as (port, _):
        outcome = await sender.post(f"http://127.0.0.1:{port}/publish", {}, b"{}")
    await sender.close()
    assert json.loads(outcome.answer) == {"external_id": "7"}
