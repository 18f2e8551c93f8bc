"""README and docs name only what is there: commands, calls, make targets, files; and every command is named."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli import app as cli
from app.main import create_app
from app.runtime import build_runtime
from app.settings import PROJECT, Settings

README = PROJECT / "README.md"
PAGES = (README, *sorted((PROJECT / "docs").rglob("*.md")))
NOWHERE = "postgresql+asyncpg://nobody@localhost/none"  # never connected to
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _words() -> set[str]:
    """Every command as it is typed: `up`, `token create`."""
    found: set[str] = set()
    for name, command in get_command(cli).commands.items():  # type: ignore[attr-defined] # the root is a group
        below = getattr(command, "commands", None)
        found |= {f"{name} {one}" for one in below} if below else {name}
    return found


def _code(page: Path) -> Iterator[str]:
    """What a reader may type: each line of the shell's blocks and each span of code in the prose."""
    text = page.read_text("utf-8")
    yield from (line for block in BLOCK.finditer(text) if block[1] == "sh" for line in block[2].splitlines())
    yield from re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))


def _named(pattern: str) -> set[str]:
    named = {found[1] for page in PAGES for code in _code(page) for found in re.finditer(pattern, code)}
    assert named, f"no page names anything like {pattern}"
    return named


def _is_command(words: str, known: set[str]) -> bool:
    """Arguments may follow a command, and a group may stand alone."""
    first, _, second = words.partition(" ")
    groups = {command.partition(" ")[0] for command in known if " " in command}
    return f"{first} {second}" in known if first in groups and second else first in groups or first in known


def test_commands_are_there() -> None:
    named = _named(r"^(?:\.venv/bin/)?webcare ([a-z]+(?: [a-z]+)?)")
    assert {words for words in named if not _is_command(words, _words())} == set()


def test_a_page_names_every_command() -> None:
    text = (PROJECT / "docs" / "operating.md").read_text("utf-8")
    assert {words for words in _words() if f"| `webcare {words}` |" not in text} == set()


def test_make_targets_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert _named(r"^make ([a-z]+)") - targets == set()


async def test_calls_are_in_the_contract(tmp_path: Path) -> None:
    async with build_runtime(Settings(data_dir=tmp_path), database_url=NOWHERE) as runtime:
        paths = create_app(runtime).openapi()["paths"]
    shapes = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in paths]
    called = {f"/api/v1{path}" for path in _named(r"\bcall \S+ '?(/[^\s'?]+)")}
    named = called | {path.rstrip("/") for path in _named(r"(/api/v1/[\w/{}.-]+)")}
    assert {path for path in named if not any(shape.fullmatch(path) for shape in shapes)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", BLOCK.sub("", page.read_text("utf-8")))
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_the_index_leads_to_every_page() -> None:
    index = (PROJECT / "docs" / "README.md").read_text("utf-8")
    pages = {str(page.relative_to(PROJECT / "docs")) for page in PAGES if page.parent != PROJECT}
    assert {page for page in pages - {"README.md"} if f"]({page})" not in index} == set()


def test_the_receiver_is_python() -> None:
    programs = [found[2] for found in BLOCK.finditer((PROJECT / "docs" / "receiving.md").read_text("utf-8"))]
    [receiver] = [program for program in programs if "import" in program]
    compile(receiver, "receive.py", "exec")
