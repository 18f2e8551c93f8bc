"""A department's calls: only its own tickets, answered as far as the oil stain has come."""

import httpx
import pytest

from app.access.role import Role
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.clock import Clock
from tests.support.mentions import mention
from tests.support.tickets import ticket_of


@pytest.fixture
async def els(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.DEPARTMENT, "supply_chain", name="els")


async def opened(runtime: Runtime, channel: str) -> Ticket:
    return await ticket_of(runtime, mention(channel=channel))


def at(ticket: Ticket, act: str = "") -> str:
    return f"/api/v1/tickets/{ticket.id}{act and '/' + act}"


async def test_live_it_answers_first_hand_and_may_settle_at_once(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "forum")
    said = {"text": "Je pakket komt morgen voor 12:00.", "resolve": True}

    answer = await client.post(at(ticket, "answer"), json=said, headers=els)

    told = answer.json()
    whole = (await client.get(at(ticket), headers=els)).json()
    assert answer.status_code == 202
    assert (told["first_hand"], told["reply"]["state"], told["ticket"]["state"]) == (True, "queued", "resolved")
    assert whole["replies"][0]["department"] == "supply_chain"
    clocks = {one["metric"]: one["state"] for one in whole["clocks"]}
    assert (clocks["first_reply"], clocks["ownership"], clocks["acceptance"]) == ("met", "met", "met")
    assert whole["feedback"] is not None


async def test_where_it_advises_its_answer_is_a_draft_and_webcare_has_the_ball(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "facebook")

    answer = await client.post(at(ticket, "answer"), json={"text": "Morgen voor 12:00."}, headers=els)

    agent = await token_for(runtime, Role.AGENT)
    whole = (await client.get(at(ticket), headers=agent)).json()
    assert (answer.json()["first_hand"], answer.json()["reply"]) == (False, None)
    assert (whole["holder"], whole["replies"]) == ("webcare", [])
    assert whole["answers"][0]["text"] == "Morgen voor 12:00."


async def test_an_answer_may_be_kept_a_draft_although_it_could_go_out(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "forum")

    answer = await client.post(at(ticket, "answer"), json={"text": "Even nakijken?", "publish": False}, headers=els)

    assert answer.json()["first_hand"] is False


async def test_accepting_stops_the_acceptance_clock(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "forum")

    accepted = await client.post(at(ticket, "accept"), headers=els)

    whole = (await client.get(at(ticket), headers=els)).json()
    assert accepted.json()["state"] == "working"
    assert {one["metric"]: one["state"] for one in whole["clocks"]}["acceptance"] == "met"


async def test_what_is_handed_back_waits_in_triage_and_is_the_departments_no_longer(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "forum")
    why = {"reason": "dit gaat over de factuur", "topic": "invoice_question"}

    back = await client.post(at(ticket, "handback"), json=why, headers=els)

    assert (back.json()["state"], back.json()["department"]) == ("triage", None)
    assert (await client.get(at(ticket), headers=els)).status_code == 404


async def test_a_suggestion_must_exist(client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]) -> None:
    ticket = await opened(runtime, "forum")

    answer = await client.post(at(ticket, "handback"), json={"reason": "x", "department": "bakery"}, headers=els)

    assert answer.status_code == 422
    assert answer.json()["field"] == "department"


async def test_anothers_ticket_is_not_there(client: httpx.AsyncClient, runtime: Runtime) -> None:
    ticket = await opened(runtime, "forum")
    other = await token_for(runtime, Role.DEPARTMENT, "billing")

    for path in (at(ticket), at(ticket, "timeline"), at(ticket, "explain")):
        assert (await client.get(path, headers=other)).status_code == 404
    assert (await client.post(at(ticket, "accept"), headers=other)).status_code == 404
    assert (await client.get("/api/v1/queue", headers=other)).json()["items"] == []


async def test_a_department_cannot_look_into_anothers_queue(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    await opened(runtime, "forum")
    other = await token_for(runtime, Role.DEPARTMENT, "billing")

    spied = await client.get("/api/v1/queue", params={"department": "supply_chain"}, headers=other)

    assert spied.json()["items"] == []
    assert len((await client.get("/api/v1/queue", headers=els)).json()["items"]) == 1


async def test_a_reply_of_an_agent_is_not_a_departments_to_give(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "forum")

    assert (await client.post(at(ticket, "reply"), json={"text": "x"}, headers=els)).status_code == 403


async def test_an_answer_that_is_no_longer_valid_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "forum")

    answer = await client.post(
        at(ticket, "answer"), json={"text": "x", "valid_until": "2020-01-01T00:00:00Z"}, headers=els
    )

    assert answer.status_code == 422
    assert answer.json()["field"] == "valid_until"


async def test_an_answer_says_what_it_rests_on_and_webcare_publishes_it_in_its_own_words(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "facebook")
    agent = await token_for(runtime, Role.AGENT)
    given = {"text": "Komt morgen voor 12:00.", "facts": {"depot": "Utrecht"}, "valid_until": "2026-11-19T11:00:00Z"}
    first = (await client.post(at(ticket, "answer"), json=given, headers=els)).json()
    whole = (await client.get(at(ticket), headers=agent)).json()
    assert [(one["version"], one["facts"], one["reusable"]) for one in whole["answers"]] == [(1, given["facts"], False)]

    said = {"text": "Dag! Komt morgen voor 12:00.", "answer_id": first["answer_id"]}
    await client.post(at(ticket, "reply"), json=said, headers=agent)

    (reply,) = (await client.get(at(ticket), headers=agent)).json()["replies"]
    assert (reply["answer_id"], reply["edited"]) == (first["answer_id"], 0.111)


async def test_an_answer_for_everybody_is_found_by_topic_and_used_on_other_tickets(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket, other = await opened(runtime, "facebook"), await opened(runtime, "x")
    agent, billing = await token_for(runtime, Role.AGENT), await token_for(runtime, Role.DEPARTMENT, "billing")
    for reuse in (False, True):
        await client.post(at(ticket, "answer"), json={"text": f"Morgen. {reuse}", "reuse": reuse}, headers=els)
        await client.post(at(ticket, "reroute"), json={"department": "supply_chain", "reason": "again"}, headers=agent)

    (found,) = (await client.get("/api/v1/answers", params={"topic": ticket.topic}, headers=agent)).json()["items"]
    assert (found["text"], found["version"], found["ticket_id"]) == ("Morgen. True", 2, str(ticket.id))
    assert (await client.get("/api/v1/answers", params={"topic": "roaming"}, headers=agent)).json()["items"] == []
    assert (await client.get("/api/v1/answers", headers=billing)).json()["items"] == []

    used = await client.post(at(other, "reply"), json={"text": "Morgen.", "answer_id": found["id"]}, headers=agent)
    assert used.status_code == 202
    period = {"from": "2026-11-18T00:00:00Z", "to": "2026-11-19T00:00:00Z"}
    manager = await token_for(runtime, Role.MANAGER)
    (routing,) = (await client.get("/api/v1/reports/routing", params=period, headers=manager)).json()["items"]
    assert (routing["published"], routing["reused"], routing["edited_share"]) == (1, 1, 0.333)
    only_there = (await client.get(at(ticket), headers=agent)).json()["answers"][0]["id"]
    refused = await client.post(at(other, "reply"), json={"text": "x", "answer_id": only_there}, headers=agent)
    assert (refused.status_code, refused.json()["code"]) == (409, "answer_of_another")
    missing = await client.post(at(other, "reply"), json={"text": "x", "answer_id": str(ticket.id)}, headers=agent)
    assert (missing.status_code, missing.json()["code"]) == (404, "answer_not_found")


async def test_what_may_not_be_said_in_public_is_said_in_private(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "facebook")
    agent = await token_for(runtime, Role.AGENT)
    told = {"text": "Je nieuwe toestel komt morgen.", "may_publish": False}
    answer = (await client.post(at(ticket, "answer"), json=told, headers=els)).json()

    said = {"text": told["text"], "answer_id": answer["answer_id"]}
    refused = await client.post(at(ticket, "reply"), json={**said, "visibility": "public"}, headers=agent)
    assert (refused.status_code, refused.json()["code"]) == (422, "answer_not_public")
    said_so = await client.post(at(ticket, "reply"), json={**said, "visibility": "private"}, headers=agent)
    assert said_so.status_code == 202


async def test_the_third_hand_back_brings_all_that_was_tried(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    ticket = await opened(runtime, "facebook")
    agent = await token_for(runtime, Role.AGENT)
    for number in range(3):
        why = {"reason": f"niet van ons, {number}", "code": "wrong_topic", "topic": "invoice_question"}
        back = await client.post(at(ticket, "handback"), json=why, headers=els)
        assert ("bounced" in back.json()["tags"]) is (number == 2)
        await client.post(at(ticket, "reroute"), json={"department": "supply_chain", "reason": "toch"}, headers=agent)
    events = (await client.get(at(ticket, "timeline"), headers=agent)).json()["items"]
    first, _, third = [one["data"] for one in events if one["type"] == "ticket.handed_back"]
    assert (first["bounces"], first["code"], "tried" in first) == (1, "wrong_topic", False)
    assert (third["bounces"], [one["reason"] for one in third["tried"]]) == (3, ["niet van ons, 0", "niet van ons, 1"])


async def test_a_question_for_webcare_gives_it_the_ball_until_it_tells(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str], clock: Clock
) -> None:
    ticket = await opened(runtime, "facebook")
    agent = await token_for(runtime, Role.AGENT)
    early = await client.post(at(ticket, "inform"), json={"text": "x"}, headers=agent)
    assert (early.status_code, early.json()["code"]) == (409, "nothing_asked")

    asked = await client.post(at(ticket, "ask"), json={"question": "Welk adres?", "of": "webcare"}, headers=els)
    waiting = (await client.get(at(ticket), headers=agent)).json()
    assert (asked.status_code, asked.json()["reply"]) == (202, None)
    assert (waiting["holder"], waiting["asked_by"], waiting["assignee"]) == ("webcare", "supply_chain", None)
    states = {one["metric"]: one["state"] for one in waiting["clocks"]}
    assert (states["acceptance"], states["ownership"], states["first_reply"]) == ("met", "paused", "running")

    clock.pass_(minutes=10)
    told = await client.post(at(ticket, "inform"), json={"text": "Dorpsstraat 1."}, headers=agent)
    assert (told.json()["holder"], told.json()["asked_by"], told.json()["state"]) == ("department", None, "working")
    answer = await client.post(at(ticket, "answer"), json={"text": "Komt morgen."}, headers=els)
    assert answer.status_code == 202


async def test_a_question_for_the_customer_is_asked_first_hand_where_answers_are(
    client: httpx.AsyncClient, runtime: Runtime, els: dict[str, str]
) -> None:
    first_hand, advised = await opened(runtime, "forum"), await opened(runtime, "facebook")
    question = {"question": "Wat is je postcode?", "of": "customer"}

    asked = (await client.post(at(first_hand, "ask"), json=question, headers=els)).json()
    assert (asked["reply"]["state"], asked["ticket"]["state"]) == ("queued", "waiting_customer")

    passed_on = (await client.post(at(advised, "ask"), json=question, headers=els)).json()
    assert (passed_on["reply"], passed_on["ticket"]["holder"]) == (None, "webcare")
