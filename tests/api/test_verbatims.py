"""What customers wrote, for managers and departments: searched, paged, and without personal data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.feedback.answering import Answer
from app.flows import hear
from app.flows.tally import tally
from app.rulebook import Rulebook
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.surveys import asked, resolved, token_of

VERBATIMS = "/api/v1/feedback/verbatims"


@pytest.fixture
def rulebook(rulebook: Rulebook) -> Rulebook:
    return replace(rulebook, feedback=replace(rulebook.feedback, channels={}))


@pytest.fixture
async def told(runtime: Runtime, clock: Clock) -> None:
    """Three customers, an hour apart; the clock ends a moment after the last."""
    said = [
        ("sanne", Answer(2, "Pakket kwijt, bel 06 12345678 of mail sanne@voorbeeld.nl")),
        ("joost", Answer(7, "Lang gewacht op antwoord")),
        ("fatma", Answer(10, "Heel snel geholpen", 7)),
        ("willem", Answer(9, None)),
    ]
    for name, answer in said:
        await resolved(runtime, by=name)
        token = token_of(await asked(runtime))
        await runtime.run(hear.answer, token, answer)
        clock.pass_(hours=1)


async def texts(client: httpx.AsyncClient, caller: dict[str, str], **query: Any) -> list[str]:
    found = await client.get(VERBATIMS, params=query, headers=caller)
    assert found.status_code == 200, found.text
    return [one["text"] for one in found.json()["items"]]


async def test_days_are_those_of_reports_and_moments_are_taken_as_well(
    client: httpx.AsyncClient, runtime: Runtime, mo: dict[str, str], clock: Clock
) -> None:
    await runtime.run(tally, 1)  # the first count says in which zone
    clock.at = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)  # half past eleven in the evening where webcare works
    for comment in ("Voor middernacht", "Na middernacht"):
        await resolved(runtime, by=comment)
        await runtime.run(hear.answer, token_of(await asked(runtime)), Answer(9, comment))
        clock.pass_(hours=1)
    assert await texts(client, mo, **{"from": "2026-11-18", "to": "2026-11-19"}) == ["Voor middernacht"]
    assert await texts(client, mo, **{"from": "2026-11-19"}) == ["Na middernacht"]
    assert await texts(client, mo, to="2026-11-18T23:00:00Z") == ["Voor middernacht"]
    telling = await client.get(f"{VERBATIMS}/telling", params={"from": "2026-11-19"}, headers=mo)
    assert [[one["text"] for one in topic["items"]] for topic in telling.json()["items"]] == [["Na middernacht"]]
    vague = await client.get(VERBATIMS, params={"from": "today"}, headers=mo)
    assert (vague.status_code, vague.json()["field"]) == (422, "from")


@pytest.mark.usefixtures("told")
async def test_comments_come_newest_first_and_without_personal_data(
    client: httpx.AsyncClient, mo: dict[str, str]
) -> None:
    assert await texts(client, mo) == [
        "Heel snel geholpen",
        "Lang gewacht op antwoord",
        "Pakket kwijt, bel [phone] of mail [email]",
    ]


@pytest.mark.usefixtures("told")
async def test_comments_are_searched_and_filtered(client: httpx.AsyncClient, mo: dict[str, str], clock: Clock) -> None:
    assert await texts(client, mo, q="antwoorden") == ["Lang gewacht op antwoord"]
    assert await texts(client, mo, q="snel -geholpen") == []
    assert await texts(client, mo, q="12345678") == []
    assert await texts(client, mo, q="\x27 | & ! (") == []
    assert await texts(client, mo, band="detractor") == ["Pakket kwijt, bel [phone] of mail [email]"]
    assert await texts(client, mo, band="passive") == ["Lang gewacht op antwoord"]
    assert await texts(client, mo, topic="invoice_question") == []
    assert len(await texts(client, mo, topic="delivery_delay", channel="x")) == 3
    an_hour_ago = (clock.at - timedelta(hours=3)).isoformat()
    assert await texts(client, mo, **{"from": an_hour_ago}) == ["Heel snel geholpen", "Lang gewacht op antwoord"]
    assert len(await texts(client, mo, to=an_hour_ago)) == 1


@pytest.mark.usefixtures("told")
async def test_comments_come_in_pages(client: httpx.AsyncClient, mo: dict[str, str]) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = (await client.get(VERBATIMS, params={"limit": 1, **cursor}, headers=mo)).json()
        seen += [one["text"] for one in page["items"]]
        cursor = {"cursor": page["next_cursor"]}

    assert (len(set(seen)), page["next_cursor"]) == (3, None)


@pytest.mark.usefixtures("told")
async def test_a_department_reads_its_own_and_an_agent_none(
    client: httpx.AsyncClient, runtime: Runtime, mo: dict[str, str]
) -> None:
    owner = (await client.get(VERBATIMS, headers=mo)).json()["items"][0]["department"]
    own, other = [await token_for(runtime, Role.DEPARTMENT, name, name="els") for name in (owner, "hr")]

    assert [len(await texts(client, caller, department=owner)) for caller in (own, other)] == [3, 0]
    agent = await client.get(VERBATIMS, headers=await token_for(runtime, Role.AGENT))
    assert agent.status_code == 403


@pytest.mark.usefixtures("told")
async def test_the_most_telling_stand_first_in_their_topic(client: httpx.AsyncClient, mo: dict[str, str]) -> None:
    found = await client.get(f"{VERBATIMS}/telling", params={"per_topic": 2}, headers=mo)

    [topic] = found.json()["items"]
    assert topic["topic"] == "delivery_delay"
    assert len(topic["items"]) == 2
    assert "Lang gewacht op antwoord" not in [one["text"] for one in topic["items"]]


@pytest.mark.parametrize(
    "wrong", [{"band": "fan"}, {"from": "2026-11-18T10:00:00Z", "to": "2026-11-18T10:00:00Z"}, {"cursor": "nonsense"}]
)
async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, mo: dict[str, str], wrong: dict[str, str]
) -> None:
    assert (await client.get(VERBATIMS, params=wrong, headers=mo)).status_code == 422


async def test_the_second_question_comes_to_a_figure(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, mo: dict[str, str]
) -> None:
    for name in range(12):
        await resolved(runtime, by=f"klant{name}")
        await runtime.run(hear.answer, token_of(await asked(runtime)), Answer(8, None, 7 if name < 7 else 2))
    clock.pass_(minutes=1)

    found = await client.get("/api/v1/feedback/effort", headers=mo)
    few = await client.get("/api/v1/feedback/effort", params={"band": "promoter"}, headers=mo)

    [line] = found.json()["items"]
    assert line == {"topic": "delivery_delay", "n": 12, "mean": 4.9167, "easy_share": 0.5833}
    assert few.json()["items"] == []


async def test_a_follow_up_is_listed_shown_and_ended_by_its_department(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, told: None, mo: dict[str, str]
) -> None:
    listed = (await client.get("/api/v1/feedback/follow-ups", headers=mo)).json()
    [line] = listed["items"]
    assert (line["score"], line["verbatim"]) == (2, "Pakket kwijt, bel [phone] of mail [email]")
    own, other = [await token_for(runtime, Role.DEPARTMENT, name, name="els") for name in (line["department"], "hr")]
    path = f"/api/v1/tickets/{line['ticket_id']}/follow-up"

    not_theirs = await client.post(path, json={"outcome": "settled"}, headers=other)
    nonsense = await client.post(path, json={"outcome": "changed"}, headers=own)
    stale = await client.post(path, json={"outcome": "settled"}, headers=own | {"If-Match": '"1"'})
    unseen = await client.post(path, json={"outcome": "settled"}, headers=other | {"If-Match": '"1"'})
    done = await client.post(path, json={"outcome": "settled", "note": "Gebeld"}, headers=own)

    assert (not_theirs.status_code, nonsense.status_code, done.status_code) == (404, 422, 200)
    assert not_theirs.json()["code"] == "follow_up_not_found"
    assert (stale.status_code, unseen.json()["code"]) == (412, "ticket_not_found")
    anna = await token_for(runtime, Role.AGENT, name="anna")
    shown = (await client.get(f"/api/v1/tickets/{line['ticket_id']}", headers=anna)).json()
    assert (shown["follow_up"]["done_by"], shown["follow_up"]["note"]) == (done.json()["done_by"], "Gebeld")
    for standing, expected in (("open", 0), ("done", 1), ("overdue", 0)):
        found = await client.get("/api/v1/feedback/follow-ups", params={"standing": standing}, headers=own)
        assert len(found.json()["items"]) == expected
