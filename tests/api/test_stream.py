"""The live stream over real HTTP: nothing is missed and nothing told twice, whoever listens and however badly."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.access.role import Caller, Role
from app.api.live import Live
from app.flows import work
from app.flows.admit import revoke
from app.kit.db import Transaction
from app.kit.ids import new_id
from app.main import create_app
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.mentions import LATE_PARCEL, mention
from tests.support.patience import PATIENCE
from tests.support.serving import listen, served
from tests.support.streaming import Heard, Stream, listening
from tests.support.tickets import ticket_of

ANNA = Caller(new_id(), "anna", Role.AGENT)
KEPT = 16


@pytest.fixture
async def app(runtime: Runtime) -> FastAPI:
    """It keeps so little that whoever does not keep up must ask the database."""
    app = create_app(runtime)
    app.state.live = Live(runtime.database, kept=KEPT)
    return app


@pytest.fixture
async def url(app: FastAPI) -> AsyncIterator[str]:
    async with served(app, listen(), at_end=app.state.live.end) as url:
        yield url


async def opened(runtime: Runtime, text: str = LATE_PARCEL, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


async def noted(runtime: Runtime, ticket: Ticket, words: str) -> None:
    await runtime.run(work.note, ANNA, ticket.id, None, words)


def words(heard: Sequence[Heard]) -> list[str]:
    return [one.data["data"]["text"] for one in heard]


async def test_what_happens_is_told_within_a_moment_with_who_did_it(
    runtime: Runtime, url: str, anna: dict[str, str]
) -> None:
    async with listening(url, anna) as stream:
        ticket = await opened(runtime)
        received, opening, *_ = await stream.until(3)
        await noted(runtime, ticket, "belde ook al")
        note = await stream.next()

    assert (received.type, opening.type) == ("mention.received", "ticket.opened")
    assert note.data == {
        "type": "ticket.noted",
        "ticket_id": str(ticket.id),
        "number": ticket.number,
        "sequence": ticket.sequence + 1,
        "at": runtime.now().isoformat().replace("+00:00", "Z"),
        "actor": "agent:anna",
        "departments": ["supply_chain"],
        "data": {"text": "belde ook al"},
    }


async def test_a_stream_begins_now_and_goes_on_from_where_it_was_lost(
    runtime: Runtime, url: str, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    async with listening(url, anna, type="ticket.noted") as stream:
        before_anything = stream.last_id
        await noted(runtime, ticket, "1")
        await noted(runtime, ticket, "2")
        first = await stream.next()
    for number in range(3, 40):
        await noted(runtime, ticket, str(number))
    async with listening(url, anna, first.id, type="ticket.noted") as stream:
        rest = await stream.until(38)
        await noted(runtime, ticket, "40")
        rest += await stream.until(1)
    async with listening(url, anna, before_anything) as stream:
        again = await stream.until(40)

    assert words([first, *rest]) == words(again) == [str(number) for number in range(1, 41)]


async def test_clients_that_are_cut_off_again_and_again_miss_nothing_and_hear_nothing_twice(
    runtime: Runtime, url: str, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    others = [await opened(runtime, by=f"customer {number}") for number in range(3)]
    total = 60

    async def talk() -> None:
        for number in range(total // 4):
            await asyncio.gather(*(noted(runtime, one, f"{one.number}/{number}") for one in (ticket, *others)))

    async def follow(patience: int) -> list[str]:
        heard: list[str] = []
        last_id = ""
        while len(heard) < total:
            async with listening(url, anna, last_id, type="ticket.noted") as stream:
                if not last_id:
                    await all_listen.wait()
                heard += words(await stream.until(min(patience, total - len(heard))))
                last_id = stream.last_id
        return heard

    patiences = (1, 7, 25, total)
    all_listen = asyncio.Barrier(len(patiences) + 1)
    async with asyncio.TaskGroup() as group:
        followers = [group.create_task(follow(patience)) for patience in patiences]
        await all_listen.wait()
        group.create_task(talk())
    first, *rest = [follower.result() for follower in followers]

    assert len(set(first)) == len(first) == total
    assert rest == [first] * 3


async def test_a_department_hears_of_its_own_tickets_also_that_one_left_and_no_notes(
    runtime: Runtime, url: str, anna: dict[str, str]
) -> None:
    theirs = await token_for(runtime, Role.DEPARTMENT, "supply_chain")
    async with listening(url, theirs) as stream, listening(url, anna) as whole:
        ticket = await opened(runtime, channel="forum")
        await opened(runtime, "Ik snap mijn factuur van deze maand niet, wat zijn dat voor kosten?", by="jan")
        await noted(runtime, ticket, "not for them")
        await runtime.run(
            work.reroute, ANNA, ticket.id, None, topic=None, department="billing", reason="it is the invoice"
        )
        await noted(runtime, ticket, "never theirs again")
        second = await opened(runtime, channel="forum", by="piet")
        heard = await until_opened(stream, second)
        everything = await until_opened(whole, second)

    of_first = [one.type for one in heard if one.data["ticket_id"] == str(ticket.id)]
    assert {"ticket.opened", "ticket.reassigned", "ticket.routed"} <= set(of_first)
    assert {one.data["ticket_id"] for one in heard} == {str(ticket.id), str(second.id)}
    assert not any(one.type == "ticket.noted" for one in heard)
    assert len({one.data["ticket_id"] for one in everything}) == 3
    assert [one.type for one in everything].count("ticket.noted") == 2


async def until_opened(stream: Stream, ticket: Ticket) -> list[Heard]:
    heard = [await stream.next()]
    while (heard[-1].type, heard[-1].data["ticket_id"]) != ("ticket.opened", str(ticket.id)):
        heard.append(await stream.next())
    return heard


async def test_what_is_asked_for_is_told_and_nothing_else(runtime: Runtime, url: str, anna: dict[str, str]) -> None:
    ticket = await opened(runtime, channel="forum")
    invoice = await opened(runtime, "Ik snap mijn factuur van deze maand niet", by="jan")
    async with (
        listening(url, anna, ticket_id=str(ticket.id)) as of_one,
        listening(url, anna, department="supply_chain") as of_department,
        listening(url, anna, type="ticket.updated") as of_type,
    ):
        await noted(runtime, invoice, "other")
        await runtime.run(work.update, ANNA, invoice.id, None, priority="urgent")
        await noted(runtime, ticket, "mine")
        heard = [await stream.next() for stream in (of_one, of_department, of_type)]

    assert [one.data["ticket_id"] for one in heard] == [str(ticket.id), str(ticket.id), str(invoice.id)]
    assert [one.type for one in heard] == ["ticket.noted", "ticket.noted", "ticket.updated"]


@pytest.mark.parametrize("unknown", ["7-7", "what was this", "9" * 40])
async def test_an_id_that_is_not_known_is_told_and_the_stream_goes_on_from_now(
    runtime: Runtime, url: str, anna: dict[str, str], unknown: str
) -> None:
    ticket = await opened(runtime)
    async with listening(url, anna, unknown) as stream:
        reset = await stream.next()
        await noted(runtime, ticket, "after")
        after = await stream.next()

    assert reset.type == "reset"
    assert reset.id != unknown
    assert words([after]) == ["after"]


async def test_what_cannot_be_listened_to_is_refused_before_the_stream_begins(
    runtime: Runtime, url: str, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime, channel="forum")
    billing = await token_for(runtime, Role.DEPARTMENT, "billing")
    ingest = await token_for(runtime, Role.INGEST)
    path = f"{url}/api/v1/stream"
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        unknown = await client.get(path, params={"type": "ticket.lost"}, headers=anna)
        others = await client.get(path, params={"ticket_id": str(ticket.id)}, headers=billing)
        nobody = await client.get(path)
        wrong = await client.get(path, headers=ingest)

    assert (unknown.status_code, unknown.json()["field"]) == (422, "type")
    assert [answer.status_code for answer in (others, nobody, wrong)] == [404, 401, 403]


async def test_a_revoked_token_ends_its_stream_and_no_other(runtime: Runtime, url: str, anna: dict[str, str]) -> None:
    ticket = await opened(runtime)
    bram = await token_for(runtime, Role.AGENT, name="bram")
    async with listening(url, anna) as of_anna, listening(url, bram) as of_bram:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client:
            admin = await token_for(runtime, Role.ADMIN)
            tokens = (await client.get("/api/v1/tokens", headers=admin)).json()["items"]
        await runtime.run(revoke, next(UUID(one["id"]) for one in tokens if one["name"] == "anna"))
        with pytest.raises(StopAsyncIteration):
            await of_anna.next()
        await noted(runtime, ticket, "goes on")
        assert words([await of_bram.next()]) == ["goes on"]


async def test_one_that_reads_nothing_holds_nobody_up_and_finds_everything_later(
    runtime: Runtime, url: str, anna: dict[str, str]
) -> None:
    """Far more is told than its buffers and what the process keeps can hold."""
    ticket = await opened(runtime)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        host, port = url.removeprefix("http://").split(":")
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, (host, int(port)))
        head = f"GET /api/v1/stream HTTP/1.1\r\nHost: webcare\r\nAuthorization: {anna['Authorization']}\r\n\r\n"
        await loop.sock_sendall(slow, head.encode())
        read = await loop.sock_recv(slow, 4096)
        assert read.startswith(b"HTTP/1.1 200")

        async with listening(url, anna) as stream:
            await many_long_notes(runtime, ticket, first=100, last=899)
            heard = await stream.until(800)

        while b'"sequence":899,' not in read[-40_000:]:
            async with asyncio.timeout(PATIENCE):
                read += await loop.sock_recv(slow, 2**20)

    told = [int(number) for number in re.findall(rb'"sequence":(\d+),', read)]
    assert [one.data["sequence"] for one in heard] == list(range(100, 900))
    assert told == list(range(100, 900))


async def many_long_notes(runtime: Runtime, ticket: Ticket, first: int, last: int) -> None:
    """As events alone, 10 kB each, in transactions of a hundred."""
    sql = text("""
        INSERT INTO event (ticket_id, sequence, id, type, actor, at, data)
        SELECT :ticket, n, gen_random_uuid(), 'ticket.noted', 'agent:anna', now(),
               jsonb_build_object('text', repeat('x', 10000))
        FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n ORDER BY n""")
    for start in range(first, last + 1, 100):
        values = {"ticket": ticket.id, "first": start, "last": start + 99}
        await runtime.database.transact(partial(Transaction.execute, statement=sql, parameters=values))


async def test_streams_end_cleanly_and_at_once_when_the_process_ends(
    runtime: Runtime, app: FastAPI, anna: dict[str, str]
) -> None:
    async with AsyncExitStack() as streams:
        async with served(app, listen(), at_end=app.state.live.end) as url:
            open_ones = [await streams.enter_async_context(listening(url, anna)) for _ in range(3)]
            began = time.monotonic()
        took = time.monotonic() - began
        for stream in open_ones:
            with pytest.raises(StopAsyncIteration):
                await stream.next()

    assert took < PATIENCE
