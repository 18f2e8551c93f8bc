"""Departments say where they listen, try it out, and get again what they missed; never another's."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest
import respx
from sqlalchemy import text, update
from standardwebhooks.webhooks import Webhook

from app.access.role import Caller, Forbidden, Role
from app.delivery import store as outbox
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, EndpointState, Payload
from app.delivery.endpoints.headers import HeaderRefused
from app.delivery.endpoints.store import EndpointNotFound
from app.delivery.envelope import Happening, Kind, Message, webhook
from app.delivery.event_type import UnknownEventType
from app.delivery.signing import SecretUnusable, secret_from
from app.delivery.store import DeliveryLine, DeliveryNotFound, DeliveryState
from app.delivery.tables import delivery, message
from app.flows.subscribe import (
    Changes,
    DepartmentMissing,
    Disclosed,
    EndpointDisabled,
    PeriodNotReplayable,
    ReplayTooLarge,
    SurveyGivenUp,
    change,
    ping,
    register,
    remove,
    replay,
    retry,
    rotate,
)
from app.kit.errors import WebcareError
from app.kit.http import UrlRefused
from app.kit.ids import new_id
from app.routing.by_hand import UnknownDepartment
from app.runtime import Runtime
from tests.support.clock import Clock
from tests.support.outbox import carry

HOOK = "https://hooks.example/in"
GIVEN = secret_from(b"k" * 24)
PARCELS = Caller(new_id(), "parcels", Role.DEPARTMENT, "supply_chain")
INVOICES = Caller(new_id(), "invoices", Role.DEPARTMENT, "billing")
ADMIN = Caller(new_id(), "root", Role.ADMIN)


async def registered(runtime: Runtime, caller: Caller = PARCELS, **asked: Any) -> Disclosed:
    usual: dict[str, Any] = {"department": None, "url": HOOK, "event_types": None, "secret": None}
    return await runtime.run(register, caller, runtime.sealer, **usual | {"payload": Payload.THIN} | asked)


async def kept(runtime: Runtime) -> tuple[Endpoint, ...]:
    async with runtime.reading() as tx:
        return await endpoints.list_endpoints(tx, None)


async def lines(runtime: Runtime) -> list[DeliveryLine]:
    """Oldest first."""
    async with runtime.reading() as tx:
        return list(reversed(await outbox.list_deliveries(tx, departments=None)))


async def sent(runtime: Runtime, *to: Endpoint) -> None:
    """At the runtime's moment."""
    happening = Happening("ticket.routed", runtime.now(), frozenset({"supply_chain"}))
    told = webhook(new_id(), happening, Payload.THIN, tuple(one.id for one in to))
    await runtime.database.transact(lambda tx: outbox.add_messages(tx, [told]))
    made = update(message).where(message.c.id == told.id).values(created_at=runtime.now())
    await runtime.database.transact(lambda tx: tx.execute(made))


async def died(runtime: Runtime) -> None:
    dead = update(delivery).values(state=DeliveryState.DEAD, attempt=10, finished_at=runtime.now())
    await runtime.database.transact(lambda tx: tx.execute(dead))


async def test_who_is_given_a_secret_is_told_it_and_it_is_kept_sealed(runtime: Runtime) -> None:
    made = await registered(runtime)
    [endpoint] = await kept(runtime)
    assert endpoint == made.endpoint
    assert (endpoint.department, endpoint.url, endpoint.state) == ("supply_chain", HOOK, EndpointState.OK)
    assert runtime.sealer.open(endpoint.secret_sealed) == made.secret
    assert made.secret.startswith("whsec_")
    assert (await registered(runtime)).secret != made.secret


async def test_a_secret_may_be_brought_along(runtime: Runtime) -> None:
    made = await registered(runtime, secret=GIVEN)
    assert made.secret == runtime.sealer.open(made.endpoint.secret_sealed) == GIVEN


async def test_an_admin_says_whose_endpoint_it_is(runtime: Runtime) -> None:
    made = await registered(runtime, ADMIN, department="billing")
    assert made.endpoint.department == "billing"


@pytest.mark.parametrize(
    ("caller", "asked", "error", "field"),
    [
        (PARCELS, {"department": "billing"}, Forbidden, "department"),
        (ADMIN, {}, DepartmentMissing, "department"),
        (ADMIN, {"department": "biling"}, UnknownDepartment, "department"),
        (PARCELS, {"url": "ftp://hooks.example/"}, UrlRefused, "url"),
        (PARCELS, {"url": "http://169.254.169.254/latest"}, UrlRefused, "url"),
        (PARCELS, {"event_types": frozenset({"ticket.noted"})}, UnknownEventType, "event_types"),
        (PARCELS, {"secret": "whsec_short"}, SecretUnusable, "secret"),
    ],
)
async def test_what_cannot_work_is_refused_by_its_field_and_nothing_is_kept(
    runtime: Runtime, caller: Caller, asked: dict[str, Any], error: type[WebcareError], field: str
) -> None:
    with pytest.raises(error) as refused:
        await registered(runtime, caller, **asked)
    assert refused.value.field == field
    assert await kept(runtime) == ()


async def test_the_operator_may_allow_a_network_of_its_own(runtime: Runtime) -> None:
    knobs = runtime.knobs.model_copy(update={"webhook_allow_cidrs": (ip_network("10.1.0.0/16"),)})
    made = await registered(replace(runtime, knobs=knobs), url="http://10.1.2.3:9000/in")
    assert made.endpoint.url == "http://10.1.2.3:9000/in"


async def test_a_change_leaves_alone_what_it_does_not_name(runtime: Runtime, clock: Clock) -> None:
    before = (await registered(runtime, event_types=frozenset({"ticket.routed"}))).endpoint
    now = clock.pass_(hours=1)
    changed = await runtime.run(change, PARCELS, runtime.sealer, before.id, Changes(url="https://new.example/"))
    assert changed == replace(before, url="https://new.example/", updated_at=now)
    changed = await runtime.run(
        change, PARCELS, runtime.sealer, before.id, Changes(event_types=None, payload=Payload.FULL)
    )
    assert changed == replace(
        before, url="https://new.example/", event_types=None, payload=Payload.FULL, updated_at=now
    )
    assert await kept(runtime) == (changed,)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (Changes(url="http://127.0.0.1/"), UrlRefused),
        (Changes(event_types=frozenset({"ticket.noted"})), UnknownEventType),
    ],
)
async def test_a_change_is_checked_like_a_registration(
    runtime: Runtime, changes: Changes, error: type[WebcareError]
) -> None:
    before = (await registered(runtime)).endpoint
    with pytest.raises(error):
        await runtime.run(change, PARCELS, runtime.sealer, before.id, changes)
    assert await kept(runtime) == (before,)


async def test_an_endpoint_that_was_disabled_gets_what_waited_when_it_is_enabled(runtime: Runtime) -> None:
    endpoint = (await registered(runtime)).endpoint
    off = await runtime.run(change, PARCELS, runtime.sealer, endpoint.id, Changes(enabled=False))
    assert (off.state, off.disabled_reason) == (EndpointState.DISABLED, "by department:supply_chain/parcels")
    again = await runtime.run(change, ADMIN, runtime.sealer, endpoint.id, Changes(enabled=False))
    assert again.disabled_reason == off.disabled_reason
    await runtime.database.transact(lambda tx: endpoints.mark_throttled(tx, endpoint.id, timedelta(days=1)))
    on = await runtime.run(change, PARCELS, runtime.sealer, endpoint.id, Changes(enabled=True))
    assert (on.state, on.disabled_reason, on.throttled_until) == (EndpointState.OK, None, None)


async def test_enabling_what_is_enabled_hides_no_failure(runtime: Runtime) -> None:
    endpoint = (await registered(runtime)).endpoint
    await runtime.database.transact(lambda tx: endpoints.mark_failed(tx, endpoint.id, failing_from=1))
    same = await runtime.run(change, PARCELS, runtime.sealer, endpoint.id, Changes(enabled=True))
    assert same.state is EndpointState.FAILING


async def test_after_a_rotation_both_secrets_sign_for_a_day(runtime: Runtime, clock: Clock) -> None:
    first = await registered(runtime)
    second = await runtime.run(rotate, PARCELS, runtime.sealer, first.endpoint.id, None)
    [endpoint] = await kept(runtime)
    at_once, at_the_end = (
        [runtime.sealer.open(sealed) for sealed in endpoint.secrets_sealed(moment)]
        for moment in (clock(), clock() + timedelta(hours=24))
    )
    assert at_once == [second.secret, first.secret]
    assert at_the_end == [second.secret]


async def test_a_rotation_to_a_secret_that_is_none_changes_nothing(runtime: Runtime) -> None:
    first = await registered(runtime)
    with pytest.raises(SecretUnusable):
        await runtime.run(rotate, PARCELS, runtime.sealer, first.endpoint.id, "whsec_")
    assert await kept(runtime) == (first.endpoint,)


async def test_a_removed_endpoint_is_gone_with_what_waited_for_it(runtime: Runtime) -> None:
    endpoint = (await registered(runtime)).endpoint
    await sent(runtime, endpoint)
    await runtime.run(remove, PARCELS, endpoint.id)
    assert await kept(runtime) == ()
    [line] = await lines(runtime)
    assert line.state is DeliveryState.CANCELLED
    with pytest.raises(EndpointNotFound):
        await runtime.run(remove, PARCELS, endpoint.id)
    await died(runtime)
    with pytest.raises(EndpointNotFound):
        await runtime.run(retry, PARCELS, line.id)


@respx.mock
async def test_a_ping_goes_signed_to_one_endpoint_whatever_it_listens_for(runtime: Runtime, clock: Clock) -> None:
    clock.at = datetime.now(UTC)  # the reference implementation reads the clock on the wall
    route = respx.post(HOOK).respond(204)
    made = await registered(runtime, event_types=frozenset({"ticket.routed"}))
    await registered(runtime, url="https://other.example/")
    message_id = await runtime.run(ping, PARCELS, made.endpoint.id)
    assert await carry(runtime) == 1
    request = route.calls.last.request
    told = Webhook(made.secret).verify(request.content, dict(request.headers))
    assert (told["type"], told["id"], told["sequence"]) == ("endpoint.pinged", str(message_id), 0)
    assert told["data"] == {"endpoint_id": str(made.endpoint.id), "department": "supply_chain"}
    assert json.loads(request.content) == told


async def test_a_replay_tries_again_what_died_in_the_period_at_this_endpoint(runtime: Runtime, clock: Clock) -> None:
    clock.at = datetime.now(UTC)  # as the ids of deliveries say
    one, other = [(await registered(runtime)).endpoint for _ in range(2)]
    for _ in range(3):
        await sent(runtime, one)
        clock.pass_(seconds=1)
    await sent(runtime, other)
    await died(runtime)
    early, first, second, elsewhere = await lines(runtime)
    assert await runtime.run(replay, PARCELS, one.id, first.created_at, elsewhere.created_at) == 2
    states = {line.id: line.state for line in await lines(runtime)}
    assert [states[line.id] for line in (early, first, second, elsewhere)] == ["dead", "open", "open", "dead"]
    assert await runtime.run(replay, PARCELS, one.id, early.created_at, None) == 1


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (timedelta(days=-32), None),
        (timedelta(hours=1), None),
        (timedelta(0), timedelta(0)),
        (timedelta(0), timedelta(32)),
    ],
)
async def test_a_replay_reaches_back_a_month_at_most(
    runtime: Runtime, clock: Clock, since: timedelta, until: timedelta | None
) -> None:
    endpoint = (await registered(runtime)).endpoint
    with pytest.raises(PeriodNotReplayable) as refused:
        await runtime.run(replay, PARCELS, endpoint.id, clock() + since, None if until is None else clock() + until)
    assert refused.value.facts == {"longest_days": 31}


async def test_a_replay_may_ask_for_some_types_and_for_what_arrived(runtime: Runtime, clock: Clock) -> None:
    clock.at = datetime.now(UTC)  # as the ids of deliveries say
    one = (await registered(runtime)).endpoint
    await sent(runtime, one)
    await runtime.run(ping, PARCELS, one.id)
    clock.pass_(minutes=1)
    await runtime.database.transact(lambda tx: tx.execute(update(delivery).values(state=DeliveryState.DONE)))
    since = clock() - timedelta(hours=1)
    assert await runtime.run(replay, PARCELS, one.id, since) == 0
    routed = frozenset({"ticket.routed"})
    assert await runtime.run(replay, PARCELS, one.id, since, event_types=routed, delivered=True) == 1
    assert [(line.type, line.state) for line in await lines(runtime)] == [
        ("ticket.routed", DeliveryState.OPEN),
        ("endpoint.pinged", DeliveryState.DONE),
    ]
    with pytest.raises(UnknownEventType):
        await runtime.run(replay, PARCELS, one.id, since, event_types=frozenset({"ticket.lost"}))


async def test_a_replay_of_more_than_can_be_sent_soon_is_refused_and_does_nothing(
    runtime: Runtime, clock: Clock
) -> None:
    clock.at = datetime.now(UTC)  # as the ids of deliveries say
    one = (await registered(runtime)).endpoint
    await sent(runtime, one)
    clock.pass_(minutes=1)
    many = text(
        "insert into delivery (id, message_id, endpoint_id, sequence, state)"
        " select overlay(id::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, message_id, endpoint_id, 0, 'dead'"
        " from delivery, generate_series(0, 10000) n"
    )
    await runtime.database.transact(lambda tx: tx.execute(many))
    with pytest.raises(ReplayTooLarge) as refused:
        await runtime.run(replay, PARCELS, one.id, clock() - timedelta(hours=1))
    assert refused.value.facts == {"most": 10_000}
    async with runtime.reading() as tx:
        assert len(await outbox.list_deliveries(tx, departments=None, state=DeliveryState.OPEN)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Webhook-Id": "1"},
        {"HOST": "inside"},
        {"Content-Type": "text/plain"},
        {"X Key": "k"},
        {"X-Key": "line\r\nX-Other: 1"},
        {"X-Key": " k"},
        {"X-Key": "caf\u00e9"},
        {"X-Key": ""},
        {"X-Key": "k" * 2001},
        {"X-Key": "a", "x-key": "b"},
        {f"X-{n}": "k" for n in range(11)},
    ],
)
async def test_a_header_that_is_none_or_not_theirs_is_refused(runtime: Runtime, headers: dict[str, str]) -> None:
    with pytest.raises(HeaderRefused) as refused:
        await registered(runtime, headers=headers)
    assert refused.value.field == "headers"
    assert await kept(runtime) == ()


@respx.mock
async def test_headers_of_their_own_go_along_are_kept_sealed_and_change_together(runtime: Runtime) -> None:
    route = respx.post(HOOK).respond(204)
    made = await registered(runtime, headers={"X-Api-Key": "k-123", "Authorization": "Bearer b"})
    assert made.endpoint.header_names == ["Authorization", "X-Api-Key"]
    assert "k-123" not in str(made.endpoint.headers_sealed)
    await runtime.run(ping, PARCELS, made.endpoint.id)
    await carry(runtime)
    posted = route.calls.last.request.headers
    assert (posted["x-api-key"], posted["authorization"]) == ("k-123", "Bearer b")
    assert posted["content-type"] == "application/json"
    changed = await runtime.run(change, PARCELS, runtime.sealer, made.endpoint.id, Changes(headers={"X-New": "n"}))
    assert changed.header_names == ["X-New"]
    same = await runtime.run(change, PARCELS, runtime.sealer, made.endpoint.id, Changes(enabled=True))
    assert same.headers_sealed == changed.headers_sealed


async def test_a_dead_delivery_is_tried_again_by_hand(runtime: Runtime) -> None:
    await sent(runtime, (await registered(runtime)).endpoint)
    await died(runtime)
    [line] = await lines(runtime)
    again = await runtime.run(retry, PARCELS, line.id)
    assert (again.id, again.state, again.finished_at) == (line.id, DeliveryState.OPEN, None)


async def test_a_survey_that_was_given_up_is_not_sent_after_all(runtime: Runtime) -> None:
    said = Message(new_id(), Kind.PUBLICATION, "survey", new_id(), 1, "{}", subject_id=new_id())
    await runtime.database.transact(lambda tx: outbox.add_messages(tx, [said]))
    await died(runtime)
    [line] = await lines(runtime)
    with pytest.raises(SurveyGivenUp):
        await runtime.run(retry, ADMIN, line.id)
    assert [one.state for one in await lines(runtime)] == [DeliveryState.DEAD]


Act = Callable[[Runtime, Caller, UUID], Awaitable[object]]
ACTS: dict[str, Act] = {
    "change": lambda runtime, caller, one: runtime.run(change, caller, runtime.sealer, one, Changes(enabled=True)),
    "rotate": lambda runtime, caller, one: runtime.run(rotate, caller, runtime.sealer, one, None),
    "remove": lambda runtime, caller, one: runtime.run(remove, caller, one),
    "ping": lambda runtime, caller, one: runtime.run(ping, caller, one),
    "replay": lambda runtime, caller, one: runtime.run(replay, caller, one, runtime.now() - timedelta(days=1), None),
}


@pytest.mark.parametrize("act", ACTS)
async def test_anothers_endpoint_reads_as_not_there(runtime: Runtime, act: str) -> None:
    endpoint = (await registered(runtime)).endpoint
    with pytest.raises(EndpointNotFound):
        await ACTS[act](runtime, INVOICES, endpoint.id)
    assert await kept(runtime) == (endpoint,)
    await ACTS[act](runtime, ADMIN, endpoint.id)


async def test_anothers_delivery_reads_as_not_there(runtime: Runtime) -> None:
    await sent(runtime, (await registered(runtime)).endpoint)
    [line] = await lines(runtime)
    with pytest.raises(DeliveryNotFound):
        await runtime.run(retry, INVOICES, line.id)


@pytest.mark.parametrize("act", ["ping", "replay"])
async def test_nothing_is_sent_to_a_disabled_endpoint(runtime: Runtime, act: str) -> None:
    endpoint = (await registered(runtime)).endpoint
    await sent(runtime, endpoint)
    await runtime.run(change, PARCELS, runtime.sealer, endpoint.id, Changes(enabled=False))
    with pytest.raises(EndpointDisabled) as refused:
        await ACTS[act](runtime, PARCELS, endpoint.id)
    assert "by department:supply_chain/parcels" in refused.value.message
    [line] = await lines(runtime)
    with pytest.raises(EndpointDisabled):
        await runtime.run(retry, PARCELS, line.id)
