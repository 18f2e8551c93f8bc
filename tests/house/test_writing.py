"""Each table has one store that writes it, and what belongs together has one flow that writes it."""

import ast
from collections.abc import Iterator

from tests.house.source import Module, modules

STATEMENTS = {"insert", "update", "delete"}


def test_one_flow_writes_tickets_and_clocks() -> None:
    """Steps, custody, events and clocks are written side by side in `record`, so none of them can disagree."""
    assert {
        module.name
        for module in modules("app")
        for _, called in module.calls()
        if called.split(".")[-1] in {"record_steps", "record_clocks"}
    } == {"app.flows.record"}


def test_a_table_is_written_by_its_own_stage() -> None:
    written = {(module.name, table) for module in modules("app") for table in _written(module)}
    assert written
    assert [(name, table) for name, table in written if _stage(name) != _stage(table)] == []


def test_no_row_is_mapped_to_an_object() -> None:
    assert [
        f"{module.place(node)} {name}"
        for module in (*modules("app"), *modules("migrations"))
        for node, name in module.imports()
        if name.startswith("sqlalchemy.orm")
    ] == []


def _written(module: Module) -> Iterator[str]:
    """The tables that statements change: `tx.insert(t, ...)`, `update(t)`, `t.delete()`; not those in plain SQL."""
    tables = {name.split(".")[-1]: name for _, name in module.imports() if ".tables." in name}
    for call, called in module.calls():
        subject, _, verb = called.rpartition(".")
        if verb in STATEMENTS:
            table = subject if subject not in {"", "tx"} else ast.unparse(call.args[0]) if call.args else ""
            if table in tables:
                yield tables[table]


def _stage(name: str) -> str:
    return name.split(".")[1]
