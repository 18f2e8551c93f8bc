"""Modules open with what they know; rules that are switched off say why; decisions name what keeps them."""

import re
from itertools import takewhile
from pathlib import Path

import pytest

from app.settings import PROJECT
from tests.house.source import modules, stage_modules

DECISIONS = sorted((PROJECT / "docs" / "decisions").glob("*.md"))
LONGEST_DECISION = 60  # lines: one page


def test_every_module_opens_with_words() -> None:
    folders = ("app", "migrations", "benchmarks", "tests/house", "tests/support")
    assert [
        module.name for folder in folders for module in modules(folder) if module.text and not module.docstring
    ] == []


def test_what_thinks_and_what_stores_says_what_it_refuses_to_know() -> None:
    rooms = (*stage_modules(), *modules("app/flows"), *modules("app/kit"))
    bounded = [module for module in rooms if module.stem not in {"__init__", "tables"}]
    assert [module.name for module in bounded if not re.search(r"[Rr]efuses\s+to\s+know", module.docstring)] == []


def test_every_opt_out_of_the_linter_has_its_reason() -> None:
    """A line that names rules ends with why they are off; a line of rules may stand under another's reason."""
    text = (PROJECT / "pyproject.toml").read_text()
    ignored = text.partition("\nignore = [\n")[2].partition("\n]")[0].splitlines()
    per_file = text.partition("[tool.ruff.lint.per-file-ignores]\n")[2].splitlines()
    lines = [*ignored, *takewhile(str.strip, per_file)]
    assert len(lines) > len(ignored) > 0
    assert [line for line in lines if not re.search(r"# \w[\w,]* \w", line)] == []


def test_warnings_are_errors_without_exception() -> None:
    assert 'filterwarnings = ["error"]' in (PROJECT / "pyproject.toml").read_text()


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_a_page_and_names_tests_that_are_there(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_DECISION
    kept_by = text.partition("## Kept by\n")[2]
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", kept_by)
    assert named, "names no test"
    for file, test in named:
        assert (PROJECT / file).exists(), file
        assert f"def {test}(" in (PROJECT / file).read_text() or not test, f"{file}::{test}"


def test_decisions_are_numbered() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers
