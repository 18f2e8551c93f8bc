"""The `webcare` command: what it prints and the codes that scripts go by."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from app.cli import app
from app.kit.clock import utc_now
from app.kit.db import Database
from app.reports.tables import tally
from app.routing.rules.store import add_version
from app.routing.rules.version import Origin
from app.rulebook import Rulebook, Sources, parse
from app.settings import PROJECT
from app.sla.tables import clock
from tests.support.house import LONG_AGO, House


def webcare(*words: str, given: str | None = None, **environment: str) -> Result:
    settings = {f"WEBCARE_{name}": value for name, value in environment.items()}
    return CliRunner().invoke(app, words, input=given, env=settings)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT / "routing_rules", tmp_path / "rules"))


async def sent(database: Database, sources: Sources) -> Rulebook:
    """Rules that were sent over HTTP: they are in force, and stand in no folder."""
    rules = parse(sources)
    await database.transact(
        lambda tx: add_version(tx, rules.digest, rules.sources, Origin.SENT, "admin:sam", None, LONG_AGO)
    )
    return rules


def test_the_rulebook_of_the_house_is_right_and_its_examples_hold() -> None:
    assert webcare("rules", "check").exit_code == 0
    assert webcare("rules", "test").exit_code == 0


def test_a_wrong_rulebook_is_told_with_file_and_line_and_code_2(rules: Path) -> None:
    (rules / "departments.yaml").write_text("departments:\n  billing:\n    nmae: {}\n")
    told = webcare("rules", "check", "--rules", str(rules))
    assert told.exit_code == 2
    assert "departments.yaml:3: " in told.stderr


def test_an_example_that_gets_another_topic_is_told_with_its_line_and_code_2(rules: Path) -> None:
    topics = rules / "topics.yaml"
    said = topics.read_text("utf-8").replace("    examples:\n", "    examples:\n      - {text: Hallo, lang: nl}\n", 1)
    topics.write_text(said, "utf-8")
    line = said[: said.index("{text: Hallo")].count("\n") + 1
    told = webcare("rules", "test", "--rules", str(rules))
    assert told.exit_code == 2
    assert told.stderr.startswith(f"topics.yaml:{line}: 'Hallo' wants order_status and gets no topic")


def test_help_breaks_its_lines_where_the_terminal_ends() -> None:
    told = CliRunner().invoke(app, ["up", "--help"], env={"COLUMNS": "200"})
    assert "Data is in WEBCARE_DATA_DIR (./data);" in told.stdout


def test_explain_tells_topic_owner_and_evidence() -> None:
    told = webcare("rules", "explain", "Waar blijft mijn pakketje?", "--channel", "forum")
    assert told.exit_code == 0
    assert "-> supply_chain" in told.stdout
    assert "pakketje" in told.stdout


def test_explain_reads_standard_input_and_writes_json() -> None:
    told = webcare("rules", "explain", "-", "--json", given="Goedemorgen allemaal")
    assert json.loads(told.stdout)["department"] is None


def test_a_token_is_made_listed_and_revoked(database_url: str) -> None:
    made = webcare("token", "create", "--role", "agent", "--name", "anna of the cli", DATABASE_URL=database_url)
    assert made.stdout.startswith("wc_agent_")
    assert made.stdout.count("\n") == 1

    def anna() -> list[str]:
        lines = webcare("token", "list", DATABASE_URL=database_url).stdout.splitlines()
        return next(line.split("\t") for line in lines if "anna of the cli" in line)

    token_id, role, _, department, state = anna()
    assert (role, department, state) == ("agent", "-", "valid")
    assert webcare("token", "revoke", token_id, DATABASE_URL=database_url).exit_code == 0
    assert anna()[-1] == "revoked"


def test_a_token_for_a_department_that_is_not_there_is_refused_with_code_2(database_url: str) -> None:
    words = ("token", "create", "--role", "department", "--department", "catering", "--name", "x")
    told = webcare(*words, DATABASE_URL=database_url)
    assert (told.exit_code, told.stdout) == (2, "")
    assert "catering" in told.stderr


async def test_a_token_is_made_for_a_department_of_the_rules_in_force(
    database: Database, database_url: str, rulebook: Rulebook
) -> None:
    catering = "  catering: {name: {nl: Catering, en: Catering}, process: trays, calendar: office}"
    departments = rulebook.sources["departments.yaml"] + catering
    await sent(database, {**rulebook.sources, "departments.yaml": departments})
    words = ("token", "create", "--role", "department", "--department", "catering", "--name", "trays")
    made = await asyncio.to_thread(webcare, *words, DATABASE_URL=database_url)
    assert made.stdout.startswith("wc_department_")


def test_a_setting_that_means_nothing_is_named_with_code_2() -> None:
    told = webcare("migrate", PORT="none")
    assert told.exit_code == 2
    assert told.stderr.startswith("WEBCARE_PORT: ")
    assert told.stderr.count("\n") == 1


def test_an_unreachable_database_ends_with_code_1() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    told = webcare("token", "list", DATABASE_URL=nowhere)
    assert told.exit_code == 1
    assert "database" in told.stderr


async def test_clocks_are_verified_and_mended(database: Database, database_url: str, rulebook: Rulebook) -> None:
    async def verify(*words: str) -> Result:
        return await asyncio.to_thread(webcare, "sla", "verify", *words, DATABASE_URL=database_url)

    house = House(database, rulebook)
    ticket = await house.open(utc_now())
    assert (await verify()).stdout == "1 tickets, 2 clocks: 0 differ, 0 of those mended.\n"

    spoilt = update(clock).where(clock.c.metric == "resolution").values(due_at=LONG_AGO)
    await database.transact(lambda tx: tx.execute(spoilt))
    found, mended, after = [await verify(*words) for words in ((), ("--repair",), ())]

    assert [told.exit_code for told in (found, mended, after)] == [1, 0, 0]
    assert found.stdout.startswith(f"ticket {ticket.number}: resolution 1: due_at is {LONG_AGO}, reads ")
    assert mended.stdout.endswith("1 differ, 1 of those mended.\n")
    assert found.stderr.endswith("1 tickets read, 1 clocks differ\n")


async def test_clocks_are_verified_by_the_rules_in_force(
    database: Database, database_url: str, rulebook: Rulebook
) -> None:
    shorter = rulebook.sources["calendars.yaml"].replace("[08:00-22:00]", "[08:00-08:30]")
    await House(database, await sent(database, {**rulebook.sources, "calendars.yaml": shorter})).open(utc_now())

    told = await asyncio.to_thread(webcare, "sla", "verify", DATABASE_URL=database_url)

    assert told.stdout == "1 tickets, 2 clocks: 0 differ, 0 of those mended.\n"


async def test_reports_are_rebuilt_from_what_stands(database: Database, database_url: str, rulebook: Rulebook) -> None:
    await House(database, rulebook).open(utc_now())
    await database.transact(
        lambda tx: tx.execute(tally.insert().values(edition=1, newest=1, xact=0, place=0, zone="UTC"))
    )
    done = await asyncio.to_thread(webcare, "reports", "rebuild", DATABASE_URL=database_url)
    assert (done.exit_code, done.stdout) == (0, "1 tickets counted anew.\n")

    async with database.reading() as tx:
        [row] = await tx.fetch("SELECT count(*) AS n, min(edition) AS edition FROM fact WHERE measure = 'opened'")
    assert tuple(row.values()) == (1, 2)


async def test_reports_are_rebuilt_by_the_rules_in_force(
    database: Database, database_url: str, rulebook: Rulebook
) -> None:
    moved = rulebook.sources["calendars.yaml"].replace("zone: Europe/Amsterdam", "zone: Pacific/Auckland")
    await sent(database, {**rulebook.sources, "calendars.yaml": moved})
    await database.transact(
        lambda tx: tx.execute(tally.insert().values(edition=1, newest=1, xact=0, place=0, zone="UTC"))
    )
    assert (await asyncio.to_thread(webcare, "reports", "rebuild", DATABASE_URL=database_url)).exit_code == 0

    async with database.reading() as tx:
        assert [row.zone for row in await tx.rows(select(tally.c.zone))] == ["Pacific/Auckland"]
