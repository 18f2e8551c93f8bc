"""Errors have families, codes of their own, and one place that gives them statuses. tests/api checks docs/errors.md."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

import app
from app.api.problems import STATUSES
from app.kit.errors import WebcareError
from tests.house.source import modules, stage_modules

FAMILIES = {"NotFound", "Conflict", "Refused", "Invalid", "Unauthorised", "Unavailable"}


@pytest.fixture(scope="module")
def errors() -> tuple[type[WebcareError], ...]:
    """Every error that the program can raise, wherever it is defined; not those of tests."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return tuple(error for error in _below(WebcareError) if error.__module__.startswith("app."))


def _below(kind: type[WebcareError]) -> Iterator[type[WebcareError]]:
    for error in kind.__subclasses__():
        yield error
        yield from _below(error)


def test_there_are_six_families() -> None:
    families = {error.__name__ for error in WebcareError.__subclasses__() if error.__module__.startswith("app.")}
    assert families == FAMILIES


def test_every_error_has_a_status(errors: tuple[type[WebcareError], ...]) -> None:
    assert len(errors) > len(FAMILIES)
    assert [error for error in errors if not STATUSES.keys() & set(error.__mro__)] == []


def test_codes_are_unique(errors: tuple[type[WebcareError], ...]) -> None:
    codes = [error.code for error in errors]
    assert sorted(codes) == sorted(set(codes))


def test_errors_are_named_for_what_happened() -> None:
    """Who raises a family gives callers nothing to branch on."""
    assert [
        f"{module.place(node)} raises {called}"
        for module in modules("app")
        for node, called in module.calls()
        if called in FAMILIES
    ] == []


def test_statuses_live_in_the_api() -> None:
    """`retrying` and `lookup` read the statuses of others, which is their whole subject."""
    assert {module.name for module in stage_modules() for _, name in module.imports() if name == "http.HTTPStatus"} == {
        "app.delivery.retrying",
        "app.delivery.lookup",
    }
