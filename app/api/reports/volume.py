"""How much there was, over HTTP. Knows the members of the answer; refuses to know how they come about."""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.reports.answering import FORMATS, LineOut, ReportOut, tell
from app.api.reports.asking import PREFIX, Asked, Reader
from app.api.reports.lines import Lines, rows_of
from app.api.serving import Serving
from app.kit.db import Reading
from app.reports.dictionary import Unit
from app.reports.gathering.store import list_volume
from app.reports.question import Question

router = APIRouter(prefix=PREFIX)

FIGURES = dict.fromkeys(("mentions", "opened", "replied", "resolved", "reopened"), Unit.COUNT)


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


async def gather_volume(tx: Reading, question: Question) -> Lines:
    counted = await list_volume(tx, question)
    rows = rows_of(counted.lines, FIGURES)
    keys = question.group_by
    return Lines("volume", question, counted.as_of, keys, FIGURES, rows, shown="opened", weight="mentions", adds=True)
