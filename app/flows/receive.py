"""A mention comes in: stored once, understood, and put in the hands of who owns its topic.

Knows the order in which a list of mentions is gathered, decided and written, so that the batch is the only path.
Refuses to know HTTP and how single posts are gathered into lists (api/intake).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.flows import survey
from app.flows.record import record
from app.kit.db import RowRefused
from app.kit.errors import WebcareError
from app.kit.ids import new_id
from app.mentions import store as mentions
from app.mentions.mention import Mention, is_newer
from app.mentions.store import AuthorKey, Key, Known, Stored
from app.routing import store as routing
from app.routing.decision import Decision, Subject, as_record, decide
from app.routing.store import Decided
from app.rulebook import Rulebook
from app.runtime import Runtime, Unit
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.lifecycle import Placement
from app.tickets.ticket import OPEN, Event, State, Step, Ticket
from app.topics.classify import Classification

WITHDRAWN = "withdrawn"  # the resolution of a ticket whose customer took everything back
AT_ONCE = 500  # mentions in one transaction: large enough for speed, small enough to hold no lock for long


class Outcome(StrEnum):
    OPENED = "opened"
    JOINED = "joined"
    REOPENED = "reopened"
    DUPLICATE = "duplicate"
    UPDATED = "updated"
    IGNORED = "ignored"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one mention. `ticket` is None for what is no question to us; `reasons` are JSON-ready."""

    mention_id: UUID | None
    outcome: Outcome
    ticket: Ticket | None = None
    reasons: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Understood:
    """A mention, the id that it gets if it is new, and what its words say."""

    id: UUID
    mention: Mention
    classification: Classification
    words: Mapping[str, str]


@dataclass(slots=True)
class _Ledger:
    """What one transaction gathered, and what is to be written. `open` holds tickets by conversation."""

    now: datetime
    rulebook: Rulebook
    known: Mapping[Key, Known]
    authors: Mapping[AuthorKey, UUID]
    conversations: Mapping[UUID, UUID]
    open: dict[UUID, Ticket]
    standing: Mapping[UUID, Ticket]
    originals: set[Key]
    numbers: list[int]
    stored: list[Stored] = field(default_factory=list)
    edits: dict[UUID, Mention] = field(default_factory=dict)
    steps: dict[UUID, Step] = field(default_factory=dict)
    decisions: list[Decided] = field(default_factory=list)

    def take(self, step: Step) -> Ticket:
        """Follow what an earlier mention of the same list made of the ticket."""
        before = self.steps.get(step.ticket.id)
        self.steps[step.ticket.id] = before.then(step) if before else step
        self.open[step.ticket.conversation_id] = step.ticket
        return step.ticket


async def receive(runtime: Runtime, arrivals: Sequence[Mention]) -> list[Received | WebcareError]:
    """Take in mentions; answers stand in their order, after the commit.

    A mention that the database refuses fails alone. Raises `Unavailable`, and then nothing of the list that is in
    the failing transaction was kept; repeating the call is safe.
    """
    answers_by_place: dict[int, Received | WebcareError] = {}
    for round_ in _rounds(arrivals):
        for start in range(0, len(round_), AT_ONCE):
            places = round_[start : start + AT_ONCE]
            understood = await _understand(runtime.rulebook, [arrivals[place] for place in places])
            answers_by_place |= zip(places, await _receive(runtime, understood), strict=True)
    return [answers_by_place[place] for place in range(len(arrivals))]


def _rounds(arrivals: Sequence[Mention]) -> list[list[int]]:
    """Places in the list, such that no key comes twice in a round: a second version of a post follows the first."""
    seen: dict[Key, int] = {}
    rounds: list[list[int]] = []
    for place, mention in enumerate(arrivals):
        nth = seen.get(mention.key, 0)
        seen[mention.key] = nth + 1
        if nth == len(rounds):
            rounds.append([])
        rounds[nth].append(place)
    return rounds


async def _understand(rulebook: Rulebook, arrivals: Sequence[Mention]) -> list[Understood]:
    """Heavy enough in a long list to leave the event loop to others."""
    if len(arrivals) > 50:  # noqa: PLR2004 - about two milliseconds of work
        return await asyncio.to_thread(_read, rulebook, arrivals)
    return _read(rulebook, arrivals)


def _read(rulebook: Rulebook, arrivals: Sequence[Mention]) -> list[Understood]:
    texts = [(mention.words, mention.lang) for mention in arrivals]
    read = zip(arrivals, rulebook.classifier.classify(texts), rulebook.find_words(texts), strict=True)
    return [Understood(new_id(), *one) for one in read]


async def _receive(runtime: Runtime, arrivals: Sequence[Understood]) -> list[Received | WebcareError]:
    """One transaction; when the database refuses a value, halves of it, until the bad mention stands alone."""
    try:
        return [*await runtime.run_idempotent(_write, arrivals)]
    except RowRefused as error:
        if len(arrivals) == 1:
            return [error]
        half = len(arrivals) // 2
        return [*await _receive(runtime, arrivals[:half]), *await _receive(runtime, arrivals[half:])]


async def _write(unit: Unit, arrivals: Sequence[Understood]) -> list[Received]:
    ledger = await _gather(unit, arrivals)
    drafts = [_settle(ledger, arrival) for arrival in arrivals]
    await mentions.add_mentions(unit.tx, ledger.stored, unit.now)
    await mentions.record_revisions(unit.tx, ledger.edits, unit.now)
    after = await record(unit, list(ledger.steps.values()))
    await survey.withdraw(
        unit, [draft.ticket.id for draft in drafts if draft.ticket and draft.outcome is Outcome.REOPENED]
    )
    await routing.record_decisions(unit.tx, ledger.decisions)
    return [replace(d, ticket=after.get(d.ticket.id, d.ticket)) if d.ticket else d for d in drafts]


async def _gather(unit: Unit, arrivals: Sequence[Understood]) -> _Ledger:
    """Claim, in this order on every path: keys, authors, conversations, tickets."""
    threads = await _threads(unit, arrivals)
    known = await mentions.claim_keys(unit.tx, {a.mention.key: (a.id, threads[a.id]) for a in arrivals})
    new = [a for a in arrivals if a.mention.key not in known]
    people = {(a.mention.channel, a.mention.author_key): a.mention.author for a in new}
    authors = await mentions.claim_authors(unit.tx, people, unit.now)
    asked = {
        a.id: (a.mention.channel, threads[a.id], authors[a.mention.channel, a.mention.author_key])
        for a in new
        if _is_question(unit.rulebook, a.mention)
    }
    conversations, fresh = await mentions.claim_conversations(unit.tx, asked.values())
    latest = await tickets.list_latest(unit.tx, [c for c in conversations.values() if c not in fresh])
    stood = await tickets.list_ids_of(unit.tx, [k.mention_id for k in known.values() if k.mention_id])
    claimed = await tickets.claim_tickets(unit.tx, [*latest.values(), *stood.values()])
    current = {conversation_id: claimed[ticket_id] for conversation_id, ticket_id in latest.items()}
    opening = [c for c in conversations.values() if c not in current or current[c].state is State.CLOSED]
    reposted = [(a.mention.channel, a.mention.parent_id) for a in new if a.mention.is_repost and a.mention.parent_id]
    return _Ledger(
        now=unit.now,
        rulebook=unit.rulebook,
        known=known,
        authors=authors,
        conversations={arrival_id: conversations[thread] for arrival_id, thread in asked.items()},
        open=current,
        standing={mention_id: claimed[ticket_id] for mention_id, ticket_id in stood.items()},
        originals=await mentions.add_reposts(unit.tx, reposted),
        numbers=await tickets.take_numbers(unit.tx, len(opening)),
    )


async def _threads(unit: Unit, arrivals: Sequence[Understood]) -> dict[UUID, str]:
    """Each arrival's thread: the platform's, else that of the post it answers, known or earlier in this list."""
    parents = {(a.mention.channel, a.mention.parent_id) for a in arrivals if a.mention.parent_id}
    by_key = await mentions.list_threads(unit.tx, parents)
    threads: dict[UUID, str] = {}
    for arrival in arrivals:
        said = arrival.mention
        inherited = by_key.get((said.channel, said.parent_id)) if said.parent_id else None
        threads[arrival.id] = by_key[said.key] = said.thread(inherited)
    return threads


def _is_question(rulebook: Rulebook, said: Mention) -> bool:
    return not said.is_repost and not rulebook.is_own(said.channel, said.author.handle, said.author.external_id)


def _settle(ledger: _Ledger, arrival: Understood) -> Received:
    known = ledger.known.get(arrival.mention.key)
    if known is not None:
        return _settle_known(ledger, arrival, known)
    ledger.stored.append(
        Stored(
            arrival.id,
            arrival.mention,
            ledger.authors[arrival.mention.channel, arrival.mention.author_key],
            ledger.conversations.get(arrival.id),
            arrival.classification.language,
        )
    )
    if arrival.id not in ledger.conversations:
        return Received(arrival.id, Outcome.IGNORED, None, [_why_ignored(ledger, arrival.mention)])
    ticket = ledger.open.get(ledger.conversations[arrival.id])
    if ticket is None or ticket.state is State.CLOSED:
        return _open(ledger, arrival, ticket)
    return _join(ledger, arrival, ticket)


def _settle_known(ledger: _Ledger, arrival: Understood, known: Known) -> Received:
    """Its key stands already: a tombstone, a post of our own, an edit, or the same once more."""
    if known.deleted:
        why = _reason("deleted", "its author deleted it; a deletion beats whatever comes later")
        return Received(known.mention_id, Outcome.IGNORED, None, [why])
    if known.mention_id is None:
        return Received(None, Outcome.IGNORED, None, [_reason("own_post", "we published this ourselves")])
    ticket = ledger.standing.get(known.mention_id)
    if not is_newer(known.revision, known.fingerprint, arrival.mention):
        why = _reason("duplicate", f"{arrival.mention.channel} {arrival.mention.external_id} is known and unchanged")
        return Received(known.mention_id, Outcome.DUPLICATE, ticket, [why])
    ledger.edits[known.mention_id] = arrival.mention
    if ticket is not None:
        current = ledger.open.get(ticket.conversation_id, ticket)
        ticket = current if current.id == ticket.id else ticket
        edited = Event("mention.edited", "customer", {"mention_id": str(known.mention_id)})
        ticket = ledger.take(Step(ticket, ticket, (edited,)))
    why = _reason("edited", "its author edited it; the words that stood are kept as a revision")
    return Received(known.mention_id, Outcome.UPDATED, ticket, [why])


def _open(ledger: _Ledger, arrival: Understood, previous: Ticket | None) -> Received:
    ticket_id = new_id()
    decision = _decide(ledger, arrival, ticket_id)
    said = arrival.mention
    ticket = Ticket(
        id=ticket_id,
        number=ledger.numbers.pop(),
        conversation_id=ledger.conversations[arrival.id],
        author_id=ledger.authors[said.channel, said.author_key],
        previous_id=previous.id if previous else None,
        channel=said.channel,
        account=said.account,
        language=arrival.classification.language,
        visibility=said.visibility,
        state=State.TRIAGE,
        topic=None,
        confidence=0.0,
        department=None,
        stage=None,
        arm=None,
        priority=decision.priority,
        tags=decision.tags,
        opened_at=ledger.now,
        custody=(),
    )
    waiting_since = said.clock_starts_at(ledger.now)
    step = lifecycle.opened(ticket, _placement(decision), _posted(arrival), waiting_since, ledger.now)
    ledger.take(replace(step, mentions=(arrival.id,)))
    record_ = as_record(decision)
    ledger.decisions.append(Decided(ticket_id, arrival.id, "system", ledger.now, record_))
    return Received(arrival.id, Outcome.OPENED, step.ticket, record_["reasons"])


def _join(ledger: _Ledger, arrival: Understood, ticket: Ticket) -> Received:
    """Another post on a ticket that is not closed; one that makes the topic clear takes it out of triage."""
    was = ticket.state
    counts_from = arrival.mention.clock_starts_at(ledger.now)
    step = lifecycle.customer_posted(ticket, _posted(arrival), counts_from, ledger.now)
    why = [_reason("conversation", f"ticket {ticket.number} of this conversation was {was}", ticket=ticket.number)]
    if step.ticket.state is State.TRIAGE and step.ticket.assignee is None and arrival.classification.topic:
        decision = _decide(ledger, arrival, ticket.id)
        clear = "the customer's next post made the topic clear"
        step = step.then(lifecycle.reroute(step.ticket, "system", _placement(decision), clear, ledger.now))
        record_ = as_record(decision)
        ledger.decisions.append(Decided(ticket.id, arrival.id, "system", ledger.now, record_))
        why += record_["reasons"]
    ledger.take(replace(step, mentions=(arrival.id,)))
    return Received(arrival.id, Outcome.REOPENED if was is State.RESOLVED else Outcome.JOINED, step.ticket, why)


def _decide(ledger: _Ledger, arrival: Understood, ticket_id: UUID) -> Decision:
    said = arrival.mention
    subject = Subject(
        ticket_id=ticket_id,
        channel=said.channel,
        account=said.account,
        kind=said.kind,
        language=arrival.classification.language,
        followers=said.author.followers,
        verified=said.author.verified,
        visibility=said.visibility,
        classification=arrival.classification,
        words=arrival.words,
    )
    return decide(subject, ledger.rulebook.routing, ledger.rulebook.digest)


def _placement(decision: Decision) -> Placement:
    return Placement(
        decision.topic, decision.confidence, decision.department, decision.stage, decision.arm, decision.rule
    )


def _posted(arrival: Understood) -> Event:
    said = arrival.mention
    data = {"mention_id": str(arrival.id), "external_id": said.external_id, "kind": said.kind}
    return Event("mention.received", "customer", data)


def _why_ignored(ledger: _Ledger, said: Mention) -> dict[str, Any]:
    if not said.is_repost:
        return _reason("own_post", "one of our own accounts posted this")
    if (said.channel, said.parent_id) in ledger.originals:
        return _reason("repost", "a repost; counted as a signal on its original", original=said.parent_id)
    return _reason("repost", "a repost of something that we did not receive", original=said.parent_id)


def _reason(code: str, text: str, **facts: Any) -> dict[str, Any]:
    return {"code": code, "text": text, "facts": facts}


async def withdraw(unit: Unit, key: Key) -> Received:
    """Its author deleted a post: the words go, a tombstone stays. A ticket of which nothing is left is settled."""
    before = await mentions.record_deletion(unit.tx, key, unit.now)
    if before is None or before.mention_id is None:
        return Received(None, Outcome.DELETED)
    stood = await tickets.list_ids_of(unit.tx, [before.mention_id])
    claimed = await tickets.claim_tickets(unit.tx, list(stood.values()))
    ticket = next(iter(claimed.values()), None)
    if before.deleted or ticket is None:
        return Received(before.mention_id, Outcome.DELETED, ticket)
    step = Step(ticket, ticket, (Event("mention.deleted", "customer", {"mention_id": str(before.mention_id)}),))
    posts = await tickets.list_mentions(unit.tx, ticket.id)
    if ticket.state in OPEN and ticket.assignee is None and all(post.deleted_at for post in posts):
        why = "the customer deleted every post on it"
        step = step.then(lifecycle.resolve(ticket, "system", WITHDRAWN, why, unit.now))
    after = await record(unit, [step])
    return Received(before.mention_id, Outcome.DELETED, after[ticket.id])
