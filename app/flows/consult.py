"""Somebody else is asked about posts in triage: claimed, asked while no transaction is open, recorded.

Knows the order of these three, what leaves the building (masked words, no names, no ids) and when an opinion moves a
ticket. Refuses to know what is asked and what of an answer counts (topics.opinions), and when to look (worker).
"""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta

from app.answers.masking import masked
from app.delivery.retrying import Outcome, RetryIn, Schedule, judge
from app.flows.record import record_one
from app.kit import logs
from app.routing import by_opinion
from app.routing import store as routing
from app.routing.decision import as_record
from app.routing.ownership import find
from app.routing.store import Decided
from app.rulebook import Rulebook
from app.runtime import Runtime, Unit
from app.settings import Terms
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.placement import Placement
from app.tickets.ticket import State, Ticket
from app.topics.opinions import store as opinions
from app.topics.opinions.opinion import NoOpinion, Opinion, question, read
from app.topics.opinions.store import Asked
from app.topics.opinions.track import Track

# Whoever failed is left alone for a while, whatever the reason: a budget is not spent on finding out.
SCHEDULE = Schedule(
    waits=(timedelta(0), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1)), rest=timedelta(minutes=1)
)


@dataclass(frozen=True, slots=True)
class _Answered:
    asked: Asked
    outcome: Outcome
    opinion: Opinion | None  # None: not answered
    chance: float


async def consult(runtime: Runtime, limit: int) -> int:
    """Ask about what is due, at most `limit` at a time; returns how many were asked. Nothing while nobody may be asked.

    A process that dies in between loses nothing: leases run out, and somebody asks again.
    """
    terms = runtime.knobs.second_opinion
    if terms is None:
        return 0
    claimed = await runtime.run_idempotent(_claim, terms, limit)
    answered = await asyncio.gather(*(_ask(runtime, terms, one) for one in claimed))
    for one in answered:
        try:
            await runtime.run_idempotent(_record, terms, one)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is asked again when the lease runs out
            logs.failure("opinion.unrecorded", error, ticket=str(one.asked.ticket_id))
    return len(claimed)


async def _claim(unit: Unit, terms: Terms, limit: int) -> tuple[Asked, ...]:
    lease = 2 * terms.timeout + timedelta(seconds=10)
    return await opinions.claim_due(
        unit.tx, terms.url, limit=limit, lease=lease, per_day=terms.calls_per_day, tries=len(SCHEDULE.waits)
    )


async def _ask(runtime: Runtime, terms: Terms, asked: Asked) -> _Answered:
    rules = runtime.rulebook
    posts = [masked(post.text, rules.guard, post.names) for post in asked.posts]
    body = question(terms.model, posts, rules.topics.values())
    key = {"Authorization": f"Bearer {terms.key.get_secret_value()}"} if terms.key else {}
    outcome = await runtime.adviser.post(f"{terms.url}/chat/completions", key, body)
    said = read(outcome.answer, rules.topics) if outcome.succeeded else None
    return _Answered(asked, outcome, said, random.random())  # noqa: S311 - no secret


async def _record(unit: Unit, terms: Terms, answered: _Answered) -> None:
    asked, said = answered.asked, answered.opinion
    ticket = await tickets.claim_ticket(unit.tx, asked.ticket_id)  # tickets are locked before what hangs on them
    if said is None:
        kept = await _put_off(unit, terms, answered)
        said = NoOpinion.UNREACHABLE
    elif isinstance(said, NoOpinion):
        kept = await opinions.mark_none(unit.tx, asked, model=terms.model, reason=said)
    else:
        kept = await _give(unit, terms, asked, ticket, said)
    logs.transition(
        "opinion.given" if kept else "opinion.late", ticket=ticket.number, opinion=said, outcome=answered.outcome.reason
    )


async def _put_off(unit: Unit, terms: Terms, answered: _Answered) -> bool:
    asked = answered.asked
    verdict = judge(answered.outcome, used=asked.attempt, schedule=SCHEDULE, chance=answered.chance, now=unit.now)
    if not isinstance(verdict, RetryIn):
        return await opinions.mark_none(unit.tx, asked, model=terms.model, reason=NoOpinion.UNREACHABLE)
    await opinions.mark_resting(unit.tx, terms.url, max(verdict.rest, SCHEDULE.rest))
    return await opinions.mark_again(unit.tx, asked, verdict.delay)


async def _give(unit: Unit, terms: Terms, asked: Asked, ticket: Ticket, topic: str) -> bool:
    """Keep the opinion; where those before it earned it, and nobody placed the ticket meanwhile, the ticket goes."""
    if topic not in unit.rulebook.topics:  # the rules changed while it was asked
        return await opinions.mark_none(unit.tx, asked, model=terms.model, reason=NoOpinion.UNKNOWN_TOPIC)
    track = await opinions.get_track(unit.tx, terms.model, topic)
    goes = ticket.state is State.TRIAGE and ticket.assignee is None and _earned(terms, track)
    kept = await opinions.mark_given(unit.tx, asked, model=terms.model, topic=topic, routed=goes)
    if kept and goes:
        await _route(unit, terms.model, ticket, topic, track)
    return kept


def _earned(terms: Terms, track: Track) -> bool:
    wanted, proven = terms.precision, track.precision
    return wanted is not None and proven is not None and proven >= wanted


async def _route(unit: Unit, model: str, ticket: Ticket, topic: str, track: Track) -> None:
    rules: Rulebook = unit.rulebook
    owned = find(rules.routing.ownerships, topic, ticket.channel, ticket.id)
    made = by_opinion.decided(owned, ticket, topic=topic, model=model, track=track, digest=rules.digest)
    place = Placement(topic, made.confidence, owned.department, owned.stage, owned.arm, made.rule)
    await record_one(unit, lifecycle.reroute(ticket, "system", place, made.reasons[0].text, unit.now))
    await routing.record_decisions(unit.tx, [Decided(ticket.id, None, "system", unit.now, as_record(made))])
