"""A mention comes in: stored once, understood, and put in the hands of who owns its topic.

Knows the order in which a list of mentions is gathered, decided and written, so that the batch is the only path.
Refuses to know HTTP and how single posts are gathered into lists (api/intake).
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from app.delivery import store as delivery
from app.feedback import store as feedback
from app.feedback.store import Asked
from app.flows import survey
from app.flows.hear import Heard, keep_heard, list_spoken
from app.flows.record import record
from app.flows.settle import Ledger, Outcome, Received, Understood, is_question, settle
from app.kit.errors import Invalid, WebcareError
from app.kit.ids import new_id
from app.mentions import store as mentions
from app.mentions.mention import Mention
from app.mentions.people.person import by_number
from app.mentions.people.store import record_references
from app.mentions.store import Key, Parent
from app.routing import store as routing
from app.rulebook import Rulebook
from app.runtime import Runtime, Unit
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.resolution import WITHDRAWN
from app.tickets.ticket import OPEN, Event, State, Step
from app.topics.opinions import store as opinions

AT_ONCE = 500  # mentions in one transaction: large enough for speed, small enough to hold no lock for long


async def receive(runtime: Runtime, arrivals: Sequence[Mention]) -> list[Received | WebcareError]:
    """Take in mentions; answers stand in their order, after the commit.

    A mention that cannot be kept fails alone. Raises `Unavailable`, and then nothing of the list that is in
    the failing transaction was kept; repeating the call is safe.
    """
    rulebook = runtime.rulebook  # the same for reading and for deciding, whatever comes into force meanwhile
    answers_by_place: dict[int, Received | WebcareError] = {}
    for round_ in _rounds(arrivals):
        for start in range(0, len(round_), AT_ONCE):
            places = round_[start : start + AT_ONCE]
            understood = await _understand(rulebook, [arrivals[place] for place in places])
            answers_by_place |= zip(places, await _receive(runtime, rulebook, understood), strict=True)
    return [answers_by_place[place] for place in range(len(arrivals))]


async def receive_one(unit: Unit, arrival: Mention) -> Received:
    """Take in one mention in a transaction that does something besides. Raises what refuses it."""
    (received,) = await _write(unit, unit.rulebook, _read(unit.rulebook, [arrival]))
    return received


def _rounds(arrivals: Sequence[Mention]) -> list[list[int]]:
    """Places in the list, in rounds that are written one after the other.

    No key comes twice in a round: a second version of a post follows the first, and a repost follows its original.
    """
    following: dict[Key, int] = {}
    rounds: list[list[int]] = []
    for place, mention in enumerate(arrivals):
        nth = following.get(mention.key, 0)
        if mention.is_repost and mention.parent_id:
            nth = max(nth, following.get((mention.channel, mention.parent_id), 0))
        following[mention.key] = nth + 1
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
    texts = [rulebook.read(mention.words, mention.lang) for mention in arrivals]
    read = zip(arrivals, rulebook.classifier.classify(texts), rulebook.hear(texts), strict=True)
    return [Understood(new_id(), *one) for one in read]


async def _receive(
    runtime: Runtime, rulebook: Rulebook, arrivals: Sequence[Understood]
) -> list[Received | WebcareError]:
    """One transaction; when one mention is refused, halves of it, until that one stands alone."""
    try:
        return [*await runtime.run_idempotent(_write, rulebook, arrivals)]
    except Invalid as error:
        if len(arrivals) == 1:
            return [error]
        half = len(arrivals) // 2
        return [
            *await _receive(runtime, rulebook, arrivals[:half]),
            *await _receive(runtime, rulebook, arrivals[half:]),
        ]


async def _write(unit: Unit, rulebook: Rulebook, arrivals: Sequence[Understood]) -> list[Received]:
    unit = replace(unit, rulebook=rulebook)
    ledger = await _gather(unit, arrivals)
    drafts = [settle(ledger, arrival) for arrival in arrivals]
    await mentions.record_revisions(unit.tx, ledger.edits, unit.now)
    await mentions.mark_metrics(unit.tx, ledger.metrics)
    await mentions.add_mentions(unit.tx, ledger.stored, unit.now)
    after = await record(unit, list(ledger.steps.values()))
    await routing.record_decisions(unit.tx, ledger.decisions)
    if unit.knobs.second_opinion is not None:
        await opinions.add_questions(unit.tx, [d.ticket_id for d in ledger.decisions if d.record["department"] is None])
    await survey.withdraw(
        unit, [draft.ticket.id for draft in drafts if draft.ticket and draft.outcome is Outcome.REOPENED]
    )
    await keep_heard(unit, list(ledger.heard.values()))
    return [replace(d, ticket=after.get(d.ticket.id, d.ticket)) if d.ticket else d for d in drafts]


async def _gather(unit: Unit, arrivals: Sequence[Understood]) -> Ledger:
    """Claim, in this order on every path: keys, authors, conversations, tickets."""
    parents = await mentions.list_parents(
        unit.tx, {(a.mention.channel, a.mention.parent_id) for a in arrivals if a.mention.parent_id}
    )
    threads = _threads(arrivals, parents)
    known = await mentions.claim_keys(unit.tx, {a.mention.key: (a.id, threads[a.id]) for a in arrivals})
    new = [a for a in arrivals if a.mention.key not in known]
    people = {(a.mention.channel, a.mention.author_key): a.mention.author for a in new}
    authors = await mentions.claim_authors(unit.tx, people, unit.now)
    numbered = {authors[key]: by_number(who.customer_ref) for key, who in people.items() if who.customer_ref}
    await record_references(unit.tx, numbered, unit.now)
    asked = {
        a.id: (a.mention.channel, threads[a.id], authors[a.mention.channel, a.mention.author_key])
        for a in new
        if is_question(unit.rulebook, a.mention)
    }
    conversations, fresh = await mentions.claim_conversations(unit.tx, asked.values())
    latest = await tickets.list_latest(unit.tx, [c for c in conversations.values() if c not in fresh])
    reposted = [(a.mention.channel, a.mention.parent_id) for a in new if a.mention.is_repost and a.mention.parent_id]
    moved = {*(k.mention_id for k in known.values()), *(parents[key].mention_id for key in reposted if key in parents)}
    stood = await tickets.list_ids_of(unit.tx, [mention_id for mention_id in moved if mention_id])
    in_talk = [a for a in new if a.id in asked and (a.mention.is_private or conversations[asked[a.id]] not in fresh)]
    spoken = list_spoken({a.id: a.mention for a in in_talk})  # a public post that answers nothing answers no question
    speakers = {a.id: authors[a.mention.channel, a.mention.author_key] for a in new if a.id in spoken}
    questions = await _questions(unit, speakers.values())
    settled = [one.invitation.ticket_id for one in questions.values()]
    claimed = await tickets.claim_standing(unit.tx, [*latest.values(), *stood.values(), *settled])
    questions = await _questions(unit, questions)  # once more, now that nobody else can answer them
    current = {conversation_id: claimed[ticket_id] for conversation_id, ticket_id in latest.items()}
    opening = [c for c in conversations.values() if c not in current or current[c].state is State.CLOSED]
    return Ledger(
        now=unit.now,
        rulebook=unit.rulebook,
        known=known,
        authors=authors,
        conversations={arrival_id: conversations[thread] for arrival_id, thread in asked.items()},
        open=current,
        standing={mention_id: claimed[ticket_id] for mention_id, ticket_id in stood.items()},
        originals=await mentions.add_reposts(unit.tx, reposted),
        replies={
            mention_id: Heard(one, claimed[one.invitation.ticket_id], spoken[mention_id], mention_id)
            for mention_id, author_id in speakers.items()
            if (one := questions.get(author_id)) and one.invitation.ticket_id in claimed
        },
        numbers=iter(await tickets.take_numbers(unit.tx, len(opening))),
    )


async def _questions(unit: Unit, author_ids: Iterable[UUID]) -> dict[UUID, Asked]:
    """What these authors were asked and may still answer, by author."""
    return await feedback.list_open(unit.tx, [*author_ids], unit.now, unit.rulebook.feedback.changeable)


def _threads(arrivals: Sequence[Understood], parents: Mapping[Key, Parent]) -> dict[UUID, str]:
    """Each arrival's thread: the platform's, else that of the post it answers, known or earlier in this list."""
    by_key = {key: parent.thread for key, parent in parents.items()}
    threads: dict[UUID, str] = {}
    for arrival in arrivals:
        said = arrival.mention
        inherited = by_key.get((said.channel, said.parent_id)) if said.parent_id else None
        threads[arrival.id] = by_key[said.key] = said.thread(inherited)
    return threads


async def withdraw(unit: Unit, key: Key) -> Received:
    """Its author deleted a post: the words go, a tombstone stays. A ticket of which nothing is left is settled."""
    before = await mentions.record_deletion(unit.tx, key, unit.now)
    if before is None or before.mention_id is None:
        return Received(None, Outcome.DELETED)
    stood = await tickets.list_ids_of(unit.tx, [before.mention_id])
    claimed = await tickets.claim_standing(unit.tx, list(stood.values()))
    ticket = next(iter(claimed.values()), None)
    if before.deleted or ticket is None:
        return Received(before.mention_id, Outcome.DELETED, ticket)
    await routing.record_deletion(unit.tx, before.mention_id)
    await feedback.record_deletion(unit.tx, before.mention_id)
    told_of = await tickets.list_ids_ever(unit.tx, before.mention_id)
    await delivery.record_deletion(unit.tx, told_of, before.mention_id)
    step = Step(ticket, ticket, (Event("mention.deleted", "customer", {"mention_id": str(before.mention_id)}),))
    posts = await tickets.list_mentions(unit.tx, ticket.id)
    if ticket.state in OPEN and ticket.assignee is None and all(post["deleted_at"] for post in posts):
        why = "the customer deleted every post on it"
        step = step.then(lifecycle.resolve(ticket, "system", WITHDRAWN, why, unit.now))
    after = await record(unit, [step])
    return Received(before.mention_id, Outcome.DELETED, after[ticket.id])
