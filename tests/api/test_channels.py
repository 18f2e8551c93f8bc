"""Adapters tell whether channels can be reached, and everybody may look."""

import httpx

from app.runtime import Runtime
from tests.support.callers import token_for

STATE = "/api/v1/channels/x/state"


async def test_an_adapter_tells_and_people_look(client: httpx.AsyncClient, runtime: Runtime) -> None:
    adapter, manager = await token_for(runtime, "ingest", name="x-adapter"), await token_for(runtime, "manager")

    down = await client.put(STATE, json={"state": "down", "reason": "503"}, headers=adapter)
    again = await client.put(STATE, json={"state": "down"}, headers=adapter)
    assert (down.status_code, down.json()) == (again.status_code, again.json())
    up = await client.put(STATE, json={"state": "up"}, headers=adapter)
    assert (up.json()["state"], up.json()["since"]) == ("up", None)

    [told] = (await client.get("/api/v1/outages", headers=manager)).json()["items"]
    assert (told["channel"], told["told_by"], told["reason"]) == ("x", "ingest:x-adapter", "503")
    assert told["since"] == down.json()["since"]
    assert told["until"] is not None


async def test_who_is_no_adapter_is_refused_and_other_channels_are_not_there(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    refused = await client.put(STATE, json={"state": "down"}, headers=await token_for(runtime, "agent"))
    missing = await client.put(
        "/api/v1/channels/hyves/state", json={"state": "down"}, headers=await token_for(runtime, "ingest")
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (missing.status_code, missing.json()["code"]) == (404, "channel_not_found")
