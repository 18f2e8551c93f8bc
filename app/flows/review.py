"""What somebody else decides about a reply: a colleague or PR lets a held one go, changes it, or rejects it.

Knows who may lift which hold and what the approver must have seen. Refuses to know why a reply was held (say).
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from app.access.role import Caller, Forbidden, role_of
from app.answers import store as answers
from app.answers.reply import (
    LIFTED_BY,
    CustomerPostedMeanwhile,
    Hold,
    OwnReply,
    Reply,
    ReplyState,
    check_state,
    in_words,
    rewritten,
)
from app.channels.platform import ReplyWindowClosed
from app.delivery.repeating.store import mark_taken_back
from app.flows.record import record
from app.flows.say import Speech, barred, check_words, findings, open_window, send, why_waiting
from app.mentions.mention import Visibility
from app.runtime import Unit
from app.tickets import lifecycle
from app.tickets import store as tickets
from app.tickets.consulting import check_owner
from app.tickets.ticket import State, Step, Ticket

CLOSED_MEANWHILE = "the ticket was closed before it was let go"


async def approve(
    unit: Unit,
    caller: Caller,
    reply_id: UUID,
    *,
    text: str | None = None,
    confirm: frozenset[str] = frozenset(),
    despite: bool = False,
) -> tuple[Ticket, Reply]:
    """Let a held reply go as far as the caller may; `text` replaces its words, and those that stood are kept.

    `confirm` is for what is personal in other words; `despite`: also when the customer posted since it was written.
    Raises `ReplyInOtherState`, `OwnReply`, `CustomerPostedMeanwhile`, `ReplyWindowClosed`, what `check_words` raises,
    and `Forbidden` when the caller may lift none of its holds.
    """
    ticket, reply = await take_reply(unit, caller, reply_id)
    check_state(reply, "approve", ReplyState.HELD)
    if reply.actor == caller.actor:
        raise OwnReply("You wrote this reply; somebody else has to approve it.")
    changed = reply if text in {None, reply.text} else rewritten(reply, text)
    writer = role_of(reply.actor) if changed is reply else caller.role
    barring = await barred(unit, ticket, Visibility(reply.visibility), changed.text, writer)
    held_for = (*(hold for hold in reply.held_for if hold is Hold.REVIEW), *barring.holds)
    left = check_lifts(caller, held_for)
    if not despite:
        await _check_seen(unit, reply)
    accepted = {one.id for listed in findings(unit, _speech(reply)).values() for one in listed}
    confirmed = check_words(unit, ticket, replace(_speech(changed), confirm=confirm | accepted))
    changed = replace(changed, confirmed=confirmed)
    return await _decide_one(unit, caller.actor, ticket, reply, _freed(unit, changed, left))


async def reject(unit: Unit, caller: Caller, reply_id: UUID, reason: str) -> tuple[Ticket, Reply]:
    """A held reply is not given. Its writer may withdraw it so. Raises `ReplyInOtherState`."""
    ticket, reply = await take_reply(unit, caller, reply_id)
    check_state(reply, "reject", ReplyState.HELD)
    return await _decide_one(unit, caller.actor, ticket, reply, _rejected(reply, reason))


async def hold_queued(unit: Unit, embargoed: Sequence[Ticket]) -> dict[UUID, Ticket]:
    """What was given before an embargo and did not leave yet waits for PR as well: public replies on these tickets,
    which are written and locked; returns the tickets. What the channel may have already is left alone.
    """
    standing = {ticket.id: ticket for ticket in embargoed}
    barred_ones = {}
    for reply in await answers.list_queued(unit.tx, list(standing)):
        writer = role_of(reply.actor)
        held = await barred(unit, standing[reply.ticket_id], Visibility(reply.visibility), reply.text, writer)
        if Hold.EMBARGO in held.holds:
            barred_ones[reply.id] = reply
    back = await mark_taken_back(unit.tx, list(standing), list(barred_ones))
    reason = in_words([Hold.EMBARGO])
    decided = [
        (reply, replace(reply, state=ReplyState.HELD, held_for=(Hold.EMBARGO,), reason=reason))
        for reply in barred_ones.values()
        if reply.id in back
    ]
    return await _decide(unit, "system", embargoed, decided)


async def release_held(unit: Unit, actor: str, embargoed: Sequence[Ticket]) -> dict[UUID, Ticket]:
    """PR lets go: replies on these tickets, which are written and locked, wait for PR no longer; returns the tickets.

    Those that nothing else holds are on their way. One that comes too late is rejected: its ticket was closed, or the
    platform takes no reply any more.
    """
    held = await answers.list_held(unit.tx, [ticket.id for ticket in embargoed], Hold.EMBARGO)
    standing = {ticket.id: ticket for ticket in embargoed}
    decided = []
    for reply in held:
        left = tuple(hold for hold in reply.held_for if hold is not Hold.EMBARGO)
        late = await _too_late(unit, standing[reply.ticket_id], reply)
        decided.append((reply, _rejected(reply, late) if late else _freed(unit, reply, left)))
    return await _decide(unit, actor, embargoed, decided)


async def reject_held(unit: Unit, actor: str, embargoed: Sequence[Ticket], reason: str) -> dict[UUID, Ticket]:
    """PR keeps back for good what waits for it on these tickets, which are written and locked; returns the tickets."""
    held = await answers.list_held(unit.tx, [ticket.id for ticket in embargoed], Hold.EMBARGO)
    return await _decide(unit, actor, embargoed, [(reply, _rejected(reply, reason)) for reply in held])


def check_lifts(caller: Caller, held_for: tuple[Hold, ...]) -> tuple[Hold, ...]:
    """The holds that remain when this caller lets a reply go. Raises `Forbidden` when those are all of them."""
    left = tuple(hold for hold in held_for if caller.role not in LIFTED_BY[hold])
    if left and left == held_for:
        roles = sorted(LIFTED_BY[left[0]])
        raise Forbidden(f"This reply waits: {in_words(left)}. {' or '.join(roles)} may let it go.", roles=roles)
    return left


async def take_reply(unit: Unit, caller: Caller, reply_id: UUID) -> tuple[Ticket, Reply]:
    """The reply as it stands once its ticket is locked, which whoever decides about it takes first."""
    ticket_id = (await answers.get_reply(unit.tx, reply_id)).ticket_id
    ticket = await tickets.claim_ticket(unit.tx, ticket_id, department=caller.department)
    check_owner(ticket, caller.department)
    return ticket, await answers.get_reply(unit.tx, reply_id)


async def _check_seen(unit: Unit, reply: Reply) -> None:
    posts = await tickets.list_mentions(unit.tx, reply.ticket_id)
    newer = [post for post in posts if post["received_at"] > reply.queued_at]
    if newer:
        raise CustomerPostedMeanwhile(
            "The customer posted after this was written; read it, then approve with `despite`, or reject.",
            newer=[{"mention_id": one["id"], "posted_at": one["posted_at"], "text": one["text"]} for one in newer],
        )


async def _too_late(unit: Unit, ticket: Ticket, reply: Reply) -> str | None:
    """Why it cannot be said any more; None: it can."""
    if ticket.state is State.CLOSED:
        return CLOSED_MEANWHILE
    try:
        await open_window(unit, ticket, reply.visibility)
    except ReplyWindowClosed as error:
        return error.message
    return None


def _speech(reply: Reply) -> Speech:
    return Speech(reply.text, Visibility(reply.visibility), reply.attachments)


def _freed(unit: Unit, reply: Reply, left: tuple[Hold, ...]) -> Reply:
    if left:
        return replace(reply, held_for=left, reason=in_words(left))
    return replace(reply, state=ReplyState.QUEUED, held_for=(), reason=why_waiting(unit))


def _rejected(reply: Reply, reason: str) -> Reply:
    return replace(reply, state=ReplyState.REJECTED, reason=reason)


async def _decide_one(unit: Unit, actor: str, ticket: Ticket, before: Reply, after: Reply) -> tuple[Ticket, Reply]:
    standing = await _decide(unit, actor, [ticket], [(before, after)])
    return standing[ticket.id], await answers.get_reply(unit.tx, before.id)


async def _decide(
    unit: Unit, actor: str, locked: Sequence[Ticket], decided: Sequence[tuple[Reply, Reply]]
) -> dict[UUID, Ticket]:
    """Write what became of replies, each as it was and as it is; those that are free now are sent."""
    steps = {ticket.id: Step(ticket, ticket, ()) for ticket in locked}
    for before, after in decided:
        step = steps[before.ticket_id]
        steps[before.ticket_id] = step.then(_step(step.ticket, actor, before, after))
    standing = await record(unit, [step for step in steps.values() if step.events])
    for before, after in decided:
        by_whom = replace(after, decided_by=actor, decided_at=unit.now) if before.state is ReplyState.HELD else after
        await answers.mark_decided(unit.tx, before, by_whom)
    queued = [after for _, after in decided if after.state is ReplyState.QUEUED]
    await send(unit, [(standing[reply.ticket_id], reply) for reply in queued])
    return {ticket.id: ticket for ticket in locked} | standing


def _step(ticket: Ticket, actor: str, before: Reply, reply: Reply) -> Step:
    facts = {"reply_id": str(reply.id), "visibility": reply.visibility, "written_by": reply.actor}
    match reply.state:
        case ReplyState.QUEUED:
            return lifecycle.release_reply(ticket, actor, facts)
        case ReplyState.HELD:
            decided = "approved" if before.state is ReplyState.HELD else "held"
            return lifecycle.decide_reply(ticket, actor, decided, facts | {"held_for": reply.held_for})
        case _:
            return lifecycle.decide_reply(ticket, actor, "rejected", facts | {"reason": reply.reason})
