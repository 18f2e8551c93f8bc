"""How much there was, over HTTP. Knows the members of the answer; refuses to know how they come about."""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.reports.answering import FORMATS, LineOut, ReportOut, tell
from app.api.reports.asking import PREFIX, Asked, Reader
from app.api.reports.lines import Lines, lines_of
from app.api.serving import Serving
from app.reports.question import Question
from app.reports.store import list_volume
from app.reports.tally.store import Ledger

router = APIRouter(prefix=PREFIX)


class VolumeOut(LineOut):
    mentions: int = Field(description="Customers' posts, by when they were put on a ticket")
    opened: int = Field(description="Tickets, by when they were opened")
    replied: int = Field(description="What was said to customers, by when")
    resolved: int = Field(description="Resolutions, each time")
    reopened: int = Field(description="Resolved tickets that were not settled after all")


class VolumeReportOut(ReportOut):
    items: list[VolumeOut]


@router.get("/volume", response_model=VolumeReportOut, responses=FORMATS, summary="How much there was")
async def read_volume(caller: Reader, runtime: Serving, request: Request, asked: Asked) -> Response:
    """Posts, tickets, replies and resolutions, each by when it was."""
    return await tell(gather_volume, asked, caller, request, runtime)


async def gather_volume(ledger: Ledger, question: Question) -> Lines:
    return lines_of("volume", question, await list_volume(ledger, question), "opened", weight="mentions", adds=True)
