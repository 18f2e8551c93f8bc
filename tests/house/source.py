"""The source as the house's tests read it: modules as syntax trees, and the order of the rooms.

Knows where modules are and what they import. Refuses to import them: what is wrong must be readable, not runnable.
"""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.settings import PROJECT

TOUCH_THE_WORLD = {"tables", "store", "sender", "client"}


@dataclass(frozen=True, slots=True)
class Module:
    """One file; `name` as in an import: `app.sla.clock`, and `app.sla` for `app/sla/__init__.py`."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def stem(self) -> str:
        return self.path.stem

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    def place(self, node: ast.stmt | ast.expr | ast.arg) -> str:
        return f"{self.path.relative_to(PROJECT)}:{node.lineno}"

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All of them, also methods and those within others."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Each call with what is called, as it is written: `datetime.now`."""
        return ((node, ast.unparse(node.func)) for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Each thing that is imported, by its whole name: `uuid.UUID`, `app.kit.errors.Invalid`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


@cache
def modules(folder: str) -> tuple[Module, ...]:
    """Every Python file below this folder of the project."""
    found = tuple(_read(path) for path in sorted((PROJECT / folder).rglob("*.py")))
    assert found, f"there is nothing in {folder}"
    return found


def _read(path: Path) -> Module:
    text = path.read_text()
    parts = path.relative_to(PROJECT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path, name, text, ast.parse(text))


@cache
def project_file() -> dict[str, object]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())


@cache
def contracts() -> dict[str, dict[str, list[str]]]:
    """The import-linter contracts of pyproject.toml by their ids."""
    tools = project_file()["tool"]
    assert isinstance(tools, dict)
    return {contract["id"]: contract for contract in tools["importlinter"]["contracts"]}


@cache
def stages() -> tuple[str, ...]:
    """Downstream first, as the contract names them; only those that are built."""
    layers = [layer.strip("()") for layer in contracts()["river"]["layers"]]
    rooms = layers[layers.index("embedded | schema") + 1 : layers.index("kit")]
    return tuple(room for room in rooms if (PROJECT / "app" / room / "__init__.py").exists())


def stage_modules() -> tuple[Module, ...]:
    return tuple(module for stage in stages() for module in modules(f"app/{stage}"))


def pure_modules() -> tuple[Module, ...]:
    """The files of stages that take facts and return facts."""
    return tuple(module for module in stage_modules() if module.stem not in TOUCH_THE_WORLD)
