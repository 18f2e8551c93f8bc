"""Authors of several channels are one person when somebody who knows says so, and never by a name."""

from uuid import UUID, uuid4

import httpx

from app.access.role import Role
from app.mentions.mention import Author
from app.mentions.people.store import list_known
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.mentions import as_json, mention
from tests.support.tickets import ticket_of


async def author(runtime: Runtime, channel: str, customer_ref: str | None = None, name: str = "sanne") -> str:
    who = Author(external_id=f"{channel}-{name}", handle=name, customer_ref=customer_ref)
    return str((await ticket_of(runtime, mention(channel=channel, author=who))).author_id)


async def known(client: httpx.AsyncClient, caller: dict[str, str], author_id: str) -> list[str]:
    found = await client.get(f"/api/v1/authors/{author_id}/links", headers=caller)
    return [one["author_id"] for one in found.json()["items"]]


async def test_the_same_name_on_two_channels_is_two_people(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    on_x = await author(runtime, "x")
    await author(runtime, "forum")

    assert await known(client, anna, on_x) == [on_x]


async def test_an_agent_links_and_parts(client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]) -> None:
    on_x, on_forum, on_whatsapp = [await author(runtime, channel) for channel in ("x", "forum", "whatsapp")]

    await client.post(f"/api/v1/authors/{on_x}/links", json={"author_id": on_forum}, headers=anna)
    linked = await client.post(f"/api/v1/authors/{on_whatsapp}/links", json={"author_id": on_forum}, headers=anna)

    assert linked.status_code == 200
    assert [(one["channel"], one["told_by"]) for one in linked.json()["items"]] == [
        ("whatsapp", "agent:anna"),
        ("forum", "agent:anna"),
        ("x", "agent:anna"),
    ]
    parted = await client.delete(f"/api/v1/authors/{on_x}/links", headers=anna)
    assert [one["author_id"] for one in parted.json()["items"]] == [on_x]
    assert await known(client, anna, on_forum) == [on_forum, on_whatsapp]


async def test_a_customers_number_makes_authors_one_person(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    on_x, on_forum = await author(runtime, "x", "K-1"), await author(runtime, "forum", "K-1")
    joost = await author(runtime, "x", "K-2", name="joost")

    assert await known(client, anna, on_x) == [on_x, on_forum]
    refused = await client.post(f"/api/v1/authors/{on_x}/links", json={"author_id": joost}, headers=anna)
    assert (refused.status_code, refused.json()["code"]) == (409, "customer_numbers_differ")


async def test_a_number_that_comes_later_counts_for_who_was_linked_by_hand(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    on_x, on_forum = await author(runtime, "x"), await author(runtime, "forum")
    await client.post(f"/api/v1/authors/{on_x}/links", json={"author_id": on_forum}, headers=anna)

    await author(runtime, "x", "K-1")
    on_whatsapp = await author(runtime, "whatsapp", "K-1")

    assert await known(client, anna, on_forum) == [on_forum, on_whatsapp, on_x]
    async with runtime.reading() as tx:
        told = {one.channel: one.told_by for one in await list_known(tx, UUID(on_x))}
    assert told == {"x": "channel", "forum": "agent:anna", "whatsapp": "channel"}


async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    on_x = await author(runtime, "x")
    links = f"/api/v1/authors/{on_x}/links"

    itself = await client.post(links, json={"author_id": on_x}, headers=anna)
    nobody = await client.post(links, json={"author_id": str(uuid4())}, headers=anna)
    missing = await client.get(f"/api/v1/authors/{uuid4()}/links", headers=anna)
    billing = await client.get(links, headers=await token_for(runtime, Role.DEPARTMENT, "billing"))

    assert (itself.status_code, itself.json()["code"]) == (422, "same_author")
    assert (nobody.status_code, missing.status_code, billing.status_code) == (404, 404, 403)


async def test_the_number_comes_with_a_mention_over_the_wire(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    partner = await token_for(runtime, Role.INGEST)
    for channel in ("x", "forum"):
        said = as_json(mention(channel=channel))
        said["author"]["customer_ref"] = "K-9"
        assert (await client.post("/api/v1/mentions", json=said, headers=partner)).status_code == 201

    async with runtime.reading() as tx:
        ids = [str(row["id"]) for row in await tx.fetch("SELECT id FROM author")]
    assert sorted(await known(client, anna, ids[0])) == sorted(ids)
