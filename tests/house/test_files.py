"""What is in the repository works on any machine, and installs only what was chosen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import PROJECT

FOLDERS = (".ci", "app", "benchmarks", "docs", "migrations", "routing_rules", "tests")
# Folders of somebody's machine, and where somebody's packages or images come from.
OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:work|root|Users|home/\w+|mnt|media|private/var)/\w")
OF_A_REGISTRY = re.compile(
    r"\b(?:pypi|pythonhosted|docker|ghcr|quay|gcr|npmjs|anaconda)\.(?:org|io|com)\b|(?<!emit-)\bindex-url\b"
)
LOCKS = ("requirements.lock", "tests/requirements.lock")
REQUIREMENT = re.compile(r"^[\w.-]+(?:\[[\w,-]+\])?==[^\s;]+(?: ; .+?)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+$")


def _texts() -> Iterator[tuple[Path, str]]:
    """Of the files that are kept; the build's and the tools' own folders begin with a dot or hold compiled code.

    In a second working tree `.git` is a file, which says where the first one is.
    """
    inside = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*")]
    for path in [*inside, *PROJECT.glob("*")]:
        if path.is_file() and "__pycache__" not in path.parts and path.name != ".git":
            yield path.relative_to(PROJECT), path.read_text("utf-8", "replace")


@pytest.mark.parametrize("pattern", [OF_A_MACHINE, OF_A_REGISTRY], ids=["machine", "registry"])
def test_no_file_knows_a_place(pattern: re.Pattern[str]) -> None:
    assert [f"{path}: {found[0]}" for path, text in _texts() for found in pattern.finditer(text)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_hashes_and_no_addresses(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    kept = re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE)
    requirements = re.split(r"\n(?=\S)", kept.strip())
    assert [line for line in requirements if not REQUIREMENT.fullmatch(line)] == []
    assert "://" not in text
