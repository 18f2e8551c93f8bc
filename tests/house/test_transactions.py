"""One flow is one transaction: one place ends it, and nothing is sent while it is open."""

import ast
from collections.abc import Iterator
from typing import get_type_hints

from app.runtime import Unit
from tests.house.source import Module, modules

ENDINGS = {"begin", "begin_nested", "commit", "rollback"}
ENGINES = {"create_engine", "create_async_engine"}
MAY_END = {
    "app.kit.db": "its purpose",
    "app.migrating": "a connection of its own, of which the session holds the migrators' lock while Alembic commits",
}
SESSIONS = {"Unit", "Transaction", "Reading"}
WAYS_OUT = {"sender", "publisher", "adviser", "httpx"}


def test_one_place_begins_and_commits() -> None:
    assert [
        f"{module.place(call)} {called}"
        for module in modules("app")
        if module.name not in MAY_END
        for call, called in module.calls()
        if called.split(".")[-1] in ENDINGS | ENGINES
    ] == []


def test_a_unit_of_work_has_no_way_out_of_the_building() -> None:
    assert set(get_type_hints(Unit)) == {"tx", "now", "rulebook", "knobs"}


def test_nothing_is_sent_while_a_transaction_is_open() -> None:
    """Whoever is given a session is not given a runtime too, and does not reach for one."""
    assert [
        f"{module.place(node)} {word}"
        for room in ("flows", "api", "cli")
        for module in modules(f"app/{room}")
        for body in _in_sessions(module)
        for node in ast.walk(body)
        if isinstance(node, ast.Name | ast.Attribute | ast.arg)
        for word in [_word(node)]
        if word in WAYS_OUT
    ] == []


def test_a_flow_runs_inside_one_transaction_and_starts_no_other() -> None:
    assert [
        f"{module.place(call)} {called}"
        for module in modules("app/flows")
        for body in _in_sessions(module)
        for call in ast.walk(body)
        if isinstance(call, ast.Call)
        for called in [ast.unparse(call.func)]
        if called.split(".")[-1] in {"run", "run_idempotent", "transact", "reading"}
    ] == []


def _in_sessions(module: Module) -> Iterator[ast.AST]:
    """Functions that are given a session, and blocks that open one."""
    for function in module.functions():
        if any(_is_session(argument) for argument in (*function.args.args, *function.args.kwonlyargs)):
            yield function
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncWith) and any("reading(" in ast.unparse(item) for item in node.items):
            yield from node.body


def _is_session(argument: ast.arg) -> bool:
    return argument.annotation is not None and ast.unparse(argument.annotation) in SESSIONS


def _word(node: ast.Name | ast.Attribute | ast.arg) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else node.arg
