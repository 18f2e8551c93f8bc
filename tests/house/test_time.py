"""Moments are aware and read once; local time is known to few."""

import ast
import re

from sqlalchemy import DateTime

from app.schema import metadata
from tests.house.source import modules

CLOCKS = re.compile(r"(datetime|date)\.(now|utcnow|today)|time\.(time|time_ns|localtime|gmtime)")
KNOW_LOCAL_TIME = {
    "app.sla.calendar": "opening hours are local",
    "app.rulebook": "reads which zone a calendar is in, and which is that of webcare",
    "app.reports": "its days begin at midnight",
    "app.flows.drift": "asks for days of reports",
    "app.api.reports": "asks for days of reports",
    "app.api.drift": "shows days of reports",
    "app.cli.ingest": "a file may hold wall times, whose zone its owner names",
}
INSTANT = re.compile(r"(?:^|_)(?:at|from|until|since)")


def test_one_module_reads_the_clock() -> None:
    assert {module.name for module in modules("app") for _, called in module.calls() if CLOCKS.fullmatch(called)} == {
        "app.kit.clock"
    }


def test_nobody_brings_the_clock_along_under_another_name() -> None:
    assert [
        f"{module.place(node)} {name}"
        for module in modules("app")
        for node, name in module.imports()
        if CLOCKS.fullmatch(name) or name == "datetime"
    ] == []


def test_few_know_local_time() -> None:
    assert [
        f"{module.place(node)} {name}"
        for module in modules("app")
        for node, name in module.imports()
        if name.startswith("zoneinfo") and not module.name.startswith(tuple(KNOW_LOCAL_TIME))
    ] == []


def test_a_flow_is_given_its_moment() -> None:
    """`unit.now` was read once. Only flows that leave the building, and so have no unit yet, ask the runtime."""
    assert {
        (module.name, function.name)
        for module in modules("app/flows")
        for function in module.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".now", "utc_now"))
    } == {("app.flows.dispatch", "_send")}


def test_columns_hold_instants_and_say_so() -> None:
    instants = {
        f"{table}.{column.name}": column.type
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, DateTime)
    }
    assert instants
    assert [name for name, kind in instants.items() if not kind.timezone] == []
    assert [name for name in instants if not INSTANT.search(name.split(".")[1])] == []
