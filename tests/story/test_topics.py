"""A team teaches its topics from the command line and over HTTP."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
from typer.testing import Result

from app.access.role import Role
from app.kit.db import Database
from app.runtime import Runtime
from app.topics.labels.store import list_labels
from tests.story.test_cli import webcare
from tests.story.test_rules import serving, until
from tests.support.callers import token_for
from tests.support.patience import PATIENCE

COMPLAINTS = (
    "De wifibol knippert paars op de",
    "Hier licht die bol van jullie weer paars op, in de",
    "Paars knipperlicht op de wifibol in onze",
    "Sinds gisteren geeft de wifibol een paars lampje, boven in de",
)
PLACES = ("zolder", "gang", "overloop", "slaapkamer", "werkkamer", "schuur", "hal", "serre")
LABELLED = """text;category
Kan ik bellen in Spanje?;abroad
Geen bereik in de kelder;coverage
Wat een weer;weather
"Nog een keer
geen bereik";coverage
;coverage
"""


async def test_a_file_of_labels_is_taken_in_once_and_wrong_lines_are_told(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "labelled.csv"
    file.write_text(LABELLED, "utf-8")

    async def run(*words: str) -> Result:
        said = ("topics", "import", str(file), "--rename", "abroad=roaming", *words)
        return await asyncio.to_thread(webcare, *said, DATABASE_URL=database_url)

    async def kept() -> list[tuple[str, str | None]]:
        async with database.reading() as tx:
            return sorted((one.topic, one.text) for one in await list_labels(tx, limit=100))

    tried = await run("--dry-run")
    assert (tried.exit_code, await kept()) == (3, [])

    told = await run()
    assert told.exit_code == 3
    assert told.stdout.startswith("labelled.csv: 3 labels of 2 topics, 3 of them new.\n")
    assert "little to learn from: coverage, roaming" in told.stdout
    assert told.stderr.startswith("line 4: there is no topic 'weather'")
    assert "line 7: the row has no text" in told.stderr
    expected = [
        ("coverage", "Geen bereik in de kelder"),
        ("coverage", "Nog een keer\ngeen bereik"),
        ("roaming", "Kan ik bellen in Spanje?"),
    ]
    assert await kept() == expected

    again: dict[str, Any] = json.loads((await run("--json")).stdout)
    assert (again["labels"], again["new"], [one["line"] for one in again["rejected"]]) == (3, 0, [4, 7])
    assert await kept() == expected


def test_a_file_without_topics_is_told_with_code_2(tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text("text;when\nHoi;nu\n", "utf-8")
    told = webcare("topics", "import", str(file))
    assert told.exit_code == 2
    assert "--map topic=COLUMN" in told.stderr


def post(number: int) -> dict[str, Any]:
    """A post in words that no phrase of the rulebook knows."""
    return {
        "channel": "forum",
        "external_id": f"wifibol-{number}",
        "author": {"external_id": f"u-{number}"},
        "text": f"{COMPLAINTS[number // len(PLACES) % len(COMPLAINTS)]} {PLACES[number % len(PLACES)]}",
        "posted_at": "2026-11-18T09:55:00Z",
    }


async def test_after_thirty_corrections_the_same_kind_of_post_finds_its_department_by_itself(
    runtime: Runtime, database_url: str, tmp_path: Path
) -> None:
    ingest, anna = await token_for(runtime, Role.INGEST), await token_for(runtime, Role.AGENT, name="anna")

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(webcare, "topics", *words, DATABASE_URL=database_url, DATA_DIR=str(tmp_path))

    async with (
        serving(database_url, tmp_path) as url,
        httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=PATIENCE) as client,
    ):

        async def ask(number: int) -> dict[str, Any]:
            answer = await client.post("/mentions", json=post(number), headers=ingest)
            assert answer.status_code == 201, answer.text
            told: dict[str, Any] = answer.json()
            return told

        for number in range(30):
            asked = await ask(number)
            assert asked["topic"] is None
            moved = await client.post(
                f"/tickets/{asked['ticket_id']}/reroute",
                json={"topic": "network_outage", "reason": "the modem tells of it"},
                headers=anna,
            )
            assert moved.status_code == 200, moved.text

        trained = await run("train", "--promote", "--json")
        model: dict[str, Any] = json.loads(trained.stdout)
        assert (trained.exit_code, model["labels"]["correction"], model["promoted"]) == (0, 30, True)

        async def follows(number: int | None) -> bool:
            return bool((await client.get(f"{url}/readyz")).json()["model"] == number)

        await until(lambda: follows(model["number"]))
        asked = await ask(30)
        assert (asked["topic"], asked["department"]) == ("network_outage", "network")
        explained = (await client.get(f"/tickets/{asked['ticket_id']}/explain", headers=anna)).text
        assert f"model {model['number']}" in explained

        assert (await run("rollback", "--note", "wifibol is a toy")).exit_code == 0
        await until(lambda: follows(None))
        assert (await ask(31))["topic"] is None
