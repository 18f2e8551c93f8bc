"""Who calls the API in most tests, each with the headers of a token of its own. Tests that need others make them."""

import pytest

from app.access.role import Role
from app.runtime import Runtime
from tests.support.callers import token_for


@pytest.fixture
async def anna(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.AGENT, name="anna")


@pytest.fixture
async def bram(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.AGENT, name="bram")


@pytest.fixture
async def pr(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.PR, name="eva")


@pytest.fixture
async def kim(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.MANAGER, name="kim")


@pytest.fixture
async def mo(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.MANAGER, name="mo")


@pytest.fixture
async def admin(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.ADMIN)
