"""Small enough to be read at once. Past the limit a pure step or a second noun is hiding in it."""

from tests.house.source import modules

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
# Not `migrations/versions`, which are history, and not `cli`, where options and their help make up a signature.
FOLDERS = ("app", "benchmarks", "tests")
ROOMS_OF_DOORS = "app.cli."


def test_no_file_is_long() -> None:
    lengths = {module.name: module.text.count("\n") for folder in FOLDERS for module in modules(folder)}
    assert {name: length for name, length in lengths.items() if length > LINES_OF_A_FILE} == {}


def test_no_function_is_long() -> None:
    assert [
        f"{module.place(function)} {function.name}"
        for module in modules("app")
        if not module.name.startswith(ROOMS_OF_DOORS)
        for function in module.functions()
        if (function.end_lineno or 0) - function.lineno >= LINES_OF_A_FUNCTION
    ] == []
