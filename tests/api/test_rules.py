"""Rules over HTTP: checked, tried out, put in force on every process, and taken back."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.access.role import Caller, Role
from app.flows.rules import RulesMovedOn, begin_rules, follow, put_in_force, reload, roll_back
from app.kit.ids import new_id
from app.routing.rules.store import add_version
from app.routing.rules.version import Origin
from app.rulebook import load
from app.runtime import InForce, Runtime
from app.settings import PROJECT
from tests.support.callers import token_for
from tests.support.mentions import as_json, mention

FOLDER = PROJECT / "routing_rules"
RULES = "/api/v1/rules"


def other(file: str, old: str, new: str) -> dict[str, str]:
    source = (FOLDER / file).read_text("utf-8")
    assert old in source
    return {file: source.replace(old, new)}


ESCALATION = other("escalation.yaml", "followers: 10000", "followers: 20000")
OWNERSHIP = other("ownership.yaml", "least: 30", "least: 40")
SAM = Caller(new_id(), "sam", Role.ADMIN)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    for file in FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def process(runtime: Runtime, folder: Path = FOLDER) -> Runtime:
    """Another process over the same database, with files of its own."""
    return replace(runtime, rules=InForce(load(folder)), knobs=runtime.knobs.model_copy(update={"rules_dir": folder}))


async def test_rules_that_were_sent_come_into_force_on_every_process_and_go_back_again(
    client: httpx.AsyncClient, runtime: Runtime, admin: Mapping[str, str]
) -> None:
    elsewhere = process(runtime)
    await begin_rules(runtime)
    await begin_rules(elsewhere)
    first = runtime.rulebook.digest

    answer = await client.post(f"{RULES}/reload", headers=admin, json={"files": ESCALATION, "note": "more reach"})
    assert (answer.status_code, answer.json()["changed"]) == (200, True)
    second = answer.json()["version"]["digest"]
    await follow(elsewhere)
    assert {runtime.rulebook.digest, elsewhere.rulebook.digest} == {second} != {first}
    assert (await client.get(RULES, headers=admin)).json()["digest"] == second

    listed = (await client.get(f"{RULES}/versions", headers=admin)).json()["items"]
    assert [(one["origin"], one["digest"], one["note"]) for one in listed] == [
        ("sent", second, "more reach"),
        ("folder", first, None),
    ]
    back = await client.post(f"{RULES}/rollback", headers=admin, json={"to": listed[1]["number"]})
    await follow(elsewhere)
    assert back.json()["version"]["origin"] == "rollback"
    assert {runtime.rulebook.digest, elsewhere.rulebook.digest} == {first}


async def test_a_start_undoes_no_rollback_and_takes_over_files_that_changed(runtime: Runtime, folder: Path) -> None:
    old = process(runtime, folder)
    await begin_rules(old)
    was = old.rulebook.digest
    (folder / "escalation.yaml").write_text(ESCALATION["escalation.yaml"], "utf-8")
    changed = process(runtime, folder)
    await begin_rules(changed)
    await follow(old)
    assert old.rulebook.digest == changed.rulebook.digest != was

    (folder / "escalation.yaml").write_bytes((FOLDER / "escalation.yaml").read_bytes())
    await begin_rules(process(runtime, folder))
    await follow(old)
    assert old.rulebook.digest == was
    await begin_rules(again := process(runtime, folder))
    assert again.rules.number == old.rules.number


async def test_what_was_sent_to_one_process_undoes_nothing_that_was_sent_to_another(runtime: Runtime) -> None:
    """A process is up to two seconds behind; what it is sent stands beside what others were sent by then."""
    elsewhere = process(runtime)
    await begin_rules(runtime)
    await begin_rules(elsewhere)
    base = elsewhere.rules.number

    await reload(runtime, SAM, ESCALATION, None)
    with pytest.raises(RulesMovedOn):
        await put_in_force(elsewhere, OWNERSHIP, Origin.STEP, "system", "behind the times")
    await reload(elsewhere, SAM, OWNERSHIP, None)
    await follow(runtime)

    assert base is not None
    assert runtime.rulebook.digest == elsewhere.rulebook.digest
    assert {name: runtime.rulebook.sources[name] for name in ESCALATION | OWNERSHIP} == ESCALATION | OWNERSHIP


async def test_one_goes_back_to_rules_of_a_time_in_which_a_file_was_not_read(runtime: Runtime) -> None:
    await begin_rules(runtime)
    fewer = {**runtime.rulebook.sources, **ESCALATION}
    del fewer["crisis.yaml"]
    old = await runtime.database.transact(
        lambda tx: add_version(tx, "0" * 12, fewer, Origin.FOLDER, "system", None, runtime.now())
    )
    await runtime.database.transact(
        lambda tx: add_version(
            tx, runtime.rulebook.digest, runtime.rulebook.sources, Origin.FOLDER, "system", None, runtime.now()
        )
    )

    await roll_back(runtime, SAM, old.number, None)

    crisis = (FOLDER / "crisis.yaml").read_text("utf-8")
    assert runtime.rulebook.sources == fewer | {"crisis.yaml": crisis}


async def test_wrong_rules_change_nothing_and_name_their_lines(
    client: httpx.AsyncClient, runtime: Runtime, admin: Mapping[str, str]
) -> None:
    wrong = {"files": other("escalation.yaml", "followers: 10000", "followers: many")}
    before = runtime.rulebook.digest

    checked = (await client.post(f"{RULES}/validate", headers=admin, json=wrong)).json()
    refused = await client.post(f"{RULES}/reload", headers=admin, json=wrong)

    assert (checked["valid"], checked["problems"][0]["file"]) == (False, "escalation.yaml")
    assert (refused.status_code, refused.json()["code"]) == (422, "rulebook_invalid")
    assert refused.json()["problems"][0].startswith("escalation.yaml:")
    assert runtime.rulebook.digest == before
    unknown = await client.post(f"{RULES}/validate", headers=admin, json={"files": {"rulez.yaml": ""}})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_file")
    missing = await client.post(f"{RULES}/rollback", headers=admin, json={"to": 99_999})
    assert (missing.status_code, missing.json()["code"]) == (404, "rules_version_not_found")


async def test_a_simulation_tells_whose_fate_changes_and_writes_nothing(
    client: httpx.AsyncClient, runtime: Runtime, admin: Mapping[str, str]
) -> None:
    for number, text in enumerate(("Waar blijft mijn pakket?", "Mijn factuur klopt niet", "hoi")):
        said = as_json(mention(text, by=f"u{number}"))
        assert (await client.post("/api/v1/mentions", headers=admin, json=said)).status_code == 201
    proposed = other("ownership.yaml", "department: billing", "department: customer_service")

    answer = await client.post(f"{RULES}/simulate", headers=admin, json={"files": proposed, "last": 50})

    told = answer.json()
    assert (told["mentions"], told["changed"]) == (3, 1)
    shifts = {shift["department"]: (shift["now"], shift["proposed"]) for shift in told["departments"]}
    assert (shifts["billing"], shifts["customer_service"], shifts["supply_chain"]) == ((1, 0), (0, 1), (1, 1))
    [change] = told["changes"]
    assert (change["now"]["department"], change["proposed"]["department"]) == ("billing", "customer_service")
    assert any("factuur" in why for why in change["proposed"]["why"])
    assert (await client.get(f"{RULES}/versions", headers=admin)).json()["items"] == []


@pytest.mark.parametrize("path", ["reload", "rollback", "simulate"])
async def test_only_admins_change_and_try_out_rules(client: httpx.AsyncClient, runtime: Runtime, path: str) -> None:
    agent = await token_for(runtime, Role.AGENT)
    answer = await client.post(f"{RULES}/{path}", headers=agent, json={"to": 1})
    assert answer.status_code == 403
