"""What came of what was sent: recorded, and told to whom it concerns.

Knows who must hear of an outcome, and that an outcome which cannot be recorded is an attempt all the same. Refuses to
know how anything is sent (dispatch) and what an outcome means for a delivery (delivery.retrying).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.answers import store as answers
from app.delivery import store as outbox
from app.delivery.endpoints import store as endpoints
from app.delivery.endpoints.endpoint import Endpoint
from app.delivery.envelope import Happening, Saying, external_id, webhooks
from app.delivery.lookup import UNASKABLE, Found, leaves_in_doubt, read
from app.delivery.retrying import Delivered, Fault, GaveUp, Gone, Outcome, RetryIn, Schedule, Verdict, judge, later
from app.delivery.store import Claimed
from app.flows import survey
from app.flows.record import record
from app.flows.review import hold_queued
from app.kit import logs
from app.kit.errors import Unavailable
from app.kit.ids import new_id
from app.mentions.store import get_thread, record_own_post
from app.runtime import Runtime, Unit
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.hand_over import HANDED_OVER, FellBack, delivered
from app.tickets.ticket import Ticket

GONE = "the receiver answered 410 Gone"
_ACTIONS = {Delivered: "delivered", RetryIn: "put_off", GaveUp: "died", Gone: "died"}


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt that was made; `chance` spreads the wait for the next one."""

    claimed: Claimed
    outcome: Outcome
    started_at: datetime
    chance: float

    @property
    def found(self) -> Found | None:
        """What a look-up told; None: it was sent."""
        return read(self.outcome) if self.claimed.in_doubt else None

    @property
    def in_doubt(self) -> bool:
        """Whether the channel may have it all the same."""
        if self.claimed.endpoint is not None:
            return False
        return leaves_in_doubt(self.outcome) if self.found is None else self.found in {Found.UNTOLD, Found.UNASKABLE}


async def conclude(runtime: Runtime, sent: Sequence[Sent]) -> None:
    """Record attempts in one transaction; when that fails one by one, so that none harms what was sent beside it."""
    if not sent:
        return
    try:
        await runtime.run_idempotent(_record, sent)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are recorded
        if len(sent) == 1:
            await _record_fault(runtime, sent[0], error)
            return
        for one in sent:
            await conclude(runtime, [one])


async def _record_fault(runtime: Runtime, sent: Sent, error: Exception) -> None:
    """Its outcome cannot be recorded, so nothing is known of it: an attempt that failed by a fault of ours.

    Where it is the database that is away nothing is written: the delivery comes back when its lease runs out.
    """
    logs.failure("delivery.unrecorded", error, delivery=str(sent.claimed.id), outcome=sent.outcome.reason)
    if isinstance(error, Unavailable):
        return
    lost = replace(sent, outcome=Outcome(sent.outcome.duration, fault=Fault.OURS))
    try:
        await runtime.run_idempotent(_record_least, lost)
    except Exception as again:  # noqa: BLE001 - not even this, so it is left to its lease
        logs.failure("delivery.unrecorded", again, delivery=str(lost.claimed.id), outcome=lost.outcome.reason)


async def _record_least(unit: Unit, lost: Sent) -> None:
    """What has to stand for its delivery to end some day: the attempt, and whether another one follows.

    Nobody is told but the reply that it carries, of which nobody knows any more whether its channel has it.
    """
    claimed, verdict = lost.claimed, _verdict(unit, lost)
    await outbox.record_attempts(unit.tx, [(claimed, lost.outcome, lost.started_at)])
    held = await _finish(unit, [(lost, verdict)])
    if held and claimed.type in {Saying.REPLY, Saying.STATEMENT} and claimed.subject_id is not None:
        await answers.mark_unknown(unit.tx, claimed.subject_id, lost.outcome.reason)
    _log(lost, verdict, held)


async def _record(unit: Unit, sent: Sequence[Sent]) -> None:
    in_order = sorted(sent, key=lambda one: one.claimed.lane)  # in one order everywhere, against deadlocks
    judged = [(one, _verdict(unit, one)) for one in in_order]
    unsaid = _unsaid(judged)
    # Tickets are locked before deliveries.
    await tickets.claim_tickets(unit.tx, [*unsaid, *_asked_about(judged)])
    handed_over = await tickets.claim_handed_over(unit.tx, _hand_overs(sent))
    await outbox.record_attempts(unit.tx, [(one.claimed, one.outcome, one.started_at) for one in sent])
    held = await _finish(unit, judged)
    await _follow(unit, handed_over, [(one.claimed, verdict) for one, verdict in judged if one.claimed.id in held])
    for one, verdict in judged:
        if one.claimed.id in held:
            await _tell(unit, one, verdict)
        _log(one, verdict, held)
    if unsaid:  # whoever set an embargo while these were under way could not take them back
        await hold_queued(unit, list((await tickets.claim_tickets(unit.tx, unsaid)).values()))


def _log(sent: Sent, verdict: Verdict, held: Collection[UUID]) -> None:
    logs.transition(
        f"delivery.{_ACTIONS[type(verdict)] if sent.claimed.id in held else 'late'}",
        delivery=str(sent.claimed.id),
        type=sent.claimed.type,
        attempt=sent.claimed.number,
        outcome=sent.outcome.reason,
    )


def _verdict(unit: Unit, sent: Sent) -> Verdict:
    schedule = Schedule(unit.knobs.webhook_schedule, unit.knobs.webhook_jitter)
    match sent.found:
        case None:
            return judge(sent.outcome, used=sent.claimed.used, schedule=schedule, chance=sent.chance, now=unit.now)
        case Found.THERE:
            return Delivered()
        case Found.NOT_THERE:
            return RetryIn(timedelta(0), timedelta(0))
        case Found.UNTOLD:
            return later(sent.outcome, used=sent.claimed.used, schedule=schedule, chance=sent.chance, now=unit.now)
        case Found.UNASKABLE:
            return GaveUp()


async def _finish(unit: Unit, judged: Sequence[tuple[Sent, Verdict]]) -> set[UUID]:
    """The ids of those that were still ours. A lease that ran out gave its delivery to somebody else: ours is late."""
    dead = [one for one, verdict in judged if isinstance(verdict, GaveUp | Gone)]
    held = {
        *await outbox.mark_done(unit.tx, [one.claimed for one, verdict in judged if isinstance(verdict, Delivered)]),
        *await outbox.mark_dead(unit.tx, [one.claimed for one in dead if not one.in_doubt]),
        *await outbox.mark_dead(unit.tx, [one.claimed for one in dead if one.in_doubt], in_doubt=True),
    }
    for one, verdict in judged:
        if isinstance(verdict, RetryIn):
            looked = one.found is Found.NOT_THERE  # which was no attempt to publish it
            again = outbox.mark_retry(unit.tx, one.claimed, verdict.delay, in_doubt=one.in_doubt, uncounted=looked)
            if await again:
                held.add(one.claimed.id)
    return held


def _unsaid(judged: Sequence[tuple[Sent, Verdict]]) -> list[UUID]:
    """The tickets of replies that their channel is known not to have, and that go out another time."""
    again = (one for one, verdict in judged if isinstance(verdict, RetryIn) and not one.in_doubt)
    return [one.claimed.ticket_id for one in again if one.claimed.ticket_id and one.claimed.type == Saying.REPLY]


def _asked_about(judged: Sequence[tuple[Sent, Verdict]]) -> list[UUID]:
    """The tickets of questions of which it is known now whether the channel has them."""
    known = (one.claimed for one, verdict in judged if not isinstance(verdict, RetryIn))
    return [one.ticket_id for one in known if one.ticket_id and one.type == Saying.SURVEY]


def _hand_overs(sent: Sequence[Sent]) -> list[UUID]:
    """The tickets that these attempts hand over to departments."""
    claimed = (one.claimed for one in sent)
    return [one.ticket_id for one in claimed if one.ticket_id is not None and one.type == HANDED_OVER]


async def _follow(unit: Unit, handed_over: Sequence[Ticket], judged: Sequence[tuple[Claimed, Verdict]]) -> None:
    """A hand-over that one receiver took has arrived; one that none of them will take falls back to webcare."""

    def told(*verdicts: type[Verdict]) -> set[tuple[UUID | None, str]]:
        return {
            (claimed.ticket_id, claimed.endpoint.department)
            for claimed, verdict in judged
            if claimed.type == HANDED_OVER and claimed.endpoint is not None and isinstance(verdict, verdicts)
        }

    arrived, lost = told(Delivered), told(GaveUp, Gone)
    waiting = await outbox.list_open(unit.tx, [ticket.id for ticket in handed_over], HANDED_OVER) if lost else ()
    steps = []
    for ticket in handed_over:
        with_whom = (ticket.id, ticket.with_department)
        if with_whom in arrived:
            steps.append(delivered(ticket))
        elif with_whom in lost and ticket.id not in waiting:
            steps.append(lifecycle.fall_back(ticket, FellBack.NOT_DELIVERED, unit.now))
    await record(unit, steps)


async def _tell(unit: Unit, sent: Sent, verdict: Verdict) -> None:
    if sent.claimed.endpoint is None:
        await _tell_speaker(unit, sent, verdict)
    else:
        await _tell_endpoint(unit, sent.claimed.endpoint, sent.outcome, verdict)


async def _tell_endpoint(unit: Unit, endpoint: Endpoint, outcome: Outcome, verdict: Verdict) -> None:
    """How it fares. A receiver that takes what it is sent has its row left alone: most do, all the time."""
    match verdict:
        case Delivered():
            if endpoint.failures and await endpoints.mark_ok(unit.tx, endpoint.id):
                await _announce(unit, endpoint, "endpoint.recovered", outcome.reason)
        case Gone():
            if await endpoints.mark_disabled(unit.tx, endpoint.id, GONE):
                await _announce(unit, endpoint, "endpoint.disabled", GONE)
        case RetryIn() | GaveUp():
            if isinstance(verdict, RetryIn) and verdict.rest:
                await endpoints.mark_throttled(unit.tx, endpoint.id, verdict.rest)
            if await endpoints.mark_failed(unit.tx, endpoint.id, failing_from=unit.knobs.webhook_failing_from):
                await _announce(unit, endpoint, "endpoint.failing", outcome.reason)


async def _announce(unit: Unit, endpoint: Endpoint, event_type: str, reason: str) -> None:
    """To the department's other endpoints, which may be all that is left of it."""
    happened = Happening(
        type=event_type,
        at=unit.now,
        departments=frozenset({endpoint.department}),
        details={"endpoint_id": endpoint.id, "url": endpoint.url, "reason": reason},
    )
    others = [one for one in await endpoints.list_active_endpoints(unit.tx) if one.id != endpoint.id]
    await outbox.add_messages(unit.tx, webhooks(happened, others, new_id))
    logs.transition(event_type, endpoint=str(endpoint.id), department=endpoint.department, reason=reason)


async def _tell_speaker(unit: Unit, sent: Sent, verdict: Verdict) -> None:
    """The reply or invitation that a publication carried learns what became of it."""
    claimed, reason = sent.claimed, UNASKABLE if sent.found is Found.UNASKABLE else sent.outcome.reason
    asked_about = claimed.ticket_id
    assert claimed.subject_id is not None
    assert asked_about is not None
    named = external_id(sent.outcome.answer)
    match claimed.type, verdict:
        case Saying.REPLY | Saying.STATEMENT, Delivered():
            await answers.mark_published(unit.tx, claimed.subject_id, named, unit.now)
        case Saying.REPLY | Saying.STATEMENT, _ if sent.in_doubt:
            await answers.mark_unknown(unit.tx, claimed.subject_id, reason)
        case Saying.REPLY | Saying.STATEMENT, RetryIn():
            await answers.mark_delayed(unit.tx, claimed.subject_id, reason)
        case Saying.REPLY | Saying.STATEMENT, _:
            await answers.mark_failed(unit.tx, claimed.subject_id, reason)
        case Saying.SURVEY, Delivered():
            await survey.note_sent(unit, asked_about, claimed.subject_id)
        case Saying.SURVEY, GaveUp() | Gone() if not sent.in_doubt:  # in doubt it counts as asked
            await survey.note_failed(unit, asked_about, claimed.subject_id)
    if isinstance(verdict, Delivered) and named is not None:
        await _remember_own_post(unit, claimed, named)


async def _remember_own_post(unit: Unit, claimed: Claimed, named: str) -> None:
    """Its echo is then no mention, and what customers say below it joins their conversation."""
    assert claimed.ticket_id is not None
    ticket = await tickets.get_ticket(unit.tx, claimed.ticket_id)
    await record_own_post(unit.tx, ticket.channel, named, await get_thread(unit.tx, ticket.conversation_id))
