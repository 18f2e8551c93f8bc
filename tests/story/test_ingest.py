"""`webcare ingest` as a person meets it: the real command over a real port, interrupted and taken up again."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from app.access.role import Role
from app.cli.ingest.bookmark import Bookmark, OtherFile
from app.cli.ingest.plan import make_plan
from app.cli.ingest.posting import Poster, ServiceUnreachable
from app.cli.ingest.running import Run
from app.cli.ingest.screen import Meter
from app.cli.ingest.source import open_source
from app.kit.clock import utc_now
from app.main import create_app
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.serving import listen, served

POSTS = b"""tweet_id,author_id,created_at,text
1,sanne,Tue Oct 31 22:10:47 +0000 2017,Waar blijft mijn pakketje? Zou gisteren komen
2,tom,Tue Oct 31 22:11:45 +0000 2017,You charged me twice this month
3,kees,gisteren,hallo
4,"kees,Tue Oct 31 22:11:45 +0000 2017,hallo
5,jan,Wed Oct 31 22:11:45 +0000 1990,hallo
6,eva,Tue Oct 31 22:12:45 +0000 2017,Hoe gaat het
"""


@pytest.fixture
async def url(runtime: Runtime) -> AsyncIterator[str]:
    """The API on a real port."""
    async with served(create_app(runtime), listen()) as address:
        yield address


async def webcare(*words: str, **environment: str) -> tuple[int, str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEBCARE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", *words),
        env=kept | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_file_becomes_tickets_and_a_report_of_what_did_not(runtime: Runtime, url: str, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_bytes(POSTS)
    token = (await token_for(runtime, Role.INGEST))["Authorization"].removeprefix("Bearer ")
    words = ("ingest", str(file), "--set", "channel=x")

    code, out, err = await webcare(*words, WEBCARE_URL=url, WEBCARE_TOKEN=token)
    assert (code, out.splitlines()[1].strip()) == (3, "3 opened, 3 rejected"), err
    assert {tuple(line.split()) for line in out.splitlines()[3:]} == {
        ("supply_chain", "1"),
        ("billing", "1"),
        ("triage", "1"),
    }
    rejected = (tmp_path / "posts.csv.rejected.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in rejected] == [
        ["line", "field"],
        ["4", "posted_at"],
        ["5", ""],
        ["6", "posted_at"],
    ]
    assert not (tmp_path / "posts.csv.webcare-progress").exists()

    code, out, _ = await webcare(*words, WEBCARE_URL=url, WEBCARE_TOKEN=token)
    assert (code, out.splitlines()[1].strip()) == (3, "3 duplicate, 3 rejected")

    code, _, err = await webcare(*words, WEBCARE_URL=url, WEBCARE_TOKEN="wc_ingest_nobody")
    assert code == 1
    assert "401" in err


async def test_a_dry_run_needs_no_service(tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_bytes(POSTS)
    code, out, _ = await webcare("ingest", str(file), "--dry-run")
    assert code == 0
    assert "column tweet_id" in out
    assert "rejected: posted_at" in out


def a_run(file: Path, *, imported: bool = True) -> Run:
    source = open_source(file, None, "utf-8")
    plan = make_plan(source.columns(1), mapped={}, constants={}, only={}, now=utc_now(), imported=imported)
    return Run(source, plan, Bookmark(file, plan.fingerprint))


def take_in(run: Run, service: Callable[[httpx.Request], httpx.Response], limit: int | None = None) -> None:
    client = httpx.Client(transport=httpx.MockTransport(service), base_url="http://webcare.test")
    with Meter(Console(stderr=True), 1) as meter:
        run.take_in(Poster(client, patience=0, tell=meter.tell), meter, batch=2, limit=limit)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """A service that fails after two batches: over both runs each row is acknowledged once."""
    file = tmp_path / "posts.jsonl"
    file.write_text("".join(f'{{"id": "{n}", "text": "hoi", "date": "2017-10-31"}}\n' for n in range(9)))
    acknowledged: list[str] = []

    def service(request: httpx.Request) -> httpx.Response:
        if len(acknowledged) == 4 and not recovered:
            return httpx.Response(503)
        ids = [one["external_id"] for one in httpx.Response(200, content=request.content).json()["mentions"]]
        acknowledged.extend(ids)
        return httpx.Response(200, json={"items": [{"outcome": "opened", "department": None} for _ in ids]})

    recovered = False
    with pytest.raises(ServiceUnreachable):
        take_in(a_run(file), service)
    with pytest.raises(OtherFile):
        a_run(file, imported=False)

    recovered = True
    with file.open("a") as grown:
        grown.write('{"id": "9", "text": "hoi", "date": "2017-10-31"}\n')
    take_in(a_run(file), service, limit=3)
    again = a_run(file)
    take_in(again, service)
    assert acknowledged == [str(n) for n in range(10)]
    assert again.tally.departments == {"triage": 10}
    assert list(tmp_path.iterdir()) == [file]
