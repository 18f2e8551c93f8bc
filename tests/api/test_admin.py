import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app.access.role import Role
from app.access.tables import idempotency, token
from app.api.auth import Doorkeeper, TokenNotAccepted
from app.flows.admit import issue, revoke
from app.kit.clock import utc_now
from app.kit.db import Database, Reading
from app.rulebook import Rulebook
from app.runtime import Runtime
from tests.support.callers import token_for
from tests.support.clock import Clock

TOKENS = "/api/v1/tokens"
RULES = "/api/v1/rules"
ASKED = {"role": "department", "name": "parcels", "department": "supply_chain"}


@pytest.fixture
async def admin(runtime: Runtime) -> dict[str, str]:
    return await token_for(runtime, Role.ADMIN, name="root")


async def test_a_new_token_is_shown_once_and_lets_its_holder_in(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    made = await client.post(TOKENS, json=ASKED, headers=admin)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    told = made.json()
    assert ASKED.items() <= told.items()
    secret = told.pop("token")
    assert secret.startswith("wc_department_")
    listed = await client.get(TOKENS, headers=admin)
    assert told in listed.json()["items"]
    assert secret not in listed.text
    assert (await client.get(RULES, headers={"Authorization": f"Bearer {secret}"})).status_code == 200


async def test_what_stands_in_the_database_opens_no_door(
    client: httpx.AsyncClient, admin: dict[str, str], runtime: Runtime
) -> None:
    made = await client.post(TOKENS, json=ASKED, headers={**admin, "Idempotency-Key": "k"})
    secret = made.json()["token"].encode()
    async with runtime.reading() as tx:
        rows = [*await tx.rows(select(token)), *await tx.rows(select(idempotency))]
    assert len(rows) == 3
    assert all(secret not in str(tuple(row)).encode() for row in rows)


@pytest.mark.parametrize("path", ["tokens", "endpoints", "deliveries", "queue"])
async def test_a_list_that_is_asked_what_it_does_not_know_says_so(
    client: httpx.AsyncClient, admin: dict[str, str], path: str
) -> None:
    answer = await client.get(f"/api/v1/{path}?limmit=2", headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (422, "limmit")


async def test_a_token_is_revoked_for_good(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    made = (await client.post(TOKENS, json=ASKED, headers=admin)).json()
    for _ in range(2):
        assert (await client.delete(f"{TOKENS}/{made['id']}", headers=admin)).status_code == 204
    answer = await client.get(RULES, headers={"Authorization": f"Bearer {made['token']}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_accepted")
    [listed] = [one for one in (await client.get(TOKENS, headers=admin)).json()["items"] if one["id"] == made["id"]]
    assert listed["revoked_at"].endswith("Z")


async def test_nobody_revokes_what_is_not_there(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    answer = await client.delete(f"{TOKENS}/{UUID(int=1)}", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (404, "token_not_found")


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"role": "king"}, "role"),
        ({"role": "agent"}, "department"),
        ({"department": None}, "department"),
        ({"department": "bananas"}, "department"),
        ({"name": ""}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-01-01T00:00:00Z"}, "expires_at"),
        ({"scope": "all"}, "scope"),
    ],
)
async def test_a_token_that_means_nothing_is_refused_by_its_field(
    client: httpx.AsyncClient, admin: dict[str, str], part: dict[str, object], field: str
) -> None:
    answer = await client.post(TOKENS, json={**ASKED, **part}, headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_tokens_come_in_pages(client: httpx.AsyncClient, admin: dict[str, str], runtime: Runtime) -> None:
    names = ["root", *"abcd"]
    for name in names[1:]:
        await runtime.run(issue, Role.AGENT, name)
    seen: list[str] = []
    asked: dict[str, str] | None = {"limit": "2"}
    while asked:
        page = (await client.get(TOKENS, params=asked, headers=admin)).json()
        seen += [one["name"] for one in page["items"]]
        asked = {"limit": "2", "cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert seen == names


@pytest.mark.parametrize(("name", "value"), [("limit", "0"), ("limit", "201"), ("cursor", "tampered"), ("cursor", "")])
async def test_a_page_that_means_nothing_is_refused_by_its_field(
    client: httpx.AsyncClient, admin: dict[str, str], name: str, value: str
) -> None:
    answer = await client.get(TOKENS, params={name: value}, headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (422, name)


async def test_a_call_that_is_sent_again_makes_one_token(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    first, again = [
        await client.post(TOKENS, json=ASKED, headers={**admin, "Idempotency-Key": "order 17"}) for _ in range(2)
    ]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await client.post(TOKENS, json={**ASKED, "name": "else"}, headers={**admin, "Idempotency-Key": "order 17"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    colleague = {"Authorization": f"Bearer {first.json()['token']}"}
    assert len((await client.get(TOKENS, headers=admin)).json()["items"]) == 2
    assert (await client.post(TOKENS, json=ASKED, headers=colleague)).status_code == 403


async def test_an_admins_key_is_not_anothers(
    client: httpx.AsyncClient, admin: dict[str, str], runtime: Runtime
) -> None:
    colleague = await token_for(runtime, Role.ADMIN, name="other")
    made = [
        (await client.post(TOKENS, json=ASKED, headers={**who, "Idempotency-Key": "k"})).json()["id"]
        for who in (admin, colleague)
    ]
    assert len(set(made)) == 2


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_only_admins_keep_tokens(client: httpx.AsyncClient, runtime: Runtime, role: Role) -> None:
    caller = await token_for(runtime, role, "billing" if role is Role.DEPARTMENT else None)
    calls = [
        await client.get(TOKENS, headers=caller),
        await client.post(TOKENS, json=ASKED, headers=caller),
        await client.delete(f"{TOKENS}/{UUID(int=1)}", headers=caller),
    ]
    assert [answer.status_code for answer in calls] == [403, 403, 403]
    assert calls[0].json()["roles"] == ["admin"]


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "wc_admin_x", "Bearer a b", "Bearer é"]
)
async def test_who_shows_no_token_is_told_how(client: httpx.AsyncClient, header: str | None) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]
    answer = await client.get(RULES, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_required")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("secret", ["wc_admin_" + "x" * 43, "guess", "a" * 255])
async def test_who_guesses_is_refused_without_a_hint(client: httpx.AsyncClient, secret: str) -> None:
    answer = await client.get(RULES, headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_accepted")
    assert secret not in answer.text


async def test_the_scheme_is_read_in_any_capitals(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    token_ = admin["Authorization"].removeprefix("Bearer ")
    assert (await client.get(RULES, headers={"authorization": f"bearer {token_}"})).status_code == 200


async def test_an_expired_token_is_refused(client: httpx.AsyncClient, runtime: Runtime, clock: Clock) -> None:
    clock.at = utc_now() - timedelta(days=2)
    issued = await runtime.run(issue, Role.ADMIN, "x", None, clock() + timedelta(days=1))
    answer = await client.get(RULES, headers={"Authorization": f"Bearer {issued.secret}"})
    assert answer.status_code == 401


async def test_a_process_that_knew_a_token_refuses_it_within_a_second_of_its_revocation(runtime: Runtime) -> None:
    issued = await runtime.run(issue, Role.AGENT, "anna")
    elsewhere = Doorkeeper(runtime.database)
    header = f"Bearer {issued.secret}"
    assert (await elsewhere.recognise(header)).name == "anna"
    await runtime.run(revoke, issued.token.id)
    await asyncio.sleep(1)
    with pytest.raises(TokenNotAccepted):
        await elsewhere.recognise(header)


class Counted(Database):
    """Counts the sessions that were asked of it."""

    sessions = 0

    @asynccontextmanager
    async def reading(self, *, reports: bool = False) -> AsyncIterator[Reading]:
        self.sessions += 1
        async with super().reading(reports=reports) as tx:
            yield tx


async def test_requests_that_come_together_share_one_look(runtime: Runtime, database_url: str) -> None:
    issued = await runtime.run(issue, Role.AGENT, "anna")
    database = Counted(database_url)
    keeper = Doorkeeper(database)
    callers = await asyncio.gather(*(keeper.recognise(f"Bearer {issued.secret}") for _ in range(50)))
    await database.close()
    assert {caller.name for caller in callers} == {"anna"}
    assert database.sessions == 1


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.INGEST])
async def test_the_rules_in_force_are_told(
    client: httpx.AsyncClient, runtime: Runtime, rulebook: Rulebook, role: Role
) -> None:
    caller = await token_for(runtime, role, "billing" if role is Role.DEPARTMENT else None)
    told = (await client.get(RULES, headers=caller)).json()
    assert told["digest"] == rulebook.digest
    assert {one["slug"] for one in told["departments"]} == set(rulebook.departments)
    assert {one["slug"] for one in told["topics"]} == set(rulebook.topics)
    assert len(told["ownership"]) == len(rulebook.routing.ownerships)
    assert {one["topic"] for one in told["ownership"]} == set(rulebook.topics)


async def test_who_only_posts_mentions_reads_no_rules(client: httpx.AsyncClient, runtime: Runtime) -> None:
    answer = await client.get(RULES, headers=await token_for(runtime, Role.INGEST))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
