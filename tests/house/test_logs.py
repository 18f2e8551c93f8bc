"""The log tells transitions, never what anybody wrote."""

import ast

from tests.house.source import modules

WORDS = (
    {"text", "body", "title", "comment", "note", "words", "answer", "content", "message"}
    | {"handle", "display_name", "author"}
    | {"secret", "token"}
)
LOGGED = {"transition", "failure"}


def test_no_words_are_logged() -> None:
    """Neither under such a name, nor taken from a field of such a name, nor as a bundle that hides what is in it."""
    assert [
        f"{module.place(call)} {ast.unparse(argument)}"
        for module in modules("app")
        for call, called in module.calls()
        if called.split(".")[-1] in LOGGED and module.name != "app.kit.logs"
        for argument in _arguments(call)
        if _holds_words(argument)
    ] == []


def test_there_is_one_way_into_the_log() -> None:
    assert {
        module.name for module in modules("app") for _, name in module.imports() if name.split(".")[0] == "logging"
    } == {"app.kit.logs"}


def test_nothing_is_printed_past_the_log_except_to_a_person() -> None:
    """Commands speak to whoever typed them."""
    assert [
        module.place(call)
        for module in modules("app")
        if not module.name.startswith(("app.cli", "app.demo"))
        for call, called in module.calls()
        if called in {"print", "sys.stdout.write", "sys.stderr.write"}
    ] == []


def _arguments(call: ast.Call) -> list[ast.expr | ast.keyword]:
    return [*call.args, *call.keywords]


def _holds_words(argument: ast.expr | ast.keyword) -> bool:
    if isinstance(argument, ast.keyword) and (argument.arg is None or argument.arg in WORDS):
        return True
    return any(
        (isinstance(node, ast.Attribute) and node.attr in WORDS) or (isinstance(node, ast.Name) and node.id in WORDS)
        for node in ast.walk(argument)
    )
