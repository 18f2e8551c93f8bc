"""The queue over HTTP: its order with the reasons, its filters and counts, and the next ticket for whoever asks."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import GREETING, mention
from tests.support.patience import PATIENCE
from tests.support.tickets import ticket_of

QUEUE = "/api/v1/queue"


async def opened(runtime: Runtime, text: str = GREETING, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


async def ids(client: httpx.AsyncClient, caller: dict[str, str], **asked: Any) -> set[str]:
    answer = await client.get(QUEUE, params=asked, headers=caller)
    return {line["id"] for line in answer.raise_for_status().json()["items"]}


async def test_the_queue_shows_the_soonest_due_first_and_pages_without_gap_or_double(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], clock: Clock
) -> None:
    for minutes in (30, 10, 20, 5, 25):
        await opened(runtime, at=clock() - timedelta(minutes=minutes))

    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        asked: dict[str, Any] = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/api/v1/queue", params=asked, headers=anna)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    dues = [line["next_due_at"] for line in seen]
    assert len({line["id"] for line in seen}) == 5
    assert dues == sorted(dues)
    assert seen[0]["text"] == GREETING


async def test_filters_hold_together(client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]) -> None:
    ours = await opened(runtime, channel="forum")
    await opened(runtime, channel="x")

    found = await client.get("/api/v1/queue", params={"channel": "forum", "state": "triage"}, headers=anna)

    assert [line["id"] for line in found.json()["items"]] == [str(ours.id)]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"state": "lost"}, "state"),
        ({"limit": 0}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"colour": "red"}, "colour"),
        ({"topic": "a\x00b"}, "topic"),
    ],
)
async def test_a_wrong_filter_is_named(
    client: httpx.AsyncClient, anna: dict[str, str], asked: dict[str, Any], field: str
) -> None:
    answer = await client.get("/api/v1/queue", params=asked, headers=anna)

    assert answer.status_code == 422
    assert answer.json()["field"] == field


async def test_ten_agents_at_once_get_ten_different_tickets(client: httpx.AsyncClient, runtime: Runtime) -> None:
    for _ in range(10):
        await opened(runtime)
    agents = [await token_for(runtime, Role.AGENT, name=f"agent{number}") for number in range(12)]

    answers = await asyncio.gather(*(client.post("/api/v1/queue/claim", headers=agent) for agent in agents))

    taken = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    assert len(set(taken)) == len(taken) == 10
    assert [answer.status_code for answer in answers].count(204) == 2


async def test_the_next_ticket_is_never_one_that_a_department_has(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    theirs = await opened(runtime, "Waar blijft mijn pakketje?", channel="forum")

    assert (await client.post("/api/v1/queue/claim", headers=anna)).status_code == 204
    asked_for = await client.post("/api/v1/queue/claim", json={"department": "supply_chain"}, headers=anna)
    assert asked_for.json()["id"] == str(theirs.id)


async def counts(client: httpx.AsyncClient, caller: dict[str, str], **asked: Any) -> dict[str, Any]:
    """What is counted, when it is: no page waits for that on a busy machine."""
    async with asyncio.timeout(PATIENCE):
        while True:
            page = (await client.get(QUEUE, params={**asked, "counts": True}, headers=caller)).json()
            if page["counts"] is not None:
                found: dict[str, Any] = page["counts"]
                return found


async def test_a_line_says_why_it_stands_where_it_does(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    await client.patch(f"/api/v1/tickets/{ticket.id}", json={"priority": "high"}, headers=anna)

    [line] = (await client.get(QUEUE, headers=anna)).json()["items"]

    promise, priority = line["urgency"]["reasons"]
    assert (promise["code"], promise["sooner_seconds"]) == ("promise", 0)
    assert (priority["code"], priority["sooner_seconds"]) == ("priority", 1800)
    assert line["urgency"]["at"] < line["next_due_at"]


async def test_a_filter_takes_several_values_and_none_for_what_is_missing(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    forum, x, rss = [await opened(runtime, channel=channel) for channel in ("forum", "x", "rss")]
    await client.post(f"/api/v1/tickets/{x.id}/claim", headers=anna)

    assert await ids(client, anna, channel=["forum", "x"]) == {str(forum.id), str(x.id)}
    assert await ids(client, anna, assignee="agent:anna") == {str(x.id)}
    assert await ids(client, anna, assignee="none") == {str(forum.id), str(rss.id)}
    assert await ids(client, anna, assignee=["none", "agent:anna"], channel="x") == {str(x.id)}


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("pakketten", {"dutch"}),
        ("PAKKET", {"dutch"}),
        ("parcels", {"english"}),
        ('"waar blijft"', {"dutch"}),
        ('"blijft waar"', set()),
        ("waar -pakket", set()),
        ("de", set()),
    ],
)
async def test_words_of_the_customer_are_looked_for(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], text: str, finds: set[str]
) -> None:
    said = {
        "dutch": await opened(runtime, "Waar blijft mijn pakket?", lang="nl"),
        "english": await opened(runtime, "My parcel is still not here", lang="en"),
    }

    assert await ids(client, anna, text=text) == {str(said[name].id) for name in finds}


async def test_what_is_snoozed_is_out_of_sight(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], clock: Clock
) -> None:
    ticket = await opened(runtime)
    until = (clock() + timedelta(hours=2)).isoformat()
    await client.post(f"/api/v1/tickets/{ticket.id}/snooze", json={"until": until}, headers=anna)

    assert await ids(client, anna) == set()
    assert await ids(client, anna, snoozed=True) == {str(ticket.id)}
    clock.pass_(hours=2)
    assert await ids(client, anna) == {str(ticket.id)}


async def test_each_filter_is_counted_as_if_it_alone_were_left_out(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    await opened(runtime, channel="forum")
    await opened(runtime, channel="x")
    taken = await opened(runtime, channel="x")
    await client.post(f"/api/v1/tickets/{taken.id}/claim", headers=anna)

    counted = await counts(client, anna, channel="x", assignee="none")

    assert counted["total"] == 1
    assert counted["by"]["channel"] == {"x": 1, "forum": 1}
    assert counted["by"]["assignee"] == {"none": 1, "agent:anna": 1}
    assert counted["by"]["state"] == {"triage": 1}
    assert counted["by"]["topic"] == {"none": 1}
    assert counted["counted_at"] == "2026-11-18T10:00:00Z"


async def test_counts_come_when_they_are_asked_for_and_tell_of_open_tickets(
    client: httpx.AsyncClient, anna: dict[str, str]
) -> None:
    assert (await client.get(QUEUE, headers=anna)).json()["counts"] is None
    settled = await client.get(QUEUE, params={"state": "closed", "counts": True}, headers=anna)
    assert settled.json()["counts"] is None


async def test_a_department_counts_and_sees_its_own(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    theirs = await opened(runtime, "Waar blijft mijn pakketje?", channel="forum")
    await opened(runtime)
    els = await token_for(runtime, Role.DEPARTMENT, "supply_chain")

    assert await ids(client, els) == {str(theirs.id)}
    assert await ids(client, els, department=["supply_chain", "billing", "none"]) == {str(theirs.id)}
    counted = await counts(client, els, department="billing")
    assert counted["total"] == 0
    assert counted["by"]["department"] == {"supply_chain": 1}


@pytest.mark.parametrize(
    ("asked", "takes"),
    [
        ({}, True),
        ({"channels": ["forum", "x"], "languages": ["nl"]}, True),
        ({"channel": "forum", "channels": ["x"]}, True),
        ({"topics": ["none"]}, True),
        ({"topics": ["delivery_delay"]}, False),
        ({"channels": ["forum"]}, False),
        ({"departments": ["billing"]}, False),
    ],
)
async def test_an_agent_takes_what_fits(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], asked: dict[str, Any], takes: bool
) -> None:
    ticket = await opened(runtime, channel="x", lang="nl")

    answer = await client.post(f"{QUEUE}/claim", json=asked, headers=anna)

    assert answer.status_code == (200 if takes else 204)
    assert not takes or answer.json()["id"] == str(ticket.id)
