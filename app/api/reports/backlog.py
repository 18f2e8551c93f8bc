"""What waits, over time and tonight, over HTTP. Knows the members; refuses to know how they come about."""

from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from app.api.reports.answering import FORMATS, LineOut, ReportOut, answer, tell
from app.api.reports.asking import PREFIX, Asked, Reader, ShownIn
from app.api.reports.lines import Lines, lines_of
from app.api.serving import Serving
from app.reports.dictionary import Unit, figures_of
from app.reports.forecast import forecast
from app.reports.question import Interval, Question, midnight, step_after, step_of
from app.reports.store import BEGINNING, list_flows, list_waiting
from app.reports.tally.store import Ledger, get_ledger

router = APIRouter(prefix=PREFIX)

FIGURES = figures_of("backlog/forecast")
WEEKS = 8


class BacklogOut(LineOut):
    open: int = Field(description="Tickets that waited for us at the end of the step, or of the period")
    came: int = Field(description="Opened or reopened in it")
    went: int = Field(description="Resolved in it, or merged into another")


class BacklogReportOut(ReportOut):
    items: list[BacklogOut]


class ForecastIn(ShownIn):
    hours: int | None = Field(None, ge=1, le=24, description="So many hours ahead. Left out: until midnight")

    def until(self, now: datetime, zone: ZoneInfo) -> datetime:
        if self.hours is None:
            return step_after(step_of(now, Interval.DAY, zone), Interval.DAY, zone)
        return now + timedelta(hours=self.hours)


class AheadOut(LineOut):
    step: AwareDatetime = Field(description="The end of an hour")
    expected: float = Field(description="Tickets that will wait then")
    low: float = Field(description="Lower end of the 95 % interval")
    high: float = Field(description="Upper end")


class ForecastOut(ReportOut):
    """The same hours of the last weeks, put onto what waits now; no items when too few weeks were counted."""

    open: int = Field(description="Tickets that wait now")
    weeks: int = Field(description="Weeks of the past that it is made of; at least three are needed")
    items: list[AheadOut]


@router.get("/backlog", response_model=BacklogReportOut, responses=FORMATS, summary="How much waited")
async def read_backlog(caller: Reader, runtime: Serving, request: Request, asked: Asked) -> Response:
    """Tickets that are neither resolved nor closed. `/reports/backlog/now` has them by holder and age."""
    return await tell(gather_backlog, asked, caller, request, runtime)


async def gather_backlog(ledger: Ledger, question: Question) -> Lines:
    counted = await list_waiting(ledger, question)
    return lines_of("backlog", question, counted, "open", weight="open", adds=True)


@router.get("/backlog/forecast", response_model=ForecastOut, responses=FORMATS, summary="How much will wait tonight")
async def read_forecast(
    caller: Reader, runtime: Serving, request: Request, asked: Annotated[ForecastIn, Query()]
) -> Response:
    """From what came and went in the same hours of the last weeks; docs/metrics.md has the formula."""
    now = runtime.now()
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        tonight = await gather_forecast(ledger, now, asked.until(now, ledger.zone), caller.department)
    told = {"open": tonight.open, "weeks": tonight.weeks}
    return await answer(tonight.lines, asked, request, runtime, told=told, drawn=tonight.drawn)


@dataclass(frozen=True, slots=True)
class Tonight:
    """The backlog ahead: `open` tickets wait now; `lines` by hour, and `drawn` with a series for each end."""

    open: int
    weeks: int
    lines: Lines
    drawn: Lines


async def gather_forecast(ledger: Ledger, now: datetime, until: datetime, department: str | None) -> Tonight:
    zone = ledger.zone
    waits = await list_waiting(ledger, Question(midnight(BEGINNING, zone), now, department=department, zone=zone))
    [(_, _, waiting)] = waits.lines
    weeks = await list_flows(ledger, now, until, WEEKS, department)
    ahead = forecast(now, step_of(now, Interval.HOUR, zone), waiting.open, weeks)
    question = Question(now, until, Interval.HOUR, department=department, zone=zone)
    lines = Lines(
        "backlog/forecast", question, waits.as_of, (), FIGURES, [astuple(one) for one in ahead], shown="expected"
    )
    ends = [(one.at, name, value) for one in ahead for name, value in zip(FIGURES, astuple(one)[1:], strict=True)]
    drawn = replace(lines, keys=("end",), figures={"open": Unit.COUNT}, rows=ends, shown="open", weight="open")
    return Tonight(waiting.open, len(weeks), lines, drawn)
