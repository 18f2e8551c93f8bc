"""The week and the day on a page: what stands there is what reports answer, and nothing in it runs."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from sqlalchemy import update

from app.escalation.tables import escalation, incident, volume
from app.feedback.tables import response
from app.flows.tally import tally
from app.kit.db import Transaction
from app.kit.ids import new_id
from app.reports.tally.fact import Measure
from app.runtime import Runtime
from tests.api.test_reports import answered
from tests.store.test_standing import promise
from tests.support.callers import token_for
from tests.support.clock import MORNING, Clock
from tests.support.facts import count, fact
from tests.support.standing import add_ticket

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
HOSTILE = '<img src="https://evil.test/x.png" onerror=alert(1)>{{ 7 * 7 }}'


async def arrange_week(tx: Transaction) -> None:
    """On the Wednesday of the test's clock, which is read a week later."""
    replies = [fact(Measure.FIRST_REPLY, MORNING, good=n < 3, value=n * 600_000) for n in range(4)]
    replies += [fact(Measure.FIRST_REPLY, MORNING - WEEK, good=True, value=60_000)]
    await count(tx, [*replies, fact(Measure.OPENED, MORNING), fact(Measure.BACKLOG, MORNING, value=1)])
    for department, name in (("billing", "invoice_question"), ("network", "network_outage")):
        closed = {"id": new_id(), "scope": "topic", "name": name, "department": department, "state": "closed"}
        closed |= {"severity": "minor", "opened_at": MORNING, "observed": 9, "expected": 1.0, "chance": 0.0001}
        closed |= {"quiet_since": None, "closed_at": MORNING, "closed_by": "pr:sam", "lesson": f"{HOSTILE} {name}"}
        await tx.insert(incident, [closed])
        await tx.flush()


async def arrange_quote(tx: Transaction) -> None:
    await answered(tx, 2)
    await tx.execute(update(response).values(comment=HOSTILE, verbatim=f"{HOSTILE} te laat", received_at=MORNING))


async def page(client: httpx.AsyncClient, path: str, headers: dict[str, str], **asked: str) -> httpx.Response:
    answer = await client.get(f"/api/v1/reports/{path}", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


def check_safe(answer: httpx.Response, charts: int) -> None:
    """Only the style that the policy names, pictures that are charts of ours, and no address but our own."""
    policy = answer.headers["content-security-policy"]
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|\son\w+=|style=|javascript:", re.sub(r"&lt;.*?&gt;", "", answer.text))
    sources = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)"', answer.text)
    assert len(sources) == answer.text.count("<img ") == charts
    for source in sources:
        assert ET.fromstring(base64.b64decode(source)).tag == "{http://www.w3.org/2000/svg}svg"
    links = re.findall(r'(?:href|src)="(?!data:)([^"]+)"', re.sub(r"<footer>.*?</footer>", "", answer.text))
    assert all(link.startswith("http://127.0.0.1:8080/api/v1/tickets/") for link in links)


async def test_the_week_tells_what_reports_answer_beside_the_week_before(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock
) -> None:
    await runtime.database.transact(arrange_week)
    clock.pass_(days=7)
    manager = await token_for(runtime, "manager")
    weekly = await page(client, "weekly", manager, lang="nl")
    check_safe(weekly, charts=4)
    said = unescape(weekly.text)
    assert "Webcare in week 47, 2026" in said
    assert "16 nov 2026 t/m 22 nov 2026" in said
    shares = re.findall(r"eerste reactie op tijd</dt><dd>([^<]+)<small>week ervoor: ([^<]+)<", said)
    assert shares == [("75,0%", "100,0%")]
    question = {"from": "2026-11-16T00:00:00Z", "to": "2026-11-23T00:00:00Z"}
    report = (await client.get("/api/v1/reports/sla", params=question, headers=manager)).json()
    assert next(line["met_share"] for line in report["items"] if line["metric"] == "first_reply") == 0.75


async def test_a_score_never_stands_without_its_margin_and_how_many_gave_it(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock
) -> None:
    async def arrange(tx: Transaction) -> None:
        scores = ["promoter"] * 8 + ["passive"] + ["detractor"]
        asked = [fact(Measure.ASKED, MORNING, good=n < 10) for n in range(40)]
        few = [fact(Measure.SCORED, MORNING, "passive", department="network")]
        few += [fact(Measure.ASKED, MORNING, good=True, department="network")]
        await count(tx, [*asked, *(fact(Measure.SCORED, MORNING, kind) for kind in scores), *few])

    await runtime.database.transact(arrange)
    clock.pass_(days=7)
    said = unescape((await page(client, "weekly", await token_for(runtime, "manager"), lang="en")).text)
    assert "<dt>NPS</dt><dd>63.6<small>between 13.0 and 87.0 (95%)</small><small>11 of 41 answered (26.8%)" in said
    assert "70.0<small>between 14.7 and 93.0 (95%)</small><small>10 of 40 answered (25.0%)</small></td>" in said
    assert "\N{EN DASH}<small>1 of 1 answered (100.0%)</small></td>" in said


async def test_a_week_that_is_not_over_says_so_in_local_time(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock
) -> None:
    await runtime.run(tally, 1)
    manager = await token_for(runtime, "manager")
    clock.at = datetime(2026, 11, 15, 22, 59, tzinfo=UTC)
    ahead = await page(client, "weekly", manager, lang="nl", week="2026-11-18")
    assert "Deze week moet nog beginnen." in ahead.text
    assert "loopt nog" not in ahead.text
    clock.at = datetime(2026, 11, 22, 22, 45, tzinfo=UTC)
    running = await page(client, "weekly", manager, lang="nl", week="2026-11-18")
    assert "Deze week loopt nog: cijfers tot 22 nov 2026 23:45 uur." in unescape(running.text)
    clock.pass_(minutes=15)
    assert "loopt nog" not in (await page(client, "weekly", manager, lang="nl", week="2026-11-18")).text
    assert "16 nov 2026 t/m 22 nov 2026" in unescape((await page(client, "weekly", manager, lang="nl")).text)
    assert "stand van 00:00 uur" in unescape((await page(client, "today", manager, lang="nl")).text)


async def test_what_people_wrote_is_text_and_nothing_else(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock
) -> None:
    await runtime.database.transact(arrange_quote)
    await runtime.database.transact(arrange_week)
    clock.pass_(days=7)
    weekly = await page(client, "weekly", await token_for(runtime, "manager"), lang="en")
    assert "onerror=alert(1)" in unescape(weekly.text)
    assert '<img src="https' not in weekly.text
    assert f"{HOSTILE} te laat" in unescape(weekly.text)
    assert f"{HOSTILE} network_outage" in unescape(weekly.text)


async def test_a_department_reads_its_own_week(client: httpx.AsyncClient, runtime: Runtime, clock: Clock) -> None:
    await runtime.database.transact(arrange_week)
    clock.pass_(days=7)
    network = unescape((await page(client, "weekly", await token_for(runtime, "department", "network"))).text)
    assert f"{HOSTILE} network_outage" in network
    assert f"{HOSTILE} invoice_question" not in network
    assert "75,0%" not in network


@pytest.mark.parametrize(("lang", "words"), [("nl", "Niemand schreef deze week"), ("en", "Nobody wrote anything")])
async def test_an_empty_week_says_so(client: httpx.AsyncClient, runtime: Runtime, lang: str, words: str) -> None:
    weekly = await page(client, "weekly", await token_for(runtime, "manager"), lang=lang, week="2020-01-01")
    check_safe(weekly, charts=4)
    assert words in weekly.text


async def arrange_day(tx: Transaction) -> None:
    due = {"first_reply": MORNING - HOUR, "resolution": MORNING - HOUR / 4, "ownership": MORNING + HOUR}
    about: dict[str, Any] = {"topic": "network_outage", "department": "network"}
    late = await add_ticket(tx, MORNING - 3 * HOUR, due=due, next_due_at=MORNING - HOUR, **about)
    await add_ticket(tx, MORNING - HOUR, next_due_at=MORNING + HOUR)
    facts = {"id": new_id(), "ticket_id": late.id, "incident_id": None, "state": "raised", "raised_at": MORNING - HOUR}
    await tx.insert(escalation, [facts | {"due_at": MORNING}])
    hours = [(MORNING - HOUR - week * WEEK, 1 if week else 40) for week in range(5)]
    counts = [{"scope": "topic", "name": "network_outage", "hour_at": at, "n": n} for at, n in hours]
    await tx.insert(volume, [*counts, counts[0] | {"name": "old", "hour_at": MORNING - 8 * WEEK}])


async def test_the_day_tells_what_is_hot_late_and_escalated_and_who_must_act(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    await runtime.database.transact(arrange_day)
    today = await page(client, "today", await token_for(runtime, "manager"), lang="en")
    check_safe(today, charts=0)
    said = unescape(today.text)
    assert "Webcare today, 18 Nov 2026" in said
    name = runtime.rulebook.topics["network_outage"].name["en"]
    assert re.search(rf'<td>{name}</td><td class="n">40</td>', said)
    assert re.search(r'<tr class="late"><td>webcare</td><td class="n">2</td><td class="n">1</td>', said)
    promises = '<td class="each">first reply<br>resolution</td>'
    overdue = '<td class="each">1\N{NO-BREAK SPACE}h<br>15\N{NO-BREAK SPACE}min</td>'
    assert f"<td>{name}</td><td>Network</td>{promises}<td>webcare</td>{overdue}" in said
    assert f'<td>{name}</td><td>Network</td><td>webcare</td><td class="each">1\N{NO-BREAK SPACE}h</td>' in said
    assert "too few weeks counted" in said


async def test_the_day_tells_which_promise_is_at_risk_and_that_there_are_more(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    async def arrange(tx: Transaction) -> None:
        for minutes in range(1, 17):
            ticket = await add_ticket(tx, MORNING - HOUR, next_due_at=MORNING - timedelta(minutes=minutes))
            await promise(tx, ticket, timedelta(minutes=minutes))

    await runtime.database.transact(arrange)
    said = unescape((await page(client, "today", await token_for(runtime, "manager"), lang="en")).text)
    assert '<div class="late"><dt>late</dt><dd>16</dd>' in said
    assert said.count('<td class="each">first reply</td>') == 15
    assert said.count("There are more; these are the first 15.") == 2


async def test_the_day_draws_what_will_wait_tonight(client: httpx.AsyncClient, runtime: Runtime) -> None:
    came = [fact(Measure.BACKLOG, MORNING - weeks * WEEK + HOUR, value=1) for weeks in range(1, 9)]
    await runtime.database.transact(lambda tx: count(tx, came))
    today = await page(client, "today", await token_for(runtime, "manager"), lang="en")
    check_safe(today, charts=1)
    assert "<dt>expected tonight</dt><dd>9<small>" in today.text


async def test_a_department_meets_about_its_own(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await runtime.database.transact(arrange_day)
    billing = unescape((await page(client, "today", await token_for(runtime, "department", "billing"), lang="en")).text)
    for nothing in ("No topic is above its usual volume.", "Nothing is late.", "Nothing is with PR."):
        assert nothing in billing
    assert re.search(r'<td>webcare</td><td class="n">1</td><td class="n">0</td><td class="n">1</td>', billing)


async def test_the_day_calls_agents_by_their_names(client: httpx.AsyncClient, runtime: Runtime) -> None:
    async def arrange(tx: Transaction) -> None:
        await add_ticket(tx, MORNING - 3 * HOUR, next_due_at=MORNING - HOUR, assignee="agent:anna")

    await runtime.database.transact(arrange)
    said = (await page(client, "today", await token_for(runtime, "manager"))).text
    assert "<td>anna</td>" in said


async def test_a_quiet_day_says_so(client: httpx.AsyncClient, runtime: Runtime) -> None:
    today = await page(client, "today", await token_for(runtime, "manager"))
    check_safe(today, charts=0)
    assert "Er staat niets open." in today.text
    assert "Een verwachting vraagt minstens drie getelde weken." in today.text


@pytest.mark.parametrize("path", ["weekly", "today"])
async def test_pages_are_for_managers_and_refuse_what_they_do_not_know(
    client: httpx.AsyncClient, runtime: Runtime, path: str
) -> None:
    agent, manager = await token_for(runtime, "agent"), await token_for(runtime, "manager")
    assert (await client.get(f"/api/v1/reports/{path}", headers=agent)).status_code == 403
    refused = await client.get(f"/api/v1/reports/{path}?mood=sad", headers=manager)
    assert (refused.status_code, refused.json()["field"]) == (422, "mood")
    wrong = await client.get("/api/v1/reports/weekly?week=9999-12-31", headers=manager)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "week")
    vague = await client.get("/api/v1/reports/weekly?week=47", headers=manager)
    assert vague.json()["detail"] == "week: Send a day, such as 2026-11-22."
