"""Topics that change: from posts and hand-backs to an alarm that a manager reads, and that resolves itself."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from app.access.role import Caller, Role
from app.flows import tally, work
from app.flows.drift import mind_drift
from app.flows.receive import receive
from app.flows.settle import Received
from app.kit.db import Transaction
from app.kit.ids import first_id_at, new_id
from app.reports.tables import certainty
from app.routing.tables import decision
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.callers import token_for
from tests.support.clock import MORNING, Clock
from tests.support.mentions import LATE_PARCEL, mention
from tests.support.turns import end_turns

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
TODAY = MORNING.replace(hour=0)
ANNA = Caller(new_id(), "anna", Role.AGENT)
DRIFT = "/api/v1/topics/drift"
TOPIC = "delivery_delay"


@pytest.fixture
async def boss(runtime: Runtime) -> Mapping[str, str]:
    return await token_for(runtime, Role.MANAGER, name="boss")


async def opened(runtime: Runtime, clock: Clock, at: datetime, number: int, words: str = LATE_PARCEL) -> list[Ticket]:
    """So many tickets about late parcels on that day."""
    clock.at = at
    said = [mention(words, by=f"{at:%j}-{n}", at=at) for n in range(number)]
    tickets = []
    for received in await receive(runtime, said):
        assert isinstance(received, Received)
        assert received.ticket is not None
        tickets.append(received.ticket)
    return tickets


async def corrected(runtime: Runtime, made: list[Ticket]) -> None:
    for one in made:
        await runtime.run(work.reroute, ANNA, one.id, None, topic="returns", department=None, reason="not late")


async def counted(runtime: Runtime) -> None:
    """Facts are counted; and decisions have the ids of their moments, which a clock that is moved does not give."""
    while await runtime.run(tally.tally, 1000):
        pass

    async def unit(tx: Transaction) -> None:
        for place, row in enumerate(await tx.rows(select(decision.c.id, decision.c.at))):
            moved = UUID(int=first_id_at(row.at).int + place)
            await tx.execute(update(decision).where(decision.c.id == row.id).values(id=moved))

    await runtime.database.transact(unit)


async def look(runtime: Runtime, clock: Clock, at: datetime) -> int:
    clock.at = at
    await end_turns(runtime.database)
    return await mind_drift(runtime, at)


async def test_a_topic_that_grows_and_sours_raises_alarms_that_resolve_themselves(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, boss: Mapping[str, str]
) -> None:
    for week in range(8, 0, -1):
        await opened(runtime, clock, MORNING - week * WEEK - DAY, 10)
    made = await opened(runtime, clock, MORNING - DAY, 40)
    await corrected(runtime, made[:12])
    await counted(runtime)
    assert await look(runtime, clock, MORNING) == 3  # and what they turned out to be about grows

    told = (await client.get(DRIFT, headers=boss)).json()
    alarms = {one["kind"]: one for one in told["alarms"] if one["topic"] == TOPIC}
    assert alarms.keys() == {"grows", "corrected"}
    assert (alarms["grows"]["n"], alarms["grows"]["resolved_at"]) == (28, None)
    assert alarms["corrected"]["text"] == (
        "of 40 posts that were taken for it 12 were about something else, where 0.0 are usual"
    )
    [weeks] = [one["weeks"] for one in told["items"] if one["topic"] == TOPIC]
    assert [one["posts"] for one in weeks] == [10] * 8 + [28]
    assert (weeks[-1]["corrected"], weeks[-1]["unsure"], weeks[0]["corrected"]) == (0.3, 0.0, 0.0)
    assert 0.5 < weeks[-1]["confidence"] <= 1
    assert weeks[-1]["start"] == f"{TODAY - WEEK - DAY:%Y-%m-%d}T23:00:00Z"  # midnight in Amsterdam
    assert (await client.get("/readyz")).json()["alarms"]["topics_drifting"] == 3

    assert await look(runtime, clock, MORNING) == 0  # the same once more is no second alarm
    assert await look(runtime, clock, MORNING + WEEK) == 3
    later = (await client.get(DRIFT, headers=boss)).json()["alarms"]
    assert [one["resolved_at"] is None for one in later] == [False] * 3
    assert (await client.get("/readyz")).json()["alarms"]["topics_drifting"] == 0


async def test_a_topic_that_is_written_about_in_worse_words_raises_an_alarm(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, boss: Mapping[str, str]
) -> None:
    for week in range(8, 0, -1):
        await opened(runtime, clock, MORNING - week * WEEK - DAY, 10)
    await opened(runtime, clock, MORNING - DAY, 12, "Waar blijft mijn pakketje? Wat een schandalige bende")
    await counted(runtime)
    assert await look(runtime, clock, MORNING) == 1

    told = (await client.get(DRIFT, headers=boss)).json()
    assert [(one["topic"], one["kind"], one["text"]) for one in told["alarms"]] == [
        (TOPIC, "sour", "of 12 posts 12 were in words that weigh below zero, where 0.0 are usual")
    ]
    [weeks] = [one["weeks"] for one in told["items"]]
    assert [one["sour"] for one in weeks] == [0.0] * 8 + [1.0]


async def test_days_on_which_no_words_were_weighed_say_nothing_of_words(
    runtime: Runtime, clock: Clock, boss: Mapping[str, str], client: httpx.AsyncClient
) -> None:
    for week in range(8, 0, -1):
        await opened(runtime, clock, MORNING - week * WEEK - DAY, 10)
    await counted(runtime)
    await look(runtime, clock, MORNING - DAY)
    await runtime.database.transact(lambda tx: tx.execute(update(certainty).values(sour=None)))
    await opened(runtime, clock, MORNING - DAY, 12, "Waar blijft mijn pakketje? Wat een schandalige bende")
    await counted(runtime)
    assert await look(runtime, clock, MORNING) == 0
    [weeks] = [one["weeks"] for one in (await client.get(DRIFT, headers=boss)).json()["items"]]
    assert [one["sour"] for one in weeks] == [None] * 8 + [1.0]


async def test_a_department_reads_about_its_own_topics_and_agents_do_not(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock
) -> None:
    await opened(runtime, clock, MORNING - DAY, 3)
    await counted(runtime)
    clock.at = MORNING
    for department, topics in (("supply_chain", [TOPIC]), ("billing", [])):
        caller = await token_for(runtime, Role.DEPARTMENT, department)
        told = (await client.get(DRIFT, headers=caller)).json()
        assert [one["topic"] for one in told["items"]] == topics
    agent = await token_for(runtime, Role.AGENT, name="anna")
    assert (await client.get(DRIFT, headers=agent)).status_code == 403


async def test_what_is_asked_for_is_shown_and_nothing_else_may_be_asked(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, boss: Mapping[str, str]
) -> None:
    await opened(runtime, clock, MORNING - DAY, 3)
    await counted(runtime)
    clock.at = MORNING
    for topic, shown in ((TOPIC, [TOPIC]), ("returns", [])):
        told = (await client.get(DRIFT, params={"topic": topic}, headers=boss)).json()
        assert [one["topic"] for one in told["items"]] == shown
    refused = await client.get(DRIFT, params={"topics": TOPIC}, headers=boss)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "topics")


async def test_one_process_looks_for_all(runtime: Runtime, clock: Clock) -> None:
    for week in range(8, 0, -1):
        await opened(runtime, clock, MORNING - week * WEEK - DAY, 5)
    await opened(runtime, clock, MORNING - DAY, 40)
    await counted(runtime)
    clock.at = MORNING
    assert sorted(await asyncio.gather(*(mind_drift(runtime, MORNING) for _ in range(4)))) == [0, 0, 0, 1]
