"""Topics that the rulebook may be missing: found by a process of its own, proposed once, accepted or dismissed."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from uuid import UUID

import httpx
import pytest
import yaml
from sqlalchemy import update

from app.access.role import Role
from app.flows.propose import propose
from app.flows.receive import receive
from app.flows.settle import Received
from app.kit.clock import utc_now
from app.kit.ids import new_id
from app.mentions.tables import mention as mention_table
from app.runtime import Runtime
from app.topics.proposals.client import list_groups
from app.topics.proposals.proposal import Proposal, ProposalState, known
from app.topics.proposals.store import record_proposal
from tests.support.callers import token_for
from tests.support.mentions import mention
from tests.support.turns import end_turns

PROPOSALS = "/api/v1/topics/proposals"
GAMES = [
    "Mag mijn zoon de Vossenjacht ook spelen zonder account?",
    "de Vossenjacht van zaterdag, hoe doe je mee",
    "Vossenjacht zaterdag: waar haal ik de kaart",
    "Hoi, wij willen meedoen met de Vossenjacht zaterdag",
    "is de Vossenjacht ook in Zwolle",
    "kaart van de Vossenjacht kwijt, hoe nu",
    "Vossenjacht was superleuk zaterdag, wanneer de volgende",
    "doe je mee met de Vossenjacht in Zwolle? vraagt mijn dochter",
    "Vossenjacht Zwolle zaterdag regen, gaat het door",
    "Hoe laat begint de Vossenjacht zaterdag",
]
THINGS = """
    appel boom citroen druif egel fluit geit haas iep jas kaas lamp maan noot olifant peer quiche roos slak tuin uil vis
    wolk yoghurt zee anker beker cactus deken emmer fiets gans hond ijs juweel koek ladder muts nacht oog paard rups
    stoel tafel uur veer water zon bank doos
"""
NOISE = THINGS.split()


async def posted(runtime: Runtime, texts: list[str], *, by: str | None = None) -> None:
    await receive(runtime, [mention(text, by=by or f"p{abs(hash(text))}") for text in texts])


async def look(runtime: Runtime) -> int:
    await end_turns(runtime.database)
    return await propose(runtime, utc_now())


async def test_what_many_ask_and_no_topic_fits_is_proposed_once(
    client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]
) -> None:
    await posted(runtime, [*GAMES[:9], *NOISE])
    assert await look(runtime) == 1
    [found] = (await client.get(PROPOSALS, headers=kim)).json()["items"]
    assert found["words"][0] == "vossenjacht"
    assert (found["size"], found["state"], len(found["examples"])) == (9, "open", 3)

    await posted(runtime, GAMES[9:])
    assert await look(runtime) == 0
    [later] = (await client.get(PROPOSALS, headers=kim)).json()["items"]
    assert (later["id"], later["size"]) == (found["id"], 10)

    answer = await client.post(f"{PROPOSALS}/{found['id']}/dismiss", headers=kim)
    assert (answer.json()["state"], answer.json()["decided_by"]) == ("dismissed", "manager:kim")
    assert await look(runtime) == 0
    assert (await client.get(PROPOSALS, headers=kim)).json()["items"] == []
    again = await client.post(f"{PROPOSALS}/{found['id']}/accept", headers=kim)
    assert (again.status_code, again.json()["code"], again.json()["state"]) == (409, "proposal_decided", "dismissed")


async def test_what_is_accepted_reads_as_a_topic_and_names_nobody(
    client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]
) -> None:
    await posted(runtime, [*(f"{text} 06-12345678 @sanne" for text in GAMES), *NOISE])
    await look(runtime)
    [found] = (await client.get(PROPOSALS, headers=kim)).json()["items"]
    taken = (await client.post(f"{PROPOSALS}/{found['id']}/accept", headers=kim)).json()
    [(slug, topic)] = yaml.safe_load(taken["yaml"]).items()
    assert (slug, topic["name"]["nl"]) == ("vossenjacht", "Vossenjacht")
    assert topic["phrases"]["any"] == taken["words"]
    assert [one["text"] for one in topic["examples"]] == taken["examples"]
    assert not any(private in taken["yaml"] for private in ("12345678", "sanne"))
    assert {"phone", "handle", "number", "name"}.isdisjoint(taken["words"])
    rules = runtime.rulebook.sources["topics.yaml"]
    assert "vossenjacht" not in rules  # nothing edits rules by itself


async def test_each_proposal_shows_its_most_typical_posts_but_for_what_was_deleted(
    client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]
) -> None:
    async def propose_of(posts: Sequence[UUID]) -> None:
        made = Proposal(new_id(), ProposalState.OPEN, ("woord",), tuple(posts), len(posts), utc_now(), utc_now())
        await runtime.database.transact(lambda tx: record_proposal(tx, made))

    received = await receive(runtime, [mention(f"Bericht {number}", by=f"p{number}") for number in range(7)])
    ids = [one.mention_id for one in received if isinstance(one, Received) and one.mention_id]
    await propose_of(ids[3::-1])
    await propose_of(ids[4:])
    gone = update(mention_table).where(mention_table.c.id == ids[2]).values(deleted_at=utc_now())
    await runtime.database.transact(lambda tx: tx.execute(gone))
    items = (await client.get(PROPOSALS, headers=kim)).json()["items"]
    assert [one["examples"] for one in items] == [
        ["Bericht 4", "Bericht 5", "Bericht 6"],
        ["Bericht 3", "Bericht 1", "Bericht 0"],
    ]


async def test_one_customers_flood_is_no_topic(runtime: Runtime) -> None:
    await posted(runtime, GAMES, by="jan")
    await posted(runtime, NOISE)
    assert await look(runtime) == 0


async def test_one_process_looks_for_all(runtime: Runtime) -> None:
    await posted(runtime, [*GAMES, *NOISE])
    looks = await asyncio.gather(*(propose(runtime, utc_now()) for _ in range(3)))
    assert sorted(looks) == [0, 0, 1]


async def test_strangers_neither_read_nor_decide(
    client: httpx.AsyncClient, runtime: Runtime, kim: Mapping[str, str]
) -> None:
    agent = await token_for(runtime, Role.AGENT, name="anna")
    assert (await client.get(PROPOSALS, headers=agent)).status_code == 403
    nobody = await client.post(f"{PROPOSALS}/{new_id()}/dismiss", headers=kim)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "proposal_not_found")


@pytest.mark.parametrize(
    "texts", [[], [""] * 20, ["\N{THUMBS UP SIGN}"] * 20, ["dag"] * 20, ["\u202e\u0000x", "a" * 20_000]]
)
async def test_texts_without_anything_in_common_make_no_group(texts: list[str]) -> None:
    assert await list_groups(texts) == []


def test_a_group_is_known_by_half_of_its_posts_or_words() -> None:
    ids = [UUID(int=n) for n in range(8)]
    before = Proposal(new_id(), ProposalState.DISMISSED, ("esim", "horloge"), tuple(ids[:4]), 5, utc_now(), utc_now())
    assert known(("x", "y"), ids[2:4] + ids[6:8], [before]) is before
    assert known(("esim", "z"), ids[6:], [before]) is before
    assert known(("x", "y"), ids[3:8], [before]) is None


def test_no_other_process_loads_what_grouping_needs() -> None:
    asked = "import sys, app.worker, app.main; sys.exit('sklearn' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked], check=True)
