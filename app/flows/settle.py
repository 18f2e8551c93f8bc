"""What becomes of each mention of a list, and of the tickets that they belong to.

Knows every fate: a new ticket, one that is joined or reopened, a duplicate, an edit, nothing. Refuses to know the
database: `receive` gathers a `Ledger`, this fills it, and `receive` writes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.escalation import risk
from app.feedback.spoken import Declined
from app.flows.hear import Heard, answer_of, declined, received
from app.kit.ids import new_id
from app.mentions.mention import Mention, is_newer
from app.mentions.store import AuthorKey, Key, Known, Stored, Uptake
from app.routing.decision import Decision, Subject, as_record, care, decide, most_urgent
from app.routing.secondary import consults
from app.routing.store import Decided
from app.rulebook import Rulebook
from app.tickets import lifecycle
from app.tickets.consulting import consult
from app.tickets.placement import Placement
from app.tickets.signals import Signals
from app.tickets.ticket import Event, State, Step, Ticket
from app.topics import hearing
from app.topics.classify import Classification


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
    """A mention, the id that it gets if it is new, what it is about, and what else is heard in it."""

    id: UUID
    mention: Mention
    classification: Classification
    heard: hearing.Heard


@dataclass(slots=True)
class Ledger:
    """What one transaction gathered, and what is to be written. `open` holds tickets by conversation."""

    now: datetime
    rulebook: Rulebook
    known: Mapping[Key, Known]
    authors: Mapping[AuthorKey, UUID]
    conversations: Mapping[UUID, UUID]
    open: dict[UUID, Ticket]
    standing: Mapping[UUID, Ticket]
    originals: Mapping[Key, Uptake]
    numbers: Iterator[int]
    replies: Mapping[UUID, Heard] = field(default_factory=dict)
    stored: list[Stored] = field(default_factory=list)
    edits: dict[UUID, Mention] = field(default_factory=dict)
    metrics: dict[UUID, Mapping[str, int]] = field(default_factory=dict)
    steps: dict[UUID, Step] = field(default_factory=dict)
    decisions: list[Decided] = field(default_factory=list)
    heard: dict[UUID, Heard] = field(default_factory=dict)

    def standing_now(self, ticket: Ticket | None) -> Ticket | None:
        """The ticket as earlier mentions of the same list left it; merged conversations share one."""
        return self.steps[ticket.id].ticket if ticket and ticket.id in self.steps else ticket

    def take(self, step: Step) -> Ticket:
        """Follow what an earlier mention of the same list made of the ticket."""
        before = self.steps.get(step.ticket.id)
        self.steps[step.ticket.id] = before.then(step) if before else step
        current = self.open.get(step.ticket.conversation_id)
        if current is None or step.before is None or current.id == step.ticket.id:  # an edit may be of an older one
            self.open[step.ticket.conversation_id] = step.ticket
        return step.ticket


def is_question(rulebook: Rulebook, said: Mention) -> bool:
    return not said.is_repost and not rulebook.is_own(said.channel, said.author.handle, said.author.external_id)


def settle(ledger: Ledger, arrival: Understood) -> Received:
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
        _reposted(ledger, arrival.mention)
        return Received(arrival.id, Outcome.IGNORED, None, [_why_ignored(ledger, arrival.mention)])
    ticket = ledger.standing_now(ledger.open.get(ledger.conversations[arrival.id]))
    answered = _answer(ledger, arrival, ticket)
    if answered is not None:
        return answered
    ticket = ledger.standing_now(ticket)
    if ticket is None or ticket.state is State.CLOSED:
        return _open(ledger, arrival, ticket)
    return _join(ledger, arrival, ticket)


def _settle_known(ledger: Ledger, arrival: Understood, known: Known) -> Received:
    """Its key stands already: a tombstone, a post of our own, an edit, or the same once more."""
    if known.deleted:
        why = _reason("deleted", "its author deleted it; a deletion beats whatever comes later")
        return Received(known.mention_id, Outcome.IGNORED, None, [why])
    if known.mention_id is None:
        return Received(None, Outcome.IGNORED, None, [_reason("own_post", "we published this ourselves")])
    ticket = ledger.standing_now(ledger.standing.get(known.mention_id))
    if not is_newer(known.revision, known.fingerprint, arrival.mention):
        ticket = _recounted(ledger, arrival.mention, known, ticket)
        why = _reason("duplicate", f"{arrival.mention.channel} {arrival.mention.external_id} is known and unchanged")
        return Received(known.mention_id, Outcome.DUPLICATE, ticket, [why])
    ledger.edits[known.mention_id] = arrival.mention
    if ticket is not None:
        edited = Event("mention.edited", "customer", {"mention_id": str(known.mention_id)})
        ticket = ledger.take(Step(ticket, _signalled(ledger, arrival, ticket, posts=0), (edited,)))
    why = _reason("edited", "its author edited it; the words that stood are kept as a revision")
    return Received(known.mention_id, Outcome.UPDATED, ticket, [why])


def _recounted(ledger: Ledger, said: Mention, known: Known, ticket: Ticket | None) -> Ticket | None:
    """The same post once more, of which the channel counts more by now."""
    counted = {**known.metrics, **said.metrics}
    if known.mention_id is None or counted == known.metrics:
        return ticket
    ledger.metrics[known.mention_id] = counted
    return _taken_up(ledger, Uptake(known.mention_id, counted, known.reposts, said.posted_at), ticket)


def _reposted(ledger: Ledger, said: Mention) -> None:
    """A repost is a signal on its original."""
    uptake = ledger.originals.get((said.channel, said.parent_id)) if said.parent_id else None
    if uptake is not None:
        _taken_up(ledger, uptake, ledger.standing_now(ledger.standing.get(uptake.mention_id)))


def _taken_up(ledger: Ledger, uptake: Uptake, ticket: Ticket | None) -> Ticket | None:
    """The ticket of a post that others take up; it changes only where that weighs more than it did."""
    if ticket is None:
        return None
    rules = ledger.rulebook.escalation.risk
    per_hour = risk.growth(uptake.metrics, uptake.reposts, ledger.now - uptake.posted_at, rules)
    signals = risk.grown(ticket.signals, per_hour, rules)
    if signals is ticket.signals:
        return ticket
    told = Event("mention.taken_up", "system", {"mention_id": str(uptake.mention_id), "per_hour": round(per_hour, 1)})
    return ledger.take(Step(ticket, replace(ticket, signals=signals), (told,)))


def _open(ledger: Ledger, arrival: Understood, previous: Ticket | None) -> Received:
    ticket_id = new_id()
    decision = _decide(ledger, arrival, ticket_id)
    said = arrival.mention
    placement = _placement(decision)
    ticket = Ticket(
        id=ticket_id,
        number=next(ledger.numbers),
        conversation_id=ledger.conversations[arrival.id],
        author_id=ledger.authors[said.channel, said.author_key],
        previous_id=previous.id if previous else None,
        channel=said.channel,
        account=said.account,
        language=arrival.classification.language,
        visibility=said.visibility,
        priority=decision.priority,
        tags=decision.tags,
        opened_at=ledger.now,
        signals=_signals(ledger, arrival, 1 + (previous.signals.unanswered if previous else 0)),
        reply_until=_reply_until(ledger, said),
        **lifecycle.first_place(placement, said.clock_starts_at(ledger.now), ledger.now),
    )
    step = _consulted(lifecycle.opened(ticket, placement, _posted(arrival)), decision)
    ledger.take(Step(step.before, step.ticket, step.events, (arrival.id,)))
    record_ = as_record(decision)
    ledger.decisions.append(Decided(ticket_id, arrival.id, "system", ledger.now, record_))
    return Received(arrival.id, Outcome.OPENED, step.ticket, record_["reasons"])


def _join(ledger: Ledger, arrival: Understood, ticket: Ticket) -> Received:
    """Another post on a ticket that is not closed; one that makes the topic clear takes it out of triage."""
    was = ticket.state
    counts_from = arrival.mention.clock_starts_at(ledger.now)
    told = _signalled(ledger, arrival, ticket, posts=1)
    if ledger.conversations[arrival.id] == ticket.conversation_id:  # a platform knows nothing of what was merged in
        told = replace(told, reply_until=_reply_until(ledger, arrival.mention, ticket))
    step = replace(lifecycle.customer_posted(told, _posted(arrival), counts_from, ledger.now), before=ticket)
    why = [_reason("conversation", f"ticket {ticket.number} of this conversation was {was}", ticket=ticket.number)]
    if step.ticket.state is State.TRIAGE and step.ticket.assignee is None and arrival.classification.topic:
        decision = _decide(ledger, arrival, ticket.id)
        clear = "the customer's next post made the topic clear"
        step = step.then(lifecycle.reroute(step.ticket, "system", _placement(decision), clear, ledger.now))
        step = _consulted(step, decision)
        record_ = as_record(decision)
        ledger.decisions.append(Decided(ticket.id, arrival.id, "system", ledger.now, record_))
        why += record_["reasons"]
    step = _cared_for(ledger, arrival, step)
    ledger.take(Step(step.before, step.ticket, step.events, (arrival.id,)))
    return Received(arrival.id, Outcome.REOPENED if was is State.RESOLVED else Outcome.JOINED, step.ticket, why)


def _answer(ledger: Ledger, arrival: Understood, standing: Ticket | None) -> Received | None:
    """A reply to the question how we did is counted, and settles nothing that was settled anew; one that asks for more
    takes its usual course besides.
    """
    reply = ledger.replies.get(arrival.id)
    if reply is None or reply.asked.invitation.id in {one.asked.invitation.id for one in ledger.heard.values()}:
        return None
    reply = replace(reply, ticket=ledger.standing_now(reply.ticket) or reply.ticket)
    if not reply.answers(arrival.mention, standing):
        return None
    ledger.heard[arrival.id] = reply
    asked, ticket = reply.asked, reply.ticket
    if isinstance(reply.said, Declined):
        step, why = declined(ticket, asked), _reason("declined", "the customer does not want to be asked for a score")
    else:
        given = answer_of(asked, reply.said)
        step = received(ledger.rulebook, ticket, asked, given, ledger.now)
        why = _reason("score", f"read as a score of {given.score}, which we had asked for", score=given.score)
        if reply.said.wants_more:
            ledger.take(step)
            return None
    posted = Step(ticket, ticket, (_posted(arrival),), (arrival.id,))
    return Received(arrival.id, Outcome.JOINED, ledger.take(posted.then(step)), [why])


def _consulted(step: Step, decision: Decision) -> Step:
    """The owners of what else the post is about are asked for their part."""
    topics = consults(decision.secondary)
    return step.then(consult(step.ticket, topics)) if topics else step


def _cared_for(ledger: Ledger, arrival: Understood, step: Step) -> Step:
    """Risk words and tones in a later post raise the priority and tag the ticket, as those of the first one do."""
    priorities, tags = care(arrival.heard, ledger.rulebook.routing.escalation)
    if not tags:
        return step
    priority = most_urgent([step.ticket.priority, *priorities])
    together = tuple(dict.fromkeys((*step.ticket.tags, *tags)))
    return step.then(lifecycle.update(step.ticket, "system", priority=priority, tags=together))


def _reply_until(ledger: Ledger, said: Mention, ticket: Ticket | None = None) -> datetime | None:
    """Until when the platform takes a reply, to this post or to one before it on the ticket; None: always."""
    platform = ledger.rulebook.platforms.get(said.channel)
    until = platform.open_until(said.visibility, said.posted_at) if platform else None
    before = ticket.reply_until if ticket else None
    return max(filter(None, (until, before)), default=None)


def _decide(ledger: Ledger, arrival: Understood, ticket_id: UUID) -> Decision:
    said = arrival.mention
    subject = Subject(
        ticket_id=ticket_id,
        channel=said.channel,
        account=said.account,
        kind=said.kind,
        language=arrival.classification.language,
        followers=said.author.followers,
        verified=bool(said.author.verified),
        visibility=said.visibility,
        classification=arrival.classification,
        heard=arrival.heard,
    )
    return decide(subject, ledger.rulebook.routing, ledger.rulebook.digest)


def _signalled(ledger: Ledger, arrival: Understood, ticket: Ticket, posts: int) -> Ticket:
    """The ticket with what one more version of a post tells; `posts` is 1 for a new one."""
    return replace(ticket, signals=ticket.signals.with_(_signals(ledger, arrival, posts)))


def _signals(ledger: Ledger, arrival: Understood, unanswered: int) -> Signals:
    said, rules = arrival.mention, ledger.rulebook.escalation.risk
    return risk.heard(
        arrival.heard,
        followers=said.author.followers,
        verified=bool(said.author.verified),
        growth=risk.growth(said.metrics, 0, ledger.now - said.posted_at, rules),
        unanswered=unanswered,
        rules=rules,
    )


def _placement(decision: Decision) -> Placement:
    return Placement(
        decision.topic, decision.confidence, decision.department, decision.stage, decision.arm, decision.rule
    )


def _posted(arrival: Understood) -> Event:
    said = arrival.mention
    data = {"mention_id": str(arrival.id), "external_id": said.external_id, "kind": said.kind}
    return Event("mention.received", "customer", data)


def _why_ignored(ledger: Ledger, said: Mention) -> dict[str, Any]:
    if not said.is_repost:
        return _reason("own_post", "one of our own accounts posted this")
    if (said.channel, said.parent_id) in ledger.originals:
        return _reason("repost", "a repost; counted as a signal on its original", original=said.parent_id)
    return _reason("repost", "a repost of something that we did not receive", original=said.parent_id)


def _reason(code: str, text: str, **facts: Any) -> dict[str, Any]:
    return {"code": code, "text": text, "facts": facts}
