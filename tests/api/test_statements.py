"""What is agreed to say holds for a while, and what contradicts it waits for those who may allow it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import mention
from tests.support.tickets import ticket_of

API = "/api/v1"
INVOICE = "Ik snap mijn factuur van deze maand niet, wat zijn dat voor kosten?"
AGREED: dict[str, Any] = {
    "topics": ["invoice_question"],
    "texts": {"nl": "De prijs gaat in januari met 3% omhoog.", "en": "Prices go up by 3% in January."},
    "never_say": ["korting", "gratis"],
}
CLASH = {"text": "Sanne, we geven je graag korting!"}


@pytest.fixture
async def mia(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.MANAGER, name="mia")


@pytest.fixture
async def bea(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.DEPARTMENT, "billing", name="bea")


async def asked(runtime: Runtime, **facts: Any) -> Ticket:
    ticket = await ticket_of(runtime, mention(INVOICE, **facts))
    assert ticket.topic == "invoice_question"
    return ticket


async def answered(client: httpx.AsyncClient, ticket: Ticket, anna: dict[str, str], **said: str) -> dict[str, Any]:
    answer = await client.post(f"{API}/tickets/{ticket.id}/reply", json=CLASH | said, headers=anna)
    assert answer.status_code == 202, answer.text
    given: dict[str, Any] = answer.json()
    return given


async def test_what_contradicts_a_statement_waits_for_who_may_allow_it(
    client: httpx.AsyncClient, runtime: Runtime, mia: dict[str, str], anna: dict[str, str]
) -> None:
    ticket = await asked(runtime)
    made = (await client.post(f"{API}/statements", json=AGREED, headers=mia)).json()

    held = await answered(client, ticket, anna)
    fine = await answered(client, ticket, anna, text="De prijs gaat in januari omhoog.")
    private = await answered(client, ticket, anna, visibility="private")
    bram = await token_for(runtime, Role.AGENT, name="bram")
    refused = await client.post(f"{API}/replies/{held['reply_id']}/approve", headers=bram)
    allowed = await client.post(f"{API}/replies/{held['reply_id']}/approve", headers=mia)

    assert (held["state"], held["held_for"]) == ("held", ["statement"])
    assert held["reason"] == "it says what a valid statement never says: 'korting'"
    assert (fine["state"], private["state"]) == ("queued", "queued")
    assert (refused.status_code, refused.json()["roles"]) == (403, ["admin", "manager", "pr"])
    assert (allowed.json()["state"], allowed.json()["statement_id"]) == ("queued", made["id"])


async def test_who_approves_may_mend_the_words_instead(
    client: httpx.AsyncClient, runtime: Runtime, mia: dict[str, str], anna: dict[str, str]
) -> None:
    await client.post(f"{API}/statements", json=AGREED, headers=mia)
    held = await answered(client, await asked(runtime), anna)
    bram = await token_for(runtime, Role.AGENT, name="bram")

    mended = await client.post(f"{API}/replies/{held['reply_id']}/approve", json={"text": "Dat kan."}, headers=bram)

    assert (mended.status_code, mended.json()["state"]) == (200, "queued")


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": ["delivery_delay"]},
        {"channels": ["forum"]},
        {"valid_from": "2026-11-18T10:01:00Z"},
        {"never_say": []},
    ],
)
async def test_elsewhere_and_at_other_times_nothing_is_held(
    client: httpx.AsyncClient,
    runtime: Runtime,
    mia: dict[str, str],
    anna: dict[str, str],
    changes: dict[str, Any],
) -> None:
    assert (await client.post(f"{API}/statements", json=AGREED | changes, headers=mia)).status_code == 201

    assert (await answered(client, await asked(runtime), anna))["state"] == "queued"


async def test_a_statement_holds_until_it_ends_or_is_withdrawn(
    client: httpx.AsyncClient, runtime: Runtime, mia: dict[str, str], anna: dict[str, str], clock: Clock
) -> None:
    until = (clock() + timedelta(hours=1)).isoformat()
    ends = (await client.post(f"{API}/statements", json=AGREED | {"valid_until": until}, headers=mia)).json()
    stays = (await client.post(f"{API}/statements", json=AGREED, headers=mia)).json()
    ticket = await asked(runtime)

    withdrawn = await client.post(f"{API}/statements/{stays['id']}/withdraw", headers=mia)
    again = await client.post(f"{API}/statements/{stays['id']}/withdraw", headers=mia)
    during = (await client.get(f"{API}/statements", headers=anna)).json()["items"]
    held = await answered(client, ticket, anna)
    clock.at += timedelta(hours=1)
    free = await answered(client, ticket, anna)

    assert (withdrawn.status_code, withdrawn.json()["withdrawn_by"]) == (200, "manager:mia")
    assert (again.status_code, again.json()["code"]) == (409, "statement_withdrawn")
    assert [one["id"] for one in during] == [ends["id"]]
    assert (held["state"], free["state"]) == ("held", "queued")
    everything = await client.get(f"{API}/statements", params={"holding": "false", "limit": 1}, headers=anna)
    assert [one["id"] for one in everything.json()["items"]] == [stays["id"]]
    assert everything.json()["next_cursor"] is not None


async def test_a_department_speaks_about_its_own_topics(
    client: httpx.AsyncClient, bea: dict[str, str], mia: dict[str, str], anna: dict[str, str]
) -> None:
    own = await client.post(f"{API}/statements", json=AGREED, headers=bea)
    other = await client.post(f"{API}/statements", json=AGREED | {"topics": ["delivery_delay"]}, headers=bea)
    anothers = (await client.post(f"{API}/statements", json=AGREED, headers=mia)).json()
    withdrawn = await client.post(f"{API}/statements/{anothers['id']}/withdraw", headers=bea)
    agent = await client.post(f"{API}/statements", json=AGREED, headers=anna)

    assert (own.status_code, own.json()["owner"]) == (201, "billing")
    assert (other.status_code, other.json()["code"], other.json()["field"]) == (422, "not_your_topic", "topics")
    assert (withdrawn.status_code, agent.status_code) == (403, 403)
    read = await client.get(f"{API}/statements/{own.json()['id']}", headers=anna)
    assert read.json()["texts"] == AGREED["texts"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"topics": []}, "invalid_request"),
        ({"topics": ["weather"]}, "unknown_topic"),
        ({"channels": ["fax"]}, "unknown_channel"),
        ({"texts": {}}, "invalid_request"),
        ({"texts": {"fr": "Bonjour"}}, "invalid_request"),
        ({"never_say": ["a*"]}, "phrase_unusable"),
        ({"valid_until": "2026-11-18T09:00:00Z"}, "statement_ends_before_it_begins"),
    ],
)
async def test_a_statement_that_means_nothing_is_refused(
    client: httpx.AsyncClient, mia: dict[str, str], changes: dict[str, Any], code: str
) -> None:
    refused = await client.post(f"{API}/statements", json=AGREED | changes, headers=mia)

    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_a_statement_that_is_not_there_is_404(client: httpx.AsyncClient, mia: dict[str, str]) -> None:
    missing = await client.get(f"{API}/statements/{'0' * 32}", headers=mia)

    assert (missing.status_code, missing.json()["code"]) == (404, "statement_not_found")
