"""YAML that remembers its lines, and what is wrong on them.

Knows how a file becomes plain data with the line of every part. Refuses to know what the data mean.
"""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from app.kit.errors import Invalid

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the same in C, where PyYAML was built with it

Where = tuple[str | int, ...]
_BROKEN = "\ufffd"  # what stands for a byte that could not be read as text
# Parts within parts, three times what any file of rules needs. PyYAML makes nodes by recursion in C, so that some ten
# thousand brackets, which is a small file, would end the process.
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands (`line` from 1), what it is, and the way out."""

    file: str
    line: int
    message: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}; {self.way_out}"


class RulebookInvalid(Invalid):
    """A folder of rules that cannot be used. `problems` holds all that was found, by file and line."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        super().__init__("\n".join(map(str, self.problems)), problems=[str(problem) for problem in self.problems])


@dataclass(frozen=True, slots=True)
class Page:
    """One file as plain data: dicts, lists and text. `lines` has the line of each part by the path to it."""

    file: str
    content: Any
    lines: Mapping[Where, int]

    def keys(self, name: str) -> Collection[str] | None:
        """The keys of the mapping under `name`, whatever else is wrong with the page; None when it has none."""
        part = self.content.get(name) if isinstance(self.content, dict) else None
        return part.keys() if isinstance(part, dict) else None

    def line(self, where: Where) -> int:
        """The line of the innermost part of `where` that stands in the file."""
        return next(self.lines[where[:depth]] for depth in range(len(where), -1, -1) if where[:depth] in self.lines)

    def problem(self, where: Where, message: str, way_out: str) -> Problem:
        return Problem(self.file, self.line(where), message, way_out)


def read_page(file: str, source: str) -> tuple[Page | None, list[Problem]]:
    """The page, or None when it is no YAML at all, and what is wrong with it as YAML.

    Every scalar is read as text, so that `no`, `on` and 22:00 are what they look like; who types the content decides
    what is a number. An anchor used twice would put one part on two lines, so that is refused.
    """
    reader = _Reader(file)
    if _BROKEN in source:
        line = source[: source.index(_BROKEN)].count("\n") + 1
        return None, [Problem(file, line, "bytes that are no UTF-8", "save the file as UTF-8")]
    try:
        if line := _too_deep(source):
            return None, [Problem(file, line, f"more than {_DEEPEST} parts within each other", "write it flatter")]
        root = _Loader(source).get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else 1
        return None, [Problem(file, line, f"no YAML: {message}", "correct the text at or just above this line")]
    reader.lines[()] = 1
    content = {} if root is None else reader.value(root, ())
    return Page(file, content, reader.lines), reader.problems


def nearest(name: str, allowed: Collection[str]) -> str:
    """The way out of a name that does not exist: the name that was probably meant, else all there are."""
    close = difflib.get_close_matches(name, allowed, n=1)
    return f"did you mean '{close[0]}'?" if close else f"use one of: {', '.join(sorted(allowed)) or 'none yet'}"


def _too_deep(source: str) -> int:
    """The line on which parts stand too deep within parts; 0: nowhere. Raises YAMLError for what is no YAML."""
    depth = 0
    for event in yaml.parse(source, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            assert event.start_mark is not None
            return event.start_mark.line + 1
    return 0


class _Reader:
    """Walks the nodes of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Where, int] = {}
        self.problems: list[Problem] = []
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, where: Where) -> Any:
        self.lines.setdefault(where, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._wrong(node, "an anchor is used more than once", "write out what it stands for")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*where, index)) for index, item in enumerate(node.value)]
        return node.value

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                self._wrong(key_node, "a key must be a word", "put a name before the colon")
            elif key in content:
                first = self.lines[*where, key]
                self._wrong(key_node, f"key '{key}' stands twice", f"keep one; the first is on line {first}")
            else:
                self.lines[*where, key] = key_node.start_mark.line + 1
                content[key] = self.value(value_node, (*where, key))
        return content

    def _wrong(self, node: yaml.Node, message: str, way_out: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, message, way_out))
