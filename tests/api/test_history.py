"""What a ticket's history says to those who read it and to those who write late."""

from typing import Any

import httpx
import pytest

from app.access.role import Role
from app.runtime import Runtime
from tests.api.test_agents import at, opened
from tests.support.callers import token_for


@pytest.fixture
async def anna(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.AGENT, name="anna")


async def test_a_late_writer_is_told_what_changed_and_can_go_on_from_there(
    client: httpx.AsyncClient, runtime: Runtime, anna: dict[str, str]
) -> None:
    ticket = await opened(runtime)
    seen = (await client.get(at(ticket), headers=anna)).headers["etag"]
    await client.post(at(ticket, "claim"), headers=anna)
    await client.patch(at(ticket), json={"priority": "high"}, headers=anna)

    late = await client.patch(at(ticket), json={"priority": "low"}, headers={**anna, "If-Match": seen})
    told: list[dict[str, Any]] = late.json()["changes"]
    again = await client.patch(at(ticket), json={"priority": "low"}, headers={**anna, "If-Match": late.headers["etag"]})

    assert late.status_code == 412
    assert [(one["type"], one["actor"]) for one in told] == [
        ("ticket.reassigned", "agent:anna"),
        ("ticket.updated", "agent:anna"),
    ]
    assert told[0]["changes"]["assignee"] == "agent:anna"
    assert told[1]["changes"] == {"priority": "high"}
    assert again.json()["priority"] == "low"
