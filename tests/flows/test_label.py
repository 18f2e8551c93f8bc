"""What people do with tickets is kept as labels, in the transaction that did it."""

import httpx

from app.access.role import Role
from app.flows.receive import withdraw
from app.mentions.mention import Mention
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from app.topics.labels.labelling import Labelling, Source
from app.topics.labels.store import list_labels
from tests.support.callers import token_for
from tests.support.mentions import LATE_PARCEL, mention
from tests.support.tickets import ticket_of


async def opened(runtime: Runtime, said: Mention) -> Ticket:
    return await ticket_of(runtime, said)


async def labels(runtime: Runtime) -> list[Labelling]:
    async with runtime.reading() as tx:
        return await list_labels(tx, limit=100)


async def act(client: httpx.AsyncClient, ticket: Ticket, what: str, words: object, headers: dict[str, str]) -> None:
    answer = await client.post(f"/api/v1/tickets/{ticket.id}/{what}", json=words, headers=headers)
    assert answer.is_success, answer.text


async def test_naming_a_topic_is_a_label_and_naming_a_department_is_none(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    anna = await token_for(runtime, Role.AGENT, name="anna")
    ticket = await opened(runtime, mention("Het is weer zover", title="Alweer"))
    await act(client, ticket, "reroute", {"department": "billing", "reason": "hunch"}, anna)
    assert await labels(runtime) == []

    await act(client, ticket, "reroute", {"topic": "invoice_wrong", "reason": "asked"}, anna)

    [given] = await labels(runtime)
    assert (given.topic, given.mine, given.source, given.actor) == (
        "invoice_wrong",
        True,
        Source.CORRECTION,
        "agent:anna",
    )
    assert given.text == "Alweer\nHet is weer zover"


async def test_a_hand_back_is_a_label_for_what_it_suggests_and_against_what_stood(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    els = await token_for(runtime, Role.DEPARTMENT, "supply_chain", name="els")
    ticket = await opened(runtime, mention(channel="forum"))

    words = {"reason": "factuur", "code": "wrong_topic", "topic": "invoice_wrong"}
    await act(client, ticket, "handback", words, els)

    given = [(one.topic, one.mine, one.source, one.text) for one in await labels(runtime)]
    assert given == [
        ("invoice_wrong", True, Source.HAND_BACK, LATE_PARCEL),
        ("delivery_delay", False, Source.HAND_BACK, LATE_PARCEL),
    ]


async def test_the_label_is_on_the_post_from_which_the_topic_was_read(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    anna = await token_for(runtime, Role.AGENT, name="anna")
    await opened(runtime, mention("Goedemorgen allemaal", conversation_id="c1"))
    ticket = await opened(runtime, mention(LATE_PARCEL, conversation_id="c1"))

    await act(client, ticket, "reroute", {"topic": "order_status", "reason": "not late yet"}, anna)

    assert [one.text for one in await labels(runtime)] == [LATE_PARCEL]


async def test_what_its_author_deleted_teaches_nothing_any_more(client: httpx.AsyncClient, runtime: Runtime) -> None:
    anna = await token_for(runtime, Role.AGENT, name="anna")
    said = mention()
    ticket = await opened(runtime, said)
    await act(client, ticket, "reroute", {"topic": "order_status", "reason": "not late yet"}, anna)

    await runtime.run(withdraw, said.key)

    assert await labels(runtime) == []
