"""The queue in the order in which a label teaches most."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from app.access.role import Caller, Role
from app.flows import work
from app.flows.teach import best_of, weigh_lessons
from app.kit.db import Transaction
from app.kit.ids import new_id
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from app.topics.labels.labelling import Labelling, Source
from app.topics.labels.store import record_imported
from app.topics.tables import lesson
from tests.support.mentions import GREETING, LATE_PARCEL, mention
from tests.support.tickets import ticket_of
from tests.support.turns import end_turns

ANNA = Caller(new_id(), "anna", Role.AGENT)
LONG = "Goedemiddag, wij wachten al twee weken en niemand kan ons vertellen waar dat aan ligt, kunnen jullie helpen"


async def opened(runtime: Runtime, text: str, **facts: Any) -> Ticket:
    return await ticket_of(runtime, mention(text, **facts))


async def weigh(runtime: Runtime) -> int:
    await end_turns(runtime.database)
    return await runtime.run(weigh_lessons)


async def taught(client: httpx.AsyncClient, caller: dict[str, str], **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/queue", params={"order": "teaching", **asked}, headers=caller)
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


async def worths(runtime: Runtime, **values: Any) -> None:
    """What a model would have made of them."""

    async def unit(tx: Transaction) -> None:
        for ticket_id, worth in values.items():
            await tx.execute(update(lesson).where(lesson.c.ticket_id == ticket_id).values(worth=worth))

    await runtime.database.transact(unit)


async def test_triage_is_served_by_what_it_teaches_with_the_reasons(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    plain = await opened(runtime, GREETING, by="a")
    torn = await opened(runtime, "pakket", by="b")
    await opened(runtime, LATE_PARCEL, by="c")  # not in triage
    assert torn.state == "triage"
    assert await taught(client, anna) == []  # nothing is weighed yet
    assert await weigh(runtime) == 2
    lines = await taught(client, anna)
    assert [line["id"] for line in lines] == [str(torn.id), str(plain.id)]
    assert [line["teaching"]["reasons"][0]["code"] for line in lines] == ["margin", "unknown"]
    assert lines[0]["teaching"]["reasons"][1]["code"] == "rare"
    assert [line["urgency"]["at"] for line in lines]
    assert (await client.get("/api/v1/queue", headers=anna)).json()["items"][0]["teaching"] is None
    assert await weigh(runtime) == 0


async def test_pages_go_on_where_they_ended_and_filters_hold(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    made = [await opened(runtime, f"{word} daar", by=word) for word in ("hallo", "dag", "hoi", "moi", "ha")]
    await weigh(runtime)
    await worths(runtime, **{str(one.id): worth for one, worth in zip(made, (0.2, 0.9, 0.5, 0.5, 0.1), strict=True)})
    seen: list[str] = []
    cursor = None
    while True:
        asked: dict[str, Any] = {"order": "teaching", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/api/v1/queue", params=asked, headers=anna)).json()
        seen += [line["id"] for line in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(made[place].id) for place in (1, 3, 2, 0, 4)]
    assert await taught(client, anna, channel="forum") == []


async def test_of_posts_that_say_the_same_one_is_served(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    first = await opened(runtime, LONG, by="a")
    for number in range(3):
        await opened(runtime, f"@poldermobiel {LONG} {number}", by=f"b{number}")
    await weigh(runtime)
    later = await opened(runtime, LONG.upper(), by="c")
    await weigh(runtime)
    [line] = await taught(client, anna)
    assert (line["id"], line["teaching"]["alike"]) == (str(first.id), 4)
    assert line["teaching"]["reasons"][-1]["text"] == "4 more posts say nearly the same"
    assert later.state == "triage"


async def test_what_left_triage_is_out_at_once_and_what_comes_back_is_weighed_again(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime, GREETING)
    await weigh(runtime)
    await runtime.run(work.reroute, ANNA, ticket.id, None, topic="returns", department=None, reason="seen")
    assert await taught(client, anna) == []
    await weigh(runtime)
    async with runtime.reading() as tx:
        assert await tx.scalar(select(lesson.c.worth)) is None


async def test_topics_grow_less_rare(client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]) -> None:
    await opened(runtime, "pakket")
    await weigh(runtime)
    [before] = await taught(client, anna)
    topic = before["teaching"]["reasons"][0]["text"].split()[3]
    said = [
        Labelling(topic, mine=True, source=Source.IMPORT, actor="import", at=runtime.now(), text=f"pakket {n}")
        for n in range(50)
    ]

    async def unit(tx: Transaction) -> None:
        await record_imported(tx, said)
        await tx.execute(update(lesson).values(weighed_at=func.now() - timedelta(days=2)))

    await runtime.database.transact(unit)
    assert await weigh(runtime) == 1
    [after] = await taught(client, anna)
    assert after["teaching"]["worth"] < before["teaching"]["worth"]
    assert [reason["code"] for reason in after["teaching"]["reasons"]] == ["margin"]


async def test_one_process_weighs_for_all(runtime: Runtime) -> None:
    await opened(runtime, GREETING)
    looks = await asyncio.gather(*(runtime.run(weigh_lessons, timedelta(days=1)) for _ in range(4)))
    assert sorted(looks) == [0, 0, 0, 1]


@pytest.mark.parametrize("cursor", ["WzIsICJ4Il0", "W05hTiwgIjAxOWE4ZTRmLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJd"])
async def test_a_cursor_that_somebody_wrote_is_refused(
    client: httpx.AsyncClient, anna: dict[str, str], cursor: str
) -> None:
    answer = await client.get("/api/v1/queue", params={"order": "teaching", "cursor": cursor}, headers=anna)
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_unreadable")


def test_a_model_is_heard_before_phrases() -> None:
    phrases = {"considered": [{"topic": "returns", "score": 1.0}]}
    modelled = {"model": {"best": [{"topic": "roaming", "probability": 0.4}]}}
    assert best_of(phrases | modelled) == [("roaming", 0.4)]
    assert best_of(phrases | {"model": None}) == [("returns", 0.5)]
    assert best_of({}) == []
