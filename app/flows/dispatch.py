"""What is due leaves the building: claimed, and sent while no transaction is open.

Knows how it goes out. Refuses to know when to look (worker) and what comes of it (conclude).
"""

import asyncio
import random
from datetime import datetime, timedelta

from app.delivery import store as outbox
from app.delivery.endpoints.endpoint import Endpoint
from app.delivery.retrying import Fault, Outcome
from app.delivery.signing import SecretUnusable, sign
from app.delivery.store import Claimed
from app.flows.conclude import Sent, conclude
from app.kit import logs
from app.kit.sealing import SealBroken
from app.runtime import Runtime, Unit


async def dispatch(runtime: Runtime, limit: int, ending: asyncio.Event | None = None) -> int:
    """Send until nothing more is due, at most `limit` at a time; returns how many attempts were made.

    When `ending` is set nothing more is claimed, and what is under way is finished.

    It goes on claiming while slow receivers keep their slots, so none of them holds up the others. A process that
    dies in between loses nothing: leases run out, and what was sent unrecorded is sent again under the same id.
    """
    attempts = 0
    under_way: set[asyncio.Task[Sent]] = set()
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
            await conclude(runtime, [task.result() for task in done])
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _claim(unit: Unit, limit: int) -> tuple[Claimed, ...]:
    return await outbox.claim_due(
        unit.tx,
        limit=limit,
        lease=unit.knobs.webhook_lease,
        per_lane=unit.knobs.webhook_per_endpoint,
        publishing=unit.knobs.publish_url is not None,
    )


async def _send(runtime: Runtime, claimed: Claimed) -> Sent:
    now = runtime.now()
    try:
        outcome = await _request(runtime, claimed, now)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is one attempt that led to nothing
        logs.failure("delivery.unsent", error, delivery=str(claimed.id))
        outcome = Outcome(duration=runtime.now() - now, fault=Fault.OURS)
    return Sent(claimed, outcome, now, random.random())  # noqa: S311 - no secret


async def _request(runtime: Runtime, claimed: Claimed, now: datetime) -> Outcome:
    """Send it. Or ask the channel adapter for it, under the same id, when it may have arrived already."""
    body = b"" if claimed.in_doubt else claimed.body.encode()
    try:
        signature = sign(_secrets(runtime, claimed.endpoint, now), str(claimed.message_id), now, body)
        headers = {**_own_headers(runtime, claimed.endpoint), **signature}
    except (SealBroken, SecretUnusable):
        return Outcome(duration=timedelta(0), fault=Fault.SECRET_UNREADABLE)
    if claimed.endpoint is not None:
        return await runtime.sender.post(claimed.endpoint.url, headers, body)
    adapter = runtime.knobs.publish_url or ""
    if claimed.in_doubt:
        return await runtime.publisher.get(adapter, headers)
    return await runtime.publisher.post(adapter, headers, body)


def _own_headers(runtime: Runtime, endpoint: Endpoint | None) -> dict[str, str]:
    sealed = endpoint.headers_sealed if endpoint is not None else {}
    return {name: runtime.sealer.open(value.encode()) for name, value in sealed.items()}


def _secrets(runtime: Runtime, endpoint: Endpoint | None, now: datetime) -> list[str]:
    if endpoint is not None:
        return [runtime.sealer.open(sealed) for sealed in endpoint.secrets_sealed(now)]
    secret = runtime.knobs.publish_secret
    return [secret.get_secret_value()] if secret else []
