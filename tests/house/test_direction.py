"""The folders are a river: imports and foreign keys point upstream."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Table

from app.schema import metadata
from app.settings import PROJECT
from tests.house.source import contracts, modules, stages

# What plays a client of the service knows the service by HTTP, the command line around it, and no room below.
CLIENTS = ("app/cli/ingest", "app/demo")
OPEN_TO_CLIENTS = ("app.cli.", "app.demo.", "app.kit.", "app.settings.", "app.delivery.signing.")


def test_imports_keep_the_contracts() -> None:
    """What `lint-imports` checks: the order of the rooms, frameworks, who sends, no cycles among siblings.

    In a process of its own: it silences every logger of the one that it runs in.
    """
    lint_imports = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    ended = subprocess.run(lint_imports, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_what_serves_and_works_never_loads_what_trains() -> None:
    """Training has a process of its own (app/training.py): what it needs takes hundreds of megabytes."""
    asked = "import sys, app.main, app.worker; print(*sorted({'scipy', 'sklearn'} & sys.modules.keys()))"
    told = subprocess.run([sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def test_every_stage_is_kept_from_frameworks() -> None:
    assert contracts()["frameworks"]["source_modules"] == [f"app.{room}" for room in (*stages(), "kit")]


def test_foreign_keys_point_upstream() -> None:
    """By name they pass between stages that do not import each other, so the contracts cannot see them."""
    depth = {table: place for place, stage in enumerate(stages()) for table in _tables(stage)}
    assert depth.keys() == set(metadata.tables)
    assert [
        f"{key.parent} -> {key.column}"
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if depth[key.column.table.name] < depth[table.name]
    ] == []


def _tables(stage: str) -> set[str]:
    if not (PROJECT / "app" / stage / "tables.py").exists():
        return set()
    return {one.name for one in vars(import_module(f"app.{stage}.tables")).values() if isinstance(one, Table)}


@pytest.mark.parametrize("folder", [folder for folder in CLIENTS if (PROJECT / folder / "__init__.py").exists()])
def test_clients_speak_http(folder: str) -> None:
    assert [
        f"{module.place(node)} imports {name}"
        for module in modules(folder)
        for node, name in module.imports()
        if name.startswith("app.") and not name.startswith(OPEN_TO_CLIENTS)
    ] == []
