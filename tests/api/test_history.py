"""What a ticket's history says to those who read it and to those who write late."""

from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.answers.store import list_replies, mark_published
from app.flows.receive import receive, withdraw
from app.flows.watch import pass_time
from app.runtime import Runtime
from tests.api.test_agents import at, opened
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import LATE_PARCEL, mention


async def test_a_late_writer_is_told_what_changed_and_can_go_on_from_there(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    seen = (await client.get(at(ticket), headers=anna)).headers["etag"]
    await client.post(at(ticket, "claim"), headers=anna)
    await client.patch(at(ticket), json={"priority": "high"}, headers=anna)

    late = await client.patch(at(ticket), json={"priority": "low"}, headers={**anna, "If-Match": seen})
    told: list[dict[str, Any]] = late.json()["changes"]
    again = await client.patch(at(ticket), json={"priority": "low"}, headers={**anna, "If-Match": late.headers["etag"]})

    assert late.status_code == 412
    taken, raised = (one for one in told if one["actor"] == "agent:anna")
    assert (taken["type"], taken["changes"]["assignee"]) == ("ticket.reassigned", "agent:anna")
    assert (raised["type"], raised["changes"]) == ("ticket.updated", {"priority": "high"})
    assert again.json()["priority"] == "low"


async def test_a_timeline_comes_in_pages_that_hold_every_event_once(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    for number in range(5):
        await client.post(at(ticket, "note"), json={"text": f"notitie {number}"}, headers=anna)

    seen: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": 2}
    while True:
        page = (await client.get(at(ticket, "timeline"), params=asked, headers=anna)).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]

    assert [one["sequence"] for one in seen] == list(range(1, len(seen) + 1))
    assert [one["data"]["text"] for one in seen if one["type"] == "ticket.noted"] == [f"notitie {n}" for n in range(5)]


async def test_a_timeline_shows_what_happened_to_the_merged_ticket_too(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket, into = await opened(runtime, "Eerste"), await opened(runtime, "Tweede")
    await client.post(at(ticket, "note"), json={"text": "al gebeld"}, headers=anna)
    merged = await client.post(at(ticket, "merge"), json={"into": str(into.id)}, headers=anna)

    items = (await client.get(at(into, "timeline"), headers=anna)).json()["items"]
    whole = (await client.get(at(into), headers=anna)).json()

    assert merged.json()["state"] == "closed"
    assert "al gebeld" in {one["data"].get("text") for one in items if one["ticket_id"] == str(ticket.id)}
    assert {one["ticket_id"] for one in items if one["type"] == "ticket.merged"} == {str(ticket.id), str(into.id)}
    assert [(one["kind"], one["number"]) for one in whole["links"]] == [("part", ticket.number)]
    assert {one["text"] for one in whole["mentions"]} == {"Eerste", "Tweede"}


async def test_a_conversation_is_what_the_customer_sees(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    gone = mention("Vergeet dit maar", conversation_id="c")
    await receive(runtime, [mention("Waar blijft het?", conversation_id="c"), gone])
    ticket = await opened(runtime, "Hallo?", conversation_id="c", visibility="private")
    await runtime.run(withdraw, gone.key)
    for text in ("Morgen!", "Nog niet verstuurd"):
        await client.post(at(ticket, "reply"), json={"text": text}, headers=anna)
    async with runtime.reading() as tx:
        said, _ = await list_replies(tx, ticket.id)
    await runtime.run(lambda unit: mark_published(unit.tx, said.id, "echo-1", runtime.now()))

    items = (await client.get(at(ticket, "conversation"), headers=anna)).json()["items"]

    told = [(one["said_by"], one["text"], one["visibility"], one["deleted_at"] is not None) for one in items]
    assert sorted(told[:3]) == [
        ("customer", "", "public", True),
        ("customer", "Hallo?", "private", False),
        ("customer", "Waar blijft het?", "public", False),
    ]
    assert told[3:] == [("company", "Morgen!", said.visibility, False)]
    assert items[0]["name"] == "sanne"


async def test_a_conversation_goes_on_over_tickets_and_a_department_reads_its_own(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], clock: Clock
) -> None:
    clock.pass_(days=-20)  # what is closed in time is what the database's own clock says
    first = await opened(runtime, "Eerder", conversation_id="c", channel="forum", at=clock())
    await client.post(at(first, "resolve"), headers=anna)
    clock.pass_(days=8)
    await runtime.run(pass_time)
    ticket = await opened(runtime, LATE_PARCEL, conversation_id="c", channel="forum", at=clock())
    theirs = await token_for(runtime, Role.DEPARTMENT, "supply_chain")

    whole = await client.get(at(ticket, "conversation"), params={"limit": 1}, headers=anna)
    rest = await client.get(at(ticket, "conversation"), params={"cursor": whole.json()["next_cursor"]}, headers=anna)
    own = await client.get(at(ticket, "conversation"), headers=theirs)

    assert [one["text"] for one in [*whole.json()["items"], *rest.json()["items"]]] == ["Eerder", LATE_PARCEL]
    assert [one["text"] for one in own.json()["items"]] == [LATE_PARCEL]


@pytest.mark.parametrize("part", ["timeline", "conversation"])
async def test_another_departments_story_is_not_there(client: httpx.AsyncClient, runtime: Runtime, part: str) -> None:
    ticket = await opened(runtime, LATE_PARCEL, channel="forum")
    owner = await token_for(runtime, Role.DEPARTMENT, "supply_chain")
    other = await token_for(runtime, Role.DEPARTMENT, "billing")

    assert (await client.get(at(ticket, part), headers=owner)).status_code == 200
    assert (await client.get(at(ticket, part), headers=other)).json()["code"] == "ticket_not_found"


async def test_a_ticket_is_found_by_the_number_that_people_say(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)

    found = await client.get(f"/api/v1/tickets/by-number/{ticket.number}", headers=anna)
    none = await client.get("/api/v1/tickets/by-number/999999", headers=anna)

    assert found.json() == (await client.get(at(ticket), headers=anna)).json()
    assert found.headers["etag"]
    assert (none.status_code, none.json()["code"]) == (404, "ticket_not_found")


@pytest.mark.parametrize("code", ["spma", "merged"])
async def test_how_a_ticket_ended_is_one_of_the_codes_that_the_rules_name(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], code: str
) -> None:
    ticket = await opened(runtime)
    listed = (await client.get("/api/v1/rules", headers=anna)).json()["resolutions"]

    refused = await client.post(at(ticket, "resolve"), json={"code": code}, headers=anna)
    done = await client.post(at(ticket, "resolve"), json={"code": "explained"}, headers=anna)

    assert (refused.status_code, refused.json()["field"]) == (422, "code")
    assert refused.json()["allowed"] == [one["code"] for one in listed if not one["automatic"]]
    assert done.json()["resolution"] == "explained"
