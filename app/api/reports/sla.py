"""How well promises were kept, over HTTP. Knows the members of the answer; refuses to know how they come about."""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.reports.answering import FORMATS, LineOut, ReportOut, tell
from app.api.reports.asking import PREFIX, Asked, Reader
from app.api.reports.lines import Lines, lines_of
from app.api.serving import Serving
from app.reports.question import Question
from app.reports.store import list_attainment
from app.reports.tally.store import Ledger

router = APIRouter(prefix=PREFIX)


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


async def gather_sla(ledger: Ledger, question: Question) -> Lines:
    return lines_of("sla", question, await list_attainment(ledger, question), "met_share", beside=("metric",))
