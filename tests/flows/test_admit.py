"""Tokens are given out, and a repeated call is done once."""

import asyncio
from datetime import timedelta

import pytest

from app.access.role import Caller, DepartmentMismatch, Role
from app.access.store import find_caller, list_tokens
from app.access.token import UnusableToken
from app.flows.admit import (
    AlreadyExpired,
    Answer,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    Issued,
    Repeatable,
    do_once,
    forget_answers,
    issue,
    issue_first,
    revoke,
)
from app.kit.errors import WebcareError
from app.kit.ids import digest
from app.routing.by_hand import UnknownDepartment
from app.runtime import Runtime, Unit
from tests.support.clock import Clock

OTHERS = [(Role.AGENT, None), (Role.DEPARTMENT, "supply_chain")]


async def who(runtime: Runtime, secret: str) -> Caller | None:
    async with runtime.reading() as tx:
        return await find_caller(tx, digest(secret))


async def test_a_token_that_was_issued_lets_its_holder_in_until_it_is_revoked(runtime: Runtime) -> None:
    issued = await runtime.run(issue, Role.DEPARTMENT, "parcels", "supply_chain")
    assert issued.secret.startswith("wc_department_")
    assert await who(runtime, issued.secret) == Caller(issued.token.id, "parcels", Role.DEPARTMENT, "supply_chain")
    await runtime.run(revoke, issued.token.id)
    assert await who(runtime, issued.secret) is None


@pytest.mark.parametrize(
    ("role", "department", "error"),
    [
        (Role.DEPARTMENT, "bananas", UnknownDepartment),
        (Role.DEPARTMENT, None, DepartmentMismatch),
        (Role.AGENT, "billing", DepartmentMismatch),
    ],
)
async def test_a_token_is_bound_to_a_department_that_there_is(
    runtime: Runtime, role: Role, department: str | None, error: type[WebcareError]
) -> None:
    with pytest.raises(error) as refused:
        await runtime.run(issue, role, "x", department)
    assert refused.value.field == "department"


async def test_a_token_cannot_expire_before_it_is_made(runtime: Runtime, clock: Clock) -> None:
    with pytest.raises(AlreadyExpired):
        await runtime.run(issue, Role.AGENT, "x", None, clock())


async def test_a_first_start_makes_an_admin_and_the_others_once(runtime: Runtime) -> None:
    first = await runtime.run(issue_first, None, OTHERS)
    assert [(it.token.role, it.token.department) for it in first] == [(Role.ADMIN, None), *OTHERS]
    assert await runtime.run(issue_first, None, OTHERS) == ()


async def test_processes_that_start_together_agree_on_who_is_first(runtime: Runtime) -> None:
    made = await asyncio.gather(*(runtime.run(issue_first, None, OTHERS) for _ in range(4)))
    assert sorted(map(len, made)) == [0, 0, 0, 3]


async def test_an_admin_token_from_the_settings_is_let_in_at_any_start(runtime: Runtime) -> None:
    await runtime.run(issue_first, None, [])
    assert await runtime.run(issue_first, "chosen", []) == ()
    admin = await who(runtime, "chosen")
    assert admin is not None
    assert admin.role is Role.ADMIN
    await runtime.run(revoke, admin.token_id)
    await runtime.run(issue_first, "chosen", [])
    assert await who(runtime, "chosen") is None


async def test_an_admin_token_that_no_header_carries_is_refused_at_the_start(runtime: Runtime) -> None:
    with pytest.raises(UnusableToken):
        await runtime.run(issue_first, "two words", [])


async def call_by(runtime: Runtime, key: str = "k", asked: bytes = b"asked") -> Repeatable:
    issued: Issued = await runtime.run(issue, Role.AGENT, "anna")
    return Repeatable(issued.token.id, key, asked)


async def work(unit: Unit) -> Answer:
    """Leaves a trace: one more token."""
    await issue(unit, Role.PR, "made once")
    return Answer(201, b"done")


async def times_done(runtime: Runtime) -> int:
    async with runtime.reading() as tx:
        return sum(token.name == "made once" for token in await list_tokens(tx))


async def test_a_repeated_call_brings_the_first_answer_back(runtime: Runtime) -> None:
    call = await call_by(runtime)
    assert await runtime.run(do_once, call, work) == Answer(201, b"done")
    assert await runtime.run(do_once, call, work) == Answer(201, b"done", replayed=True)
    assert await times_done(runtime) == 1


async def test_a_key_for_another_call_is_refused(runtime: Runtime) -> None:
    call = await call_by(runtime)
    await runtime.run(do_once, call, work)
    with pytest.raises(IdempotencyKeyReused):
        await runtime.run(do_once, Repeatable(call.token_id, call.key, b"asked else"), work)
    assert await times_done(runtime) == 1


async def test_work_that_failed_may_be_tried_again_with_its_key(runtime: Runtime) -> None:
    call = await call_by(runtime)

    async def failing(unit: Unit) -> Answer:
        await work(unit)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await runtime.run(do_once, call, failing)
    assert await times_done(runtime) == 0
    assert await runtime.run(do_once, call, work) == Answer(201, b"done")


async def test_of_calls_at_the_same_moment_one_is_done(runtime: Runtime) -> None:
    call = await call_by(runtime)
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def slow(unit: Unit) -> Answer:
        under_way.set()
        await go_on.wait()
        return await work(unit)

    first = asyncio.create_task(runtime.run(do_once, call, slow))
    await under_way.wait()
    with pytest.raises(IdempotencyKeyInFlight):
        await runtime.run(do_once, call, work)
    go_on.set()
    assert await first == Answer(201, b"done")
    assert await times_done(runtime) == 1


async def test_a_kept_answer_is_forgotten_after_a_day(runtime: Runtime, clock: Clock) -> None:
    call = await call_by(runtime)
    clock.at -= timedelta(days=3650)
    await runtime.run(do_once, call, work)
    assert await runtime.run(forget_answers) == 1
