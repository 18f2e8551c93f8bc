"""How well promises were kept, over HTTP. Knows the members of the answer; refuses to know how they come about."""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.reports.answering import FORMATS, LineOut, ReportOut, tell
from app.api.reports.asking import PREFIX, Asked, Reader
from app.api.reports.lines import Lines, rows_of
from app.api.serving import Serving
from app.kit.db import Reading
from app.reports.dictionary import Unit
from app.reports.question import Question
from app.reports.store import list_attainment

router = APIRouter(prefix=PREFIX)

FIGURES = {
    "n": Unit.COUNT,
    "met": Unit.COUNT,
    "breached": Unit.COUNT,
    "met_share": Unit.SHARE,
    "p50": Unit.SECONDS,
    "p90": Unit.SECONDS,
    "p99": Unit.SECONDS,
    "p50_calendar": Unit.SECONDS,
    "p90_calendar": Unit.SECONDS,
    "p99_calendar": Unit.SECONDS,
}


class SlaOut(LineOut):
    metric: str = Field(description="first_reply, next_reply, resolution, acceptance or ownership")
    n: int = Field(description="Promises whose outcome is certain")
    met: int
    breached: int
    met_share: float | None = Field(description="met / n, 0 to 1", examples=[0.93])
    p50: float | None = Field(description="Seconds of business time, over promises that have ended", examples=[1860.0])
    p90: float | None
    p99: float | None
    p50_calendar: float | None = Field(description="Seconds on the wall, over the same promises", examples=[5460.0])
    p90_calendar: float | None
    p99_calendar: float | None


class SlaReportOut(ReportOut):
    items: list[SlaOut]


@router.get("/sla", response_model=SlaReportOut, responses=FORMATS, summary="How well promises were kept")
async def read_sla(caller: Reader, runtime: Serving, request: Request, asked: Asked) -> Response:
    """Promises per metric, by when their outcome became certain: met at the end, breached at the due moment."""
    return await tell(gather_sla, asked, caller, request, runtime)


async def gather_sla(tx: Reading, question: Question) -> Lines:
    as_of, found = await list_attainment(tx, question)
    rows = rows_of(found, FIGURES)
    return Lines("sla", question, as_of, (*question.group_by, "metric"), FIGURES, rows, shown="met_share")
