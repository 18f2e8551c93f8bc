"""How tickets find their owner, over HTTP. Knows the members of the answers; refuses to know how they come about."""

from dataclasses import astuple, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.api.fields import OutModel
from app.api.reports.answering import FORMATS, Figure, LineOut, ReportOut, answer, tell
from app.api.reports.asking import PREFIX, Asked, PeriodIn, Reader, ShownIn
from app.api.reports.lines import Lines, lines_of
from app.api.serving import Serving
from app.reports.confusion import confuse, understand
from app.reports.dictionary import Unit
from app.reports.question import Question
from app.reports.store import list_pairs, list_routed
from app.reports.tally.store import Ledger, get_ledger

router = APIRouter(prefix=PREFIX)

CONFUSED = {"n": Unit.COUNT, "share": Unit.SHARE}


class RoutingOut(LineOut):
    n: int = Field(description="Tickets, by when they were opened")
    ownership: int = Field(description="Placed at once by the ownership of their topic")
    route: int = Field(description="Placed at once by a route")
    triage: int = Field(description="Not placed at once: a person looked")
    ownership_share: float | None = Field(description="ownership / n, 0 to 1")
    route_share: float | None
    triage_share: float | None
    handed_over: int = Field(description="To departments, by when")
    handed_back: int = Field(description="By departments, by when")
    hand_back_rate: float | None = Field(description="handed_back / handed_over, 0 to 1", examples=[0.08])
    fell_back: int = Field(description="Not taken, or not accepted, in time")
    hops: float | None = Field(
        description="How often the ball went to somebody else among us until a resolution, on average"
    )
    first_hand_share: float | None = Field(description="Said by departments / all that was said to customers, 0 to 1")
    published: int = Field(description="Departments' answers that webcare said for them")
    reused: int = Field(description="Of these: given on another ticket")
    unchanged_share: float | None = Field(description="Of these: said word for word, 0 to 1")
    edited_share: float | None = Field(description="How much of their words was changed, on average, 0 to 1")


class RoutingReportOut(ReportOut):
    items: list[RoutingOut]


class PairsIn(PeriodIn, ShownIn):
    """A period as a whole."""


class ConfusedOut(OutModel):
    first: str | None = Field(description="The topic at first; null: none was found, the ticket went to triage")
    now: str | None = Field(description="The topic as it stands")
    n: int = Field(description="Tickets, by when they were opened")
    share: float = Field(description="Of the tickets with this topic at first, 0 to 1")


class ConfusionOut(ReportOut):
    """The cells that are not empty, those on the diagonal included."""

    found: int = Field(description="Tickets for which a topic was found at first")
    right: int = Field(description="Of these: it is still so")
    right_share: Figure | None = Field(description="right / found, 0 to 1; null when there are none")
    items: list[ConfusedOut]


@router.get("/routing", response_model=RoutingReportOut, responses=FORMATS, summary="How tickets find their owner")
async def read_routing(caller: Reader, runtime: Serving, request: Request, asked: Asked) -> Response:
    """What placed tickets, and how often they had to go on."""
    return await tell(gather_routing, asked, caller, request, runtime)


@router.get(
    "/routing/confusion", response_model=ConfusionOut, responses=FORMATS, summary="Which topics are taken for others"
)
async def read_confusion(
    caller: Reader, runtime: Serving, request: Request, asked: Annotated[PairsIn, Query()]
) -> Response:
    """Topic at first against topic now, of the tickets opened in the period. A chart shows only what was taken for
    something else.
    """
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        period = asked.period(runtime.now(), ledger.zone)
        question = Question(*period, department=caller.department, zone=ledger.zone)
        as_of, pairs = await list_pairs(ledger, question)
    rows = [(None, *astuple(one)) for one in confuse(pairs)]
    lines = Lines("routing/confusion", question, as_of, ("first", "now"), CONFUSED, rows, shown="n")
    mistaken = replace(lines, rows=[row for row in rows if row[1] not in (None, row[2])])
    known = understand(pairs)
    told = {"found": known.n, "right": known.right, "right_share": known.share}
    return await answer(lines, asked, request, runtime, told=told, drawn=mistaken)


async def gather_routing(ledger: Ledger, question: Question) -> Lines:
    return lines_of("routing", question, await list_routed(ledger, question), "triage_share")
