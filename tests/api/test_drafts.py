"""Words are kept from the first draft on, whatever is refused, and colleagues see who is there."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.access.role import Role
from app.access.store import claim_key
from app.access.tables import token
from app.kit.db import Transaction
from app.main import create_app
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.mentions import LATE_PARCEL, mention
from tests.support.patience import PATIENCE
from tests.support.serving import listen, served
from tests.support.streaming import Heard, Stream, listening
from tests.support.tickets import ticket_of

WORDS = "Dag Sanne! Ik kijk even waar je pakket is"


@pytest.fixture
async def ticket(runtime: Runtime) -> Ticket:
    return await opened(runtime)


async def opened(runtime: Runtime, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(LATE_PARCEL, **facts))


def at(ticket: Ticket, act: str = "") -> str:
    return f"/api/v1/tickets/{ticket.id}{act and '/' + act}"


async def test_a_draft_is_its_writers_own_and_others_see_that_it_is_there(
    client: httpx.AsyncClient, ticket: Ticket, anna: dict[str, str], bram: dict[str, str]
) -> None:
    assert (await client.get(at(ticket, "draft"), headers=anna)).json()["code"] == "draft_not_found"
    await client.put(at(ticket, "draft"), json={"text": "Dag"}, headers=anna)
    kept = await client.put(at(ticket, "draft"), json={"text": WORDS, "visibility": "private"}, headers=anna)

    mine = (await client.get(at(ticket, "draft"), headers=anna)).json()
    seen = (await client.get(at(ticket), headers=bram)).json()

    assert mine == kept.json()
    assert (mine["text"], mine["visibility"], mine["changed"]) == (WORDS, "private", False)
    assert [one["actor"] for one in seen["drafts"]] == ["agent:anna"]
    assert "text" not in seen["drafts"][0]
    assert seen["version"] == ticket.version
    assert (await client.get(at(ticket, "draft"), headers=bram)).status_code == 404


async def test_a_draft_says_whether_the_ticket_changed_since_and_ends_with_the_reply(
    client: httpx.AsyncClient, ticket: Ticket, anna: dict[str, str], bram: dict[str, str]
) -> None:
    written = {"text": WORDS, "version": ticket.version}
    await client.put(at(ticket, "draft"), json=written, headers=anna)
    await client.put(at(ticket, "draft"), json={"text": "Ik ook"}, headers=bram)
    await client.post(at(ticket, "note"), json={"text": "belde ook al"}, headers=bram)
    assert (await client.get(at(ticket, "draft"), headers=anna)).json()["changed"] is True

    assert (await client.post(at(ticket, "reply"), json={"text": WORDS}, headers=anna)).status_code == 202

    assert (await client.get(at(ticket, "draft"), headers=anna)).status_code == 404
    assert (await client.get(at(ticket, "draft"), headers=bram)).status_code == 200


async def test_who_keeps_a_ticket_while_they_write_changes_nothing_that_anybody_saw(
    client: httpx.AsyncClient, ticket: Ticket, anna: dict[str, str], bram: dict[str, str]
) -> None:
    await client.post(at(ticket, "claim"), headers=anna)
    seen = (await client.get(at(ticket), headers=bram)).headers["etag"]
    await client.put(at(ticket, "draft"), json={"text": WORDS}, headers=anna)

    kept = await client.post(at(ticket, "lease"), headers=anna)

    assert kept.headers["etag"] == seen
    assert (await client.get(at(ticket, "draft"), headers=anna)).json()["changed"] is False
    note = await client.post(at(ticket, "note"), json={"text": "belde ook al"}, headers={**bram, "If-Match": seen})
    assert note.status_code == 201


async def test_a_reply_that_comes_too_late_is_refused_and_its_words_are_kept(
    client: httpx.AsyncClient, ticket: Ticket, anna: dict[str, str], bram: dict[str, str]
) -> None:
    seen = (await client.get(at(ticket), headers=anna)).headers["etag"]
    await client.patch(at(ticket), json={"priority": "urgent"}, headers=bram)

    late = await client.post(at(ticket, "reply"), json={"text": WORDS}, headers={**anna, "If-Match": seen})

    draft = (await client.get(at(ticket, "draft"), headers=anna)).json()
    assert (late.status_code, late.json()["draft_kept"]) == (412, True)
    assert (draft["text"], draft["version"], draft["changed"]) == (WORDS, ticket.version, True)


async def test_a_reply_that_is_sent_again_while_it_is_given_leaves_no_draft(
    client: httpx.AsyncClient, runtime: Runtime, ticket: Ticket, anna: dict[str, str]
) -> None:
    async def give_and_send_again(tx: Transaction) -> httpx.Response:
        token_id = await tx.scalar(select(token.c.id).where(token.c.name == "anna"))
        assert await claim_key(tx, token_id, "one")
        again = {**anna, "Idempotency-Key": "one"}
        return await client.post(at(ticket, "reply"), json={"text": WORDS}, headers=again)

    refused = await runtime.database.transact(give_and_send_again)

    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_in_flight")
    assert (await client.get(at(ticket, "draft"), headers=anna)).status_code == 404


async def test_an_answer_that_is_refused_is_kept_for_its_department_and_nobody_elses(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime, channel="forum")
    theirs = await token_for(runtime, Role.DEPARTMENT, "supply_chain")
    others = await token_for(runtime, Role.DEPARTMENT, "billing")
    await client.post(at(ticket, "claim"), headers=anna)

    refused = await client.post(at(ticket, "answer"), json={"text": WORDS}, headers=theirs)

    assert refused.status_code == 409
    assert (await client.get(at(ticket, "draft"), headers=theirs)).json()["text"] == WORDS
    assert (await client.put(at(ticket, "draft"), json={"text": "x"}, headers=others)).status_code == 404


async def test_own_drafts_are_listed_in_pages_and_dropped(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], bram: dict[str, str]
) -> None:
    tickets = [await opened(runtime, by=f"customer {number}") for number in range(3)]
    for number, ticket in enumerate(tickets):
        await client.put(at(ticket, "draft"), json={"text": f"{number}"}, headers=anna)
    await client.put(at(tickets[0], "draft"), json={"text": "of Bram"}, headers=bram)

    first = (await client.get("/api/v1/drafts", params={"limit": 2}, headers=anna)).json()
    rest = (await client.get("/api/v1/drafts", params={"cursor": first["next_cursor"]}, headers=anna)).json()
    assert {one["text"] for one in first["items"] + rest["items"]} == {"0", "1", "2"}
    assert len(first["items"] + rest["items"]) == 3

    dropped = [await client.delete(at(tickets[0], "draft"), headers=anna) for _ in range(2)]
    assert [answer.status_code for answer in dropped] == [204, 204]
    left = (await client.get("/api/v1/drafts", headers=anna)).json()["items"]
    assert {one["text"] for one in left} == {"1", "2"}


@pytest.mark.parametrize(
    ("written", "field"),
    [({"text": " "}, "text"), ({}, "text"), ({"text": "a\x00"}, "text"), ({"text": "a", "version": 0}, "version")],
)
async def test_a_draft_that_means_nothing_is_refused(
    client: httpx.AsyncClient, ticket: Ticket, anna: dict[str, str], written: dict[str, Any], field: str
) -> None:
    answer = await client.put(at(ticket, "draft"), json=written, headers=anna)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_who_looks_and_types_is_heard_on_every_process_and_disturbs_no_resumption(
    runtime: Runtime, anna: dict[str, str]
) -> None:
    """Two processes have nothing in common but the database."""
    ticket = await opened(runtime, channel="forum")
    theirs = await token_for(runtime, Role.DEPARTMENT, "supply_chain")
    others = await token_for(runtime, Role.DEPARTMENT, "billing")
    here, there = create_app(runtime), create_app(runtime)
    async with (
        served(here, listen(), at_end=here.state.live.end) as url,
        served(there, listen(), at_end=there.state.live.end) as elsewhere,
        httpx.AsyncClient(base_url=url, trust_env=False, headers=anna, timeout=PATIENCE) as client,
        listening(elsewhere, anna) as stream,
        listening(elsewhere, theirs) as of_department,
        listening(elsewhere, others) as of_others,
    ):
        looked = await heard_after(stream, client, at(ticket, "presence"))
        await client.put(at(ticket, "draft"), json={"text": WORDS})
        typed = await stream.next()
        await client.post(at(ticket, "presence"), json={"doing": "gone"})
        gone = await stream.next()
        assert [(await of_department.next()).type for _ in range(3)] == ["presence"] * 3
        with pytest.raises(TimeoutError):
            await of_others.next(within=0.5)
        refused = await client.post(at(ticket, "presence"), json={"doing": "sleeping"})

    assert [one.data["doing"] for one in (looked, typed, gone)] == ["looking", "typing", "gone"]
    assert (looked.data["actor"], looked.data["ticket_id"]) == ("agent:anna", str(ticket.id))
    assert looked.data["until"] > looked.data["at"] == gone.data["until"]
    assert looked.id == typed.id == gone.id
    assert (refused.status_code, refused.json()["field"]) == (422, "doing")


async def heard_after(stream: Stream, client: httpx.AsyncClient, path: str) -> Heard:
    """The process may still be on its way to listen; what is said before that is missed, as it may be."""
    async with asyncio.timeout(PATIENCE):
        while True:
            assert (await client.post(path, json={"doing": "looking"})).status_code == 204
            try:
                return await stream.next(within=1)
            except TimeoutError:
                continue
