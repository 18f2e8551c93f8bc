"""The customer is asked how we did, once per resolution, and answers.

Knows the order of deciding, asking and taking the answer. Refuses to know who is asked (feedback.invitation), how a
publication reaches the channel (dispatch) and what the page looks like.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from app.delivery.envelope import Publication, Saying, publication
from app.delivery.store import add_messages
from app.feedback import store
from app.feedback.invitation import (
    FOLLOW_UP_TAG,
    Answer,
    Facts,
    FeedbackRules,
    Invite,
    LinkNotFound,
    Reason,
    Skip,
    State,
    decide,
)
from app.feedback.nps import is_detractor
from app.feedback.store import History, Invitation
from app.flows.record import record
from app.kit.ids import digest, new_id, new_secret
from app.mentions.mention import Visibility, named_conversation
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
    await store.claim_authors(unit.tx, [ticket.author_id for ticket in tickets])
    histories = await store.list_histories(unit.tx, [ticket.id for ticket in tickets])
    last_asked = {ticket.author_id: histories[ticket.id].last_asked_at for ticket in tickets}
    invitations = []
    for ticket in tickets:
        facts = _facts(ticket, histories[ticket.id], last_asked[ticket.author_id])
        invitation = _invitation(ticket, decide(unit.rulebook.feedback, facts), unit.rulebook.feedback)
        if invitation.due_at is not None:
            last_asked[ticket.author_id] = invitation.due_at
        invitations.append(invitation)
    await store.add_invitations(unit.tx, invitations)


async def withdraw(unit: Unit, ticket_ids: Sequence[UUID]) -> None:
    """Ask no more about tickets that were reopened before the question left."""
    if ticket_ids:
        await store.mark_withdrawn(unit.tx, ticket_ids, Reason.REOPENED)


async def send_due(unit: Unit, limit: int) -> int:
    """Put the questions whose moment has come on their way, each with a fresh one-time link; returns how many.

    Only the message that carries a link knows it; the invitation keeps its token's digest.
    """
    due = await store.claim_due(unit.tx, limit)
    if not due:
        return 0
    tickets = await claim_tickets(unit.tx, [invitation.ticket_id for invitation in due])
    newest = await list_latest_mentions(unit.tx, list(tickets))
    # In the conversation of the newest post, which may be one that was merged in.
    posts = {ticket_id: (row.channel, row.external_id) for ticket_id, row in newest.items()}
    threads = await list_threads(unit.tx, posts.values())
    after = await record(unit, [_invited(tickets[invitation.ticket_id], invitation) for invitation in due])
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
    return len(due)


async def answer(unit: Unit, token: str, given: Answer) -> None:
    """Take the one answer to a link. A detractor's ticket is tagged for a follow-up by the owning department.

    Raises `LinkNotFound`.
    """
    invitation = await store.find_open(unit.tx, digest(token), unit.now)
    if invitation is None:
        raise LinkNotFound("This link is not, or no longer, good.")
    ticket = await claim_ticket(unit.tx, invitation.ticket_id)
    if not await store.mark_answered(unit.tx, invitation.id, unit.now):
        raise LinkNotFound("This link was used a moment ago.")
    await store.record_response(unit.tx, invitation.id, given, unit.now)
    await record(unit, [_received(ticket, invitation, given.score)])


def _facts(ticket: Ticket, history: History, last_asked_at: datetime | None) -> Facts:
    return Facts(
        ticket_id=ticket.id,
        channel=ticket.channel,
        resolution=ticket.resolution,
        resolved_at=_resolved_at(ticket),
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
    """Always in private, also about a public post: the link is good for whoever reads it first."""
    rules = unit.rulebook.feedback
    return Publication(
        type=Saying.SURVEY,
        ticket_id=invitation.ticket_id,
        channel=post[0],
        account=account,
        conversation_id=conversation_id,
        in_reply_to=post[1],
        visibility=Visibility.PRIVATE,
        text=rules.texts[rules.speaks(invitation.language)].invitation,
        link=f"{unit.knobs.public_url}/s/{token}",
    )


def _received(ticket: Ticket, invitation: Invitation, score: int) -> Step:
    """The owner at the time of the resolution hears of it, whoever has the ticket now."""
    follow_up = is_detractor(score)
    tags = ticket.tags if not follow_up or FOLLOW_UP_TAG in ticket.tags else (*ticket.tags, FOLLOW_UP_TAG)
    facts = {"invitation_id": str(invitation.id), "score": score, "follow_up": follow_up}
    told = (invitation.department,) if invitation.department else ()
    event = Event("feedback.received", "customer", facts, departments=told)
    return Step(ticket, replace(ticket, tags=tags), (event,))
