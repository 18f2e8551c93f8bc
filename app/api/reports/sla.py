"""How well promises were kept, over HTTP. Knows the members of the answer; refuses to know how they come about."""

from dataclasses import astuple, fields

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.reports.answering import TABLE, LineOut, ReportOut, answer
from app.api.reports.asking import Asked, Reader
from app.api.serving import Serving
from app.reports.attainment import Attainment
from app.reports.store import list_attainment

router = APIRouter()


class SlaOut(LineOut):
    metric: str = Field(description="first_reply, next_reply, resolution, acceptance or ownership")
    n: int = Field(description="Promises whose outcome is certain")
    met: int
    breached: int
    met_share: float | None = Field(description="met / n, 0 to 1", examples=[0.93])
    p50: float | None = Field(description="Seconds of business time, over promises that have ended", examples=[1860.0])
    p90: float | None
    p99: float | None


class SlaReportOut(ReportOut):
    items: list[SlaOut]


@router.get("/sla", response_model=SlaReportOut, responses=TABLE, summary="How well promises were kept")
async def read_sla(caller: Reader, runtime: Serving, asked: Asked) -> Response:
    """Promises per metric, by when their outcome became certain: met at the end, breached at the due moment."""
    question = asked.question(caller, runtime.now())
    async with runtime.reading(reports=True) as tx:
        lines = await list_attainment(tx, question)
    names = (*question.group_by, "metric", *(member.name for member in fields(Attainment)))
    rows = [(step, *group, *astuple(figures)) for step, group, figures in lines]
    return answer(question, names, rows, asked.format, SlaReportOut)
