"""The outbox on a real PostgreSQL: nothing twice, nothing out of order, nobody starved, no late finish."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from app.delivery import store
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, EndpointState, Payload
from app.delivery.envelope import Kind, Message
from app.delivery.repeating.store import DeliveryFinished, DeliveryUnderWay, Replay, mark_replayed, mark_retried
from app.delivery.retrying import Fault, Outcome
from app.delivery.store import Claimed, DeliveryNotFound, DeliveryState
from app.delivery.tables import delivery, endpoint
from app.kit.db import Database, Transaction
from app.kit.ids import new_id
from tests.support.outbox import AN_HOUR, put, wait

NOW = datetime(2026, 7, 27, 12, tzinfo=UTC)
P = ParamSpec("P")
T = TypeVar("T")
LEASE = timedelta(seconds=30)
READ_WHOLE = text("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'delivery'")
FAILED = Outcome(timedelta(milliseconds=7), status=503, answer="busy")


async def act(
    database: Database, does: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    return await database.transact(lambda tx: does(tx, *args, **kwargs))


async def listening(database: Database, department: str = "supply_chain", **facts: Any) -> Endpoint:
    given = {"event_types": None, "payload": Payload.THIN, "secret_sealed": b"s"} | facts
    one = Endpoint(
        id=new_id(), department=department, url="https://hooks.example/", created_at=NOW, updated_at=NOW, **given
    )
    await act(database, endpoints.add_endpoint, one)
    return one


def event(ticket_id: UUID | None, sequence: int, *to: Endpoint) -> Message:
    return Message(
        id=new_id(),
        kind=Kind.WEBHOOK,
        type="ticket.routed",
        ticket_id=ticket_id,
        sequence=sequence,
        body=f'{{"sequence":{sequence}}}',
        endpoint_ids=tuple(one.id for one in to),
    )


def reply(ticket_id: UUID) -> Message:
    return Message(new_id(), Kind.PUBLICATION, "reply", ticket_id, 1, "{}", subject_id=new_id())


async def claim(
    database: Database,
    *,
    limit: int = 50,
    lease: timedelta = LEASE,
    per_lane: int = 50,
    publishing: bool = False,
) -> tuple[Claimed, ...]:
    return await act(database, store.claim_due, limit=limit, lease=lease, per_lane=per_lane, publishing=publishing)


def sequences(claimed: tuple[Claimed, ...]) -> list[str]:
    return sorted(one.body for one in claimed)


async def test_what_is_claimed_carries_all_that_a_post_needs(database: Database) -> None:
    one = await listening(database)
    message = event(new_id(), 3, one)
    await put(database, message)
    (claimed,) = await claim(database)
    assert (claimed.message_id, claimed.body, claimed.endpoint) == (message.id, message.body, one)
    assert (claimed.kind, claimed.type, claimed.number, claimed.used) == (Kind.WEBHOOK, "ticket.routed", 1, 1)
    assert await claim(database) == ()


async def test_of_a_ticket_an_endpoint_gets_the_next_event_when_it_took_the_one_before(database: Database) -> None:
    one = await listening(database)
    ticket, other = new_id(), new_id()
    await put(database, event(ticket, 2, one), event(ticket, 1, one), event(other, 9, one))
    first = await claim(database)
    assert sequences(first) == ['{"sequence":1}', '{"sequence":9}']
    for claimed in first:
        assert await act(database, store.mark_done, [claimed])
    assert sequences(await claim(database)) == ['{"sequence":2}']


async def test_endpoints_do_not_wait_for_each_other_nor_messages_of_no_ticket(database: Database) -> None:
    one, two = await listening(database), await listening(database)
    await put(database, event(new_id(), 1, one, two), event(None, 0, one), event(None, 0, one))
    assert len(await claim(database)) == 4


async def test_a_given_up_event_lets_the_next_one_pass(database: Database) -> None:
    one = await listening(database)
    ticket = new_id()
    await put(database, event(ticket, 1, one), event(ticket, 2, one))
    (claimed,) = await claim(database)
    assert await act(database, store.mark_dead, [claimed])
    assert sequences(await claim(database)) == ['{"sequence":2}']


async def test_racing_workers_take_every_delivery_once_and_never_more_than_an_endpoint_may_have(
    database: Database,
) -> None:
    busy, calm = await listening(database), await listening(database)
    await put(database, *(event(new_id(), 1, one) for one in [*[busy] * 40, *[calm] * 5]))
    rounds = [await asyncio.gather(*(claim(database, limit=10, per_lane=7) for _ in range(6))) for _ in range(3)]
    taken = [claimed for claims in rounds for claimed_by_one in claims for claimed in claimed_by_one]
    assert len({one.id for one in taken}) == len(taken) == 12
    assert sum(one.endpoint is not None and one.endpoint.id == busy.id for one in taken) == 7


async def test_a_receiver_with_a_backlog_does_not_keep_others_waiting(database: Database) -> None:
    hanging, calm = await listening(database), await listening(database)
    await put(database, *(event(new_id(), 1, hanging) for _ in range(30)), event(new_id(), 2, calm))
    await claim(database, limit=10, per_lane=3)
    assert await claim(database, limit=1, per_lane=3) == ()
    await put(database, event(new_id(), 3, calm))
    assert sequences(await claim(database, limit=1, per_lane=3)) == ['{"sequence":3}']


async def test_receivers_take_turns_so_that_no_backlog_keeps_a_reply_from_its_customer(database: Database) -> None:
    dead = [await listening(database) for _ in range(2)]
    await put(database, *(event(None, number, *dead) for number in range(5)))
    assert len(await claim(database, limit=4, publishing=True)) == 4
    await put(database, reply(new_id()))
    (claimed,) = await claim(database, limit=1, publishing=True)
    assert claimed.kind is Kind.PUBLICATION


async def test_a_finish_under_a_lease_that_ran_out_and_was_taken_over_changes_nothing(database: Database) -> None:
    await put(database, event(new_id(), 1, await listening(database)))
    (slow,) = await claim(database, lease=timedelta(0))
    await wait(database)
    (quick,) = await claim(database)
    assert quick.message_id == slow.message_id
    assert (slow.number, quick.number) == (1, 2)
    for mark in (store.mark_done, store.mark_dead):
        assert not await act(database, mark, [slow])
    assert not await act(database, store.mark_retry, slow, timedelta(0))
    assert await act(database, store.mark_done, [quick])
    assert not await act(database, store.mark_done, [quick])


async def test_what_waits_behind_a_failure_is_put_off_with_it(database: Database) -> None:
    one = await listening(database)
    ticket = new_id()
    await put(database, event(ticket, 1, one), event(ticket, 2, one))
    (first,) = await claim(database)
    assert await act(database, store.mark_retry, first, timedelta(minutes=5))
    async with database.reading() as tx:
        of_ticket = select(delivery.c.due_at).where(delivery.c.ticket_id == ticket)
        moments = {row.due_at for row in await tx.rows(of_ticket)}
    assert len(moments) == 1
    assert await claim(database) == ()
    await wait(database, AN_HOUR)
    assert sequences(await claim(database)) == ['{"sequence":1}']


async def test_a_failure_of_no_ticket_puts_nothing_else_off(database: Database) -> None:
    one = await listening(database)
    await put(database, event(None, 0, one), event(None, 0, one))
    (failed,) = await claim(database, limit=1)
    assert await act(database, store.mark_retry, failed, timedelta(hours=10))
    (other,) = await claim(database)
    assert other.id != failed.id


async def test_what_was_put_off_with_a_failure_goes_on_when_that_is_tried_again_by_hand(database: Database) -> None:
    one = await listening(database)
    ticket = new_id()
    await put(database, event(ticket, 1, one), event(ticket, 2, one))
    (first,) = await claim(database)
    assert await act(database, store.mark_retry, first, timedelta(hours=10))
    await act(database, mark_retried, first.id)
    await wait(database)
    (again,) = await claim(database)
    assert again.id == first.id
    assert await act(database, store.mark_done, [again])
    assert sequences(await claim(database)) == ['{"sequence":2}']


async def test_publications_wait_until_there_is_somebody_to_say_them(database: Database) -> None:
    message = reply(new_id())
    await put(database, message)
    assert await claim(database) == ()
    (claimed,) = await claim(database, publishing=True)
    assert (claimed.kind, claimed.subject_id, claimed.endpoint) == (Kind.PUBLICATION, message.subject_id, None)


async def test_an_endpoint_that_asked_for_rest_or_was_disabled_gets_nothing(database: Database) -> None:
    tired, gone = await listening(database), await listening(database)
    await put(database, event(new_id(), 1, tired, gone))
    await act(database, endpoints.mark_throttled, tired.id, timedelta(hours=1))
    await act(database, endpoints.mark_throttled, tired.id, timedelta(seconds=-1))
    assert await act(database, endpoints.mark_disabled, gone.id, "410")
    assert not await act(database, endpoints.mark_disabled, gone.id, "410")
    assert await claim(database) == ()
    await database.transact(lambda tx: tx.execute(update(endpoint).values(throttled_until=None)))
    (claimed,) = await claim(database)
    assert claimed.endpoint is not None
    assert claimed.endpoint.id == tired.id


async def test_every_attempt_is_kept_also_a_late_one_and_a_repeated_record_is_one(database: Database) -> None:
    await put(database, event(new_id(), 1, await listening(database)))
    (late,) = await claim(database, lease=timedelta(0))
    await wait(database)
    (claimed,) = await claim(database)
    hung = Outcome(timedelta(seconds=15), fault=Fault.TIMED_OUT)
    await act(database, store.record_attempts, [(claimed, FAILED, NOW), (late, hung, NOW)])
    await act(database, store.record_attempts, [(late, FAILED, NOW)])
    async with database.reading() as tx:
        kept = await store.list_attempts(tx, claimed.id)
        (line,) = await store.list_deliveries(tx, departments=None)
    assert [(a.number, a.status, a.error, a.answer) for a in kept] == [
        (1, None, "timed_out", ""),
        (2, 503, None, "busy"),
    ]
    assert (line.attempts, line.last_status, line.last_error) == (2, 503, None)


async def test_a_dead_delivery_is_tried_again_by_hand_without_using_up_its_schedule(database: Database) -> None:
    await put(database, event(new_id(), 1, await listening(database)))
    (claimed,) = await claim(database)
    await act(database, store.mark_dead, [claimed])
    for _ in range(2):  # pressed twice, tried once
        await act(database, mark_retried, claimed.id)
        await wait(database)
    (again,) = await claim(database)
    assert (again.number, again.used) == (2, 1)
    with pytest.raises(DeliveryUnderWay):
        await act(database, mark_retried, claimed.id)
    await act(database, store.mark_done, [again])
    with pytest.raises(DeliveryFinished):
        await act(database, mark_retried, claimed.id)


async def test_what_died_in_a_period_is_replayed_and_nothing_else(database: Database) -> None:
    one, other = await listening(database), await listening(database)
    await put(database, event(new_id(), 1, one, other), event(new_id(), 2, one))
    first, *_ = claimed = await claim(database)
    for died in claimed:
        await act(database, store.mark_dead, [died])
    async with database.reading() as tx:
        made_at = (await store.get_delivery(tx, first.id)).created_at
    moment = timedelta(microseconds=1)
    await put(database, event(new_id(), 3, one))

    async def replayed(since: datetime, until: datetime, *types: str, limit: int = 2) -> int | None:
        asked = Replay(one.id, since, until, frozenset(types) or None, frozenset({DeliveryState.DEAD}))
        return await act(database, mark_replayed, asked, limit=limit)

    assert await replayed(made_at - moment, made_at) == 0
    assert await replayed(made_at + moment, made_at + timedelta(hours=1)) == 0
    assert await replayed(made_at, made_at + moment, "ticket.closed") == 0
    assert await replayed(made_at, made_at + moment, limit=1) is None
    assert await replayed(made_at, made_at + moment, "ticket.routed") == 2
    await wait(database)
    again = await claim(database)
    assert sequences(again) == ['{"sequence":1}', '{"sequence":2}', '{"sequence":3}']
    assert {claimed.used for claimed in again} == {1}


async def test_a_department_sees_and_retries_its_own_deliveries_only(database: Database) -> None:
    ours, theirs = await listening(database), await listening(database, "billing")
    await put(database, event(new_id(), 1, ours, theirs), reply(new_id()))
    async with database.reading() as tx:
        everything = await store.list_deliveries(tx, departments=None)
        (mine,) = await store.list_deliveries(tx, departments={"supply_chain"})
        newest, *rest = everything
        assert await store.list_deliveries(tx, departments=None, after=newest.id) == tuple(rest)
        assert await store.list_deliveries(tx, departments=None, state=DeliveryState.DEAD) == ()
        assert await store.list_deliveries(tx, departments=None, endpoint_id=ours.id) == (mine,)
        assert await store.get_delivery(tx, mine.id, department="supply_chain") == mine
        with pytest.raises(DeliveryNotFound):
            await store.get_delivery(tx, mine.id, department="billing")
    assert len(everything) == 3
    await act(database, mark_retried, mine.id, department="supply_chain")
    with pytest.raises(DeliveryNotFound):
        await act(database, mark_retried, mine.id, department="billing")


async def test_the_deliveries_of_one_ticket_are_found_among_many(database: Database) -> None:
    ours, tickets = await listening(database), [new_id() for _ in range(1_000)]
    await put(database, *(event(one, sequence, ours) for one in tickets for sequence in (1, 2)))

    async def unit(tx: Transaction) -> tuple[int, int]:
        await tx.execute(text("ANALYZE message, delivery"))
        before = await tx.scalar(READ_WHOLE)
        found = await store.list_deliveries(tx, departments=None, ticket_id=tickets[500])
        assert [line.sequence for line in found] == [2, 1]
        return before, await tx.scalar(READ_WHOLE)

    before, after = await act(database, unit)
    assert after == before


async def test_a_removed_endpoint_disappears_and_what_was_open_for_it_is_cancelled(database: Database) -> None:
    one = await listening(database)
    await put(database, event(new_id(), 1, one))
    await act(database, endpoints.mark_changed, replace(one, state=EndpointState.REMOVED))
    await act(database, store.mark_cancelled, one.id)
    async with database.reading() as tx:
        assert await endpoints.list_endpoints(tx, None) == ()
        (line,) = await store.list_deliveries(tx, departments=None)
        assert line.state is DeliveryState.CANCELLED
        with pytest.raises(endpoints.EndpointNotFound):
            await endpoints.get_endpoint(tx, one.id)


async def test_an_endpoint_is_kept_as_it_was_given_and_seen_by_its_department(database: Database) -> None:
    one = await listening(database, event_types=frozenset({"ticket.routed"}), payload=Payload.FULL)
    rotated = one.rotated(b"new", NOW)
    locked = await act(database, endpoints.claim_endpoint, one.id, department="supply_chain")
    await act(database, endpoints.mark_changed, rotated)
    async with database.reading() as tx:
        assert locked == one
        assert await endpoints.get_endpoint(tx, one.id) == rotated
        assert await endpoints.list_endpoints(tx, {"billing"}) == ()
        assert await endpoints.list_active_endpoints(tx) == (rotated,)
        with pytest.raises(endpoints.EndpointNotFound):
            await endpoints.get_endpoint(tx, one.id, department="billing")


async def test_a_receiver_that_lost_what_arrived_gets_it_again_under_the_same_id(database: Database) -> None:
    one = await listening(database)
    await put(database, event(new_id(), 1, one))
    (claimed,) = await claim(database)
    await act(database, store.mark_done, [claimed])
    states = frozenset({DeliveryState.DEAD, DeliveryState.DONE})
    now = datetime.now(UTC)
    asked = Replay(one.id, now - timedelta(hours=1), now + timedelta(hours=1), None, states)
    assert await act(database, mark_replayed, asked, limit=10) == 1
    await wait(database)
    (again,) = await claim(database)
    assert (again.message_id, again.number, again.used) == (claimed.message_id, 2, 1)


async def test_an_endpoint_fails_after_several_attempts_in_a_row_and_recovers_once(database: Database) -> None:
    one = await listening(database)

    async def stands() -> tuple[EndpointState, int]:
        async with database.reading() as tx:
            found = await endpoints.get_endpoint(tx, one.id)
        return found.state, found.failures

    async def failed() -> bool:
        return await act(database, endpoints.mark_failed, one.id, failing_from=2)

    assert (await failed(), await stands()) == (False, (EndpointState.OK, 1))
    assert (await act(database, endpoints.mark_ok, one.id), await stands()) == (False, (EndpointState.OK, 0))
    assert [await failed() for _ in range(3)] == [False, True, False]
    assert await stands() == (EndpointState.FAILING, 3)
    assert [await act(database, endpoints.mark_ok, one.id) for _ in range(2)] == [True, False]
    assert await stands() == (EndpointState.OK, 0)
