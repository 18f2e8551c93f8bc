"""Search over HTTP: by words in both languages, names and numbers; what is shown; pages; who finds what."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.flows.receive import receive, withdraw
from app.kit.clock import utc_now
from app.mentions.mention import Author
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.mentions import mention
from tests.support.tickets import ticket_of

Headers = dict[str, str]


async def opened(runtime: Runtime, text: str, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


async def searched(client: httpx.AsyncClient, caller: Headers, q: str, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/api/v1/search", params={"q": q, **asked}, headers=caller)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def numbers(client: httpx.AsyncClient, caller: Headers, q: str, **asked: Any) -> list[int]:
    return [item["number"] for item in (await searched(client, caller, q, **asked))["items"]]


def shown(item: dict[str, Any]) -> str:
    return "".join(f"[{piece['text']}]" if piece["match"] else piece["text"] for piece in item["match"]["excerpt"])


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("Mijn pakketten zijn nog niet bezorgd", "pakket"),
        ("Waar blijft de bezorging van mijn PAKKET", "bezorging pakket"),
        ("My parcels were never delivered to our house", "parcel delivering"),
        ("Pakket niet ontvangen bij de buren", '"niet ontvangen"'),
        ("Bestelling PM-2026-12345 is er nog niet", "PM-2026-12345"),
        ("Bestelling PM-2026-12345 is er nog niet", "12345"),
        ("Mijn \u201cpakket\u201d\u2026 kwijt", "pakket"),
        ("Pakket\U0001f621 kwijt", "pakket"),
        ("Eén café verderop", "cafe"),
        ("Klant 4711/22 wacht nog steeds", "4711"),
        ("De router is kapot", "modem or router"),
        ("De router is kapot", "router -factuur"),
    ],
)
async def test_a_ticket_is_found_by_the_words_on_it_in_any_form(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers, text: str, q: str
) -> None:
    ticket = await opened(runtime, text)
    await opened(runtime, "Leuke winkel in Arnhem", by="piet")
    assert await numbers(client, anna, q) == [ticket.number]


@pytest.mark.parametrize(
    "q", ["telefoon", '"ontvangen pakket"', "pakket -ontvangen", "PM-2026-99999", "#1", "@niemand"]
)
async def test_what_does_not_match_is_not_found(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers, q: str
) -> None:
    await opened(runtime, "Pakket PM-2026-12345 niet ontvangen")
    assert await numbers(client, anna, q) == []


async def test_titles_and_our_replies_are_searched_too(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    titled = await opened(runtime, "Wie weet raad?", title="Vreemde foutmelding", channel="forum")
    answered = await opened(runtime, "Het doet het niet", by="piet")
    said = {"text": "Zet de schakelaar om, dan werkt het weer."}
    replied = await client.post(f"/api/v1/tickets/{answered.id}/reply", json=said, headers=anna)
    assert replied.status_code == 202, replied.text

    assert await numbers(client, anna, "foutmeldingen") == [titled.number]
    (item,) = (await searched(client, anna, "schakelaars"))["items"]
    assert (item["number"], item["match"]["kind"], item["match"]["by"]) == (answered.number, "reply", "agent:anna")
    assert shown(item) == "Zet de [schakelaar] om, dan werkt het weer."


async def test_people_are_found_by_the_beginning_of_any_of_their_names(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    sanne = Author(external_id="u-1", handle="sanne_k82", display_name="Sanne de Kruijf")
    ticket = await opened(runtime, "Hallo daar", author=sanne)
    await opened(runtime, "Hallo hier", by="piet")
    for q in ("Sanne", "kruij", "sanne de kruijf", "@sanne_k", "SANNE_K82"):
        (item,) = (await searched(client, anna, q))["items"]
        assert (item["number"], item["match"]["kind"], item["match"]["by"]) == (ticket.number, "name", "sanne_k82")
    assert await numbers(client, anna, '"Sanne"') == []


async def test_a_number_is_that_ticket_first_and_with_a_hash_only_that(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    ticket = await opened(runtime, "Goedemorgen allemaal")
    naming = await opened(runtime, f"Mijn klantnummer is {ticket.number}", by="piet")
    page = await searched(client, anna, str(ticket.number))
    found = [(item["number"], item["match"]["kind"]) for item in page["items"]]
    assert found == [(ticket.number, "number"), (naming.number, "post")]
    assert await numbers(client, anna, f"#{ticket.number}") == [ticket.number]


async def test_what_was_deleted_or_edited_away_is_not_found(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    said = mention("Mijn zonnebril ligt in de winkel")
    await receive(runtime, [said])
    assert len(await numbers(client, anna, "zonnebril")) == 1

    await receive(runtime, [mention("Mijn paraplu ligt in de winkel", external_id=said.external_id)])
    assert len(await numbers(client, anna, "paraplu")) == 1
    assert await numbers(client, anna, "zonnebril") == []

    await runtime.run(withdraw, said.key)
    assert await numbers(client, anna, "paraplu") == []


async def test_each_ticket_stands_once_where_its_newest_match_is(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    first = await opened(runtime, "Waar is mijn koelkast", by="sanne", conversation_id="c1")
    second = await opened(runtime, "Koelkast kwijt", by="piet")
    await receive(runtime, [mention("Nog steeds geen koelkast", by="sanne", conversation_id="c1")])
    page = await searched(client, anna, "koelkast")
    assert [item["number"] for item in page["items"]] == [first.number, second.number]
    assert shown(page["items"][0]) == "Nog steeds geen [koelkast]"


async def test_what_was_merged_is_found_where_it_goes_on(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    part = await opened(runtime, "Koelkast kwijt", by="sanne")
    whole = await opened(runtime, "Niemand reageert", by="sanne")
    merged = await client.post(f"/api/v1/tickets/{part.id}/merge", json={"into": str(whole.id)}, headers=anna)
    assert merged.status_code == 200, merged.text
    assert await numbers(client, anna, "koelkast") == [whole.number]
    assert await numbers(client, anna, f"#{part.number}") == [part.number]


async def test_pages_stay_the_same_while_customers_go_on_posting(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    tickets = [await opened(runtime, f"Koelkast {n}", by=f"p{n}", conversation_id=f"c{n}") for n in range(7)]
    seen: list[int] = []
    cursor = None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await searched(client, anna, "koelkast", **asked)
        seen += [item["number"] for item in page["items"]]
        await receive(runtime, [mention("Koelkast alweer", by="p1", conversation_id="c1")])
        await opened(runtime, "Koelkast nieuw", by=f"new-{len(seen)}")
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [ticket.number for ticket in reversed(tickets)]


async def test_filters_hold_together_and_several_values_of_one_do_not_have_to(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    forum = await opened(runtime, "Koelkast op het forum", channel="forum", by="a")
    on_x = await opened(runtime, "Koelkast op X", channel="x", by="b")
    await opened(runtime, "Koelkast op Facebook", channel="facebook", by="c")
    assert await numbers(client, anna, "koelkast", channel=["forum", "x"]) == [on_x.number, forum.number]
    assert await numbers(client, anna, "koelkast", channel="x", state="closed") == []
    assert await numbers(client, anna, "koelkast", channel="x", state=["triage", "closed"]) == [on_x.number]
    assert await numbers(client, anna, "koelkast", topic="number_porting") == []


async def test_a_period_is_of_what_was_said(client: httpx.AsyncClient, runtime: Runtime, anna: Headers) -> None:
    before = utc_now() - timedelta(minutes=1)
    ticket = await opened(runtime, "Koelkast kwijt")
    after = utc_now() + timedelta(minutes=1)
    assert await numbers(client, anna, "koelkast", **{"from": before.isoformat()}) == [ticket.number]
    assert await numbers(client, anna, "koelkast", to=after.isoformat()) == [ticket.number]
    assert await numbers(client, anna, "koelkast", **{"from": after.isoformat()}) == []
    assert await numbers(client, anna, "koelkast", to=before.isoformat()) == []


async def test_a_department_finds_its_own_tickets_only(client: httpx.AsyncClient, runtime: Runtime) -> None:
    ticket = await opened(runtime, "Waar blijft mijn pakketje? Zou gisteren al bezorgd worden", channel="forum")
    parcels = await token_for(runtime, Role.DEPARTMENT, "supply_chain")
    invoices = await token_for(runtime, Role.DEPARTMENT, "billing")
    for q in ("pakketje", "@sanne", f"#{ticket.number}", str(ticket.number)):
        assert await numbers(client, parcels, q) == [ticket.number]
        assert await numbers(client, invoices, q) == []


async def test_customers_cannot_forge_what_a_match_looks_like(
    client: httpx.AsyncClient, runtime: Runtime, anna: Headers
) -> None:
    await opened(runtime, "<b>\ue000koelkast\ue001</b> & \ue000niets\ue001")
    (item,) = (await searched(client, anna, "koelkast"))["items"]
    assert shown(item) == "<b>\ue000[koelkast]\ue001</b> & \ue000niets\ue001"


@pytest.mark.parametrize(
    ("q", "code", "field"),
    [
        ("de", "nothing_to_look_for", "q"),
        ("hoe kan dat", "nothing_to_look_for", "q"),
        ("niet -pakket", "nothing_to_look_for", "q"),
        ("-pakket", "nothing_to_look_for", "q"),
        ("?!", "nothing_to_look_for", "q"),
        ("", "invalid_request", "q"),
        ("   ", "invalid_request", "q"),
        ("x" * 201, "invalid_request", "q"),
        ("a\x00b", "invalid_request", "q"),
    ],
)
async def test_a_question_that_asks_nothing_is_refused_with_the_way_out(
    client: httpx.AsyncClient, anna: Headers, q: str, code: str, field: str
) -> None:
    answer = await client.get("/api/v1/search", params={"q": q}, headers=anna)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


@pytest.mark.parametrize(
    "q", ["' & | ! ( ) : * <->", "a:* & b", '"""', "@@@", "#", "((", "\\", "\u202e kat", "9" * 200]
)
async def test_no_sign_breaks_a_question(client: httpx.AsyncClient, anna: Headers, q: str) -> None:
    answer = await client.get("/api/v1/search", params={"q": q}, headers=anna)
    assert answer.status_code in {200, 422}


async def test_ingest_may_not_search(client: httpx.AsyncClient, runtime: Runtime) -> None:
    refused = await client.get("/api/v1/search", params={"q": "pakket"}, headers=await token_for(runtime, Role.INGEST))
    assert refused.status_code == 403
