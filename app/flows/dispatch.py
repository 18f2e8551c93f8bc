"""What is due leaves the building: claimed, sent while no transaction is open, recorded.

Knows the order of these three and who must hear of the outcome. Refuses to know when to look (worker) and what an
outcome means for a delivery (delivery.retrying).
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.answers import store as answers
from app.delivery import store as outbox
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint, EndpointState
from app.delivery.envelope import Happening, Saying, external_id, subscribers, webhook
from app.delivery.retrying import Delivered, Fault, GaveUp, Gone, Outcome, RetryIn, Schedule, Verdict, judge
from app.delivery.signing import SecretUnusable, sign
from app.delivery.store import Claimed
from app.feedback import store as feedback
from app.kit import logs
from app.kit.ids import new_id
from app.kit.sealing import SealBroken
from app.mentions.store import get_thread, record_own_post
from app.runtime import Runtime, Unit
from app.tickets.store import get_ticket

GONE = "the receiver answered 410 Gone"
_ACTIONS = {Delivered: "delivered", RetryIn: "put_off", GaveUp: "died", Gone: "died"}


@dataclass(frozen=True, slots=True)
class _Sent:
    """An attempt that was made; `chance` spreads the wait for the next one."""

    claimed: Claimed
    outcome: Outcome
    started_at: datetime
    chance: float


async def dispatch(runtime: Runtime, limit: int, ending: asyncio.Event | None = None) -> int:
    """Send until nothing more is due, at most `limit` at a time; returns how many attempts were made.

    When `ending` is set nothing more is claimed, and what is under way is finished.

    It goes on claiming while slow receivers keep their slots, so none of them holds up the others. A process that
    dies in between loses nothing: leases run out, and what was sent unrecorded is sent again under the same id.
    """
    attempts = 0
    under_way: set[asyncio.Task[_Sent]] = set()
    try:
        while True:
            if not (ending and ending.is_set()) and (free := limit - len(under_way)):
                claimed = await runtime.run_idempotent(_claim, free)
                under_way |= {asyncio.create_task(_send(runtime, one)) for one in claimed}
                attempts += len(claimed)
            if not under_way:
                return attempts
            done, under_way = await asyncio.wait(
                under_way, timeout=runtime.knobs.poll_interval.total_seconds(), return_when=asyncio.FIRST_COMPLETED
            )
            await _record_all(runtime, [task.result() for task in done if not _failed(task)])
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _failed(task: asyncio.Task[_Sent]) -> bool:
    """A fault of ours, not the receiver's; the delivery comes back when its lease runs out."""
    if error := task.exception():
        logs.failure("delivery.unsent", error)
    return error is not None


async def _claim(unit: Unit, limit: int) -> tuple[Claimed, ...]:
    return await outbox.claim_due(
        unit.tx,
        limit=limit,
        lease=unit.knobs.webhook_lease,
        per_lane=unit.knobs.webhook_per_endpoint,
        publishing=unit.knobs.publish_url is not None,
    )


async def _send(runtime: Runtime, claimed: Claimed) -> _Sent:
    now = runtime.now()
    return _Sent(claimed, await _post(runtime, claimed, now), now, random.random())  # noqa: S311 - no secret


async def _post(runtime: Runtime, claimed: Claimed, now: datetime) -> Outcome:
    body = claimed.body.encode()
    try:
        headers = sign(_secrets(runtime, claimed.endpoint, now), str(claimed.message_id), now, body)
    except (SealBroken, SecretUnusable):
        return Outcome(duration=timedelta(0), fault=Fault.SECRET_UNREADABLE)
    if claimed.endpoint is None:
        return await runtime.publisher.post(runtime.knobs.publish_url or "", headers, body)
    return await runtime.sender.post(claimed.endpoint.url, headers, body)


def _secrets(runtime: Runtime, endpoint: Endpoint | None, now: datetime) -> list[str]:
    if endpoint is not None:
        return [runtime.sealer.open(sealed) for sealed in endpoint.secrets_sealed(now)]
    secret = runtime.knobs.publish_secret
    return [secret.get_secret_value()] if secret else []


async def _record_all(runtime: Runtime, sent: Sequence[_Sent]) -> None:
    """In one transaction; when that fails one by one, so that what cannot be recorded harms nothing else."""
    if not sent:
        return
    try:
        await runtime.run_idempotent(_record, sent)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt comes when the lease runs out
        if len(sent) == 1:
            logs.failure("delivery.unrecorded", error, delivery=str(sent[0].claimed.id))
            return
        for one in sent:
            await _record_all(runtime, [one])


async def _record(unit: Unit, sent: Sequence[_Sent]) -> None:
    await outbox.record_attempts(unit.tx, [(one.claimed, one.outcome, one.started_at) for one in sent])
    for one in sorted(sent, key=lambda one: one.claimed.lane):  # in one order everywhere, against deadlocks
        await _record_one(unit, one)


async def _record_one(unit: Unit, sent: _Sent) -> None:
    claimed, outcome = sent.claimed, sent.outcome
    schedule = Schedule(unit.knobs.webhook_schedule, unit.knobs.webhook_jitter)
    verdict = judge(outcome, used=claimed.used, schedule=schedule, chance=sent.chance, now=unit.now)
    held = await _finish(unit, claimed, verdict)
    if held and claimed.endpoint is None:
        await _tell_speaker(unit, claimed, outcome, verdict)
    elif held and claimed.endpoint is not None:
        await _tell_endpoint(unit, claimed.endpoint, verdict)
    logs.transition(
        f"delivery.{_ACTIONS[type(verdict)] if held else 'late'}",
        delivery=str(claimed.id),
        type=claimed.type,
        attempt=claimed.number,
        outcome=outcome.reason,
    )


async def _finish(unit: Unit, claimed: Claimed, verdict: Verdict) -> bool:
    """False when the lease ran out and somebody else has the delivery: what we know of it is late."""
    match verdict:
        case Delivered():
            return await outbox.mark_done(unit.tx, claimed)
        case RetryIn(delay=delay):
            return await outbox.mark_retry(unit.tx, claimed, delay)
        case GaveUp() | Gone():
            return await outbox.mark_dead(unit.tx, claimed)


async def _tell_endpoint(unit: Unit, endpoint: Endpoint, verdict: Verdict) -> None:
    match verdict:
        case Delivered():
            if endpoint.state is EndpointState.FAILING:
                await endpoints.mark_ok(unit.tx, endpoint.id)
        case RetryIn(rest=rest):
            await endpoints.mark_failing(unit.tx, endpoint.id)
            if rest:
                await endpoints.mark_throttled(unit.tx, endpoint.id, rest)
        case GaveUp():
            await endpoints.mark_failing(unit.tx, endpoint.id)
        case Gone():
            if await endpoints.mark_disabled(unit.tx, endpoint.id, GONE):
                await _announce_disabled(unit, endpoint)


async def _announce_disabled(unit: Unit, endpoint: Endpoint) -> None:
    """To the department's other endpoints, which may be all that is left of it."""
    disabled = Happening(
        type="endpoint.disabled",
        at=unit.now,
        departments=frozenset({endpoint.department}),
        details={"endpoint_id": endpoint.id, "url": endpoint.url, "reason": GONE},
    )
    others = subscribers(disabled, await endpoints.list_active_endpoints(unit.tx))
    await outbox.add_messages(unit.tx, [webhook(new_id(), disabled, *to) for to in others])


async def _tell_speaker(unit: Unit, claimed: Claimed, outcome: Outcome, verdict: Verdict) -> None:
    """The reply or invitation that a publication carried learns what became of it."""
    assert claimed.subject_id is not None
    named = external_id(outcome.answer)
    match claimed.type, verdict:
        case Saying.REPLY, Delivered():
            await answers.mark_published(unit.tx, claimed.subject_id, named, unit.now)
        case Saying.REPLY, RetryIn():
            await answers.mark_delayed(unit.tx, claimed.subject_id, outcome.reason)
        case Saying.REPLY, _:
            await answers.mark_failed(unit.tx, claimed.subject_id, outcome.reason)
        case Saying.SURVEY, Delivered():
            await feedback.mark_sent(unit.tx, claimed.subject_id, unit.now)
        case Saying.SURVEY, GaveUp() | Gone():
            await feedback.mark_failed(unit.tx, claimed.subject_id)
    if isinstance(verdict, Delivered) and named is not None:
        await _remember_own_post(unit, claimed, named)


async def _remember_own_post(unit: Unit, claimed: Claimed, named: str) -> None:
    """Its echo is then no mention, and what customers say below it joins their conversation."""
    assert claimed.ticket_id is not None
    ticket = await get_ticket(unit.tx, claimed.ticket_id)
    await record_own_post(unit.tx, ticket.channel, named, await get_thread(unit.tx, ticket.conversation_id))
