"""Where the customer's waiting time went, over HTTP. Knows the members; refuses to know how they come about."""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.reports.answering import FORMATS, LineOut, ReportOut, tell
from app.api.reports.asking import PREFIX, Asked, Reader
from app.api.reports.lines import Lines, lines_of
from app.api.serving import Serving
from app.reports.question import Question
from app.reports.store import list_held
from app.reports.tally.store import Ledger

router = APIRouter(prefix=PREFIX)


class HeldOut(LineOut):
    holder: str = Field(description="triage, webcare, department, customer, pr or outage (of the channel)")
    n: int = Field(description="Stretches, by when they ended; none after the resolution")
    seconds: float = Field(description="Together, on the wall")
    share: float | None = Field(description="Of the time of all holders, 0 to 1")
    waiting_share: float | None = Field(description="Of the time in which the customer waited; null for the customer")


class HeldReportOut(ReportOut):
    items: list[HeldOut]


@router.get("/sla/holders", response_model=HeldReportOut, responses=FORMATS, summary="Where the waiting time went")
async def read_holders(caller: Reader, runtime: Serving, request: Request, asked: Asked) -> Response:
    """How long each holder had the ball: every second from opening to resolution is one holder's."""
    return await tell(gather_held, asked, caller, request, runtime)


async def gather_held(ledger: Ledger, question: Question) -> Lines:
    counted = await list_held(ledger, question)
    return lines_of("sla/holders", question, counted, "waiting_share", beside=("holder",), weight="seconds")
