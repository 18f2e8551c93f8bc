"""What customers thought, over HTTP. Knows the members of the answer; refuses to know how they come about."""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.reports.answering import FORMATS, LineOut, ReportOut, tell
from app.api.reports.asking import PREFIX, Asked, Reader
from app.api.reports.lines import Lines, lines_of
from app.api.serving import Serving
from app.reports.question import Question
from app.reports.store import list_nps
from app.reports.tally.store import Ledger

router = APIRouter(prefix=PREFIX)


class NpsOut(LineOut):
    n: int = Field(description="Answers")
    promoters: int = Field(description="Scores 9 and 10")
    passives: int = Field(description="Scores 7 and 8")
    detractors: int = Field(description="Scores 0 to 6")
    invited: int = Field(description="Customers whom the question reached")
    nps: float | None = Field(description="100 (promoters - detractors) / n; null below 10 answers", examples=[30.0])
    low: float | None = Field(description="Lower end of the 95 % interval (adjusted Wald)", examples=[14.06])
    high: float | None = Field(description="Upper end of the 95 % interval", examples=[44.2])
    response_rate: float | None = Field(description="n / invited, 0 to 1", examples=[0.25])


class NpsReportOut(ReportOut):
    items: list[NpsOut]


@router.get("/nps", response_model=NpsReportOut, responses=FORMATS, summary="What customers thought")
async def read_nps(caller: Reader, runtime: Serving, request: Request, asked: Asked) -> Response:
    """Net Promoter Scores with their uncertainty, by when the tickets were resolved."""
    return await tell(gather_nps, asked, caller, request, runtime)


async def gather_nps(ledger: Ledger, question: Question) -> Lines:
    return lines_of("nps", question, await list_nps(ledger, question), "nps")
