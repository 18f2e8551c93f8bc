"""What is installed is whole: every package that the code imports is named, every file that it reads is packed."""

import re
import sys
from importlib.metadata import packages_distributions

from app.settings import PROJECT
from tests.house.source import modules, project_file

# Parts that a named package hands out as its own: FastAPI's requests, pydantic's errors and limits, httpx's transport.
HANDED_OUT = {"starlette", "pydantic_core", "annotated_types", "httpcore"}


def test_every_package_that_the_code_imports_is_named() -> None:
    project = project_file()["project"]
    assert isinstance(project, dict)
    named = {re.split(r"[^\w-]", line)[0] for line in project["dependencies"]}
    imported = {name.partition(".")[0] for module in modules("app") for _, name in module.imports()}
    foreign = imported - sys.stdlib_module_names - HANDED_OUT - {"app"}
    found = packages_distributions()
    assert "sqlalchemy" in foreign
    assert {name for name in foreign if not named & {dist.lower().replace("_", "-") for dist in found[name]}} == set()


def test_every_file_beside_the_code_is_packed() -> None:
    tools = project_file()["tool"]
    assert isinstance(tools, dict)
    patterns = tools["setuptools"]["package-data"]
    packed = {
        path
        for package, globs in patterns.items()
        for glob in globs
        for path in (PROJECT / package.replace(".", "/")).glob(glob)
    }
    files = {path for path in (PROJECT / "app").rglob("*.*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert files == packed
