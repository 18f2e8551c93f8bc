"""The customer is asked how we did, once per resolution.

Knows the order of deciding and asking. Refuses to know who is asked (feedback.invitation), how a publication reaches
the channel (dispatch) and what becomes of the answer (hear).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.delivery.envelope import Publication, Saying, publication
from app.delivery.store import add_messages
from app.feedback import store
from app.feedback.invitation import Facts, FeedbackRules, Invite, Reason, Skip, State, decide, obstacle
from app.feedback.store import History, Invitation
from app.flows.readable import record_readable
from app.kit.ids import digest, new_id, new_secret
from app.mentions.mention import named_conversation
from app.mentions.store import Key, list_threads
from app.runtime import Unit
from app.tickets.store import claim_ticket, claim_tickets, list_latest_mentions
from app.tickets.ticket import Event, Step, Ticket


async def invite(unit: Unit, tickets: Sequence[Ticket]) -> None:
    """Decide for tickets that were just resolved, and are written and locked, whether their customers are asked.

    Who is not asked is kept with the reason. A person with several of the tickets is asked about the first.
    """
    if not tickets:
        return
    await store.claim_people(unit.tx, [ticket.author_id for ticket in tickets])
    histories = await store.list_histories(unit.tx, [ticket.id for ticket in tickets])
    last_asked = {history.person: history.last_asked_at for history in histories.values()}
    invitations = []
    for ticket in tickets:
        history = histories[ticket.id]
        facts = _facts(ticket, _resolved_at(ticket), history, last_asked[history.person])
        invitation = _invitation(ticket, decide(unit.rulebook.feedback, facts), unit.rulebook.feedback)
        if invitation.due_at is not None:
            last_asked[history.person] = invitation.due_at
        invitations.append(invitation)
    await store.add_invitations(unit.tx, invitations)


async def withdraw(unit: Unit, ticket_ids: Sequence[UUID]) -> None:
    """Ask no more about tickets that were reopened before the question left."""
    if ticket_ids:
        await store.mark_withdrawn(unit.tx, ticket_ids, Reason.REOPENED)


async def send_due(unit: Unit, limit: int) -> int:
    """Put the questions whose moment has come on their way, each with a fresh one-time link; returns how many were due.

    What stands against asking by now, such as a window that closed meanwhile, is kept in the question's place. Only the
    message that carries a link knows it; the invitation keeps its token's digest.
    """
    due = await store.claim_due(unit.tx, limit)
    if not due:
        return 0
    tickets = await claim_tickets(unit.tx, [invitation.ticket_id for invitation in due])
    dropped = await _obstacles(unit, due, tickets)
    await store.mark_dropped(unit.tx, dropped)
    for invitation in due:
        if invitation.id in dropped:
            await _note(unit, tickets[invitation.ticket_id], "withdrawn", invitation.id, dropped[invitation.id])
    await _send(unit, [invitation for invitation in due if invitation.id not in dropped], tickets)
    return len(due)


async def note_sent(unit: Unit, ticket_id: UUID, invitation_id: UUID) -> None:
    """The channel took the question."""
    if await store.mark_sent(unit.tx, invitation_id, unit.now):
        await _note(unit, await claim_ticket(unit.tx, ticket_id), "sent", invitation_id)


async def note_failed(unit: Unit, ticket_id: UUID, invitation_id: UUID) -> None:
    """The channel did not take the question and is not asked again by itself."""
    if await store.mark_failed(unit.tx, invitation_id):
        await _note(unit, await claim_ticket(unit.tx, ticket_id), "failed", invitation_id, Reason.UNDELIVERED)


async def _note(unit: Unit, ticket: Ticket, what: str, invitation_id: UUID, reason: Reason | None = None) -> None:
    """What reports are made of: they count a ticket anew when something happened to it."""
    facts = {"invitation_id": str(invitation_id), **({"reason": reason} if reason else {})}
    await record_readable(unit, [Step(ticket, ticket, (Event(f"feedback.{what}", "system", facts),))])


async def _obstacles(unit: Unit, due: Sequence[Invitation], tickets: Mapping[UUID, Ticket]) -> dict[UUID, Reason]:
    """What came between the decision to ask and now, by invitation."""
    await store.claim_people(unit.tx, [invitation.author_id for invitation in due])
    histories = await store.list_histories(unit.tx, list(tickets), without=[invitation.id for invitation in due])
    last_asked = {history.person: history.last_asked_at for history in histories.values()}
    found = {}
    for invitation in due:
        ticket, history = tickets[invitation.ticket_id], histories[invitation.ticket_id]
        facts = _facts(ticket, invitation.resolved_at, history, last_asked[history.person])
        reason = obstacle(unit.rulebook.feedback, facts, unit.now)
        if reason is None:
            last_asked[history.person] = unit.now
        else:
            found[invitation.id] = reason
    return found


async def _send(unit: Unit, due: Sequence[Invitation], tickets: Mapping[UUID, Ticket]) -> None:
    newest = await list_latest_mentions(unit.tx, [invitation.ticket_id for invitation in due])
    # In the conversation of the newest post, which may be one that was merged in.
    posts = {ticket_id: (row.channel, row.external_id) for ticket_id, row in newest.items()}
    threads = await list_threads(unit.tx, posts.values())
    after = await record_readable(unit, [_invited(tickets[invitation.ticket_id], invitation) for invitation in due])
    await store.mark_postponed(unit.tx, [invitation.id for invitation in due if invitation.ticket_id not in after])
    due = [invitation for invitation in due if invitation.ticket_id in after]
    tokens = {invitation.id: new_secret("wcs") for invitation in due}
    messages = []
    for invitation in due:
        post = posts[invitation.ticket_id]
        account = newest[invitation.ticket_id].account
        said = _said(unit, invitation, tokens[invitation.id], post, account, named_conversation(threads[post]))
        sequence = after[invitation.ticket_id].sequence
        messages.append(publication(new_id(), said, sequence=sequence, subject_id=invitation.id))
    await add_messages(unit.tx, messages)
    digests = {invitation_id: digest(token) for invitation_id, token in tokens.items()}
    await store.mark_queued(unit.tx, digests, expires_at=unit.now + unit.rulebook.feedback.expires)


def _facts(ticket: Ticket, resolved_at: datetime, history: History, last_asked_at: datetime | None) -> Facts:
    return Facts(
        ticket_id=ticket.id,
        channel=ticket.channel,
        resolution=ticket.resolution,
        resolved_at=resolved_at,
        last_post_at=history.last_post_at,
        last_asked_at=last_asked_at,
        escalated=history.with_pr,
        opted_out=history.opted_out,
    )


def _invitation(ticket: Ticket, decision: Invite | Skip, rules: FeedbackRules) -> Invitation:
    return Invitation(
        id=new_id(),
        ticket_id=ticket.id,
        resolved_at=_resolved_at(ticket),
        author_id=ticket.author_id,
        state=State.WAITING if isinstance(decision, Invite) else State.SKIPPED,
        reason=decision.reason if isinstance(decision, Skip) else None,
        language=rules.speaks(ticket.language),
        channel=ticket.channel,
        account=ticket.account,
        topic=ticket.topic,
        department=ticket.department,
        stage=ticket.stage,
        arm=ticket.arm,
        priority=ticket.priority,
        agent=ticket.assignee,
        due_at=decision.due_at if isinstance(decision, Invite) else None,
    )


def _resolved_at(ticket: Ticket) -> datetime:
    assert ticket.resolved_at is not None
    return ticket.resolved_at


def _invited(ticket: Ticket, invitation: Invitation) -> Step:
    facts = {"invitation_id": str(invitation.id), "channel": invitation.channel}
    return Step(ticket, ticket, (Event("feedback.invited", "system", facts),))


def _said(
    unit: Unit, invitation: Invitation, token: str, post: Key, account: str | None, conversation_id: str | None
) -> Publication:
    """In private unless the channel's rules want a public reply: the link is good for whoever reads it first."""
    rules = unit.rulebook.feedback
    return Publication(
        type=Saying.SURVEY,
        ticket_id=invitation.ticket_id,
        channel=post[0],
        account=account,
        conversation_id=conversation_id,
        in_reply_to=post[1],
        visibility=rules.asking(invitation.channel).by,
        text=rules.texts[rules.speaks(invitation.language)].invitation,
        link=f"{unit.knobs.public_url}/s/{token}",
    )
