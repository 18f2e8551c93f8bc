"""The queue on the wire: pages of it, counts beside them, and the next ticket for whoever asks.

Knows the filters and their words. Refuses to know which ticket is urgent (tickets/urgency) and what a claim does.
Answers are written without FastAPI's own models, as mentions are read; the models describe them in OpenAPI.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.profile import Profile
from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.counting import STALE, Counted, Counting
from app.api.etag import etag
from app.api.fields import InModel, Instant, Name, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.api.tickets import OpinionOut, Reader, TicketLine, line
from app.flows import work
from app.kit.db import Reading
from app.kit.wire import dump
from app.routing.decision import Priority
from app.runtime import Runtime
from app.tickets.custody import Holder
from app.tickets.queue import store as queue
from app.tickets.queue.store import Line
from app.tickets.queue.wanted import OURS, SETTLED_STATES, Values, Wanted
from app.tickets.ticket import State
from app.topics.lessons.lesson import reasons
from app.topics.lessons.store import Lesson, list_lessons
from app.topics.opinions.store import Had, list_opinions

router = APIRouter(prefix="/api/v1", tags=["agents"])

Agent = Annotated[Caller, allow(Permission.WORK_TICKETS)]

NONE = "none"  # as a filter and in counts: the tickets that have no value
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_places = Places(tuple[Instant, UUID])
_lessons = Places(tuple[Share, UUID])

Several = Field(max_length=50)
Names = Annotated[list[Name], Several]


class Order(StrEnum):
    URGENCY = "urgency"
    TEACHING = "teaching"


class QueueFilter(Paging):
    """Every filter that is given must hold; one that is given several times holds with any of its values."""

    department: Names = Field([], description="Slug of the owner, or none", examples=[["billing"]])
    topic: Names = Field([], description="Slug, or none: triage", examples=[["number_porting"]])
    channel: Names = Field([], description="Any of these", examples=[["x", "instagram"]])
    account: Names = Field([], description="The profile of ours that the post came in on, or none")
    language: Names = Field([], description="Of the post, as ISO 639 has it, or none: not known", examples=[["nl"]])
    state: Annotated[list[State], Several] = Field([], description="Left out: every state but resolved and closed")
    priority: Annotated[list[Priority], Several] = Field([], description="Any of these")
    assignee: Names = Field([], description="As tickets name them, or none: nobody", examples=[["agent:anna"]])
    holder: Annotated[list[Holder], Several] = Field([], description="Who has the ball")
    tag: Annotated[list[Annotated[str, Text(50, 1)]], Several] = Field([], description="Among its tags")
    overdue: bool | None = Field(None, description="Whether a promise to the customer is past due")
    due_before: Instant | None = Field(None, description="A promise to the customer is due before this moment")
    text: Annotated[str, Text(200, 1)] | None = Field(
        None,
        description='Words in the customer\'s posts: all of them, "in this order" in quotes, -without this one',
        examples=["pakket"],
    )
    snoozed: bool = Field(False, description="Those that are out of sight, instead of those in sight")
    order: Order = Field(
        Order.URGENCY,
        description="urgency, or teaching: tickets in triage in the order in which somebody's word on their topic"
        " teaches most, one for all that say nearly the same",
    )
    counts: bool = Field(False, description="Count the tickets too, by every value of every filter")

    def wanted(self, caller: Caller) -> Wanted:
        return Wanted(
            department=_values(self.department),
            topic=_values(self.topic),
            channel=tuple(self.channel),
            account=_values(self.account),
            language=_values(self.language),
            state=tuple(self.state),
            priority=tuple(self.priority),
            assignee=_values(self.assignee),
            holder=tuple(self.holder),
            tag=tuple(self.tag),
            overdue=self.overdue,
            due_before=self.due_before,
            text=self.text,
            snoozed=self.snoozed,
            within=caller.department,
        )


class UrgencyReasonOut(OutModel):
    """Something that presses, or draws the ticket forward."""

    code: str = Field(
        description="promise, reply_window or nothing_promised; then priority and risk", examples=["promise"]
    )
    text: str = Field(examples=["the soonest promise to the customer is due 2026-11-22 09:31Z"])
    sooner_seconds: float = Field(description="By how much it draws the ticket forward", examples=[0.0])


class UrgencyOut(OutModel):
    """The earlier `at`, the more urgent. It moves when something happens to the ticket, never by itself."""

    at: datetime
    reasons: list[UrgencyReasonOut]


class TeachingReasonOut(OutModel):
    code: str = Field(description="margin, one or unknown; then rare and alike", examples=["margin"])
    text: str = Field(examples=["it may be delivery_delay (0.41) or order_status (0.40)"])


class TeachingOut(OutModel):
    """What a label on the ticket would teach."""

    worth: float = Field(description="0 to 1", examples=[0.97])
    alike: int = Field(description="More tickets in triage that say nearly the same", examples=[6])
    reasons: list[TeachingReasonOut]


class QueueLine(TicketLine):
    """A ticket with the beginning of the customer's newest post."""

    overdue: bool = Field(description="Whether a promise to the customer is past due")
    text: str = Field(description="At most 280 characters", examples=["Mijn pakketje is nog steeds niet bezorgd."])
    author: str | None = Field(description="Handle, or else display name", examples=["jan"])
    urgency: UrgencyOut
    opinion: OpinionOut | None = Field(description="In triage: what a language model takes the posts for")
    teaching: TeachingOut | None = Field(description="In the order of teaching")


_BESIDES = {"overdue", "urgency", "opinion", "teaching"}
_AS_IT_STANDS = tuple(name for name in QueueLine.model_fields if name not in _BESIDES)


class CountsOut(OutModel):
    """How many open tickets fit all filters, and how many would with another value of one of them.

    `none` counts those that have no value. A ticket counts for each of its tags.
    """

    counted_at: datetime = Field(
        description=f"Some seconds ago while somebody asks again and again; {STALE:g} seconds ago at most"
    )
    total: int = Field(examples=[342])
    by: dict[str, dict[str, int]] = Field(examples=[{"channel": {"x": 260, "forum": 82}, "overdue": {"true": 12}}])


class QueuePage(Page[QueueLine]):
    """`counts` null: not asked for; or of resolved or closed tickets, which are not counted; or being counted for the
    first time, which no page waits for long: the next page has them.
    """

    counts: CountsOut | None


class ClaimIn(InModel):
    """Which tickets the agent takes. What is left out is answered by the agent's profile, an empty list asks nothing;
    both forms of a question add up.
    """

    topics: Names | None = Field(None, description="Slugs, or none: triage", examples=[["number_porting"]])
    channels: Names | None = Field(None, description="As mentions name them", examples=[["x", "whatsapp"]])
    languages: Names | None = Field(
        None, description="Of the post, as ISO 639 has it, or none: not known", examples=[["nl"]]
    )
    departments: Names | None = Field(
        None, description="Slugs of owners; what they have themselves is taken from them", examples=[[]]
    )
    topic: Name | None = Field(None, description="One topic", examples=[None])
    channel: Name | None = Field(None, description="One channel", examples=[None])
    language: Name | None = Field(None, description="One language", examples=[None])
    department: Name | None = Field(None, description="One owner", examples=[None])

    def wanted(self, can: Profile) -> Wanted:
        of_departments = bool(self.departments or self.department)
        return Wanted(
            topic=_fit(self.topics, self.topic, can.topics),
            channel=_fit(self.channels, self.channel, can.channels),
            language=_fit(self.languages, self.language, can.languages),
            department=_fit(self.departments, self.department, can.departments),
            holder=() if of_departments else OURS,
        )


@router.get("/queue", responses={200: {"model": QueuePage}}, response_class=Response, summary="Read the queue")
async def read_queue(
    caller: Reader, runtime: Serving, request: Request, asked: Annotated[QueueFilter, Query()]
) -> Response:
    """Open tickets, the most urgent first, each with the reasons why. A department sees its own.

    The order is that of stored moments, so a page goes on exactly where the one before it ended: a ticket to which
    something happens meanwhile may be met again in its new place, one that stands still is met once.

    With `order=teaching` only what is in triage, as it was weighed within the last minute or so.
    """
    now = runtime.now()
    wanted = asked.wanted(caller)
    async with runtime.reading() as tx:
        page, next_cursor = await _pages[asked.order](tx, wanted, now, asked)
        opinions = await _opinions(tx, page)
    counting: Counting = request.app.state.counting
    counted = await counting.of(wanted) if asked.counts and SETTLED_STATES.isdisjoint(wanted.state) else None
    content = {
        "items": [_line(one, teaching, opinions.get(one.row["id"]), now) for one, teaching in page],
        "next_cursor": next_cursor,
        "counts": counted and _counts(counted),
    }
    return Response(dump(content), media_type="application/json")


@router.post(
    "/queue/claim",
    responses={200: {"model": TicketLine}, 204: {"description": "Nothing to do"}},
    response_class=Response,
    summary="Take the next ticket",
)
async def claim_next(caller: Agent, runtime: Serving, fit: ClaimIn | None = None) -> Response:
    """The most urgent ticket that webcare has and nobody works on, with a lease of ten minutes; 204 when there is none.

    What a department has stays with it, unless `departments` names it. The ticket of a customer whom a colleague helped
    before is kept for that colleague while they are at work, until it presses.
    """
    wanted = (fit or ClaimIn()).wanted(caller.profile)
    ticket = await runtime.run(work.claim_next, caller, wanted)
    if ticket is None:
        return Response(status_code=204)
    return Response(dump(line(ticket)), media_type="application/json", headers={"ETag": etag(ticket.version)})


def counting_over(runtime: Runtime) -> Counting:
    """The counts that one process keeps."""
    return Counting(partial(_count, runtime))


async def _count(runtime: Runtime, wanted: Wanted) -> Counted:
    now = runtime.now()
    async with runtime.reading() as tx:
        return Counted(now, await queue.list_counts(tx, wanted, now))


def _values(given: Sequence[str | None]) -> Values:
    return tuple(None if value == NONE else value for value in given if value is not None)


def _fit(several: list[str] | None, one: str | None, skills: tuple[str, ...]) -> Values:
    """What is asked, else what the agent can take: of that also what nobody knows yet, or nobody would look at it."""
    if several is None and one is None:
        return (*skills, None) if skills else ()
    return _values([*(several or ()), one])


_Page: TypeAlias = Sequence[tuple[Line, Lesson | None]]


async def _most_urgent(tx: Reading, wanted: Wanted, now: datetime, asked: QueueFilter) -> tuple[_Page, str | None]:
    found = await queue.list_queue(tx, wanted, now, limit=asked.limit + 1, after=_places.decode(asked.cursor))
    page, next_cursor = _places.cut(found, asked.limit, lambda one: (one.row["urgent_at"], one.row["id"]))
    return [(one, None) for one in page], next_cursor


async def _most_telling(tx: Reading, wanted: Wanted, now: datetime, asked: QueueFilter) -> tuple[_Page, str | None]:
    found = await list_lessons(tx, wanted, now, limit=asked.limit + 1, after=_lessons.decode(asked.cursor))
    page, next_cursor = _lessons.cut(found, asked.limit, lambda one: (one.worth, one.line.row["id"]))
    return [(one.line, one) for one in page], next_cursor


_pages = {Order.URGENCY: _most_urgent, Order.TEACHING: _most_telling}


async def _opinions(tx: Reading, page: _Page) -> Mapping[UUID, Had]:
    """Second opinions help who looks at triage; a page without any asks for none."""
    in_triage = [one.row["id"] for one, _ in page if one.row["state"] == State.TRIAGE]
    return await list_opinions(tx, in_triage) if in_triage else {}


def _line(one: Line, taught: Lesson | None, opinion: Had | None, now: datetime) -> dict[str, Any]:
    due_at = one.row["next_due_at"]
    return {
        **{name: one.row[name] for name in _AS_IT_STANDS},
        "overdue": due_at is not None and due_at < now,
        "urgency": {
            "at": one.row["urgent_at"],
            "reasons": [
                {"code": reason.code, "text": reason.text, "sooner_seconds": reason.sooner.total_seconds()}
                for reason in one.urgency.reasons
            ],
        },
        "opinion": opinion and OpinionOut.plain(opinion),
        "teaching": taught and _teaching(taught),
    }


def _teaching(taught: Lesson) -> dict[str, Any]:
    why = [reason._asdict() for reason in reasons(taught.best, taught.labels, taught.alike)]
    return {"worth": round(taught.worth, 3), "alike": taught.alike, "reasons": why}


def _counts(counted: Counted) -> dict[str, Any]:
    by = {
        dimension: {NONE if value is None else value: n for value, n in counts.items()}
        for dimension, counts in counted.counts.by.items()
    }
    return {"counted_at": counted.at, "total": counted.counts.total, "by": by}
