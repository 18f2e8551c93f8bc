"""A team teaches its topics from the command line and over HTTP."""

import asyncio
import json
from pathlib import Path
from typing import Any

from typer.testing import Result

from app.kit.db import Database
from app.topics.labels.store import list_labels
from tests.story.test_cli import webcare

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
