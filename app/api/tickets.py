"""Tickets as everybody reads them: the whole of one, and why it is where it is.

Knows the shape of these answers, and writes a ticket without the framework's models: it is read all day, by everybody.
Refuses to know how tickets change. A department sees its own tickets; the others read as not there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from app.access.role import Caller, Permission
from app.answers import store as answers
from app.answers.drafts.store import list_writers
from app.api.auth import allow
from app.api.calendars import OpenOut
from app.api.etag import etag
from app.api.fields import OutModel
from app.api.follow_ups import FollowUpOut
from app.api.marks import CrisisOut, EmbargoOut, RiskPartOut, crisis_of
from app.api.serving import Serving
from app.escalation.embargoes.store import find_embargo
from app.escalation.risk import weigh
from app.feedback.follow_ups.store import find_follow_up
from app.feedback.store import find_feedback
from app.kit.db import Reading
from app.kit.wire import dump
from app.routing import store as routing
from app.routing.decision import in_words
from app.runtime import Runtime
from app.sla import store as sla
from app.sla.business_time import openings
from app.sla.clock import Clock
from app.sla.reading import read
from app.tickets import store as tickets
from app.tickets.custody import held, seconds_by_holder
from app.tickets.legal import legal_moves
from app.tickets.links.store import list_links
from app.tickets.ticket import Ticket
from app.topics.opinions.store import list_opinions

router = APIRouter(prefix="/api/v1", tags=["agents"])

Reader = Annotated[Caller, allow(Permission.READ_TICKETS)]


class TicketLine(OutModel):
    """A ticket as lists show it. `version` is its ETag."""

    id: UUID
    number: int = Field(description="Short and readable; for people to say to each other", examples=[1001])
    state: str = Field(description="triage, routed, working, waiting_customer, resolved or closed", examples=["routed"])
    channel: str = Field(examples=["forum"])
    account: str | None = Field(description="The profile of ours that the post came in on", examples=["poldermobiel"])
    language: str | None = Field(description="As ISO 639 has it; null: not known", examples=["nl"])
    visibility: str = Field(description="public or private", examples=["public"])
    topic: str | None = Field(description="Slug; null: none is sure enough", examples=["delivery_delay"])
    confidence: float = Field(description="How sure the topic is, 0 to 1", examples=[0.812])
    department: str | None = Field(description="Slug of the owner; null: nobody yet", examples=["supply_chain"])
    stage: str | None = Field(description="central, advise, pilot or live: who answers the customer", examples=["live"])
    arm: str | None = Field(
        description="Of a pilot: first_hand or control, as long as the ticket lives", examples=[None]
    )
    holder: str = Field(
        description="Who has the ball: triage, webcare, department, customer, pr, outage or nobody",
        examples=["department"],
    )
    priority: str = Field(description="urgent, high, normal or low", examples=["normal"])
    assignee: str | None = Field(description="Who works on it", examples=["agent:anna"])
    lease_until: datetime | None = Field(description="From then on colleagues may take it")
    tags: tuple[str, ...] = Field(examples=[["vip"]])
    due: dict[str, datetime] = Field(
        description="The due moment of each running clock", examples=[{"first_reply": "2026-11-22T09:31:24Z"}]
    )
    next_due_at: datetime | None = Field(description="The soonest promise to the customer")
    reply_until: datetime | None = Field(description="The platform takes replies until then; null: always")
    asked_by: str | None = Field(description="Slug of the department that waits for webcare to tell it something")
    consulted: tuple[str, ...] = Field(
        description="Slugs of departments asked for a part; `explain` says which", examples=[["billing"]]
    )
    hand_over: str | None = Field(
        description="Of what a department has not accepted yet: sent (on its way to its receiver) or arrived",
        examples=["arrived"],
    )
    fall_back_at: datetime | None = Field(
        description="From then on webcare has it again, unless the department gets it and accepts"
    )
    opened_at: datetime
    snoozed_until: datetime | None = Field(description="Until then it is out of sight")
    wait_until: datetime | None = Field(description="Then it comes back if the customer does not post")
    resolved_at: datetime | None
    resolution: str | None = Field(description="How it ended: a code that `/rules` names in words", examples=["solved"])
    closed_at: datetime | None = Field(description="From then on a new post opens another ticket")
    escalated: bool = Field(description="Whether PR is asked to look at it")
    escalated_for: tuple[str, ...] = Field(description="The reasons for which it ever was", examples=[["legal"]])
    embargoed: bool = Field(description="Whether public replies wait for PR")
    risk: int = Field(description="How much care it asks for, 0 to 100", examples=[35])
    version: int = Field(examples=[1])


class ClockOut(OutModel):
    """A promise and how it stands."""

    metric: str = Field(
        description="first_reply, next_reply, resolution, acceptance or ownership", examples=["first_reply"]
    )
    round: int = Field(description="Counts from 1 where a metric starts anew", examples=[1])
    department: str | None = Field(description="Whose promise it is; null: that of webcare", examples=[None])
    state: str = Field(description="running, paused, met, breached or cancelled", examples=["running"])
    policy: str = Field(description="Name of the rule in sla.yaml, as it was when the clock started")
    target_seconds: float = Field(description="In time of the calendar", examples=[3600.0])
    calendar: str = Field(description="The hours in which it runs", examples=["webcare"])
    started_at: datetime
    ended_at: datetime | None
    due_at: datetime | None = Field(description="null: paused, so that nobody can tell yet")
    breached_at: datetime | None = Field(description="When the due moment passed, not when it was noticed")


class CustodyOut(OutModel):
    """One stretch in which one holder had the ball; `end` is now for the last."""

    holder: str
    department: str | None
    start: datetime
    end: datetime


class MentionOut(OutModel):
    id: UUID
    external_id: str
    kind: str
    title: str | None
    text: str
    url: str | None
    language: str | None
    visibility: str
    metrics: dict[str, int]
    rating: float | None
    attachments: list[dict[str, str]]
    reposts: int
    revision: int
    posted_at: datetime
    received_at: datetime
    deleted_at: datetime | None


class ReplyOut(OutModel):
    """Something said to the customer, or to be said."""

    id: UUID
    ticket_id: UUID
    actor: str = Field(description="Who wrote it", examples=["agent:anna"])
    department: str | None = Field(description="Slug of the department that answered first-hand", examples=[None])
    text: str
    visibility: str = Field(description="public or private", examples=["public"])
    state: str = Field(
        description="held, queued, published, failed, unknown (sent, and nobody can tell yet) or rejected",
        examples=["published"],
    )
    reason: str | None = Field(description="Why it is not published yet, or never will be", examples=[None])
    held_for: tuple[str, ...] = Field(description="Of a held one: review, statement, embargo", examples=[[]])
    statement_id: UUID | None = Field(description="The statement that it contradicts", examples=[None])
    attachments: tuple[dict[str, Any], ...] = Field(description="References that go along", examples=[[]])
    written_text: str | None = Field(description="What its writer wrote, where who approved it changed the words")
    decided_by: str | None = Field(description="Who let it go or rejected it, where it was held")
    decided_at: datetime | None
    answer_id: UUID | None = Field(description="The department's answer that it says")
    edited: float | None = Field(description="The share of that answer's words that were changed, 0 to 1")
    external_id: str | None = Field(description="The channel's id of it", examples=["1859201"])
    queued_at: datetime = Field(description="When it was given")
    published_at: datetime | None


class AnswerOut(OutModel):
    """What a department says the answer is; a draft for webcare unless it went first-hand."""

    id: UUID
    department: str
    actor: str
    text: str
    version: int = Field(description="Counts the answers of one ticket from 1; the newest holds")
    first_hand: bool
    facts: dict[str, str] = Field(description="What it rests on", examples=[{"order": "90817263"}])
    may_publish: bool = Field(description="Whether it may be said in public")
    reusable: bool = Field(description="Whether it also answers others who ask about the topic")
    valid_until: datetime | None
    given_at: datetime


class FeedbackOut(OutModel):
    """How the customer was asked about the latest resolution, or why not, and what was answered."""

    state: str = Field(examples=["answered"])
    reason: str | None = Field(description="Why the customer is not asked", examples=[None])
    score: int | None = Field(examples=[9])
    comment: str | None = Field(examples=["Snel geholpen"])
    effort: int | None = Field(description="The second question, from 1 (hard) to 7 (easy)", examples=[6])
    received_at: datetime | None
    changed_at: datetime | None = Field(description="When the answer was changed, which it may be for a while")


class LinkOut(OutModel):
    """Another ticket that has to do with this one."""

    ticket_id: UUID
    number: int = Field(examples=[1002])
    state: str = Field(examples=["closed"])
    channel: str = Field(examples=["whatsapp"])
    topic: str | None = Field(examples=["delivery_delay"])
    kind: str = Field(
        description="part (merged into this one), whole (this one is merged into it), previous or next (of the same"
        " conversation), or what a colleague said: related, same_customer, same_cause",
        examples=["part"],
    )
    actor: str | None = Field(description="The colleague who said so", examples=[None])
    linked_at: datetime | None


class WriterOut(OutModel):
    """Somebody who has a draft on the ticket."""

    actor: str = Field(examples=["agent:anna"])
    updated_at: datetime


class OpinionOut(OutModel):
    """What a language model takes the posts for, where the rules were not sure; a suggestion unless it `routed`."""

    topic: str | None = Field(description="Slug; null: it has no opinion", examples=["invoice_question"])
    reason: str | None = Field(
        description="Why it has none: unreachable, unreadable, malformed, unknown_topic or undecided", examples=[None]
    )
    model: str = Field(examples=["small-instruct"])
    answered_at: datetime
    routed: bool = Field(description="Whether the ticket went where it says, because such opinions proved right")


class TicketOut(TicketLine):
    """All of a ticket: what the customer said, what was answered, its clocks and who had the ball."""

    author_id: UUID
    previous_id: UUID | None
    merged_into_id: UUID | None = Field(
        description="The ticket in which it goes on, with all that comes", examples=[None]
    )
    links: list[LinkOut]
    legal: list[str] = Field(description="The acts that its state allows")
    clocks: list[ClockOut]
    custody: list[CustodyOut]
    mentions: list[MentionOut]
    replies: list[ReplyOut]
    answers: list[AnswerOut]
    feedback: FeedbackOut | None
    follow_up: FollowUpOut | None = Field(description="Who gets back to a customer who is not content, and by when")
    drafts: list[WriterOut] = Field(description="Who wrote something that is not sent yet; nobody else's words")
    embargo: EmbargoOut | None = Field(description="Under which public replies wait for PR")
    crisis: CrisisOut | None = Field(description="When it belongs to an open incident: who says what")
    opinion: OpinionOut | None = Field(description="A second opinion on a post that came into triage")


class DecisionOut(OutModel):
    """One routing of the ticket, in words and as the record that was kept."""

    at: datetime
    actor: str
    words: list[str]
    record: dict[str, Any]


class ClockExplained(ClockOut):
    elapsed_seconds: float | None = Field(
        description="Business time used, in the clock's calendar; null when the rules have that calendar no longer"
    )
    counted: list[CustodyOut] = Field(description="The stretches whose holder's time counts")
    open: list[OpenOut] = Field(description="The opening hours within those; their seconds add up to `elapsed_seconds`")


class ExplainOut(OutModel):
    words: list[str]
    decisions: list[DecisionOut]
    clocks: list[ClockExplained]
    seconds_by_holder: dict[str, float] = Field(description="These add up to the ticket's life so far")
    risk: list[RiskPartOut] = Field(description="What the ticket's risk is made of, the heaviest first")


@router.get(
    "/tickets/{ticket_id}",
    responses={200: {"model": TicketOut}},
    response_class=Response,
    summary="Read a ticket",
)
async def read_ticket(caller: Reader, runtime: Serving, ticket_id: UUID) -> Response:
    """The answer's `ETag` is what a write may send back as `If-Match`."""
    async with runtime.reading() as tx:
        return await view(tx, runtime, ticket_id, caller.department)


@router.get("/tickets/{ticket_id}/explain", summary="Explain why a ticket is where it is")
async def explain_ticket(caller: Reader, runtime: Serving, ticket_id: UUID) -> ExplainOut:
    """Every routing with its evidence, every clock with the stretches that count, who had the ball, what risks much."""
    async with runtime.reading() as tx:
        ticket = await tickets.get_ticket(tx, ticket_id, department=caller.department)
        decisions = await routing.list_decisions(tx, ticket_id)
        clocks = (await sla.list_clocks(tx, [ticket_id])).get(ticket_id, ())
        opinion = (await list_opinions(tx, [ticket_id])).get(ticket_id)
    now = runtime.now()
    told = [DecisionOut(at=d.at, actor=d.actor, words=in_words(d.record), record=dict(d.record)) for d in decisions]
    return ExplainOut(
        words=[
            *(told[-1].words if told else ()),
            *([opinion.in_words] if opinion else ()),
            *(_clock_in_words(clock) for clock in clocks),
        ],
        decisions=told,
        clocks=[_explained(runtime, ticket, clock, now) for clock in clocks],
        seconds_by_holder={str(holder): spent for holder, spent in seconds_by_holder(ticket.custody, now).items()},
        risk=[RiskPartOut.model_validate(part) for part in weigh(ticket.signals, runtime.rulebook.escalation.risk)],
    )


async def view(tx: Reading, runtime: Runtime, ticket_id: UUID, department: str | None) -> Response:
    """Everything about one ticket, with its `ETag`. Raises `TicketNotFound`."""
    ticket = await tickets.get_ticket(tx, ticket_id, department=department)
    clocks = (await sla.list_clocks(tx, [ticket_id])).get(ticket_id, ())
    feedback = await find_feedback(tx, ticket_id)
    embargo = await find_embargo(tx, ticket_id, runtime.now())
    follow_up = await find_follow_up(tx, ticket_id)
    crisis = await crisis_of(tx, runtime, ticket)
    opinion = (await list_opinions(tx, [ticket_id])).get(ticket_id)
    whole = {
        **line(ticket),
        "author_id": ticket.author_id,
        "previous_id": ticket.previous_id,
        "merged_into_id": ticket.merged_into_id,
        "links": [LinkOut.plain(one) for one in await list_links(tx, ticket_id)],
        "legal": legal_moves(ticket),
        "clocks": [_clock(clock) for clock in clocks],
        "custody": [CustodyOut.plain(stretch) for stretch in held(ticket.custody, runtime.now())],
        "mentions": [_post(row) for row in await tickets.list_mentions(tx, ticket_id)],
        "replies": [ReplyOut.plain(one) for one in await answers.list_replies(tx, ticket_id)],
        "answers": [AnswerOut.plain(one) for one in await answers.list_answers(tx, ticket_id)],
        "feedback": feedback and FeedbackOut.plain(feedback),
        "follow_up": follow_up and FollowUpOut.plain(follow_up),
        "drafts": [dict(one) for one in await list_writers(tx, ticket_id)],
        "embargo": embargo and EmbargoOut.plain(embargo),
        "crisis": crisis and crisis.model_dump(),
        "opinion": opinion and OpinionOut.plain(opinion),
    }
    return Response(dump(whole), media_type="application/json", headers={"ETag": etag(ticket.version)})


def line(ticket: Ticket) -> dict[str, Any]:
    return TicketLine.plain(ticket)


def _post(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in MentionOut.model_fields}


def _clock(clock: Clock) -> dict[str, Any]:
    frozen = clock.policy
    told = {"policy": frozen.name, "calendar": frozen.calendar, "target_seconds": frozen.target.total_seconds()}
    return {name: told[name] if name in told else getattr(clock, name) for name in ClockOut.model_fields}


def _explained(runtime: Runtime, ticket: Ticket, clock: Clock, now: datetime) -> ClockExplained:
    calendar = runtime.rulebook.calendars.get(clock.policy.calendar)
    if calendar is None:
        return ClockExplained(**_clock(clock), elapsed_seconds=None, counted=[], open=[])
    reading = read(
        clock.policy, calendar, ticket.custody, started_at=clock.started_at, stopped_at=clock.ended_at, now=now
    )
    return ClockExplained(
        **_clock(clock),
        elapsed_seconds=reading.elapsed.total_seconds(),
        counted=[CustodyOut.model_validate(stretch) for stretch in reading.intervals],
        open=[
            OpenOut(start=opens, end=closes, seconds=(closes - opens).total_seconds())
            for stretch in reading.intervals
            for opens, closes in openings(calendar, stretch.start, stretch.end)
        ],
    )


def _clock_in_words(clock: Clock) -> str:
    promise = f"{clock.metric}: {clock.policy.target} of {clock.policy.calendar} time by policy '{clock.policy.name}'"
    if clock.ended_at is not None:
        return f"{promise}, {clock.state} at {clock.ended_at:%Y-%m-%d %H:%M}Z"
    due = f"due {clock.due_at:%Y-%m-%d %H:%M}Z" if clock.due_at else "not running now"
    return f"{promise}, {clock.state}, {due}"
