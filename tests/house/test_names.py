"""Names say what a thing is; a store's verb says what it does to rows."""

import ast
import re

from tests.house.source import Module, modules, stage_modules

EMPTY_WORDS = {"util", "utils", "helper", "helpers", "manager", "service", "services", "base", "common", "misc"}
# `get_` raises, `find_` may give None, `list_`; `claim_` locks, `add_`, `record_` appends, `mark_` compares and swaps.
READS = ("get_", "find_", "list_")
WRITES = ("claim_", "add_", "record_", "mark_")
OTHERWISE = {
    "any_token": "answers yes or no, and shows no row",
    "drop_draft": "deletes words that were sent, or never will be",
    "lock_tokens": "keeps rows away that are not there yet, so there is none to claim",
    "purge_answers": "deletes what was only kept for a day",
    "purge_calls": "deletes calls that are too old to be believed again",
    "purge_drafts": "deletes words that nobody came back to",
    "purge_editions": "deletes sums that nobody reads any more",
    "purge_lessons": "deletes what taught something long ago",
    "purge_volumes": "deletes counts that nothing is compared with any more",
    "take_numbers": "hands out from a sequence, which no rollback gives back",
}
WORDS = re.compile(r"[A-Z]?[a-z]+")


def test_no_module_or_class_is_named_for_nothing() -> None:
    assert [module.name for module in modules("app") if EMPTY_WORDS & set(module.stem.split("_"))] == []
    assert [
        f"{module.place(node)} {node.name}"
        for module in modules("app")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and WORDS.findall(node.name)[-1].lower() in EMPTY_WORDS
    ] == []


def test_verbs_of_stores_are_few() -> None:
    strange = {
        function.name
        for module in _stores()
        for function in _public(module)
        if not function.name.startswith(READS + WRITES)
    }
    assert strange == OTHERWISE.keys()


def test_verbs_tell_what_a_store_is_given_and_gives() -> None:
    """Who reads is given a session that PostgreSQL holds read-only, or the ledger that was opened in one; `get_` never
    gives None, `find_` may.
    """
    wrong = []
    for module in _stores():
        for function in _public(module):
            session = function.args.args[0]
            wanted = ("tx: Reading", "ledger: Ledger") if function.name.startswith(READS) else ("tx: Transaction",)
            if function.name not in OTHERWISE and f"{session.arg}: {_written(session.annotation)}" not in wanted:
                wrong.append(f"{module.place(function)} {function.name} takes {' or '.join(wanted)} first")
            if function.name.startswith("find_") is not _written(function.returns).endswith("| None") and (
                function.name.startswith(READS)
            ):
                wrong.append(f"{module.place(function)} {function.name} gives {_written(function.returns)}")
    assert wrong == []


def _stores() -> list[Module]:
    stores = [module for module in stage_modules() if module.stem == "store"]
    assert stores
    return stores


def _public(module: Module) -> list[ast.AsyncFunctionDef]:
    return [node for node in module.tree.body if isinstance(node, ast.AsyncFunctionDef) and node.name[0] != "_"]


def _written(annotation: ast.expr | None) -> str:
    return ast.unparse(annotation) if annotation else ""
