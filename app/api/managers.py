"""For managers: NPS and SLA by period and group, as JSON or as a table for a spreadsheet.

Knows how a question is asked over HTTP and how an answer is laid out. Refuses to know how figures come about
(reports; docs/metrics.md). A department asks the same questions and is answered about itself.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import InModel, Instant, OutModel, Text
from app.api.serving import Serving
from app.feedback.nps import Nps
from app.reports.attainment import Attainment
from app.reports.question import DIMENSIONS, Interval, Question
from app.reports.store import list_attainment, list_nps

router = APIRouter(prefix="/api/v1/reports", tags=["managers"])

USUAL_PERIOD = timedelta(days=30)
DECIMALS = 4
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read these too

TABLE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}

Reader = Annotated[Caller, allow(Permission.READ_REPORTS)]


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"


class QuestionIn(InModel):
    from_: Instant | None = Field(None, alias="from", description="Left out: 30 days before `to`")
    to: Instant | None = Field(None, description="Not included. Left out: now")
    interval: Interval = Field(Interval.NONE, description="Steps of the period, in UTC")
    group_by: Annotated[str, Text(200)] = Field(
        "", description=f"Comma-separated: {', '.join(DIMENSIONS)}", examples=["topic,arm"]
    )
    format: Format = Field(Format.JSON, description="`csv` is a table for a spreadsheet")

    def question(self, caller: Caller, now: datetime) -> Question:
        """Raises `EmptyPeriod` and the like, when the question has no sense."""
        until = self.to or now
        names = tuple(name.strip() for name in self.group_by.split(",") if name.strip())
        return Question(self.from_ or until - USUAL_PERIOD, until, self.interval, names, caller.department)


Asked = Annotated[QuestionIn, Query()]


class LineOut(OutModel):
    """A line has the members that were asked for: `step` with an interval, and each dimension of `group_by`."""

    step: AwareDatetime | None = Field(None, description="Start of the step; weeks begin on Monday; UTC")
    topic: str | None = None
    channel: str | None = None
    account: str | None = None
    department: str | None = None
    stage: str | None = None
    arm: str | None = None
    priority: str | None = None
    agent: str | None = None
    language: str | None = None


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


class SlaOut(LineOut):
    metric: str = Field(description="first_reply, next_reply, resolution, acceptance or ownership")
    n: int = Field(description="Promises whose outcome is certain")
    met: int
    breached: int
    met_share: float | None = Field(description="met / n, 0 to 1", examples=[0.93])
    p50: float | None = Field(description="Seconds of business time, over promises that have ended", examples=[1860.0])
    p90: float | None
    p99: float | None


class ReportOut(OutModel):
    """The question as it was understood, beside its answer; the period is half-open."""

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    interval: Interval
    group_by: list[str]


class NpsReportOut(ReportOut):
    items: list[NpsOut]


class SlaReportOut(ReportOut):
    items: list[SlaOut]


@router.get("/nps", response_model=NpsReportOut, responses=TABLE, summary="What customers thought")
async def read_nps(caller: Reader, runtime: Serving, asked: Asked) -> Response:
    """Net Promoter Scores with their uncertainty, by when the tickets were resolved."""
    question = asked.question(caller, runtime.now())
    async with runtime.reading(reports=True) as tx:
        lines = await list_nps(tx, question)
    names = (*question.group_by, *(member.name for member in fields(Nps)))
    rows = [(step, *group, *astuple(figures)) for step, group, figures in lines]
    return _answer(question, names, rows, asked.format, NpsReportOut)


@router.get("/sla", response_model=SlaReportOut, responses=TABLE, summary="How well promises were kept")
async def read_sla(caller: Reader, runtime: Serving, asked: Asked) -> Response:
    """Promises per metric, by when their outcome became certain: met at the end, breached at the due moment."""
    question = asked.question(caller, runtime.now())
    async with runtime.reading(reports=True) as tx:
        lines = await list_attainment(tx, question)
    names = (*question.group_by, "metric", *(member.name for member in fields(Attainment)))
    rows = [(step, *group, *astuple(figures)) for step, group, figures in lines]
    return _answer(question, names, rows, asked.format, SlaReportOut)


def _answer(
    question: Question,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    wanted: Format,
    report: type[ReportOut],
) -> Response:
    """The report; each row is its step and then one value per name. Without an interval there are no steps to show."""
    if question.interval is Interval.NONE:
        rows = [row[1:] for row in rows]
    else:
        names = ("step", *names)
    rows = [tuple(round(value, DECIMALS) if isinstance(value, float) else value for value in row) for row in rows]
    if wanted is Format.CSV:
        return Response(_table(names, rows), media_type="text/csv; charset=utf-8; header=present")
    told = {
        "from": question.start,
        "to": question.end,
        "interval": question.interval,
        "group_by": question.group_by,
        "items": [dict(zip(names, row, strict=True)) for row in rows],
    }
    shown = report.model_validate(told).model_dump_json(exclude_unset=True, by_alias=True)
    return Response(shown, media_type="application/json")


def _table(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    """RFC 4180. A text that a spreadsheet would run as a formula gets a leading `'`; numbers stay numbers."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return table.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
