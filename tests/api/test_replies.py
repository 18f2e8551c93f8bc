"""Replies over HTTP: given, listed, approved and rejected, each by who may."""

from datetime import timedelta
from typing import Any

import httpx

from app.access.role import Role
from app.mentions.mention import Kind
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import GREETING, mention
from tests.support.tickets import ticket_of

API = "/api/v1"
JOBS = {"channel": "instagram", "account": "werkenbijpoldermobiel"}  # what is said there, a colleague reads first
HELLO = {"text": "Hoi Sanne, waarmee kunnen we je helpen?"}


async def opened(runtime: Runtime, text: str = GREETING, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


async def held(client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]) -> str:
    ticket = await opened(runtime, **JOBS)
    given = await client.post(f"{API}/tickets/{ticket.id}/reply", json=HELLO, headers=anna)
    assert (given.status_code, given.json()["state"], given.json()["held_for"]) == (202, "held", ["review"])
    return str(given.json()["reply_id"])


async def test_what_waits_for_a_colleague_is_found_approved_and_shown_on_its_ticket(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], bram: dict[str, str]
) -> None:
    reply_id = await held(client, runtime, anna)
    [waiting] = (await client.get(f"{API}/replies", params={"state": "held"}, headers=bram)).json()["items"]

    own = await client.post(f"{API}/replies/{reply_id}/approve", headers=anna)
    freed = await client.post(f"{API}/replies/{reply_id}/approve", json={"text": "Hoi Sanne!"}, headers=bram)
    again = await client.post(f"{API}/replies/{reply_id}/approve", headers=bram)

    assert (waiting["id"], waiting["actor"]) == (reply_id, "agent:anna")
    assert (own.status_code, own.json()["code"]) == (409, "own_reply")
    assert (freed.status_code, freed.json()["state"], freed.json()["written_text"]) == (200, "queued", HELLO["text"])
    assert (again.status_code, again.json()["state"], again.json()["allowed"]) == (409, "queued", ["held"])
    whole = (await client.get(f"{API}/tickets/{waiting['ticket_id']}", headers=anna)).json()
    assert [(one["text"], one["decided_by"]) for one in whole["replies"]] == [("Hoi Sanne!", "agent:bram")]


async def test_a_rejected_reply_says_why(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], bram: dict[str, str]
) -> None:
    reply_id = await held(client, runtime, anna)

    rejected = await client.post(f"{API}/replies/{reply_id}/reject", json={"reason": "Te formeel."}, headers=bram)

    assert (rejected.status_code, rejected.json()["state"], rejected.json()["reason"]) == (
        200,
        "rejected",
        "Te formeel.",
    )


async def test_replies_come_newest_first_in_pages_and_a_department_sees_its_own(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    given: list[str] = []
    for text in (GREETING, "Waar blijft mijn pakketje?", "Goedenavond"):
        ticket = await opened(runtime, text, by=f"u{len(given)}", channel="forum")
        await client.post(f"{API}/tickets/{ticket.id}/claim", headers=anna)
        answer = await client.post(f"{API}/tickets/{ticket.id}/reply", json=HELLO, headers=anna)
        given.append(answer.json()["reply_id"])
    els = await token_for(runtime, Role.DEPARTMENT, "supply_chain", name="els")

    first = (await client.get(f"{API}/replies", params={"limit": 2}, headers=anna)).json()
    rest = await client.get(f"{API}/replies", params={"limit": 2, "cursor": first["next_cursor"]}, headers=anna)
    own = (await client.get(f"{API}/replies", headers=els)).json()["items"]
    one, anothers = [await client.get(f"{API}/replies/{reply_id}", headers=els) for reply_id in given[1::-1]]

    assert [one["id"] for one in (*first["items"], *rest.json()["items"])] == given[::-1]
    assert [one["id"] for one in own] == given[1:2]
    assert (one.json(), anothers.status_code, anothers.json()["code"]) == (own[0], 404, "reply_not_found")


async def test_a_reply_that_is_not_there_is_404_and_a_department_approves_none(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], bram: dict[str, str]
) -> None:
    reply_id = await held(client, runtime, anna)
    els = await token_for(runtime, Role.DEPARTMENT, "supply_chain", name="els")

    missing = await client.post(f"{API}/replies/{'0' * 32}/approve", headers=bram)
    refused = await client.post(f"{API}/replies/{reply_id}/approve", headers=els)

    assert (missing.status_code, missing.json()["code"]) == (404, "reply_not_found")
    assert refused.status_code == 403


async def test_a_reply_is_as_long_as_the_platform_takes(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    said = "Kijk op https://poldermobiel.example/nummerbehoud?stap=3 " + "a" * 257

    long = await client.post(f"{API}/tickets/{ticket.id}/reply", json={"text": said}, headers=anna)
    empty = await client.post(f"{API}/tickets/{ticket.id}/reply", json={"text": "\u200b"}, headers=anna)
    fits = await client.post(f"{API}/tickets/{ticket.id}/reply", json={"text": said[:-9]}, headers=anna)

    facts = ("code", "field", "count", "limit", "counted")
    assert [long.json()[name] for name in facts] == ["reply_does_not_fit", "text", 289, 280, "weighted"]
    assert [empty.json()[name] for name in facts] == ["reply_does_not_fit", "text", 0, 280, "weighted"]
    assert [answer.status_code for answer in (long, empty, fits)] == [422, 422, 202]


async def test_a_reply_window_stands_on_the_ticket_and_closes_hard(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str], clock: Clock
) -> None:
    ticket = await opened(runtime, channel="whatsapp", kind=Kind.DM, conversation_id="31", at=clock())
    shown = (await client.get(f"{API}/tickets/{ticket.id}", headers=anna)).json()
    clock.at += timedelta(hours=24)

    closed = await client.post(f"{API}/tickets/{ticket.id}/reply", json=HELLO, headers=anna)
    await opened(runtime, "Hallo?", channel="whatsapp", kind=Kind.DM, conversation_id="31", at=clock())
    again = await client.post(f"{API}/tickets/{ticket.id}/reply", json=HELLO, headers=anna)

    assert shown["reply_until"] == "2026-11-19T10:00:00Z"
    assert (closed.status_code, closed.json()["code"]) == (409, "reply_window_closed")
    assert closed.json()["closed_at"] == "2026-11-19T10:00:00Z"
    assert "template" in closed.json()["detail"]
    assert again.status_code == 202
    whole = (await client.get(f"{API}/tickets/{ticket.id}", headers=anna)).json()
    assert whole["reply_until"] == "2026-11-20T10:00:00Z"


async def test_attachments_are_references_that_go_along_as_many_as_the_platform_takes(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    photo = {"url": "https://poldermobiel.example/simkaart.png", "type": "image/png", "description": "De simkaart"}

    many = await client.post(
        f"{API}/tickets/{ticket.id}/reply", json={**HELLO, "attachments": [photo] * 5}, headers=anna
    )
    given = await client.post(f"{API}/tickets/{ticket.id}/reply", json={**HELLO, "attachments": [photo]}, headers=anna)
    odd = {**HELLO, "attachments": [{"url": "file:///etc/passwd"}]}
    local = await client.post(f"{API}/tickets/{ticket.id}/reply", json=odd, headers=anna)

    assert [many.json()[name] for name in ("code", "field", "limit")] == ["too_many_attachments", "attachments", 4]
    assert (given.status_code, local.status_code, local.json()["field"]) == (202, 422, "attachments.0.url")
    whole = (await client.get(f"{API}/tickets/{ticket.id}", headers=anna)).json()
    assert whole["replies"][0]["attachments"] == [photo]
    async with runtime.reading() as tx:
        [row] = await tx.fetch("SELECT body::jsonb -> 'attachments' AS sent FROM message WHERE kind = 'publication'")
    assert row["sent"] == [photo]


async def test_a_note_brings_its_attachments(client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]) -> None:
    ticket = await opened(runtime)
    scan = {"url": "https://archief.poldermobiel.example/brief.pdf", "type": "application/pdf"}
    noted = {"text": "De brief van de advocaat", "attachments": [scan]}

    await client.post(f"{API}/tickets/{ticket.id}/note", json=noted, headers=anna)

    timeline = (await client.get(f"{API}/tickets/{ticket.id}/timeline", headers=anna)).json()["items"]
    assert timeline[-1]["data"] == noted


async def test_personal_data_is_not_said_in_public_unless_it_is_confirmed(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    path = f"{API}/tickets/{ticket.id}/reply"
    said = {"text": "We bellen je op 06-12345678, Sanne."}

    refused = await client.post(path, json=said, headers=anna)
    private = await client.post(path, json={**said, "visibility": "private"}, headers=anna)
    by_kind = await client.post(path, json={**said, "confirm": ["phone"]}, headers=anna)
    [finding] = refused.json()["findings"]
    by_id = await client.post(path, json={**said, "confirm": [finding["id"]]}, headers=anna)

    assert (refused.status_code, refused.json()["code"]) == (422, "personal_data_found")
    assert (finding["kind"], said["text"][finding["start"] : finding["end"]]) == ("phone", "06-12345678")
    assert "12345678" not in refused.text
    assert [answer.status_code for answer in (private, by_kind, by_id)] == [202, 202, 202]
    timeline = (await client.get(f"{API}/tickets/{ticket.id}/timeline", headers=anna)).json()["items"]
    told = [one["data"].get("confirmed") for one in timeline if one["type"] == "ticket.replied"]
    assert told == [None, ["phone"], ["phone"]]


async def test_the_description_of_an_attachment_is_read_by_everybody(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    letter = {"url": "https://poldermobiel.example/brief.png", "description": "Brief aan jan@post.example"}

    refused = await client.post(
        f"{API}/tickets/{ticket.id}/reply", json={**HELLO, "attachments": [letter]}, headers=anna
    )

    assert (refused.status_code, refused.json()["field"]) == (422, "attachments.0.description")


async def test_a_department_is_guarded_as_well(client: httpx.AsyncClient, runtime: Runtime) -> None:
    ticket = await opened(runtime, "Waar blijft mijn pakketje?", channel="forum")
    els = await token_for(runtime, Role.DEPARTMENT, "supply_chain", name="els")
    said = {"text": "Je bestelling PM-20261122 komt morgen."}

    refused = await client.post(f"{API}/tickets/{ticket.id}/answer", json=said, headers=els)
    confirmed = {**said, "confirm": ["order_number"]}
    given = await client.post(f"{API}/tickets/{ticket.id}/answer", json=confirmed, headers=els)

    assert (refused.status_code, refused.json()["code"]) == (422, "personal_data_found")
    assert (given.status_code, given.json()["reply"]["state"]) == (202, "queued")
